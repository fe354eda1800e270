/*
 * command_table.h - the commands and their parameters as rows, made from commands.def, and the options that every
 * command takes.
 */
#ifndef CTL_COMMAND_TABLE_H
#define CTL_COMMAND_TABLE_H

#include <stdbool.h>
#include <stddef.h>

enum command_id {
#define COMMAND(id, name, role, mutates, summary) COMMAND_##id,
#include "unicornd/commands.def"
	COMMAND_COUNT,
	COMMAND_ANY_MUTATING
};

enum command_role {
#define ROLE(id, name) ROLE_##id,
#include "unicornd/vocabulary.def"
};

enum parameter_kind {
	PARAMETER_POOL,
	PARAMETER_TARGET,
	PARAMETER_CHANGE,
	PARAMETER_OPERATION,
	PARAMETER_SWITCH,
	PARAMETER_NUMBER
};

struct command {
	enum command_id id;
	const char *name;
	enum command_role role;
	bool mutates;
	const char *summary;
};

struct parameter {
	enum command_id command;
	const char *name;
	enum parameter_kind kind;
	bool required;
	const char *option; /**< "" for a positional argument */
	const char *word;
	const char *summary;
};

enum global_option_id {
	GLOBAL_JSON,
	GLOBAL_SOCKET,
	GLOBAL_SITE,
	GLOBAL_TIMEOUT,
	GLOBAL_NO_COLOR,
	GLOBAL_HELP,
	GLOBAL_VERSION,
	GLOBAL_COUNT
};

/** An option that belongs to unicornctl, not to a command. */
struct global_option {
	const char *name;
	char letter;      /**< '\0' when there is no short form */
	const char *word; /**< names the value; "" when there is none */
	const char *summary;
};

extern const struct command command_table[COMMAND_COUNT];
extern const struct global_option global_option_table[GLOBAL_COUNT];

/** @return the row, or NULL when there is no command of that name. */
const struct command *command_find(const char *name);
/** @return the printed name of the role that the command asks for. */
const char *command_role_name(const struct command *command);

/** Steps through the parameters of a command. @param previous NULL to begin @return NULL at the end */
const struct parameter *parameter_next(const struct command *command, const struct parameter *previous);
/** As parameter_next(), but positional arguments only. */
const struct parameter *parameter_next_positional(const struct command *command, const struct parameter *previous);
/** @return the parameter that this long option sets, or NULL. */
const struct parameter *parameter_find(const struct command *command, const char *option, size_t length);
/** @return the parameter that this short option sets, or NULL. */
const struct parameter *parameter_find_letter(const struct command *command, char letter);
/** @return the short option of the parameter, or '\0'. */
char parameter_letter(const struct parameter *parameter);
/** A switch that is on unless its option is given: the option is "no-" and the name. */
bool parameter_is_negated(const struct parameter *parameter);

#endif
