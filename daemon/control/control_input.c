#include "control/control_input.h"

#include "unicornd/control.h"

#include <string.h>

/** Takes the line that `count` more bytes complete. The memory goes back before the next one. */
static bool take_line(struct control_input *input, const char *bytes, size_t count, control_line_function *function,
		      void *context)
{
	struct text line = input->partial;
	bool more;

	if (line.length == 0)
		return function(context, bytes, count);
	input->partial = (struct text){ 0 };
	text_append_bytes(&line, bytes, count);
	more = !line.failed && function(context, text_string(&line), line.length);
	text_finish(&line);
	return more;
}

static enum control_input_result keep(struct control_input *input, const char *bytes, size_t length)
{
	text_append_bytes(&input->partial, bytes, length);
	return input->partial.failed ? CONTROL_INPUT_NO_MEMORY : CONTROL_INPUT_DONE;
}

enum control_input_result control_input_feed(struct control_input *input, const char *bytes, size_t length,
					     control_line_function *function, void *context)
{
	while (length > 0) {
		const char *end = memchr(bytes, '\n', length);
		size_t count = end != NULL ? (size_t)(end - bytes) : length;

		/* The limit counts the newline, also the one that has yet to come. */
		if (input->partial.length + count >= UNICORND_CONTROL_LINE_MAX)
			return CONTROL_INPUT_TOO_LONG;
		if (end == NULL)
			return keep(input, bytes, length);
		if (!take_line(input, bytes, count, function, context))
			return CONTROL_INPUT_STOPPED;
		bytes += count + 1;
		length -= count + 1;
	}
	return CONTROL_INPUT_DONE;
}

void control_input_finish(struct control_input *input)
{
	text_finish(&input->partial);
}

bool control_line_is_blank(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			return false;
	}
	return true;
}

/** @return index of the closing quote, or the length when it is missing */
static size_t skip_string(const char *line, size_t length, size_t opening)
{
	size_t i = opening + 1;

	while (i < length && line[i] != '"')
		i += line[i] == '\\' ? 2 : 1;
	return i;
}

bool control_line_is_shallow(const char *line, size_t length)
{
	int depth = 0;

	for (size_t i = 0; i < length; i++) {
		if (line[i] == '"')
			i = skip_string(line, length, i);
		else if (line[i] == '[' || line[i] == '{')
			depth++;
		else if (line[i] == ']' || line[i] == '}')
			depth--;
		if (depth > UNICORND_CONTROL_DEPTH_MAX)
			return false;
	}
	return true;
}
