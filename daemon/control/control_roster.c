#include "control/control_roster.h"

#include <stdlib.h>

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_workers(const void *a, const void *b)
{
	const struct worker *first = *(const struct worker *const *)a;
	const struct worker *second = *(const struct worker *const *)b;
	int order = compare(first->slot, second->slot);

	if (order == 0)
		order = compare(first->generation->number, second->generation->number);
	return order != 0 ? order : compare(first->started_ms, second->started_ms);
}

static size_t count_workers(const struct pool *pool)
{
	size_t count = 0;

	list_for_each (link, &pool->workers) {
		count++;
	}
	return count;
}

bool control_roster_init(struct control_roster *roster, const struct pool *pool)
{
	size_t count = count_workers(pool);

	*roster = (struct control_roster){ .pool = pool };
	roster->workers = calloc(count + 1, sizeof(*roster->workers));
	if (roster->workers == NULL)
		return false;
	list_for_each (link, &pool->workers) {
		roster->workers[roster->count++] = list_entry(link, struct worker, link);
	}
	qsort(roster->workers, roster->count, sizeof(*roster->workers), compare_workers);
	return true;
}

void control_roster_finish(struct control_roster *roster)
{
	free(roster->workers);
	*roster = (struct control_roster){ 0 };
}

bool control_roster_next(struct control_roster *roster, struct control_roster_slot *slot)
{
	size_t first = roster->next;

	if (roster->slot < roster->pool->wanted)
		roster->slot++;
	else if (first < roster->count)
		roster->slot = roster->workers[first]->slot;
	else
		return false;
	while (roster->next < roster->count && roster->workers[roster->next]->slot == roster->slot)
		roster->next++;
	slot->number = roster->slot;
	slot->slot = roster->slot <= roster->pool->slot_count ? pool_slot(roster->pool, roster->slot) : NULL;
	slot->workers = roster->workers + first;
	slot->count = roster->next - first;
	return true;
}
