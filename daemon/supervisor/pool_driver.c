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
	list_for_each (link, &pool->workers) {
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

/** Those who asked for a successor that is not good yet; behind mark_slots(). */
static int count_asking(const struct pool *pool)
{
	int asking = 0;

	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		asking += worker->state == WORKER_READY && pool_is_asking(pool, worker) &&
			  !mark_of(pool, worker->slot)->served;
	}
	return asking;
}

/** Processes that a roll waits for. One of the target that asked for its successor is no old worker. */
static bool old_workers_are_gone(const struct pool *pool)
{
	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		bool recycled = worker->cause == CAUSE_RECYCLED && worker->generation == pool->target;
		if (worker_is_leaving(worker) && (pool->stopping || !recycled))
			return false;
	}
	return true;
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
	view.asking = count_asking(pool);
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

	if (pool_is_asking(worker->pool, worker))
		worker->cause = CAUSE_RECYCLED;
	else if (operation != NULL && worker->state == WORKER_READY &&
		 (operation->phase == OPERATION_OPENING || operation->phase == OPERATION_ROLLING))
		operation->changed = true;
	worker_driver_order(supervisor, worker, WORKER_EVENT_DRAIN_ORDERED, now_ms);
}

/** Who may leave first. */
enum drain_order {
	DRAIN_FOLLOWED, /**< nobody needs it: its successor is good, or there is none to be */
	DRAIN_ORDERED,  /**< somebody else wants it to leave */
	DRAIN_ANY
};

static enum drain_order drain_order_of(const struct pool *pool, const struct worker *worker)
{
	if (worker->slot > wanted_of(pool) || mark_of(pool, worker->slot)->served)
		return DRAIN_FOLLOWED;
	return pool_is_asking(pool, worker) ? DRAIN_ANY : DRAIN_ORDERED;
}

/** Drains up to `count` outgoing workers in a state that come up to `last`. @return how many are left of the count */
static int drain_workers(struct supervisor *supervisor, struct pool *pool, enum worker_state state, int count,
			 enum drain_order last, int64_t now_ms)
{
	list_for_each (link, &pool->workers) {
		struct worker *worker = list_entry(link, struct worker, link);
		if (count == 0)
			break;
		if (worker->state != state || !pool_is_outgoing(pool, worker))
			continue;
		if (drain_order_of(pool, worker) > last)
			continue;
		drain(supervisor, worker, now_ms);
		count--;
	}
	return count;
}

static bool carry_out(struct supervisor *supervisor, struct pool *pool, const struct pool_plan *plan, bool probing,
		      int64_t now_ms)
{
	int left = plan->drain_outgoing_ready;

	(void)drain_workers(supervisor, pool, WORKER_STARTING, plan->drain_outgoing_starting, DRAIN_ANY, now_ms);
	for (enum drain_order last = DRAIN_FOLLOWED; last <= DRAIN_ANY; last++)
		left = drain_workers(supervisor, pool, WORKER_READY, left, last, now_ms);
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
		if (old_workers_are_gone(pool))
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
	if (worker->asked)
		pool_failures_pace(worker);
}

void pool_driver_worker_asked(struct supervisor *supervisor, struct worker *worker, int64_t now_ms)
{
	worker->asked = true;
	supervisor_note(supervisor, now_ms, EVENT_WORKER_ASKED, NULL, worker, "asks for a replacement after %.0f s",
			(double)(now_ms - worker->started_ms) / 1000.0);
	if (worker->good)
		pool_failures_pace(worker);
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
	else if (worker->cause == CAUSE_RECYCLED)
		slot->restarts++;
	supervisor->effects.release(supervisor->effects.context, worker);
	list_remove(&worker->link);
	supervisor_release_generation(supervisor, worker->generation);
	worker->generation = NULL;
	worker->pid = 0;
	list_append(&pool->spare, &worker->link);
}
