/*
 * effects_live.h - the effects in this very process, with libev and system/.
 */
#ifndef DAEMON_SUPERVISOR_EFFECTS_LIVE_H
#define DAEMON_SUPERVISOR_EFFECTS_LIVE_H

#include "base/error.h"
#include "supervisor/effects.h"
#include "supervisor/supervisor.h"
#include "system/service_manager.h"

#include <ev.h>
#include <sys/resource.h>

struct effects_live {
	struct ev_loop *loop;
	struct supervisor *supervisor;
	ev_timer wake;
	ev_signal child;
	ev_prepare answer;
	ev_io failures; /**< read end of the pipe on which children say why they could not start */
	int failure_writer;
	struct list answers;                /**< watches that have an answer to give */
	bool has_unwatched;                 /**< a start found no memory for its watch */
	struct rlimit descriptor_limit;     /**< what workers get */
	struct inherited_socket *inherited; /**< owned */
	size_t inherited_count;
};

/** @param supervisor  its effects may then be taken from effects_live_table(); it is initialised by the caller */
bool effects_live_init(struct effects_live *live, struct ev_loop *loop, struct supervisor *supervisor,
		       struct error *error);
struct effects effects_live_table(struct effects_live *live);
void effects_live_finish(struct effects_live *live);

#endif
