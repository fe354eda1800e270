/*
 * control_roster.h - the workers of a pool in the order of their slots, so that a report reads each of them once.
 */
#ifndef DAEMON_CONTROL_CONTROL_ROSTER_H
#define DAEMON_CONTROL_CONTROL_ROSTER_H

#include "model/pool.h"

#include <stdbool.h>
#include <stddef.h>

struct control_roster {
	const struct pool *pool;
	const struct worker **workers; /**< by slot, in a slot by generation; owned */
	size_t count;
	size_t next; /**< the first that was not handed out */
	int slot;    /**< handed out last */
};

/** The workers of one slot. */
struct control_roster_slot {
	int number;
	const struct slot *slot; /**< NULL when the pool never had it */
	const struct worker *const *workers;
	size_t count;
};

/** @return false without memory */
bool control_roster_init(struct control_roster *roster, const struct pool *pool);
void control_roster_finish(struct control_roster *roster);

/** The next slot: all wanted ones, also empty, then those beyond in which there is still somebody. */
bool control_roster_next(struct control_roster *roster, struct control_roster_slot *slot);

#endif
