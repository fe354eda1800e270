/*
 * configuration.c - life of the structs of settings.h: creating, sharing, freeing, finding and printing them.
 */
#include "model/setting_value.h"

#include <stdlib.h>
#include <string.h>

struct listener_settings *listener_settings_create(const char *name, const char *origin)
{
	struct listener_settings *settings = calloc(1, sizeof(*settings));

	if (settings == NULL)
		return NULL;
	settings->references = 1;
	settings->name = strdup(name);
	settings->origin = strdup(origin);
	if (settings->name == NULL || settings->origin == NULL || !settings_set_defaults(SETTING_LISTENER, settings)) {
		listener_settings_release(settings);
		return NULL;
	}
	return settings;
}

struct pool_settings *pool_settings_create(const char *name, const char *origin)
{
	struct pool_settings *settings = calloc(1, sizeof(*settings));

	if (settings == NULL)
		return NULL;
	settings->references = 1;
	settings->name = strdup(name);
	settings->origin = strdup(origin);
	if (settings->name == NULL || settings->origin == NULL || !settings_set_defaults(SETTING_POOL, settings)) {
		pool_settings_release(settings);
		return NULL;
	}
	return settings;
}

struct listener_settings *listener_settings_reference(struct listener_settings *settings)
{
	settings->references++;
	return settings;
}

struct pool_settings *pool_settings_reference(struct pool_settings *settings)
{
	settings->references++;
	return settings;
}

void listener_settings_release(struct listener_settings *settings)
{
	if (settings == NULL || --settings->references > 0)
		return;
	settings_finish(SETTING_LISTENER, settings);
	free(settings->name);
	free(settings->origin);
	free(settings);
}

void pool_settings_release(struct pool_settings *settings)
{
	if (settings == NULL || --settings->references > 0)
		return;
	settings_finish(SETTING_POOL, settings);
	free(settings->name);
	free(settings->origin);
	free(settings);
}

struct configuration *configuration_create(void)
{
	struct configuration *configuration = calloc(1, sizeof(*configuration));

	if (configuration == NULL)
		return NULL;
	if (!settings_set_defaults(SETTING_CONTROL, &configuration->control) ||
	    !settings_set_defaults(SETTING_LOG, &configuration->log)) {
		configuration_destroy(configuration);
		return NULL;
	}
	return configuration;
}

void configuration_destroy(struct configuration *configuration)
{
	if (configuration == NULL)
		return;
	for (size_t i = 0; i < configuration->listener_count; i++)
		listener_settings_release(configuration->listeners[i]);
	for (size_t i = 0; i < configuration->pool_count; i++)
		pool_settings_release(configuration->pools[i]);
	free(configuration->listeners);
	free(configuration->pools);
	settings_finish(SETTING_CONTROL, &configuration->control);
	settings_finish(SETTING_LOG, &configuration->log);
	free(configuration);
}

bool configuration_add_listener(struct configuration *configuration, struct listener_settings *settings)
{
	struct listener_settings **listeners =
		reallocarray(configuration->listeners, configuration->listener_count + 1, sizeof(*listeners));

	if (listeners == NULL)
		return false;
	configuration->listeners = listeners;
	listeners[configuration->listener_count++] = settings;
	return true;
}

bool configuration_add_pool(struct configuration *configuration, struct pool_settings *settings)
{
	struct pool_settings **pools =
		reallocarray(configuration->pools, configuration->pool_count + 1, sizeof(*pools));

	if (pools == NULL)
		return false;
	configuration->pools = pools;
	pools[configuration->pool_count++] = settings;
	return true;
}

struct listener_settings *configuration_find_listener(const struct configuration *configuration, const char *name)
{
	for (size_t i = 0; i < configuration->listener_count; i++) {
		if (strcmp(configuration->listeners[i]->name, name) == 0)
			return configuration->listeners[i];
	}
	return NULL;
}

struct pool_settings *configuration_find_pool(const struct configuration *configuration, const char *name)
{
	for (size_t i = 0; i < configuration->pool_count; i++) {
		if (strcmp(configuration->pools[i]->name, name) == 0)
			return configuration->pools[i];
	}
	return NULL;
}

static void print_row(const struct setting *row, const void *source, struct text *text)
{
	struct text value = { 0 };

	setting_print(row, source, &value);
	if (value.length > 0)
		text_append(text, "\t%s = %s\n", row->name, text_string(&value));
	text->failed = text->failed || value.failed;
	text_finish(&value);
}

/** Prints a block; `name` is NULL for blocks that have none. */
static void print_block(enum setting_scope scope, const char *name, const void *source, struct text *text)
{
	size_t count;
	const struct setting *table = settings_table(&count);

	text_append(text, "%s%s%s {\n", setting_scope_name(scope), name != NULL ? " " : "", name != NULL ? name : "");
	for (size_t i = 0; i < count; i++) {
		if (table[i].scope == scope)
			print_row(&table[i], source, text);
	}
	text_append(text, "}\n");
}

void configuration_print(const struct configuration *configuration, struct text *text)
{
	for (size_t i = 0; i < configuration->listener_count; i++) {
		const struct listener_settings *listener = configuration->listeners[i];

		print_block(SETTING_LISTENER, listener->name, listener, text);
		text_append(text, "\n");
	}
	for (size_t i = 0; i < configuration->pool_count; i++) {
		print_block(SETTING_POOL, configuration->pools[i]->name, configuration->pools[i], text);
		text_append(text, "\n");
	}
	print_block(SETTING_CONTROL, NULL, &configuration->control, text);
	text_append(text, "\n");
	print_block(SETTING_LOG, NULL, &configuration->log, text);
}
