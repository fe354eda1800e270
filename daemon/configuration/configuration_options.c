#include "configuration/configuration_options.h"

#include "configuration/suggestion.h"
#include "model/setting_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LISTENER_NAME "web"
#define POOL_NAME     "app"

/** Values of a block, and the arrays of words that they point into. */
struct collection {
	struct given_value *values; /**< for each row of settings_table() */
	const char **words;         /**< of --set; room for all of them */
	size_t word_count;
	struct string_list listeners;
};

static const struct place bind_place = { .file = "option -b", .number = 0 };
static const struct place workers_place = { .file = "option -w", .number = 1 };
static const struct place set_place = { .file = "option --set", .number = 2 };
static const struct place command_place = { .file = "command line", .number = 3 };

static struct given_value *value_of(struct given_value *values, const struct setting *setting)
{
	size_t count;

	return &values[setting - settings_table(&count)];
}

static void give(struct given_value *values, enum setting_scope scope, const char *name, const char *const *words,
		 size_t count, const struct place *place)
{
	*value_of(values, setting_find(scope, name)) =
		(struct given_value){ .is_given = true, .words = words, .count = count, .place = *place };
}

/** @return values of which none is given, or NULL without memory */
static struct given_value *create_values(void)
{
	size_t count;

	(void)settings_table(&count);
	return calloc(count, sizeof(struct given_value));
}

static void build_listener(struct configuration_build *build, const char *const *address, size_t number,
			   const char *folder, struct string_list *names)
{
	struct given_value *values = create_values();
	char name[sizeof(LISTENER_NAME) + 20] = LISTENER_NAME;
	struct given_block block = {
		.scope = SETTING_LISTENER, .name = name, .place = bind_place, .folder = folder, .values = values
	};

	if (number > 1)
		(void)snprintf(name, sizeof(name), LISTENER_NAME "%zu", number);
	if (values == NULL || !string_list_append(names, name)) {
		build->problems.failed = true;
	} else {
		give(values, SETTING_LISTENER, "address", address, 1, &bind_place);
		configuration_build_block(build, &block);
	}
	free(values);
}

/* ---- --set NAME=VALUE */

/** @return the row of an assignment; NULL after adding a problem */
static const struct setting *find_assigned(struct configuration_build *build, const char *assignment)
{
	size_t length = strcspn(assignment, "=");
	char *name = strndup(assignment, length);
	const struct setting *setting = NULL;
	struct text hint = { 0 };

	if (name == NULL) {
		build->problems.failed = true;
		return NULL;
	}
	setting = setting_find(SETTING_POOL, name);
	if (assignment[length] != '=') {
		problem_list_add(&build->problems, &set_place, "`%s` is not of the form NAME=VALUE", assignment);
		setting = NULL;
	} else if (setting == NULL) {
		suggestion_append_setting(SETTING_POOL, name, &hint);
		problem_list_add(&build->problems, &set_place, "unknown setting `%s`%s", name, text_string(&hint));
	}
	text_finish(&hint);
	free(name);
	return setting;
}

static bool assigns(const char *assignment, const struct setting *setting)
{
	size_t length = strlen(setting->name);

	return strncmp(assignment, setting->name, length) == 0 && assignment[length] == '=';
}

/** Collects the values of all assignments to a list; of others the last one counts. */
static void give_assigned(struct collection *collection, const struct configuration_source *source,
			  const struct setting *setting)
{
	const char **words = collection->words + collection->word_count;
	bool list = setting_kind_is_list(setting->kind);
	size_t count = 0;

	for (size_t i = 0; i < source->assignment_count; i++) {
		if (!assigns(source->assignments[i], setting))
			continue;
		if (list || count == 0)
			count++;
		words[count - 1] = source->assignments[i] + strlen(setting->name) + 1;
	}
	collection->word_count += count;
	give(collection->values, SETTING_POOL, setting->name, words, count, &set_place);
}

static void collect_assignments(struct configuration_build *build, struct collection *collection,
				const struct configuration_source *source)
{
	for (size_t i = 0; i < source->assignment_count; i++) {
		const struct setting *setting = find_assigned(build, source->assignments[i]);
		const struct given_value *value = setting != NULL ? value_of(collection->values, setting) : NULL;

		if (value != NULL && !value->is_given)
			give_assigned(collection, source, setting);
		else if (value != NULL && value->place.number != set_place.number)
			problem_list_add(&build->problems, &set_place, "%s is already given by %s", setting->name,
					 value->place.file);
	}
}

/* ---- the pool */

static void build_pool(struct configuration_build *build, const struct configuration_source *source,
		       struct collection *collection, const char *folder)
{
	struct given_block block = { .scope = SETTING_POOL,
				     .name = POOL_NAME,
				     .place = command_place,
				     .folder = folder,
				     .values = collection->values };

	if (collection->listeners.count > 0)
		give(collection->values, SETTING_POOL, "listeners",
		     (const char *const *)(void *)collection->listeners.items, collection->listeners.count,
		     &bind_place);
	if (source->workers != NULL)
		give(collection->values, SETTING_POOL, "workers", &source->workers, 1, &workers_place);
	if (source->command_count > 0)
		give(collection->values, SETTING_POOL, "command", source->command, source->command_count,
		     &command_place);
	collect_assignments(build, collection, source);
	configuration_build_block(build, &block);
}

void configuration_build_options(struct configuration_build *build, const struct configuration_source *source,
				 const char *folder)
{
	struct collection collection = { .values = create_values() };

	collection.words = calloc(source->assignment_count + 1, sizeof(*collection.words));
	for (size_t i = 0; i < source->bind_count; i++)
		build_listener(build, &source->binds[i], i + 1, folder, &collection.listeners);
	if (collection.values == NULL || collection.words == NULL)
		build->problems.failed = true;
	else
		build_pool(build, source, &collection, folder);
	string_list_finish(&collection.listeners);
	free(collection.words);
	free(collection.values);
}
