/*
 * control_input.h - bytes of a client to lines, and the limits that a line must keep before anybody parses it. Pure.
 */
#ifndef DAEMON_CONTROL_CONTROL_INPUT_H
#define DAEMON_CONTROL_CONTROL_INPUT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/** A line that is not complete yet. Zeroed is valid; holds no memory between lines. */
struct control_input {
	struct text partial;
};

enum control_input_result {
	CONTROL_INPUT_DONE,     /**< all bytes are taken */
	CONTROL_INPUT_STOPPED,  /**< the function did not want more; the rest is dropped */
	CONTROL_INPUT_TOO_LONG, /**< a line beyond the limit; the rest is dropped */
	CONTROL_INPUT_NO_MEMORY
};

/** Takes one line without its newline. @return false to get no more of them */
typedef bool control_line_function(void *context, const char *line, size_t length);

/** Calls `function` for each line that these bytes complete. */
enum control_input_result control_input_feed(struct control_input *input, const char *bytes, size_t length,
					     control_line_function *function, void *context);

void control_input_finish(struct control_input *input);

/** @return true when the line has nothing but blanks. */
bool control_line_is_blank(const char *line, size_t length);

/** @return true when arrays and objects are nested within the limit; strings are not looked into. */
bool control_line_is_shallow(const char *line, size_t length);

#endif
