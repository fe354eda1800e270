#include "configuration/configuration_lookup.h"

#include "configuration/text_file.h"
#include "system/privileges.h"
#include "system/spawn.h"

#include <string.h>

/** A group that is not there is a problem of its own setting, so that for the user any group will do. */
static bool look_up_name(const char *user, const char *group, struct error *error)
{
	struct privileges privileges;
	struct error ignored;
	gid_t gid;

	if (group != NULL && !privileges_find_group(group, &gid, &ignored))
		group = "0";
	return privileges_resolve(user, group, &privileges, error);
}

static bool look_up_owner(void *target, struct error *error)
{
	const struct listener_settings *listener = target;

	return look_up_name(listener->owner, listener->group, error);
}

static bool look_up_listener_group(void *target, struct error *error)
{
	gid_t gid;

	return privileges_find_group(((const struct listener_settings *)target)->group, &gid, error);
}

static bool look_up_user(void *target, struct error *error)
{
	const struct pool_settings *pool = target;

	return look_up_name(pool->user, pool->group, error);
}

static bool look_up_pool_group(void *target, struct error *error)
{
	gid_t gid;

	return privileges_find_group(((const struct pool_settings *)target)->group, &gid, error);
}

static bool look_up_operators(void *target, struct error *error)
{
	gid_t gid;

	return privileges_find_group(((const struct control_settings *)target)->operator_group, &gid, error);
}

static bool look_up_observers(void *target, struct error *error)
{
	gid_t gid;

	return privileges_find_group(((const struct control_settings *)target)->observer_group, &gid, error);
}

static bool look_up_limits(void *target, struct error *error)
{
	const struct pool_settings *pool = target;
	struct spawn_limit limit;

	for (size_t i = 0; i < pool->limits.count; i++) {
		if (!spawn_limit_parse(pool->limits.items[i], &limit, error))
			return false;
	}
	return true;
}

/* ---- environment file */

static bool has_variable(const struct string_list *environment, const char *variable)
{
	size_t length = strcspn(variable, "=") + 1;

	for (size_t i = 0; i < environment->count; i++) {
		if (strncmp(environment->items[i], variable, length) == 0)
			return true;
	}
	return false;
}

/** Takes the quotes off NAME="value" and NAME='value'. */
static void unquote(char *variable)
{
	char *value = variable + strcspn(variable, "=") + 1;
	size_t length = strlen(value);

	if (length >= 2 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0]) {
		memmove(value, value + 1, length - 2);
		value[length - 2] = '\0';
	}
}

/** Puts one line of the file into the list; comments and empty lines are nothing. */
static bool add_line(struct string_list *variables, char *line, unsigned number, struct error *error)
{
	line += strspn(line, " \t");
	line[strcspn(line, "\r")] = '\0';
	if (*line == '\0' || *line == '#')
		return true;
	if (*line == '=' || strchr(line, '=') == NULL)
		return error_set(error, ERROR_CONFIGURATION, "line %u is not of the form NAME=value", number);
	unquote(line);
	if (has_variable(variables, line))
		return true;
	return string_list_append(variables, line) || error_set(error, ERROR_MEMORY, "no memory for variables");
}

static bool add_lines(struct string_list *variables, char *text, struct error *error)
{
	char *line = text;

	for (unsigned number = 1; line != NULL; number++) {
		char *end = strchr(line, '\n');

		if (end != NULL)
			*end++ = '\0';
		if (!add_line(variables, line, number, error))
			return false;
		line = end;
	}
	return true;
}

/** Goes through the setting's own parser, so that the same rules hold. */
static bool set_environment(struct pool_settings *pool, const struct string_list *variables, struct error *error)
{
	const struct setting *setting = setting_find(SETTING_POOL, "environment");

	return setting_assign(setting, pool, (const char *const *)(void *)variables->items, variables->count, error);
}

/** What `environment` says comes first and so wins. */
static bool look_up_environment_file(void *target, struct error *error)
{
	struct pool_settings *pool = target;
	struct string_list variables = { 0 };
	struct text text = { 0 };
	bool done;

	done = text_file_read(pool->environment_file, &text, error);
	if (done && !string_list_copy(&variables, &pool->environment))
		done = error_set(error, ERROR_MEMORY, "no memory for variables");
	if (done && text.length > 0)
		done = add_lines(&variables, text.data, error);
	done = done && set_environment(pool, &variables, error);
	text_finish(&text);
	string_list_finish(&variables);
	return done || error_wrap(error, "%s", pool->environment_file);
}

/* ---- */

static const struct {
	enum setting_scope scope;
	const char *name;
	bool is_path;
	bool (*look_up)(void *target, struct error *error);
} rules[] = {
	{ SETTING_LISTENER, "owner", false, look_up_owner },
	{ SETTING_LISTENER, "group", false, look_up_listener_group },
	{ SETTING_POOL, "directory", true, NULL },
	{ SETTING_POOL, "user", false, look_up_user },
	{ SETTING_POOL, "group", false, look_up_pool_group },
	{ SETTING_POOL, "environment_file", true, look_up_environment_file },
	{ SETTING_POOL, "limits", false, look_up_limits },
	{ SETTING_CONTROL, "socket", true, NULL },
	{ SETTING_CONTROL, "operator_group", false, look_up_operators },
	{ SETTING_CONTROL, "observer_group", false, look_up_observers },
	{ SETTING_LOG, "file", true, NULL },
};

bool configuration_is_relative_path(const struct setting *setting)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].scope == setting->scope && strcmp(rules[i].name, setting->name) == 0)
			return rules[i].is_path;
	}
	return false;
}

bool configuration_look_up(const struct setting *setting, void *target, struct error *error)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].scope == setting->scope && strcmp(rules[i].name, setting->name) == 0)
			return rules[i].look_up == NULL || rules[i].look_up(target, error);
	}
	return true;
}
