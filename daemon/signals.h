/*
 * signals.h - signals become verbs.
 *
 *   TERM INT  drain and stop; a second one stops now     QUIT  stop now     HUP   reload
 *   TTIN TTOU one worker more or less in each pool       USR1  reopen the log file
 */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

#include "configuration/configuration_file.h"
#include "supervisor/supervisor.h"

#include <ev.h>
#include <stddef.h>

#define SIGNALS_COUNT 8

struct signals {
	struct ev_loop *loop;
	struct supervisor *supervisor;
	const struct configuration_source *source;
	ev_signal watchers[SIGNALS_COUNT];
};

/** Blocks all signals, until signals_watch() is ready for them. Call first of all. */
void signals_block(void);
/** Watches and unblocks. */
void signals_watch(struct signals *signals, struct ev_loop *loop, struct supervisor *supervisor,
		   const struct configuration_source *source);
void signals_unwatch(struct signals *signals);

#endif
