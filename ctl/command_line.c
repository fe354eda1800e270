/*
 * command_line.c - argv, read by the rows of the command table.
 */
#include "command_line.h"

#include "command_table.h"
#include "duration.h"
#include "unicornd/control.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** More positional arguments than any command has; a command with more rows would be refused by its own check. */
#define POSITIONAL_MAX 8

/** Where in argv we are. */
struct cursor {
	int argc;
	const char *const *argv;
	int next;
	bool options_over; /**< "--" was seen */
	const char *positional[POSITIONAL_MAX];
	size_t positional_count;
};

static bool usage(struct failure *failure, const char *what, const char *which)
{
	return failure_set(failure, UNICORNCTL_EXIT_USAGE, "%s '%s'", what, which);
}

static bool is_number(const char *string)
{
	const size_t length = strspn(string, "0123456789");

	return length > 0 && string[length] == '\0';
}

static bool is_change(const char *string)
{
	return is_number(string[0] == '+' || string[0] == '-' ? string + 1 : string);
}

static bool is_target(const char *string)
{
	const char *slash = strchr(string, '/');

	return string[0] != '\0' && (slash == NULL || (slash != string && is_number(slash + 1)));
}

static json_t *value_number(const char *string)
{
	char *end;
	long long number;

	if (!is_number(string))
		return NULL;
	errno = 0;
	number = strtoll(string, &end, 10);
	return errno == 0 ? json_integer(number) : NULL;
}

/* NULL when the string is not of the form of this kind, is not UTF-8, or there is no memory. */
static json_t *value_make(enum parameter_kind kind, const char *string)
{
	bool fits = false;

	switch (kind) {
	case PARAMETER_POOL:
		fits = string[0] != '\0' && strchr(string, '/') == NULL;
		break;
	case PARAMETER_TARGET:
		fits = is_target(string);
		break;
	case PARAMETER_CHANGE:
		fits = is_change(string);
		break;
	case PARAMETER_OPERATION:
		fits = string[0] != '\0';
		break;
	case PARAMETER_NUMBER:
		return value_number(string);
	case PARAMETER_SWITCH:
		break;
	}
	return fits ? json_string(string) : NULL;
}

static bool parameter_set(struct command_line *line, const struct parameter *parameter, const char *string,
			  struct failure *failure)
{
	json_t *value = value_make(parameter->kind, string);

	if (value == NULL)
		return failure_set(failure, UNICORNCTL_EXIT_USAGE, "'%s' is not of the form %s", string,
				   parameter->word);
	if (json_object_set_new(line->params, parameter->name, value) != 0)
		return failure_set_no_memory(failure);
	return true;
}

static bool switch_set(struct command_line *line, const struct parameter *parameter, bool on, struct failure *failure)
{
	if (json_object_set_new(line->params, parameter->name, json_boolean(on)) != 0)
		return failure_set_no_memory(failure);
	return true;
}

/* Takes the value of an option: what follows "=", or else the next word. */
static const char *option_value(struct cursor *cursor, const char *name, const char *inline_value,
				struct failure *failure)
{
	if (inline_value != NULL)
		return inline_value;
	if (cursor->next >= cursor->argc) {
		failure_set(failure, UNICORNCTL_EXIT_USAGE, "option '%s' needs a value", name);
		return NULL;
	}
	return cursor->argv[cursor->next++];
}

static bool timeout_set(struct command_line *line, const char *value, struct failure *failure)
{
	if (!duration_parse(value, &line->timeout_ms) || line->timeout_ms == 0) {
		line->timeout_ms = COMMAND_LINE_NO_TIMEOUT;
		return usage(failure, "not a duration such as 30s or 1m30s:", value);
	}
	return true;
}

static bool site_set(struct command_line *line, const char *value, struct failure *failure)
{
	if (value[0] == '\0' || strchr(value, '/') != NULL)
		return usage(failure, "not the name of a site:", value);
	line->site = value;
	return true;
}

static bool global_set(struct command_line *line, enum global_option_id id, const char *value, struct failure *failure)
{
	switch (id) {
	case GLOBAL_JSON:
		line->json = true;
		break;
	case GLOBAL_SOCKET:
		line->socket_path = value;
		break;
	case GLOBAL_SITE:
		return site_set(line, value, failure);
	case GLOBAL_TIMEOUT:
		return timeout_set(line, value, failure);
	case GLOBAL_NO_COLOR:
		line->no_color = true;
		break;
	case GLOBAL_HELP:
		line->wish = COMMAND_LINE_HELP;
		break;
	case GLOBAL_VERSION:
		line->wish = COMMAND_LINE_VERSION;
		break;
	case GLOBAL_COUNT:
		break;
	}
	return true;
}

static enum global_option_id global_find(const char *name, size_t length)
{
	for (unsigned int i = 0; i < GLOBAL_COUNT; i++) {
		if (strlen(global_option_table[i].name) == length &&
		    memcmp(global_option_table[i].name, name, length) == 0)
			return (enum global_option_id)i;
	}
	return GLOBAL_COUNT;
}

/* A parameter of the command goes before a global option of the same name. */
static bool long_option_parse(struct command_line *line, struct cursor *cursor, const char *word,
			      struct failure *failure)
{
	const char *name = word + 2;
	const size_t length = strcspn(name, "=");
	const char *value = name[length] == '=' ? name + length + 1 : NULL;
	const struct parameter *parameter = line->command ? parameter_find(line->command, name, length) : NULL;
	const enum global_option_id id = global_find(name, length);
	bool takes_value;

	if (parameter == NULL && id == GLOBAL_COUNT)
		return usage(failure, line->command ? "unknown option" : "unknown option before the command", word);
	takes_value = parameter != NULL ? parameter->kind != PARAMETER_SWITCH : global_option_table[id].word[0] != '\0';
	if (!takes_value && value != NULL)
		return usage(failure, "this option takes no value:", word);
	if (takes_value && (value = option_value(cursor, word, value, failure)) == NULL)
		return false;
	if (parameter == NULL)
		return global_set(line, id, value, failure);
	if (!takes_value)
		return switch_set(line, parameter, !parameter_is_negated(parameter), failure);
	return parameter_set(line, parameter, value, failure);
}

static bool letter_parse(struct command_line *line, char letter, const char *word, struct failure *failure)
{
	const struct parameter *parameter = line->command ? parameter_find_letter(line->command, letter) : NULL;

	if (parameter != NULL)
		return switch_set(line, parameter, true, failure);
	for (unsigned int i = 0; i < GLOBAL_COUNT; i++) {
		if (global_option_table[i].letter == letter && global_option_table[i].word[0] == '\0')
			return global_set(line, (enum global_option_id)i, NULL, failure);
	}
	return usage(failure, line->command ? "unknown option" : "unknown option before the command", word);
}

static bool option_parse(struct command_line *line, struct cursor *cursor, const char *word, struct failure *failure)
{
	if (strcmp(word, "--") == 0) {
		cursor->options_over = true;
		return true;
	}
	if (word[1] == '-')
		return long_option_parse(line, cursor, word, failure);
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		if (!letter_parse(line, *letter, word, failure))
			return false;
	}
	return true;
}

/* "-2" is an argument of scale, and "-" alone is no option either. */
static bool is_option(const struct cursor *cursor, const char *word)
{
	return !cursor->options_over && word[0] == '-' && word[1] != '\0' && !isdigit((unsigned char)word[1]);
}

static bool command_set(struct command_line *line, const char *name, struct failure *failure)
{
	const struct parameter *parameter = NULL;

	line->command = command_find(name);
	if (line->command == NULL)
		return usage(failure, "unknown command", name);
	while ((parameter = parameter_next(line->command, parameter)) != NULL) {
		if (parameter_is_negated(parameter) && !switch_set(line, parameter, true, failure))
			return false;
	}
	return true;
}

static bool word_parse(struct command_line *line, struct cursor *cursor, const char *word, struct failure *failure)
{
	if (is_option(cursor, word))
		return option_parse(line, cursor, word, failure);
	if (line->command == NULL)
		return command_set(line, word, failure);
	if (cursor->positional_count == POSITIONAL_MAX)
		return usage(failure, "one argument too many:", word);
	cursor->positional[cursor->positional_count++] = word;
	return true;
}

static size_t positional_required(const struct command *command)
{
	const struct parameter *parameter = NULL;
	size_t required = 0;

	while ((parameter = parameter_next_positional(command, parameter)) != NULL)
		required += parameter->required ? 1 : 0;
	return required;
}

/* When there are too few arguments for all rows, those that are required get theirs first: "scale 4" has no pool. */
static bool positional_assign(struct command_line *line, const struct cursor *cursor, struct failure *failure)
{
	const size_t required = positional_required(line->command);
	size_t spare = cursor->positional_count > required ? cursor->positional_count - required : 0;
	const struct parameter *parameter = NULL;
	size_t taken = 0;

	while ((parameter = parameter_next_positional(line->command, parameter)) != NULL) {
		if (!parameter->required && spare == 0)
			continue;
		if (!parameter->required)
			spare--;
		if (taken == cursor->positional_count)
			return failure_set(failure, UNICORNCTL_EXIT_USAGE, "%s (%s) is missing", parameter->name,
					   parameter->word);
		if (!parameter_set(line, parameter, cursor->positional[taken++], failure))
			return false;
	}
	if (taken < cursor->positional_count)
		return usage(failure, "one argument too many:", cursor->positional[taken]);
	return true;
}

static bool command_line_check(struct command_line *line, const struct cursor *cursor, struct failure *failure)
{
	const struct parameter *parameter = NULL;

	if (line->wish != COMMAND_LINE_RUN)
		return true;
	if (line->command == NULL)
		return failure_set(failure, UNICORNCTL_EXIT_USAGE, "a command is missing");
	if (line->socket_path != NULL && line->site != NULL)
		return failure_set(failure, UNICORNCTL_EXIT_USAGE, "--%s and --%s exclude each other",
				   global_option_table[GLOBAL_SOCKET].name, global_option_table[GLOBAL_SITE].name);
	if (!positional_assign(line, cursor, failure))
		return false;
	while ((parameter = parameter_next(line->command, parameter)) != NULL) {
		if (parameter->required && json_object_get(line->params, parameter->name) == NULL)
			return failure_set(failure, UNICORNCTL_EXIT_USAGE, "--%s is missing", parameter->option);
	}
	return true;
}

bool command_line_parse(struct command_line *line, int argc, const char *const *argv, struct failure *failure)
{
	struct cursor cursor = { .argc = argc, .argv = argv, .next = 1 };

	*line = (struct command_line){ .timeout_ms = COMMAND_LINE_NO_TIMEOUT, .params = json_object() };
	if (line->params == NULL)
		return failure_set_no_memory(failure);
	while (cursor.next < argc) {
		const char *word = argv[cursor.next++];

		if (!word_parse(line, &cursor, word, failure))
			return false;
	}
	return command_line_check(line, &cursor, failure);
}

void command_line_finish(struct command_line *line)
{
	json_decref(line->params);
	line->params = NULL;
}

bool command_line_switch_is_on(const struct command_line *line, const char *name)
{
	return json_is_true(json_object_get(line->params, name));
}
