#include "control/control_parameters.h"

#include "supervisor/operation.h"

#include <string.h>

enum parameter_kind {
	PARAMETER_POOL,
	PARAMETER_TARGET,
	PARAMETER_CHANGE,
	PARAMETER_OPERATION,
	PARAMETER_SWITCH,
	PARAMETER_NUMBER
};

struct parameter {
	enum control_command_id command;
	const char *name;
	enum parameter_kind kind;
	bool required;
};

static const struct parameter parameters_known[] = {
#define PARAMETER(command, name, kind, required, option, word, summary)                                                \
	{ CONTROL_##command, (name), PARAMETER_##kind, (required) == 1 },
#include "unicornd/commands.def"
};

#define PARAMETER_COUNT (sizeof(parameters_known) / sizeof(parameters_known[0]))

/** What a value must be, for people. */
static const char *const kind_words[] = {
	[PARAMETER_POOL] = "the name of a pool",     [PARAMETER_TARGET] = "a string POOL or POOL/SLOT",
	[PARAMETER_CHANGE] = "a string N, +N or -N", [PARAMETER_OPERATION] = "an operation's id, such as \"r-17\"",
	[PARAMETER_SWITCH] = "true or false",        [PARAMETER_NUMBER] = "an integer that is not negative",
};

static bool belongs_to(const struct parameter *parameter, enum control_command_id command, bool mutates)
{
	return parameter->command == command || (mutates && parameter->command == CONTROL_ANY_MUTATING);
}

static bool is_change(const json_t *value)
{
	int64_t number;

	return json_is_string(value) && text_parse_integer(json_string_value(value), &number);
}

static bool is_of_kind(const json_t *value, enum parameter_kind kind)
{
	switch (kind) {
	case PARAMETER_POOL:
	case PARAMETER_TARGET:
		return json_is_string(value) && json_string_length(value) > 0;
	case PARAMETER_CHANGE:
		return is_change(value);
	case PARAMETER_OPERATION:
		return json_is_string(value) && operation_parse_id(json_string_value(value)) != 0;
	case PARAMETER_SWITCH:
		return json_is_boolean(value);
	case PARAMETER_NUMBER:
		return json_is_integer(value) && json_integer_value(value) >= 0;
	}
	return false;
}

static const struct parameter *find(enum control_command_id command, bool mutates, const char *name)
{
	for (size_t i = 0; i < PARAMETER_COUNT; i++) {
		if (belongs_to(&parameters_known[i], command, mutates) && strcmp(parameters_known[i].name, name) == 0)
			return &parameters_known[i];
	}
	return NULL;
}

/** An iterator of jansson wants an object that may be changed; a lookup does not. */
static bool check_given(enum control_command_id command, bool mutates, json_t *given, struct error *error)
{
	const char *name;
	const json_t *value;

	json_object_foreach(given, name, value)
	{
		const struct parameter *parameter = find(command, mutates, name);

		if (parameter == NULL)
			return error_set(error, ERROR_INVALID_PARAMETERS, "unknown parameter \"%.64s\"", name);
		if (!is_of_kind(value, parameter->kind))
			return error_set(error, ERROR_INVALID_PARAMETERS, "the parameter \"%s\" must be %s",
					 parameter->name, kind_words[parameter->kind]);
	}
	return true;
}

static bool check_missing(enum control_command_id command, bool mutates, const json_t *given, struct error *error)
{
	for (size_t i = 0; i < PARAMETER_COUNT; i++) {
		const struct parameter *parameter = &parameters_known[i];

		if (parameter->required && belongs_to(parameter, command, mutates) &&
		    json_object_get(given, parameter->name) == NULL)
			return error_set(error, ERROR_INVALID_PARAMETERS, "the parameter \"%s\" is missing: %s",
					 parameter->name, kind_words[parameter->kind]);
	}
	return true;
}

bool control_parameters_check(enum control_command_id command, bool mutates, json_t *parameters, struct error *error)
{
	if (parameters != NULL && !json_is_object(parameters))
		return error_set(error, ERROR_INVALID_PARAMETERS, "\"params\" must be an object with names");
	return check_given(command, mutates, parameters, error) && check_missing(command, mutates, parameters, error);
}

const char *control_parameter_string(const json_t *parameters, const char *name)
{
	return json_string_value(json_object_get(parameters, name));
}

bool control_parameter_switch(const json_t *parameters, const char *name, bool left_out)
{
	const json_t *value = json_object_get(parameters, name);

	return value != NULL ? json_is_true(value) : left_out;
}

uint64_t control_parameter_number(const json_t *parameters, const char *name, uint64_t left_out)
{
	const json_t *value = json_object_get(parameters, name);

	return value != NULL ? (uint64_t)json_integer_value(value) : left_out;
}
