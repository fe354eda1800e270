/*
 * command_table.c - the commands, their parameters and the options of unicornctl as rows.
 */
#include "command_table.h"

#include <string.h>

const struct command command_table[COMMAND_COUNT] = {
#define COMMAND(id, name, role, mutates, summary) { COMMAND_##id, name, ROLE_##role, mutates, summary },
#include "unicornd/commands.def"
};

static const struct parameter parameter_table[] = {
#define PARAMETER(command, name, kind, required, option, word, summary)                                                \
	{ COMMAND_##command, name, PARAMETER_##kind, required, option, word, summary },
#include "unicornd/commands.def"
};

static const char *const role_names[] = {
#define ROLE(id, name) [ROLE_##id] = name,
#include "unicornd/vocabulary.def"
};

/* commands.def has no short options: they are for hands, not for the protocol. */
static const struct {
	char letter;
	const char *option;
} letters[] = {
	{ 'f', "follow" },
};

const struct global_option global_option_table[GLOBAL_COUNT] = {
	[GLOBAL_JSON] = { "json", '\0', "", "print the daemon's answer as JSON, one message a line" },
	[GLOBAL_SOCKET] = { "socket", '\0', "PATH", "talk to the daemon at this socket" },
	[GLOBAL_SITE] = { "site", '\0', "NAME", "talk to the daemon of this site" },
	[GLOBAL_TIMEOUT] = { "timeout", '\0', "DURATION", "stop waiting after this time, such as 30s or 1m30s" },
	[GLOBAL_NO_COLOR] = { "no-color", '\0', "", "no colours on a terminal; also when NO_COLOR is set" },
	[GLOBAL_HELP] = { "help", 'h', "", "show this help, or that of the command" },
	[GLOBAL_VERSION] = { "version", '\0', "", "show the version of unicornctl" },
};

#define PARAMETER_ROWS (sizeof(parameter_table) / sizeof(parameter_table[0]))
#define LETTER_ROWS    (sizeof(letters) / sizeof(letters[0]))

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(command_table[i].name, name) == 0)
			return &command_table[i];
	}
	return NULL;
}

const char *command_role_name(const struct command *command)
{
	return role_names[command->role];
}

const struct parameter *parameter_next(const struct command *command, const struct parameter *previous)
{
	const struct parameter *row = previous == NULL ? parameter_table : previous + 1;

	for (; row < parameter_table + PARAMETER_ROWS; row++) {
		if (row->command == command->id || (row->command == COMMAND_ANY_MUTATING && command->mutates))
			return row;
	}
	return NULL;
}

const struct parameter *parameter_next_positional(const struct command *command, const struct parameter *previous)
{
	const struct parameter *row = parameter_next(command, previous);

	while (row != NULL && row->option[0] != '\0')
		row = parameter_next(command, row);
	return row;
}

const struct parameter *parameter_find(const struct command *command, const char *option, size_t length)
{
	const struct parameter *row = NULL;

	while (length > 0 && (row = parameter_next(command, row)) != NULL) {
		if (strlen(row->option) == length && memcmp(row->option, option, length) == 0)
			return row;
	}
	return NULL;
}

const struct parameter *parameter_find_letter(const struct command *command, char letter)
{
	for (size_t i = 0; i < LETTER_ROWS; i++) {
		if (letters[i].letter == letter)
			return parameter_find(command, letters[i].option, strlen(letters[i].option));
	}
	return NULL;
}

char parameter_letter(const struct parameter *parameter)
{
	for (size_t i = 0; i < LETTER_ROWS; i++) {
		if (strcmp(letters[i].option, parameter->option) == 0)
			return letters[i].letter;
	}
	return '\0';
}

bool parameter_is_negated(const struct parameter *parameter)
{
	static const char prefix[] = "no-";
	const size_t length = sizeof(prefix) - 1;

	return parameter->kind == PARAMETER_SWITCH && strncmp(parameter->option, prefix, length) == 0 &&
	       strcmp(parameter->option + length, parameter->name) == 0;
}
