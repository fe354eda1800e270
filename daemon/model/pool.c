#include "model/pool.h"

#include <stdlib.h>
#include <string.h>

struct pool *pool_create(const char *name)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->name = strdup(name);
	if (pool->name == NULL) {
		free(pool);
		return NULL;
	}
	list_init(&pool->link);
	list_init(&pool->workers);
	list_init(&pool->spare);
	return pool;
}

static void destroy_records(struct list *records)
{
	list_for_each (link, records) {
		struct worker *worker = list_entry(link, struct worker, link);
		list_remove(&worker->link);
		output_ring_finish(&worker->output);
		free(worker);
	}
}

void pool_destroy(struct pool *pool)
{
	if (pool == NULL)
		return;
	list_remove(&pool->link);
	destroy_records(&pool->workers);
	destroy_records(&pool->spare);
	for (int i = 0; i < pool->slot_count; i++) {
		output_ring_finish(&pool->slots[i]->last_output);
		free(pool->slots[i]);
	}
	free(pool->slots);
	free(pool->marks);
	pool_settings_release(pool->previous_settings);
	free(pool->name);
	free(pool);
}

bool pool_reserve_slots(struct pool *pool, int wanted)
{
	if (wanted <= pool->slot_count)
		return true;
	struct slot **slots = realloc(pool->slots, (size_t)wanted * sizeof(struct slot *));
	if (slots == NULL)
		return false;
	pool->slots = slots;
	struct slot_mark *marks = realloc(pool->marks, (size_t)wanted * sizeof(struct slot_mark));
	if (marks == NULL)
		return false;
	pool->marks = marks;
	while (pool->slot_count < wanted) {
		struct slot *slot = calloc(1, sizeof(*slot));
		if (slot == NULL)
			return false;
		slot->number = pool->slot_count + 1;
		marks[pool->slot_count] = (struct slot_mark){ 0 };
		slots[pool->slot_count++] = slot;
	}
	return true;
}

struct worker *pool_take_record(struct pool *pool)
{
	struct worker *worker;

	if (!list_is_empty(&pool->spare)) {
		worker = list_entry(pool->spare.next, struct worker, link);
		list_remove(&worker->link);
	} else {
		worker = calloc(1, sizeof(*worker));
		if (worker == NULL)
			return NULL;
		worker->pool = pool;
	}
	worker_reset(worker);
	return worker;
}

struct slot *pool_slot(const struct pool *pool, int number)
{
	return pool->slots[number - 1];
}

/** The supervisor's side of it: what a verb or a roll wants of the worker. */
static bool is_unwanted(const struct pool *pool, const struct worker *worker)
{
	return pool->stopping || worker->superseded || worker->generation != pool->target ||
	       worker->slot > pool->wanted;
}

/** A wish counts from when the worker is good, or one that asks at once would prove nothing and yet count as old. */
static bool wants_successor(const struct worker *worker)
{
	return worker->asked && worker->good;
}

bool pool_is_outgoing(const struct pool *pool, const struct worker *worker)
{
	return is_unwanted(pool, worker) || wants_successor(worker);
}

bool pool_is_asking(const struct pool *pool, const struct worker *worker)
{
	return wants_successor(worker) && !is_unwanted(pool, worker);
}

struct worker *pool_find_current(const struct pool *pool, int slot)
{
	list_for_each (link, &pool->workers) {
		struct worker *worker = list_entry(link, struct worker, link);
		if (worker->slot == slot && worker_is_live(worker) && !pool_is_outgoing(pool, worker))
			return worker;
	}
	return NULL;
}

static void count_worker(const struct pool *pool, const struct worker *worker, struct pool_counts *counts)
{
	bool ready = worker->state == WORKER_READY;

	if (!worker_is_live(worker)) {
		counts->leaving++;
	} else if (pool_is_outgoing(pool, worker)) {
		counts->outgoing_starting += !ready;
		counts->outgoing_ready += ready;
	} else {
		counts->starting += !ready;
		counts->ready += ready;
		counts->good += ready && worker->good;
	}
}

void pool_count(const struct pool *pool, struct pool_counts *counts)
{
	*counts = (struct pool_counts){ 0 };
	list_for_each (link, &pool->workers) {
		count_worker(pool, list_entry(link, struct worker, link), counts);
	}
}

int pool_configured(const struct pool *pool)
{
	return pool->target != NULL ? pool->target->settings->workers : 0;
}

void death_tally_add(struct death_tally *tally, int64_t now_ms)
{
	tally->at_ms[tally->count++ % DEATHS_MAX] = now_ms;
}

int death_tally_within(const struct death_tally *tally, int64_t now_ms, int64_t window_ms)
{
	unsigned stored = tally->count < DEATHS_MAX ? tally->count : DEATHS_MAX;
	int within = 0;

	for (unsigned i = 0; i < stored; i++)
		within += now_ms - tally->at_ms[i] <= window_ms;
	return within;
}
