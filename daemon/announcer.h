/*
 * announcer.h - tells the service manager how the site is: READY, RELOADING, STATUS, STOPPING, WATCHDOG.
 */
#ifndef DAEMON_ANNOUNCER_H
#define DAEMON_ANNOUNCER_H

#include "supervisor/supervisor.h"

#include <ev.h>

struct announcer {
	struct observer observer;
	struct supervisor *supervisor;
	struct ev_loop *loop;
	ev_timer watchdog;
	bool ready;
	bool reloading;
	bool stopping;
	char status[160]; /**< as last sent */
};

/** Begins to observe; does nothing when no service manager listens. */
void announcer_start(struct announcer *announcer, struct ev_loop *loop, struct supervisor *supervisor);
void announcer_stop(struct announcer *announcer);

/** A reload by signal was refused: a service of Type=notify-reload waits for the words all the same. */
void announcer_reload_refused(const struct supervisor *supervisor);

#endif
