/*
 * command_line.h - what the user asked for: argv, read by the rows of command_table.h, as a request's parameters.
 *
 * It checks the form of values only. Which pools there are is known to the daemon.
 */
#ifndef CTL_COMMAND_LINE_H
#define CTL_COMMAND_LINE_H

#include "failure.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct command;

/** What to do with the rest. */
enum command_line_wish { COMMAND_LINE_RUN, COMMAND_LINE_HELP, COMMAND_LINE_VERSION };

/** Value of timeout_ms for "wait for ever". */
#define COMMAND_LINE_NO_TIMEOUT (-1)

struct command_line {
	enum command_line_wish wish;
	const struct command *command; /**< NULL only when the wish is not to run */
	json_t *params;                /**< owned; the `params` object of the request */
	const char *socket_path;       /**< NULL when not given; points into argv, as does `site` */
	const char *site;
	int64_t timeout_ms;
	bool json;
	bool no_color;
};

/**
 * @param line  filled also on failure, as far as argv was understood; the caller calls command_line_finish() always
 */
bool command_line_parse(struct command_line *line, int argc, const char *const *argv, struct failure *failure);
void command_line_finish(struct command_line *line);

/** @return true when the request has this switch, and it is on. */
bool command_line_switch_is_on(const struct command_line *line, const char *name);

#endif
