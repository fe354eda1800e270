/*
 * pool_plan.h - what a pool should do next, from what is wanted and what is there. Pure.
 *
 * Guarantees, whatever the view:
 *   - because of the plan, never fewer than `floor` workers are good or still-serving;
 *   - because of the plan, never more than `ceiling` workers are starting or ready;
 *   - because of the plan, no worker that has asked for a successor leaves before it is good, unless without surge one
 *     must make room for the other;
 *   - as long as starts succeed, repeated application converges, provided floor < ceiling.
 *
 * The first worker of an unproven generation goes alone while old workers serve: a broken deploy costs one process.
 */
#ifndef DAEMON_POLICY_POOL_PLAN_H
#define DAEMON_POLICY_POOL_PLAN_H

#include "model/pool.h"

#include <stdbool.h>
#include <stdint.h>

struct pool_view {
	struct pool_counts counts;
	int wanted;
	int floor;     /**< wanted - max_unavailable */
	int ceiling;   /**< wanted + surge */
	int startable; /**< empty slots whose pause is over */
	int asking;    /**< of the outgoing ready: have only asked for a successor, and it is not good yet */
	bool proven;   /**< a worker of the target has been good */
	bool probing;  /**< nobody serves and starts have failed: one at a time */
	bool rolling;
	bool abandonable; /**< there is something to put back */
	bool hopeless;    /**< another try cannot help */
	bool overdue;     /**< no progress within roll_timeout */
	int failed_starts;
	int attempts; /**< failed starts that end a roll */
};

enum pool_verdict {
	POOL_VERDICT_NONE,     /**< nothing to decide */
	POOL_VERDICT_CONTINUE, /**< the roll goes on */
	POOL_VERDICT_COMPLETE, /**< the target serves alone; old processes may still be leaving */
	POOL_VERDICT_ABANDON   /**< put back what was before */
};

struct pool_plan {
	int start;                   /**< new workers of the target */
	int drain_outgoing_starting; /**< old workers that are not ready */
	int drain_outgoing_ready;
	enum pool_verdict verdict;
};

struct pool_plan pool_plan(const struct pool_view *view);

#endif
