#include "policy/worker_lifecycle.h"

#define STAY(state)                                                                                                    \
	{                                                                                                              \
		true, WORKER_##state, WORKER_ACTION_NONE                                                               \
	}
#define GO(state, actions)                                                                                             \
	{                                                                                                              \
		true, WORKER_##state, (actions)                                                                        \
	}

#define ARM   WORKER_ACTION_ARM
#define READY WORKER_ACTION_READY
#define FAULT WORKER_ACTION_FAULT
#define DRAIN WORKER_ACTION_DRAIN
#define ABORT WORKER_ACTION_ABORT
#define KILL  WORKER_ACTION_KILL
#define GONE  WORKER_ACTION_GONE

static const struct worker_transition table[WORKER_STATE_COUNT][WORKER_EVENT_COUNT] = {
	[WORKER_STARTING] = {
		[WORKER_EVENT_BECAME_READY] = GO(READY, ARM | READY),
		[WORKER_EVENT_HEARTBEAT] = STAY(STARTING),
		[WORKER_EVENT_DEADLINE] = GO(ABORTING, ARM | FAULT | ABORT),
		[WORKER_EVENT_DRAIN_ORDERED] = GO(DRAINING, ARM | DRAIN),
		[WORKER_EVENT_ABORT_ORDERED] = GO(ABORTING, ARM | ABORT),
		[WORKER_EVENT_KILL_ORDERED] = GO(KILLING, ARM | KILL),
		[WORKER_EVENT_EXITED] = GO(GONE, FAULT | GONE),
	},
	[WORKER_READY] = {
		[WORKER_EVENT_BECAME_READY] = STAY(READY),
		[WORKER_EVENT_HEARTBEAT] = GO(READY, ARM),
		[WORKER_EVENT_DEADLINE] = GO(ABORTING, ARM | FAULT | ABORT),
		[WORKER_EVENT_DRAIN_ORDERED] = GO(DRAINING, ARM | DRAIN),
		[WORKER_EVENT_ABORT_ORDERED] = GO(ABORTING, ARM | ABORT),
		[WORKER_EVENT_KILL_ORDERED] = GO(KILLING, ARM | KILL),
		[WORKER_EVENT_EXITED] = GO(GONE, FAULT | GONE),
	},
	[WORKER_DRAINING] = {
		[WORKER_EVENT_BECAME_READY] = STAY(DRAINING),
		[WORKER_EVENT_HEARTBEAT] = STAY(DRAINING),
		[WORKER_EVENT_DEADLINE] = GO(KILLING, ARM | KILL),
		[WORKER_EVENT_DRAIN_ORDERED] = STAY(DRAINING),
		[WORKER_EVENT_ABORT_ORDERED] = GO(ABORTING, ARM | ABORT),
		[WORKER_EVENT_KILL_ORDERED] = GO(KILLING, ARM | KILL),
		[WORKER_EVENT_EXITED] = GO(GONE, GONE),
	},
	[WORKER_ABORTING] = {
		[WORKER_EVENT_BECAME_READY] = STAY(ABORTING),
		[WORKER_EVENT_HEARTBEAT] = STAY(ABORTING),
		[WORKER_EVENT_DEADLINE] = GO(KILLING, ARM | KILL),
		[WORKER_EVENT_DRAIN_ORDERED] = STAY(ABORTING),
		[WORKER_EVENT_ABORT_ORDERED] = STAY(ABORTING),
		[WORKER_EVENT_KILL_ORDERED] = GO(KILLING, ARM | KILL),
		[WORKER_EVENT_EXITED] = GO(GONE, GONE),
	},
	[WORKER_KILLING] = {
		[WORKER_EVENT_BECAME_READY] = STAY(KILLING),
		[WORKER_EVENT_HEARTBEAT] = STAY(KILLING),
		[WORKER_EVENT_DEADLINE] = GO(KILLING, ARM | KILL),
		[WORKER_EVENT_DRAIN_ORDERED] = STAY(KILLING),
		[WORKER_EVENT_ABORT_ORDERED] = STAY(KILLING),
		[WORKER_EVENT_KILL_ORDERED] = STAY(KILLING),
		[WORKER_EVENT_EXITED] = GO(GONE, GONE),
	},
	[WORKER_GONE] = {
		[WORKER_EVENT_BECAME_READY] = STAY(GONE),
		[WORKER_EVENT_HEARTBEAT] = STAY(GONE),
		[WORKER_EVENT_DEADLINE] = STAY(GONE),
		[WORKER_EVENT_DRAIN_ORDERED] = STAY(GONE),
		[WORKER_EVENT_ABORT_ORDERED] = STAY(GONE),
		[WORKER_EVENT_KILL_ORDERED] = STAY(GONE),
		[WORKER_EVENT_EXITED] = STAY(GONE),
	},
};

const struct worker_transition *worker_lifecycle(enum worker_state state, enum worker_event event)
{
	return &table[state][event];
}
