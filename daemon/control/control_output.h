/*
 * control_output.h - bytes that wait until a client reads them.
 */
#ifndef DAEMON_CONTROL_CONTROL_OUTPUT_H
#define DAEMON_CONTROL_CONTROL_OUTPUT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/** Zeroed is empty and valid; holds no memory while it is empty. */
struct control_output {
	struct text text;
	size_t written; /**< of the text, already taken by the kernel */
};

/** Appends. @return false when that is beyond the limit of waiting bytes, or without memory: nothing is appended */
bool control_output_append(struct control_output *output, const char *bytes, size_t length);

/** Writes to a socket that does not block, as much as it takes. @return false when nobody can read it any more */
bool control_output_write(struct control_output *output, int fd);

/** @return bytes that wait. */
size_t control_output_pending(const struct control_output *output);

void control_output_finish(struct control_output *output);

#endif
