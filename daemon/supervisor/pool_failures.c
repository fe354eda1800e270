#include "supervisor/pool_failures.h"

#include "policy/backoff.h"

#include <stdio.h>

/** A worker that served for so long and ended cleanly recycled itself: its successor need not wait. */
#define RECYCLED_AFTER_MS 1000

static double draw(struct supervisor *supervisor)
{
	return supervisor->effects.random(supervisor->effects.context);
}

static bool is_too_often(const struct death_tally *deaths, const struct rate *rate, int64_t now_ms)
{
	return rate->count > 0 && death_tally_within(deaths, now_ms, rate->window_ms) >= rate->count;
}

static void explain(struct pool *pool, const char *who, const struct rate *rate, const struct worker *worker,
		    const struct slot *slot)
{
	char window[32];

	(void)snprintf(pool->reason, sizeof(pool->reason), "%s%s ended %d times within %s: %.150s",
		       worker->cause == CAUSE_REFUSED ? "refused: " : "", who, rate->count,
		       text_format_duration(window, sizeof(window), rate->window_ms), slot->last_exit.text);
}

static void note_in_slot(struct supervisor *supervisor, const struct worker *worker, struct slot *slot, int64_t now_ms)
{
	const struct pool_settings *settings = worker->generation->settings;
	char who[32];

	death_tally_add(&slot->deaths, now_ms);
	slot->failed_start = !worker->was_ready;
	slot->failures++;
	slot->next_start_ms =
		now_ms + backoff_pause(&settings->backoff, slot->failures, worker->was_ready, draw(supervisor));
	if (!is_too_often(&slot->deaths, &settings->give_up, now_ms))
		return;
	slot->given_up = true;
	slot->next_start_ms = now_ms + backoff_longest(&settings->backoff, draw(supervisor));
	(void)snprintf(who, sizeof(who), "slot %d", slot->number);
	explain(worker->pool, who, &settings->give_up, worker, slot);
}

/** Nobody serves: one worker at a time tries, for all of them. */
static void note_in_pool(struct supervisor *supervisor, const struct worker *worker, const struct slot *slot,
			 int64_t now_ms)
{
	const struct pool_settings *settings = worker->generation->settings;
	struct pool *pool = worker->pool;

	death_tally_add(&pool->deaths, now_ms);
	pool->failures++;
	pool->next_start_ms =
		now_ms + backoff_pause(&settings->backoff, pool->failures, worker->was_ready, draw(supervisor));
	if (!is_too_often(&pool->deaths, &settings->give_up, now_ms))
		return;
	pool->given_up = true;
	pool->next_start_ms = now_ms + backoff_longest(&settings->backoff, draw(supervisor));
	explain(pool, "nobody serves, workers", &settings->give_up, worker, slot);
}

static bool is_recycled(const struct worker *worker, int64_t now_ms)
{
	return (worker->cause == CAUSE_FINISHED || worker->cause == CAUSE_RECYCLED) &&
	       now_ms - worker->ready_ms >= RECYCLED_AFTER_MS;
}

/** Nobody waits for its slot: it was to leave anyway, or its successor is there already. */
static bool is_missed(const struct pool *pool, const struct worker *worker)
{
	if (pool_is_asking(pool, worker))
		return pool_find_current(pool, worker->slot) == NULL;
	return !pool_is_outgoing(pool, worker);
}

static bool somebody_serves(const struct pool *pool)
{
	struct pool_counts counts;

	pool_count(pool, &counts);
	return counts.ready + counts.outgoing_ready > 0;
}

void pool_failures_note(struct supervisor *supervisor, const struct worker *worker, struct slot *slot, int64_t now_ms)
{
	const struct pool_settings *settings = worker->generation->settings;
	struct pool *pool = worker->pool;

	slot->restarts++;
	if (!is_missed(pool, worker) || (worker->cause == CAUSE_RECYCLED && is_recycled(worker, now_ms)))
		return;
	if (worker->was_ready && now_ms - worker->ready_ms >= settings->backoff_reset_ms) {
		slot->failures = 0;
		pool->failures = 0;
	}
	if (is_recycled(worker, now_ms)) {
		slot->next_start_ms = now_ms;
		return;
	}
	note_in_slot(supervisor, worker, slot, now_ms);
	if (!somebody_serves(pool))
		note_in_pool(supervisor, worker, slot, now_ms);
	if (worker->cause == CAUSE_REFUSED) {
		slot->refused = true;
		(void)snprintf(pool->reason, sizeof(pool->reason), "slot %d: %s; not tried again before a reload",
			       slot->number, cause_words(CAUSE_REFUSED));
	}
}

void pool_failures_pace(const struct worker *worker)
{
	struct slot *slot = pool_slot(worker->pool, worker->slot);

	if (slot->next_start_ms < worker->ready_ms + RECYCLED_AFTER_MS)
		slot->next_start_ms = worker->ready_ms + RECYCLED_AFTER_MS;
}

void pool_failures_forget_pauses(struct pool *pool)
{
	if (pool->failures == 0)
		return;
	for (int i = 0; i < pool->slot_count; i++) {
		if (pool->slots[i]->failed_start && !pool->slots[i]->given_up)
			pool->slots[i]->next_start_ms = 0;
	}
}

void pool_failures_recovered(struct pool *pool, const struct worker *worker)
{
	struct slot *slot = pool_slot(pool, worker->slot);

	pool->given_up = false;
	slot->given_up = false;
	slot->refused = false;
}

void pool_failures_give_up(struct supervisor *supervisor, struct pool *pool, const char *why, int64_t now_ms)
{
	pool->given_up = true;
	(void)snprintf(pool->reason, sizeof(pool->reason), "%s", why);
	pool_failures_publish(supervisor, pool, now_ms);
}

static bool has_given_up(const struct pool *pool)
{
	for (int i = 0; i < pool->wanted && i < pool->slot_count; i++) {
		if (pool->slots[i]->given_up || pool->slots[i]->refused)
			return true;
	}
	return pool->given_up;
}

static enum pool_state find_state(const struct pool *pool)
{
	if (pool->stopping)
		return POOL_STOPPING;
	if (has_given_up(pool))
		return POOL_DEGRADED;
	return pool->rolling ? POOL_ROLLING : POOL_STEADY;
}

static void note_change(struct supervisor *supervisor, const struct pool *pool, int64_t now_ms)
{
	switch (pool->state) {
	case POOL_STEADY:
		supervisor_note(supervisor, now_ms, EVENT_POOL_STEADY, pool, NULL, "%d workers, generation %u",
				pool->wanted, pool->target->number);
		break;
	case POOL_DEGRADED:
		supervisor_note(supervisor, now_ms, EVENT_POOL_DEGRADED, pool, NULL, "%s", pool->reason);
		break;
	case POOL_ROLLING:
	case POOL_STOPPING:
	case POOL_STATE_COUNT:
		break;
	}
}

void pool_failures_publish(struct supervisor *supervisor, struct pool *pool, int64_t now_ms)
{
	enum pool_state state = find_state(pool);

	if (state != POOL_DEGRADED)
		pool->reason[0] = '\0';
	if (state == pool->state)
		return;
	pool->state = state;
	note_change(supervisor, pool, now_ms);
}
