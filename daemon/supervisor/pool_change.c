#include "supervisor/pool_driver.h"

#include "supervisor/pool_failures.h"
#include "supervisor/worker_driver.h"

static void reset_slot(struct slot *slot)
{
	slot->failures = 0;
	slot->next_start_ms = 0;
	slot->given_up = false;
	slot->refused = false;
	slot->deaths.count = 0;
}

/** Forgets what the slots' failures say about a generation that is no longer the target. */
static void reset_failures(struct pool *pool)
{
	for (int i = 0; i < pool->slot_count; i++)
		reset_slot(pool->slots[i]);
	pool->failures = 0;
	pool->next_start_ms = 0;
	pool->given_up = false;
	pool->deaths.count = 0;
	pool->failed_starts = 0;
	pool->hopeless = false;
}

static void begin_roll(struct pool *pool, int64_t now_ms)
{
	pool->rolling = true;
	pool->failed_starts = 0;
	pool->hopeless = false;
	pool->progress_ms = now_ms;
}

void pool_driver_begin(struct supervisor *supervisor, struct pool *pool, struct operation *operation, int64_t now_ms)
{
	(void)supervisor;
	if (pool->operation == NULL) {
		pool->previous = pool->target != NULL ? generation_reference(pool->target) : NULL;
		pool->previous_wanted = pool->wanted;
		pool->previous_scaled = pool->scaled;
	}
	pool->operation = operation;
	pool->restoring = false;
	begin_roll(pool, now_ms);
}

static bool has_earlier(const struct pool *pool, const struct worker *until)
{
	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		if (worker == until)
			break;
		if (worker->generation == until->generation && worker->state != WORKER_KILLING)
			return true;
	}
	return false;
}

/** How many generations have processes that nobody killed yet, and the oldest of those that are leaving. */
static const struct generation *find_oldest_leaving(const struct pool *pool, int *count)
{
	const struct generation *oldest = NULL;

	*count = 0;
	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		if (worker->state == WORKER_KILLING)
			continue;
		*count += !has_earlier(pool, worker);
		if (worker_is_leaving(worker) && (oldest == NULL || worker->generation->number < oldest->number))
			oldest = worker->generation;
	}
	return oldest;
}

static void kill_leaving(struct supervisor *supervisor, struct pool *pool, const struct generation *generation,
			 int64_t now_ms)
{
	list_for_each (link, &pool->workers) {
		struct worker *worker = list_entry(link, struct worker, link);
		if (worker->generation == generation && worker_is_leaving(worker))
			worker_driver_order(supervisor, worker, WORKER_EVENT_KILL_ORDERED, now_ms);
	}
}

/** Old generations that do not finish draining must not pile up; those that still serve are needed. */
static void limit_generations(struct supervisor *supervisor, struct pool *pool, int64_t now_ms)
{
	const struct generation *oldest;
	int count;

	while ((oldest = find_oldest_leaving(pool, &count)) != NULL && count >= POOL_GENERATIONS_MAX)
		kill_leaving(supervisor, pool, oldest, now_ms);
}

void pool_driver_roll_to(struct supervisor *supervisor, struct pool *pool, struct generation *generation,
			 int64_t now_ms)
{
	limit_generations(supervisor, pool, now_ms);
	supervisor_release_generation(supervisor, pool->target);
	pool->target = generation;
	pool->proven = false;
	reset_failures(pool);
	begin_roll(pool, now_ms);
	supervisor_note(supervisor, now_ms, EVENT_POOL_ROLLING, pool, NULL, "generation %u comes in",
			generation->number);
}

/** Who was to be replaced stays; a successor that is there already, but not good yet, is the one too many. */
static void take_back_orders(struct pool *pool)
{
	list_for_each (link, &pool->workers) {
		struct worker *worker = list_entry(link, struct worker, link);
		struct worker *successor;
		if (!worker->superseded || !worker_is_live(worker) || worker->generation != pool->target)
			continue;
		successor = pool_find_current(pool, worker->slot);
		if (successor != NULL && successor->good)
			continue;
		worker->superseded = false;
		if (successor != NULL && !pool_is_outgoing(pool, worker))
			successor->superseded = true;
	}
}

void pool_driver_replace_settings(struct pool *pool, struct pool_settings *settings, int64_t now_ms)
{
	generation_replace_settings(pool->target, settings);
	list_for_each (link, &pool->workers) {
		struct worker *worker = list_entry(link, struct worker, link);
		if (worker->generation == pool->target)
			worker_driver_settings_changed(worker, now_ms);
	}
}

void pool_driver_restore(struct supervisor *supervisor, struct pool *pool, int64_t now_ms)
{
	pool->restoring = true;
	begin_roll(pool, now_ms);
	if (pool->previous == NULL) {
		pool->stopping = true;
		pool->removed = true;
		return;
	}
	supervisor_release_generation(supervisor, pool->target);
	pool->target = pool->previous;
	pool->previous = NULL;
	if (pool->previous_settings != NULL)
		pool_driver_replace_settings(pool, pool->previous_settings, now_ms);
	pool->wanted = pool->previous_wanted;
	pool->scaled = pool->previous_scaled;
	pool->stopping = false;
	pool->proven = true;
	take_back_orders(pool);
	reset_failures(pool);
	supervisor_note(supervisor, now_ms, EVENT_POOL_ABANDONED, pool, NULL, "generation %u comes back",
			pool->target->number);
}

void pool_driver_end(struct supervisor *supervisor, struct pool *pool)
{
	supervisor_release_generation(supervisor, pool->previous);
	pool->previous = NULL;
	pool_settings_release(pool->previous_settings);
	pool->previous_settings = NULL;
	pool->operation = NULL;
	pool->restoring = false;
}

bool pool_driver_want(struct supervisor *supervisor, struct pool *pool, int wanted, int64_t now_ms)
{
	if (!pool_reserve_slots(pool, wanted))
		return false;
	if (wanted != pool->wanted)
		supervisor_note(supervisor, now_ms, EVENT_POOL_SCALED, pool, NULL, "%d -> %d workers", pool->wanted,
				wanted);
	for (int number = pool->wanted + 1; number <= wanted; number++)
		reset_slot(pool_slot(pool, number));
	pool->wanted = wanted;
	return true;
}

void pool_driver_stop(struct supervisor *supervisor, struct pool *pool, bool now, int64_t now_ms)
{
	pool->stopping = true;
	begin_roll(pool, now_ms);
	if (!now)
		return;
	list_for_each (link, &pool->workers) {
		worker_driver_order(supervisor, list_entry(link, struct worker, link), WORKER_EVENT_KILL_ORDERED,
				    now_ms);
	}
}

void pool_driver_destroy(struct supervisor *supervisor, struct pool *pool)
{
	list_for_each (link, &pool->spare) {
		supervisor->effects.discard(supervisor->effects.context, list_entry(link, struct worker, link));
	}
	pool_driver_end(supervisor, pool);
	supervisor_release_generation(supervisor, pool->target);
	pool->target = NULL;
	pool_destroy(pool);
}
