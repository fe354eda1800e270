/*
 * control_parameters.h - the parameters of a request, checked against the rows of commands.def.
 */
#ifndef DAEMON_CONTROL_CONTROL_PARAMETERS_H
#define DAEMON_CONTROL_CONTROL_PARAMETERS_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum control_command_id {
#define COMMAND(id, name, role, mutates, summary) CONTROL_##id,
#include "unicornd/commands.def"
	CONTROL_COMMAND_COUNT,
	CONTROL_ANY_MUTATING /**< of the parameters that belong to every command that mutates */
};

/**
 * Checks that there is no unknown parameter, none of a wrong kind, and that none is missing.
 *
 * @param parameters  `params` of the request, or NULL
 */
bool control_parameters_check(enum control_command_id command, bool mutates, json_t *parameters, struct error *error);

/* The values of checked parameters. */

/** @return the string, or NULL when it was left out. */
const char *control_parameter_string(const json_t *parameters, const char *name);
bool control_parameter_switch(const json_t *parameters, const char *name, bool left_out);
uint64_t control_parameter_number(const json_t *parameters, const char *name, uint64_t left_out);

#endif
