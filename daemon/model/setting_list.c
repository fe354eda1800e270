/*
 * setting_list.c - kinds that take any number of words: names, commands, variables, limits, ways to end.
 */
#include "model/setting_value.h"

#include "unicornd/protocol.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define PARSE(kind)                                                                                                    \
	static bool parse_##kind(const struct setting *setting, void *member, const char *const *values, size_t count, \
				 struct error *error)
#define PRINT(kind) static void print_##kind(const struct setting *setting, const void *member, struct text *text)

/** Makes the member a copy of the words. */
static bool replace_list(struct string_list *list, const char *const *values, size_t count, struct error *error)
{
	struct string_list copy = { 0 };

	for (size_t i = 0; i < count; i++) {
		if (!string_list_append(&copy, values[i])) {
			string_list_finish(&copy);
			return error_set(error, ERROR_MEMORY, "no memory for a list");
		}
	}
	string_list_finish(list);
	*list = copy;
	return true;
}

static void finish_list(void *member)
{
	string_list_finish(member);
}

/** Refuses two words with the same first `length(word)` bytes. */
static bool check_unique(const char *const *values, size_t count, size_t (*length)(const char *), struct error *error)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			size_t size = length(values[i]);

			if (size == length(values[k]) && strncmp(values[i], values[k], size) == 0)
				return error_set(error, ERROR_CONFIGURATION, "`%.*s` is given twice",
						 size < INT_MAX ? (int)size : INT_MAX, values[i]);
		}
	}
	return true;
}

/** @return bytes before the '=' */
static size_t key_length(const char *word)
{
	return strcspn(word, "=");
}

static bool check_pairs(const char *const *values, size_t count, const char *form, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = key_length(values[i]);

		if (length == 0 || values[i][length] != '=')
			return error_set(error, ERROR_CONFIGURATION, "`%s` is not of the form %s", values[i], form);
	}
	return check_unique(values, count, key_length, error);
}

/* ---- names */

PARSE(strings)
{
	(void)setting;
	for (size_t i = 0; i < count; i++) {
		if (*values[i] == '\0')
			return error_set(error, ERROR_CONFIGURATION, "a name is empty");
	}
	return check_unique(values, count, strlen, error) && replace_list(member, values, count, error);
}

PRINT(strings)
{
	const struct string_list *list = member;

	(void)setting;
	for (size_t i = 0; i < list->count; i++) {
		text_append(text, "%s", i == 0 ? "{ " : ", ");
		setting_print_quoted(list->items[i], text);
	}
	if (list->count > 0)
		text_append(text, " }");
}

/* ---- commands */

PARSE(command)
{
	struct string_list words = { 0 };

	(void)setting;
	if (count > 1 && *values[0] != '\0')
		return replace_list(member, values, count, error);
	if (count == 1 && !text_split_words(values[0], &words, error))
		return false;
	if (words.count == 0 || *words.items[0] == '\0') {
		string_list_finish(&words);
		return error_set(error, ERROR_CONFIGURATION, "has no program");
	}
	string_list_finish(member);
	*(struct string_list *)member = words;
	return true;
}

/** A single word reads back as a command line, so it is quoted for text_split_words(). */
static void print_single(const char *word, struct text *text)
{
	struct text quoted = { 0 };

	text_append(&quoted, "'");
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '\'')
			text_append(&quoted, "'\\''");
		else
			text_append_bytes(&quoted, c, 1);
	}
	text_append(&quoted, "'");
	text->failed = text->failed || quoted.failed;
	setting_print_quoted(text_string(&quoted), text);
	text_finish(&quoted);
}

PRINT(command)
{
	const struct string_list *list = member;

	if (list->count == 1 && strpbrk(list->items[0], " \t'\"\\|&;<>()$`*?\n") != NULL)
		print_single(list->items[0], text);
	else if (list->count == 1)
		setting_print_quoted(list->items[0], text);
	else
		print_strings(setting, member, text);
}

/* ---- variables */

/** The daemon sets these for each worker; a site that sets them too would only wonder. */
static bool check_not_reserved(const char *variable, struct error *error)
{
	static const char *const reserved[] = {
		UNICORND_ENV_LISTEN_FDS,   UNICORND_ENV_LISTEN_PID,    UNICORND_ENV_LISTEN_FDNAMES,
		UNICORND_ENV_STATUS_FD,    UNICORND_ENV_POOL,          UNICORND_ENV_SLOT,
		UNICORND_ENV_GENERATION,   UNICORND_ENV_NOTIFY_SOCKET, UNICORND_ENV_WATCHDOG_USEC,
		UNICORND_ENV_WATCHDOG_PID,
	};
	size_t length = key_length(variable);

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strlen(reserved[i]) == length && strncmp(reserved[i], variable, length) == 0)
			return error_set(error, ERROR_CONFIGURATION, "%s is set by unicornd itself", reserved[i]);
	}
	return true;
}

PARSE(environment)
{
	(void)setting;
	if (!check_pairs(values, count, "NAME=value", error))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!check_not_reserved(values[i], error))
			return false;
	}
	return replace_list(member, values, count, error);
}

PARSE(limits)
{
	(void)setting;
	return check_pairs(values, count, "nofile=1024", error) && replace_list(member, values, count, error);
}

/* ---- ways to end */

static bool add_exit(struct exit_set *set, const char *word, struct error *error)
{
	int signal = setting_signal_number(word);
	int64_t status;

	if (signal > 0) {
		set->signals |= UINT64_C(1) << signal;
		return true;
	}
	if (!text_parse_integer(word, &status) || status < 0 || status > 255)
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is neither an exit status from 0 to 255 nor a signal, as TERM", word);
	set->statuses[status / 64] |= UINT64_C(1) << (status % 64);
	return true;
}

/** Status 0 is clean whatever the list says. */
PARSE(exits)
{
	struct exit_set set = { .statuses = { 1 } };

	(void)setting;
	for (size_t i = 0; i < count; i++) {
		if (!add_exit(&set, values[i], error))
			return false;
	}
	*(struct exit_set *)member = set;
	return true;
}

PRINT(exits)
{
	const struct exit_set *set = member;
	const char *separator = "{ ";

	(void)setting;
	for (int status = 0; status < 256; status++) {
		if ((set->statuses[status / 64] >> (status % 64) & 1) != 0) {
			text_append(text, "%s%d", separator, status);
			separator = ", ";
		}
	}
	for (int signal = 1; signal < 64; signal++) {
		const char *name = setting_signal_name(signal);

		if ((set->signals >> signal & 1) != 0 && name != NULL) {
			text_append(text, "%s%s", separator, name);
			separator = ", ";
		}
	}
	text_append(text, " }");
}

/* ---- */

static const struct setting_type types[SETTING_EXITS + 1] = {
	[SETTING_STRINGS] = { true, parse_strings, print_strings, finish_list },
	[SETTING_COMMAND] = { true, parse_command, print_command, finish_list },
	[SETTING_ENVIRONMENT] = { true, parse_environment, print_strings, finish_list },
	[SETTING_LIMITS] = { true, parse_limits, print_strings, finish_list },
	[SETTING_EXITS] = { true, parse_exits, print_exits, NULL },
};

const struct setting_type *setting_list_type(enum setting_kind kind)
{
	return types[kind].parse != NULL ? &types[kind] : NULL;
}
