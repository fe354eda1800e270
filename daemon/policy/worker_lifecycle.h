/*
 * worker_lifecycle.h - the life of a worker: a constant table, state x event -> state and actions. Pure.
 *
 * One deadline a state: ready_timeout while starting, the hard heartbeat limit while ready, drain_timeout, the time for
 * a core while aborting, the pause between two kills. A closed pipe and a failed exec are not events (the exit is).
 */
#ifndef DAEMON_POLICY_WORKER_LIFECYCLE_H
#define DAEMON_POLICY_WORKER_LIFECYCLE_H

#include "model/vocabulary.h"

enum worker_event {
	WORKER_EVENT_BECAME_READY,
	WORKER_EVENT_HEARTBEAT,
	WORKER_EVENT_DEADLINE,
	WORKER_EVENT_DRAIN_ORDERED,
	WORKER_EVENT_ABORT_ORDERED, /**< the drain is over its time and a core is wanted */
	WORKER_EVENT_KILL_ORDERED,
	WORKER_EVENT_EXITED,
	WORKER_EVENT_COUNT
};

/** Bits of what a transition asks for. */
enum worker_action {
	WORKER_ACTION_NONE = 0,
	WORKER_ACTION_ARM = 1 << 0,   /**< start the deadline of the new state */
	WORKER_ACTION_READY = 1 << 1, /**< tell the pool that it serves */
	WORKER_ACTION_FAULT = 1 << 2, /**< it failed its duty: remember why */
	WORKER_ACTION_DRAIN = 1 << 3, /**< send the stop signal */
	WORKER_ACTION_ABORT = 1 << 4, /**< send ABRT */
	WORKER_ACTION_KILL = 1 << 5,  /**< send KILL */
	WORKER_ACTION_GONE = 1 << 6   /**< tell the pool that the process is gone */
};

struct worker_transition {
	bool written; /**< every cell of the table is written out; a test looks for holes */
	enum worker_state next;
	unsigned actions;
};

/** @return the cell. */
const struct worker_transition *worker_lifecycle(enum worker_state state, enum worker_event event);

#endif
