#include "configuration/configuration_build.h"

#include "configuration/configuration_lookup.h"
#include "configuration/text_file.h"
#include "model/known_servers.h"

#include <stdlib.h>
#include <string.h>

/** Longest origin that is kept. */
#define ORIGIN_SIZE 512

/** A block and the struct that it fills. */
struct filling {
	struct configuration_build *build;
	const struct given_block *block;
	void *target;
};

static void complain(const struct filling *filling, const struct place *place, const struct setting *setting,
		     const char *what)
{
	const char *name = filling->block->name;

	problem_list_add(&filling->build->problems, place, "%s%s%s: %s: %s", setting_scope_name(filling->block->scope),
			 *name != '\0' ? " " : "", name, setting->name, what);
}

static void assign_path(const struct filling *filling, const struct setting *setting, const struct given_value *given)
{
	const char *path = given->words[0];
	char *resolved = NULL;
	struct error error;

	if (*path != '\0' && !(setting->scope == SETTING_LOG && strcmp(path, "stderr") == 0)) {
		resolved = text_file_resolve(filling->block->folder, path);
		path = resolved;
	}
	if (path == NULL)
		filling->build->problems.failed = true;
	else if (!setting_assign(setting, filling->target, &path, 1, &error))
		complain(filling, &given->place, setting, error.text);
	free(resolved);
}

static void assign(const struct filling *filling, const struct setting *setting, const struct given_value *given)
{
	struct error error;

	if (given->words == NULL)
		return;
	if (configuration_is_relative_path(setting) && given->count == 1)
		assign_path(filling, setting, given);
	else if (!setting_assign(setting, filling->target, given->words, given->count, &error))
		complain(filling, &given->place, setting, error.text);
}

static void look_up(const struct filling *filling, const struct setting *setting, const struct given_value *given)
{
	struct text value = { 0 };
	struct error error;

	/* Nothing is printed for what is not set: then assigning has failed, which is already a problem. */
	setting_print(setting, filling->target, &value);
	if (value.length > 0 && !configuration_look_up(setting, filling->target, &error))
		complain(filling, &given->place, setting, error.text);
	text_finish(&value);
}

static void fill(const struct filling *filling)
{
	size_t count;
	const struct setting *table = settings_table(&count);
	const struct given_value *values = filling->block->values;

	for (size_t i = 0; i < count; i++) {
		if (table[i].scope != filling->block->scope)
			continue;
		if (values[i].is_given)
			assign(filling, &table[i], &values[i]);
		else if (table[i].required && !filling->block->damaged)
			complain(filling, &filling->block->place, &table[i], "is missing");
	}
	for (size_t i = 0; i < count; i++) {
		if (table[i].scope == filling->block->scope && values[i].is_given)
			look_up(filling, &table[i], &values[i]);
	}
}

static void resolve_readiness(const struct filling *filling, struct pool_settings *pool)
{
	const struct setting *ready = setting_find(SETTING_POOL, "ready");
	const char *value = known_server_readiness(&pool->command);
	struct error error;

	if (pool->ready.kind == READINESS_AUTO && !setting_assign(ready, pool, &value, 1, &error))
		complain(filling, &filling->block->place, ready, error.text);
}

static void build_pool(struct configuration_build *build, const struct given_block *block, const char *origin)
{
	struct pool_settings *pool = pool_settings_create(block->name, origin);
	struct filling filling = { .build = build, .block = block, .target = pool };

	if (pool == NULL) {
		build->problems.failed = true;
		return;
	}
	fill(&filling);
	resolve_readiness(&filling, pool);
	if (!configuration_add_pool(build->configuration, pool)) {
		build->problems.failed = true;
		pool_settings_release(pool);
	}
}

static void build_listener(struct configuration_build *build, const struct given_block *block, const char *origin)
{
	struct listener_settings *listener = listener_settings_create(block->name, origin);
	struct filling filling = { .build = build, .block = block, .target = listener };

	if (listener == NULL) {
		build->problems.failed = true;
		return;
	}
	fill(&filling);
	if (!configuration_add_listener(build->configuration, listener)) {
		build->problems.failed = true;
		listener_settings_release(listener);
	}
}

/** Says that a block of this name is in another file; in one file, the scan has found it. */
static bool is_defined(struct configuration_build *build, const struct given_block *block)
{
	const struct listener_settings *listener = configuration_find_listener(build->configuration, block->name);
	const struct pool_settings *pool = configuration_find_pool(build->configuration, block->name);
	const struct place *unnamed = block->scope == SETTING_CONTROL ? &build->control : &build->log;
	char where[ORIGIN_SIZE] = "";

	if (block->scope == SETTING_LISTENER && listener != NULL)
		problem_list_add(&build->problems, &block->place, "listener %s is already defined at %s", block->name,
				 listener->origin);
	else if (block->scope == SETTING_POOL && pool != NULL)
		problem_list_add(&build->problems, &block->place, "pool %s is already defined at %s", block->name,
				 pool->origin);
	else if ((block->scope == SETTING_CONTROL || block->scope == SETTING_LOG) && unnamed->file != NULL)
		problem_list_add(&build->problems, &block->place, "%s is already defined at %s",
				 setting_scope_name(block->scope), place_print(unnamed, where, sizeof(where)));
	else
		return false;
	return true;
}

void configuration_build_block(struct configuration_build *build, const struct given_block *block)
{
	struct filling filling = { .build = build, .block = block };
	char origin[ORIGIN_SIZE];

	if (is_defined(build, block))
		return;
	(void)place_print(&block->place, origin, sizeof(origin));
	switch (block->scope) {
	case SETTING_LISTENER:
		build_listener(build, block, origin);
		break;
	case SETTING_POOL:
		build_pool(build, block, origin);
		break;
	case SETTING_CONTROL:
		build->control = block->place;
		filling.target = &build->configuration->control;
		fill(&filling);
		break;
	case SETTING_LOG:
		build->log = block->place;
		filling.target = &build->configuration->log;
		fill(&filling);
		break;
	case SETTING_SCOPE_COUNT:
	default:
		break;
	}
}
