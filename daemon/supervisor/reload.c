#include "supervisor/reload.h"

#include "supervisor/operation_driver.h"
#include "supervisor/pool_driver.h"

#include <stdlib.h>
#include <string.h>

static struct listener *find_listener(const struct supervisor *supervisor, const struct configuration *configuration,
				      const char *name)
{
	const struct listener_settings *settings = configuration_find_listener(configuration, name);

	return settings != NULL ? site_find_listener_at(&supervisor->site, &settings->address) : NULL;
}

static bool borrow_listeners(const struct supervisor *supervisor, const struct configuration *configuration,
			     struct generation *generation, struct error *error)
{
	const struct pool_settings *settings = generation->settings;

	for (size_t i = 0; i < settings->listeners.count; i++) {
		const char *name = settings->listeners.items[i];
		struct listener *listener = find_listener(supervisor, configuration, name);
		if (listener == NULL)
			return error_set(error, ERROR_CONFIGURATION, "%s: pool %s: there is no listener %s",
					 settings->origin, settings->name, name);
		if (!generation_add_listener(generation, listener))
			return error_set(error, ERROR_CONFIGURATION, "%s: pool %s: more than %d listeners",
					 settings->origin, settings->name, GENERATION_LISTENERS_MAX);
	}
	return true;
}

struct generation *reload_prepare_generation(struct supervisor *supervisor, const struct configuration *configuration,
					     struct pool_settings *settings, unsigned number, struct error *error)
{
	struct generation *generation = generation_create(number, settings, error);

	if (generation == NULL)
		return NULL;
	if (borrow_listeners(supervisor, configuration, generation, error) &&
	    supervisor->effects.prepare(supervisor->effects.context, generation, error))
		return generation;
	generation_destroy(generation);
	return NULL;
}

static bool prepare_listener(struct supervisor *supervisor, struct operation *operation,
			     struct listener_settings *settings, struct error *error)
{
	struct listener *listener = site_find_listener_at(&supervisor->site, &settings->address);

	if (listener != NULL) {
		operation->opening += listener->state == LISTENER_OPENING || listener->state == LISTENER_NEW;
		return reload_plan_listener(listener->settings, settings, error);
	}
	listener = listener_create(settings);
	if (listener == NULL)
		return error_set(error, ERROR_MEMORY, "no memory for a listener");
	list_append(&supervisor->site.listeners, &listener->link);
	operation->opening++;
	return true;
}

static bool prepare_listeners(struct supervisor *supervisor, struct operation *operation, struct error *error)
{
	const struct configuration *candidate = operation->candidate;

	for (size_t i = 0; i < candidate->listener_count; i++) {
		if (!prepare_listener(supervisor, operation, candidate->listeners[i], error))
			return false;
	}
	return true;
}

static struct pool *prepare_pool(struct supervisor *supervisor, const struct pool_settings *settings)
{
	struct pool *pool = site_find_pool(&supervisor->site, settings->name);

	if (pool == NULL) {
		pool = pool_create(settings->name);
		if (pool == NULL)
			return NULL;
		pool->state = POOL_ROLLING;
		list_append(&supervisor->site.pools, &pool->link);
	}
	return pool_reserve_slots(pool, settings->workers) ? pool : NULL;
}

/** Settings that are the very same object were taken over by reload_merge: the pool is not meant. */
static bool is_taken_over(const struct configuration *current, const struct pool_settings *settings)
{
	return current != NULL && configuration_find_pool(current, settings->name) == settings;
}

static bool prepare_step(struct supervisor *supervisor, struct operation *operation, struct operation_step *step,
			 struct pool_settings *settings, bool only_changed, struct error *error)
{
	step->settings = pool_settings_reference(settings);
	step->pool = prepare_pool(supervisor, settings);
	if (step->pool == NULL)
		return error_set(error, ERROR_MEMORY, "no memory for pool %s", settings->name);
	if (step->pool->target == NULL || step->pool->stopping)
		step->change = POOL_CHANGE_ROLL;
	else if (is_taken_over(supervisor->site.configuration, settings))
		step->change = POOL_CHANGE_NONE;
	else
		step->change = reload_plan_pool(step->pool->target->settings, settings, only_changed);
	if (step->change != POOL_CHANGE_ROLL)
		return true;
	step->generation =
		reload_prepare_generation(supervisor, operation->candidate, settings, operation->generation, error);
	return step->generation != NULL;
}

static bool prepare_steps(struct supervisor *supervisor, struct operation *operation, bool only_changed,
			  struct error *error)
{
	const struct configuration *candidate = operation->candidate;

	operation->steps = calloc(candidate->pool_count + 1, sizeof(*operation->steps));
	if (operation->steps == NULL)
		return error_set(error, ERROR_MEMORY, "no memory for an operation");
	for (size_t i = 0; i < candidate->pool_count; i++) {
		struct operation_step *step = &operation->steps[operation->step_count++];
		if (!prepare_step(supervisor, operation, step, candidate->pools[i], only_changed, error))
			return false;
	}
	return true;
}

static void ask_for_listeners(struct supervisor *supervisor)
{
	list_for_each (link, &supervisor->site.listeners) {
		struct listener *listener = list_entry(link, struct listener, link);
		if (listener->state != LISTENER_NEW)
			continue;
		listener->state = LISTENER_OPENING;
		supervisor->effects.open_listener(supervisor->effects.context, listener);
	}
}

bool reload_prepare(struct supervisor *supervisor, struct operation *operation, bool only_changed, int64_t now_ms,
		    struct error *error)
{
	(void)now_ms;
	operation->phase = OPERATION_OPENING;
	operation->generation = supervisor->site.generation + 1;
	if (!prepare_listeners(supervisor, operation, error) ||
	    !prepare_steps(supervisor, operation, only_changed, error))
		return false;
	ask_for_listeners(supervisor);
	return true;
}

void reload_discard(struct supervisor *supervisor, struct operation *operation)
{
	for (size_t i = 0; i < operation->step_count; i++) {
		supervisor_release_generation(supervisor, operation->steps[i].generation);
		operation->steps[i].generation = NULL;
	}
	operation->opening = 0;
	configuration_destroy(operation->candidate);
	operation->candidate = NULL;
}

static bool is_scaled_on(const struct pool *pool, const struct pool_settings *settings)
{
	return pool->scaled > 0 && pool->target != NULL && pool->target->settings->workers == settings->workers;
}

static void change_in_place(struct pool *pool, struct pool_settings *settings, int64_t now_ms)
{
	if (pool->previous_settings == NULL && pool->previous == pool->target)
		pool->previous_settings = pool_settings_reference(pool->target->settings);
	pool_driver_replace_settings(pool, settings, now_ms);
}

static void take_step(struct supervisor *supervisor, struct operation *operation, struct operation_step *step,
		      int64_t now_ms)
{
	struct pool *pool = step->pool;
	int wanted = is_scaled_on(pool, step->settings) ? pool->scaled : step->settings->workers;

	if (step->change == POOL_CHANGE_NONE && pool->operation == NULL)
		return;
	if (operation->verb != VERB_START)
		pool_driver_begin(supervisor, pool, operation, now_ms);
	pool->stopping = false;
	pool->removed = false;
	if (wanted == step->settings->workers)
		pool->scaled = 0;
	if (step->change == POOL_CHANGE_IN_PLACE)
		change_in_place(pool, step->settings, now_ms);
	(void)pool_driver_want(supervisor, pool, wanted, now_ms); /* slots were reserved when it was prepared */
	if (step->generation != NULL)
		pool_driver_roll_to(supervisor, pool, step->generation, now_ms);
	step->generation = NULL;
}

bool reload_commit(struct supervisor *supervisor, struct operation *operation, int64_t now_ms)
{
	operation->phase = OPERATION_ROLLING;
	operation->cleans = true;
	if (operation->saved == NULL)
		operation->saved = supervisor->site.configuration;
	else
		configuration_destroy(supervisor->site.configuration);
	supervisor->site.configuration = operation->candidate;
	operation->candidate = NULL;
	supervisor->site.generation = operation->generation;
	reload_apply_listener_settings(supervisor);
	for (size_t i = 0; i < operation->step_count; i++)
		take_step(supervisor, operation, &operation->steps[i], now_ms);
	return true;
}

void reload_apply_listener_settings(struct supervisor *supervisor)
{
	const struct configuration *configuration = supervisor->site.configuration;

	for (size_t i = 0; i < configuration->listener_count; i++) {
		struct listener_settings *settings = configuration->listeners[i];
		struct listener *listener = site_find_listener_at(&supervisor->site, &settings->address);
		if (listener == NULL || listener->settings == settings)
			continue;
		listener_replace_settings(listener, settings);
		if (listener->state == LISTENER_OPEN)
			supervisor->effects.adjust_listener(supervisor->effects.context, listener);
	}
}

static bool is_configured(const struct configuration *configuration, const struct listener *listener)
{
	for (size_t i = 0; configuration != NULL && i < configuration->listener_count; i++) {
		if (address_equal(&configuration->listeners[i]->address, &listener->settings->address))
			return true;
	}
	return false;
}

static bool is_wanted(const struct supervisor *supervisor, const struct listener *listener)
{
	if (listener->generations > 0 || listener->state == LISTENER_OPENING)
		return true;
	if (is_configured(supervisor->site.configuration, listener))
		return listener->state == LISTENER_OPEN;
	list_for_each (link, &supervisor->operations) {
		const struct operation *operation = list_entry(link, struct operation, link);
		if (is_configured(operation->candidate, listener) || is_configured(operation->saved, listener))
			return true;
	}
	return false;
}

static bool sweep_listeners(struct supervisor *supervisor, int64_t now_ms)
{
	bool changed = false;

	list_for_each (link, &supervisor->site.listeners) {
		struct listener *listener = list_entry(link, struct listener, link);
		char address[ADDRESS_TEXT_SIZE];
		if (is_wanted(supervisor, listener))
			continue;
		if (listener->state == LISTENER_OPEN) {
			supervisor_note(supervisor, now_ms, EVENT_LISTENER_CLOSED, NULL, NULL, "%s (%s)",
					listener->settings->name,
					address_print(&listener->settings->address, address, sizeof(address)));
			supervisor->effects.close_listener(supervisor->effects.context, listener);
		}
		listener_destroy(listener);
		changed = true;
	}
	return changed;
}

/** A pool that is being prepared is not in the configuration yet and has no operation, but a step names it. */
static bool is_prepared(const struct supervisor *supervisor, const struct pool *pool)
{
	list_for_each (link, &supervisor->operations) {
		const struct operation *operation = list_entry(link, struct operation, link);
		if (operation->candidate != NULL && configuration_find_pool(operation->candidate, pool->name) != NULL)
			return true;
	}
	return false;
}

static bool sweep_pools(struct supervisor *supervisor, int64_t now_ms)
{
	bool changed = false;

	list_for_each (link, &supervisor->site.pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		bool unborn = pool->target == NULL && !is_prepared(supervisor, pool);
		bool over = pool->removed && !pool->rolling && pool->operation == NULL;
		if (!list_is_empty(&pool->workers) || (!unborn && !over))
			continue;
		if (!unborn)
			supervisor_note(supervisor, now_ms, EVENT_POOL_REMOVED, pool, NULL, "removed");
		pool_driver_destroy(supervisor, pool);
		changed = true;
	}
	return changed;
}

bool reload_sweep(struct supervisor *supervisor, int64_t now_ms)
{
	bool changed = sweep_pools(supervisor, now_ms);

	return sweep_listeners(supervisor, now_ms) || changed;
}
