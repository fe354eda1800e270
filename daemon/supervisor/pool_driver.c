#include "supervisor/pool_driver.h"

#include "policy/backoff.h"
#include "policy/pool_plan.h"
#include "supervisor/operation_driver.h"
#include "supervisor/pool_failures.h"
#include "supervisor/worker_driver.h"

#include <stdio.h>

/** Pause after a start for which there was no memory. */
#define NO_MEMORY_PAUSE_MS 1000
/** Rounds of plan and action in one step; a plan that is carried out asks for nothing more in the second. */
#define SETTLE_ROUNDS_MAX 4

static int wanted_of(const struct pool *pool)
{
	return pool->stopping ? 0 : pool->wanted;
}

static bool is_probing(const struct pool *pool, const struct pool_counts *counts)
{
	return pool->failures > 0 && counts->ready + counts->outgoing_ready == 0;
}

static struct slot_mark *mark_of(const struct pool *pool, int slot)
{
	return &pool->marks[slot - 1];
}

/** When the next start in an empty slot is due, or TIME_NEVER. */
static int64_t start_time(const struct pool *pool, const struct slot *slot, bool probing)
{
	if (mark_of(pool, slot->number)->occupied || slot->refused)
		return TIME_NEVER;
	return probing && pool->next_start_ms > slot->next_start_ms ? pool->next_start_ms : slot->next_start_ms;
}

static void mark_slots(struct pool *pool)
{
	for (int i = 0; i < pool->slot_count; i++)
		pool->marks[i] = (struct slot_mark){ 0 };
	list_for_each(link, &pool->workers)
	{
		struct worker *worker = list_entry(link, struct worker, link);
		if (!worker_is_live(worker) || pool_is_outgoing(pool, worker))
			continue;
		*mark_of(pool, worker->slot) = (struct slot_mark){ .occupied = true, .served = worker->good };
	}
}

static int count_startable(const struct pool *pool, bool probing, int64_t now_ms)
{
	int startable = 0;

	for (int i = 0; i < wanted_of(pool); i++)
		startable += start_time(pool, pool->slots[i], probing) <= now_ms;
	return startable;
}

static bool is_abandonable(const struct pool *pool)
{
	return pool->operation != NULL && (pool->restoring || pool->operation->phase == OPERATION_ROLLING);
}

int pool_driver_ceiling(const struct pool *pool)
{
	int wanted = wanted_of(pool);
	int ceiling = wanted + share_of(&pool->target->settings->surge, wanted);
	bool unproven = pool->operation != NULL && pool->previous != NULL && !pool->proven && !pool->stopping;

	/* A roll that also makes the pool smaller must not take old workers away before a new one has proven itself. */
	if (unproven && pool->previous_wanted > wanted)
		ceiling += pool->previous_wanted - wanted;
	return ceiling;
}

static struct pool_view view_pool(struct pool *pool, int64_t now_ms)
{
	const struct pool_settings *settings = pool->target->settings;
	struct pool_view view = {
		.wanted = wanted_of(pool),
		.proven = pool->proven,
		.rolling = pool->rolling,
		.abandonable = is_abandonable(pool),
		.hopeless = pool->hopeless,
		.overdue = now_ms - pool->progress_ms >= settings->roll_timeout_ms,
		.failed_starts = pool->failed_starts,
		.attempts = settings->roll_attempts,
	};

	pool_count(pool, &view.counts);
	mark_slots(pool);
	view.floor = view.wanted - share_of(&settings->max_unavailable, view.wanted);
	view.ceiling = pool_driver_ceiling(pool);
	view.probing = is_probing(pool, &view.counts);
	view.startable = count_startable(pool, view.probing, now_ms);
	return view;
}

static void start_workers(struct supervisor *supervisor, struct pool *pool, int count, bool probing, int64_t now_ms)
{
	for (int i = 0; i < wanted_of(pool) && count > 0; i++) {
		struct slot *slot = pool->slots[i];
		if (start_time(pool, slot, probing) > now_ms)
			continue;
		mark_of(pool, slot->number)->occupied = true;
		count--;
		if (!worker_driver_start(supervisor, pool, slot, now_ms))
			slot->next_start_ms = now_ms + NO_MEMORY_PAUSE_MS;
	}
}

static void drain(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	struct operation *operation = worker->pool->operation;

	if (operation != NULL && worker->state == WORKER_READY &&
	    (operation->phase == OPERATION_OPENING || operation->phase == OPERATION_ROLLING))
		operation->changed = true;
	worker_driver_order(supervisor, worker, WORKER_EVENT_DRAIN_ORDERED, now_ms);
}

/** Drains up to `count` outgoing workers in a state; with `only_followed` those that nobody needs any more. */
static int drain_workers(struct supervisor *supervisor, struct pool *pool, enum worker_state state, int count,
			 bool only_followed, int64_t now_ms)
{
	list_for_each(link, &pool->workers)
	{
		struct worker *worker = list_entry(link, struct worker, link);
		if (count == 0)
			break;
		if (worker->state != state || !pool_is_outgoing(pool, worker))
			continue;
		if (only_followed && worker->slot <= wanted_of(pool) && !mark_of(pool, worker->slot)->served)
			continue;
		drain(supervisor, worker, now_ms);
		count--;
	}
	return count;
}

static bool carry_out(struct supervisor *supervisor, struct pool *pool, const struct pool_plan *plan, bool probing,
		      int64_t now_ms)
{
	int left;

	(void)drain_workers(supervisor, pool, WORKER_STARTING, plan->drain_outgoing_starting, false, now_ms);
	left = drain_workers(supervisor, pool, WORKER_READY, plan->drain_outgoing_ready, true, now_ms);
	(void)drain_workers(supervisor, pool, WORKER_READY, left, false, now_ms);
	start_workers(supervisor, pool, plan->start, probing, now_ms);
	return plan->start + plan->drain_outgoing_starting + plan->drain_outgoing_ready > 0;
}

/** Puts the pool and the kind of failure before what is known of the worker that failed. */
static void explain_failure(const struct pool *pool, const struct pool_view *view)
{
	struct operation *operation = pool->operation;
	bool late = view->overdue && !view->hopeless && view->failed_starts < view->attempts;
	char cause[ERROR_TEXT_SIZE];

	(void)snprintf(cause, sizeof(cause), "%s", operation->message);
	(void)snprintf(operation->message, sizeof(operation->message), "pool %s: %s%s%.800s", pool->name,
		       late ? "no progress within roll_timeout" : "new workers fail", cause[0] != '\0' ? ": " : "",
		       cause);
}

static void roll_failed(struct supervisor *supervisor, struct pool *pool, const struct pool_view *view, int64_t now_ms)
{
	if (!pool->restoring) {
		explain_failure(pool, view);
		operation_driver_fail(supervisor, pool->operation, now_ms);
		return;
	}
	pool->operation->degraded = true;
	pool->rolling = false;
	pool_failures_give_up(supervisor, pool, "the old generation does not come back either", now_ms);
}

/** @return true when another round may find something to do */
static bool settle_once(struct supervisor *supervisor, struct pool *pool, int64_t now_ms)
{
	struct pool_view view = view_pool(pool, now_ms);
	struct pool_plan plan = pool_plan(&view);

	if (view.counts.good >= view.wanted)
		pool->given_up = false;
	switch (plan.verdict) {
	case POOL_VERDICT_ABANDON:
		roll_failed(supervisor, pool, &view, now_ms);
		return true;
	case POOL_VERDICT_COMPLETE:
		if (view.counts.leaving == 0)
			pool->rolling = false;
		break;
	case POOL_VERDICT_NONE:
	case POOL_VERDICT_CONTINUE:
		break;
	}
	return carry_out(supervisor, pool, &plan, view.probing, now_ms);
}

void pool_driver_settle(struct supervisor *supervisor, struct pool *pool, int64_t now_ms)
{
	if (pool->target == NULL)
		return;
	for (int round = 0; round < SETTLE_ROUNDS_MAX; round++) {
		if (!settle_once(supervisor, pool, now_ms))
			break;
	}
	pool_failures_publish(supervisor, pool, now_ms);
}

int64_t pool_driver_next(const struct pool *pool, int64_t now_ms)
{
	struct pool_counts counts;
	int64_t next = TIME_NEVER;

	if (pool->target == NULL)
		return TIME_NEVER;
	pool_count(pool, &counts);
	bool probing = is_probing(pool, &counts);
	for (int i = 0; i < wanted_of(pool); i++) {
		int64_t start = start_time(pool, pool->slots[i], probing);
		if (start > now_ms && start < next)
			next = start;
	}
	if (pool->rolling && is_abandonable(pool)) {
		int64_t overdue = pool->progress_ms + pool->target->settings->roll_timeout_ms;
		if (overdue > now_ms && overdue < next)
			next = overdue;
	}
	return next;
}

void pool_driver_worker_ready(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	struct pool *pool = worker->pool;

	pool->progress_ms = now_ms;
	pool_failures_forget_pauses(pool);
	if (worker->generation->settings->min_ready_ms == 0)
		pool_driver_worker_good(supervisor, worker, now_ms);
}

void pool_driver_worker_good(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	struct pool *pool = worker->pool;

	(void)supervisor;
	worker->good = true;
	pool->progress_ms = now_ms;
	if (worker->generation == pool->target)
		pool->proven = true;
	pool_failures_recovered(pool, worker);
}

/**
 * A worker of the target that ends by itself while the pool rolls speaks against the new generation. Where there is
 * none (scale, restart of a slot, the old one comes back), a worker that was good already says nothing.
 */
static void judge_roll(struct pool *pool, const struct worker *worker, const struct slot *slot)
{
	bool fault = cause_is_fault(worker->cause);
	bool is_new = !pool->restoring && pool->target != pool->previous;

	if (!pool->rolling || worker->ordered || pool_is_outgoing(pool, worker))
		return;
	if (worker->good && !(fault && is_new))
		return;
	pool->failed_starts++;
	pool->hopeless = pool->hopeless || worker->cause == CAUSE_NOT_READY || worker->cause == CAUSE_NOT_STARTED ||
			 worker->cause == CAUSE_REFUSED;
	if (pool->operation != NULL && !pool->restoring)
		operation_driver_blame(pool->operation, worker, slot);
}

void pool_driver_worker_gone(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	struct pool *pool = worker->pool;
	struct slot *slot = pool_slot(pool, worker->slot);

	output_ring_swap(&slot->last_output, &worker->output);
	slot->last_pid = worker->pid;
	pool->progress_ms = now_ms;
	judge_roll(pool, worker, slot);
	if (!worker->ordered)
		pool_failures_note(supervisor, worker, slot, now_ms);
	supervisor->effects.release(supervisor->effects.context, worker);
	list_remove(&worker->link);
	supervisor_release_generation(supervisor, worker->generation);
	worker->generation = NULL;
	worker->pid = 0;
	list_append(&pool->spare, &worker->link);
}
