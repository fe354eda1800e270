#include "supervisor/reload.h"

#include <string.h>

static bool pool_uses(const struct pool_settings *pool, const char *listener)
{
	for (size_t i = 0; i < pool->listeners.count; i++) {
		if (strcmp(pool->listeners.items[i], listener) == 0)
			return true;
	}
	return false;
}

static bool is_used_by_another(const struct configuration *configuration, const char *pool, const char *listener)
{
	for (size_t i = 0; i < configuration->pool_count; i++) {
		if (strcmp(configuration->pools[i]->name, pool) != 0 && pool_uses(configuration->pools[i], listener))
			return true;
	}
	return false;
}

static bool add_listener(struct configuration *merged, struct listener_settings *settings)
{
	listener_settings_reference(settings);
	if (configuration_add_listener(merged, settings))
		return true;
	listener_settings_release(settings);
	return false;
}

static bool add_pool(struct configuration *merged, struct pool_settings *settings)
{
	pool_settings_reference(settings);
	if (configuration_add_pool(merged, settings))
		return true;
	pool_settings_release(settings);
	return false;
}

/** Listeners in effect stay, except those that the pool alone uses: these come from the candidate. */
static bool merge_listeners(struct configuration *merged, const struct configuration *current,
			    const struct configuration *candidate, const struct pool_settings *pool,
			    struct error *error)
{
	for (size_t i = 0; i < current->listener_count; i++) {
		struct listener_settings *before = current->listeners[i];
		struct listener_settings *after = configuration_find_listener(candidate, before->name);
		bool theirs = pool_uses(pool, before->name) && after != NULL;
		bool shared = is_used_by_another(current, pool->name, before->name);

		if (theirs && shared && !address_equal(&before->address, &after->address))
			return error_set(error, ERROR_CONFIGURATION,
					 "%s: listener %s has another address now and is used by other pools too; "
					 "reload all pools",
					 after->origin, after->name);
		if (!add_listener(merged, theirs && !shared ? after : before))
			return error_set(error, ERROR_MEMORY, "no memory for a configuration");
	}
	for (size_t i = 0; i < candidate->listener_count; i++) {
		struct listener_settings *added = candidate->listeners[i];
		if (pool_uses(pool, added->name) && configuration_find_listener(current, added->name) == NULL &&
		    !add_listener(merged, added))
			return error_set(error, ERROR_MEMORY, "no memory for a configuration");
	}
	return true;
}

static bool merge_pools(struct configuration *merged, const struct configuration *current, struct pool_settings *pool,
			struct error *error)
{
	bool added = false;

	for (size_t i = 0; i < current->pool_count; i++) {
		bool same = strcmp(current->pools[i]->name, pool->name) == 0;
		added = added || same;
		if (!add_pool(merged, same ? pool : current->pools[i]))
			return error_set(error, ERROR_MEMORY, "no memory for a configuration");
	}
	if (!added && !add_pool(merged, pool))
		return error_set(error, ERROR_MEMORY, "no memory for a configuration");
	return true;
}

static bool copy_text(char **target, const char *source, struct error *error)
{
	if (source == NULL)
		return true;
	*target = strdup(source);
	return *target != NULL || error_set(error, ERROR_MEMORY, "no memory for a configuration");
}

/** Control and log are not the pool's: they stay as they are in effect. */
static bool copy_rest(struct configuration *merged, const struct configuration *current, struct error *error)
{
	merged->control = (struct control_settings){ .mode = current->control.mode };
	merged->log = (struct log_settings){ .level = current->log.level };
	return copy_text(&merged->control.socket, current->control.socket, error) &&
	       copy_text(&merged->control.operator_group, current->control.operator_group, error) &&
	       copy_text(&merged->control.observer_group, current->control.observer_group, error) &&
	       copy_text(&merged->log.file, current->log.file, error);
}

struct configuration *reload_merge(const struct configuration *current, const struct configuration *candidate,
				   const char *pool, struct error *error)
{
	struct pool_settings *settings = configuration_find_pool(candidate, pool);
	struct configuration *merged;

	if (settings == NULL) {
		error_set(error, ERROR_NOT_FOUND, "the configuration has no pool %s", pool);
		return NULL;
	}
	merged = configuration_create();
	if (merged == NULL) {
		error_set(error, ERROR_MEMORY, "no memory for a configuration");
		return NULL;
	}
	if (merge_listeners(merged, current, candidate, settings, error) &&
	    merge_pools(merged, current, settings, error) && copy_rest(merged, current, error))
		return merged;
	configuration_destroy(merged);
	return NULL;
}
