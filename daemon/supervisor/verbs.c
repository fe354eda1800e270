/* The verbs of supervisor.h: check, prepare, then change what is wanted; settling does the rest. */
#include "supervisor/supervisor.h"

#include "supervisor/operation_driver.h"
#include "supervisor/pool_driver.h"
#include "supervisor/reload.h"
#include "supervisor/worker_driver.h"

#include <stdio.h>
#include <string.h>

/** Most workers of a pool; the settings table has the same bound for `workers`. */
#define WORKERS_MAX 10000

struct operation *supervisor_find_operation(const struct supervisor *supervisor, unsigned id)
{
	list_for_each (link, &supervisor->operations) {
		struct operation *operation = list_entry(link, struct operation, link);
		if (operation->id == id)
			return operation;
	}
	return NULL;
}

static struct pool *find_pool(const struct supervisor *supervisor, const char *name, struct error *error)
{
	struct pool *pool = site_find_pool(&supervisor->site, name);

	if (pool == NULL || pool->target == NULL || pool->removed) {
		error_set(error, ERROR_NOT_FOUND, "there is no pool %s", name);
		return NULL;
	}
	return pool;
}

struct pool *supervisor_find_target(const struct supervisor *supervisor, const char *target, int *slot,
				    struct error *error)
{
	const char *slash = strrchr(target, '/');
	char name[EVENT_POOL_SIZE];
	struct pool *pool;
	int64_t number = 0;
	size_t length = slash != NULL ? (size_t)(slash - target) : strlen(target);

	if (length >= sizeof(name))
		length = sizeof(name) - 1;
	memcpy(name, target, length);
	name[length] = '\0';
	pool = find_pool(supervisor, name, error);
	if (pool == NULL)
		return NULL;
	if (slash != NULL && (!text_parse_integer(slash + 1, &number) || number < 1 || number > pool->wanted)) {
		error_set(error, ERROR_NOT_FOUND, "pool %s has slots 1 to %d, not \"%s\"", pool->name, pool->wanted,
			  slash + 1);
		return NULL;
	}
	*slot = (int)number;
	return pool;
}

/** Forgets an operation that was refused before it changed anything. */
static void refuse(struct supervisor *supervisor, struct operation *operation, const struct error *error,
		   int64_t now_ms)
{
	reload_discard(supervisor, operation);
	(void)snprintf(operation->message, sizeof(operation->message), "%s", error->text);
	operation_driver_finish(supervisor, operation, OUTCOME_UNTOUCHED, now_ms);
	supervisor_settle(supervisor, now_ms);
}

static struct operation *begin_with(struct supervisor *supervisor, enum verb verb, struct configuration *candidate,
				    bool only_changed, int64_t now_ms, struct error *error)
{
	struct operation *operation = operation_driver_begin(supervisor, verb, now_ms, error);

	if (operation == NULL) {
		configuration_destroy(candidate);
		return NULL;
	}
	operation->candidate = candidate;
	if (reload_prepare(supervisor, operation, only_changed, now_ms, error))
		return operation;
	refuse(supervisor, operation, error, now_ms);
	return NULL;
}

struct operation *supervisor_start(struct supervisor *supervisor, struct configuration *configuration, int64_t now_ms,
				   struct error *error)
{
	struct operation *operation;

	supervisor_note(supervisor, now_ms, EVENT_SITE_STARTED, NULL, NULL, "site %s", supervisor->site.name);
	operation = begin_with(supervisor, VERB_START, configuration, false, now_ms, error);
	if (operation != NULL)
		supervisor_settle(supervisor, now_ms);
	return operation;
}

struct operation *supervisor_reload(struct supervisor *supervisor, struct configuration *candidate,
				    const struct reload_options *options, int64_t now_ms, struct error *error)
{
	struct operation *operation;

	if (!operation_driver_may_begin(supervisor, NULL, options->supersede, error)) {
		configuration_destroy(candidate);
		return NULL;
	}
	if (options->pool != NULL) {
		struct configuration *merged =
			reload_merge(supervisor->site.configuration, candidate, options->pool, error);
		configuration_destroy(candidate);
		if (merged == NULL)
			return NULL;
		candidate = merged;
	}
	operation = begin_with(supervisor, VERB_RELOAD, candidate, options->only_changed, now_ms, error);
	if (operation == NULL)
		return NULL;
	operation_driver_supersede(supervisor, operation, NULL, now_ms);
	supervisor_settle(supervisor, now_ms);
	return operation;
}

/** "8", "+2" or "-1", applied to what is wanted now. */
static bool parse_change(const char *change, int now, int *wanted, struct error *error)
{
	bool relative = change[0] == '+' || change[0] == '-';
	int64_t number;

	if (!text_parse_integer(change, &number) || number > WORKERS_MAX || number < -WORKERS_MAX)
		return error_set(error, ERROR_INVALID_PARAMETERS, "workers: \"%s\" is not N, +N or -N", change);
	number += relative ? now : 0;
	if (number < 1 || number > WORKERS_MAX)
		return error_set(error, ERROR_INVALID_PARAMETERS, "workers: %d is not between 1 and %d", (int)number,
				 WORKERS_MAX);
	*wanted = (int)number;
	return true;
}

static struct pool *find_pool_to_scale(const struct supervisor *supervisor, const char *name, struct error *error)
{
	const struct list *pools = &supervisor->site.pools;

	if (name != NULL)
		return find_pool(supervisor, name, error);
	if (!list_is_empty(pools) && pools->next->next == pools)
		return list_entry(pools->next, struct pool, link);
	error_set(error, ERROR_INVALID_PARAMETERS, "the site has several pools: say which one");
	return NULL;
}

struct operation *supervisor_scale(struct supervisor *supervisor, const char *name, const char *change, bool supersede,
				   int64_t now_ms, struct error *error)
{
	struct pool *pool = find_pool_to_scale(supervisor, name, error);
	struct operation *operation;
	int wanted = 0;

	if (pool == NULL || !operation_driver_may_begin(supervisor, pool, supersede, error) ||
	    !parse_change(change, pool->wanted, &wanted, error))
		return NULL;
	if (!pool_reserve_slots(pool, wanted)) {
		error_set(error, ERROR_MEMORY, "no memory for %d workers", wanted);
		return NULL;
	}
	operation = operation_driver_begin(supervisor, VERB_SCALE, now_ms, error);
	if (operation == NULL)
		return NULL;
	operation_driver_supersede(supervisor, operation, pool, now_ms);
	pool_driver_begin(supervisor, pool, operation, now_ms);
	(void)pool_driver_want(supervisor, pool, wanted, now_ms);
	pool->scaled = wanted != pool_configured(pool) ? wanted : 0;
	supervisor_settle(supervisor, now_ms);
	return operation;
}

static bool restart_slot(struct supervisor *supervisor, struct operation *operation, struct pool *pool, int slot,
			 int64_t now_ms)
{
	pool_driver_begin(supervisor, pool, operation, now_ms);
	pool_slot(pool, slot)->next_start_ms = 0;
	pool_slot(pool, slot)->refused = false;
	/* Besides the current one, one that has asked for a successor may be there. */
	list_for_each (link, &pool->workers) {
		struct worker *worker = list_entry(link, struct worker, link);
		if (worker->slot == slot && worker_is_live(worker) && worker->generation == pool->target)
			worker->superseded = true;
	}
	return true;
}

static bool restart_pool(struct supervisor *supervisor, struct operation *operation, struct pool *pool, int64_t now_ms,
			 struct error *error)
{
	struct generation *generation =
		reload_prepare_generation(supervisor, supervisor->site.configuration, pool->target->settings,
					  supervisor->site.generation + 1, error);

	if (generation == NULL)
		return false;
	operation->generation = generation->number;
	pool_driver_begin(supervisor, pool, operation, now_ms);
	pool_driver_roll_to(supervisor, pool, generation, now_ms);
	return true;
}

static bool restart_all(struct supervisor *supervisor, struct operation *operation, int64_t now_ms, struct error *error)
{
	list_for_each (link, &supervisor->site.pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		if (pool->target == NULL || pool->removed || pool->stopping)
			continue;
		if (!restart_pool(supervisor, operation, pool, now_ms, error))
			return false;
	}
	return true;
}

static bool restart_target(struct supervisor *supervisor, struct operation *operation, struct pool *pool, int slot,
			   int64_t now_ms, struct error *error)
{
	if (pool == NULL)
		return restart_all(supervisor, operation, now_ms, error);
	if (slot > 0)
		return restart_slot(supervisor, operation, pool, slot, now_ms);
	return restart_pool(supervisor, operation, pool, now_ms, error);
}

struct operation *supervisor_restart(struct supervisor *supervisor, const char *target, bool supersede, int64_t now_ms,
				     struct error *error)
{
	struct pool *pool = NULL;
	struct operation *operation;
	int slot = 0;

	if (target != NULL) {
		pool = supervisor_find_target(supervisor, target, &slot, error);
		if (pool == NULL)
			return NULL;
	}
	if (!operation_driver_may_begin(supervisor, pool, supersede, error))
		return NULL;
	operation = operation_driver_begin(supervisor, VERB_RESTART, now_ms, error);
	if (operation == NULL)
		return NULL;
	operation_driver_supersede(supervisor, operation, pool, now_ms);
	if (restart_target(supervisor, operation, pool, slot, now_ms, error)) {
		if (operation->generation > supervisor->site.generation)
			supervisor->site.generation = operation->generation;
	} else {
		(void)snprintf(operation->message, sizeof(operation->message), "%s", error->text);
		operation_driver_fail(supervisor, operation, now_ms);
	}
	supervisor_settle(supervisor, now_ms);
	return operation;
}

static struct operation *find_stop(const struct supervisor *supervisor)
{
	list_for_each (link, &supervisor->operations) {
		struct operation *operation = list_entry(link, struct operation, link);
		if (operation->verb == VERB_STOP && operation_is_running(operation))
			return operation;
	}
	return NULL;
}

static void stop_pools(struct supervisor *supervisor, struct operation *operation, bool now, int64_t now_ms)
{
	list_for_each (link, &supervisor->site.pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		if (pool->target == NULL)
			continue;
		pool->operation = operation;
		pool_driver_stop(supervisor, pool, now, now_ms);
	}
}

struct operation *supervisor_stop(struct supervisor *supervisor, bool now, int64_t now_ms, struct error *error)
{
	struct operation *operation = find_stop(supervisor);

	if (operation == NULL) {
		operation = operation_driver_begin(supervisor, VERB_STOP, now_ms, error);
		if (operation == NULL)
			return NULL;
		operation_driver_supersede(supervisor, operation, NULL, now_ms);
		operation->phase = OPERATION_CLEANING;
		operation->outcome = OUTCOME_DONE;
		supervisor->stopping = true;
		supervisor_note(supervisor, now_ms, EVENT_SITE_STOPPING, NULL, NULL, "%s",
				now ? "now" : "draining all workers");
	}
	stop_pools(supervisor, operation, now, now_ms);
	supervisor_settle(supervisor, now_ms);
	return operation;
}
