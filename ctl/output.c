/*
 * output.c - the door through which all text leaves.
 */
#include "output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const style_sequences[] = {
	[STYLE_PLAIN] = "",        [STYLE_STRONG] = "\033[1m",    [STYLE_FAINT] = "\033[2m",
	[STYLE_GOOD] = "\033[32m", [STYLE_CHANGING] = "\033[33m", [STYLE_BAD] = "\033[31m",
};

static const char style_end[] = "\033[0m";

void output_init(struct output *output, FILE *stream, bool colour_wanted)
{
	const char *terminal = getenv("TERM");
	const bool obeys = terminal != NULL && terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;

	*output = (struct output){ .stream = stream };
	output->is_terminal = isatty(fileno(stream)) == 1 && obeys;
	output->colour = output->is_terminal && colour_wanted;
}

static void output_bytes(struct output *output, const char *bytes, size_t length)
{
	if (fwrite(bytes, 1, length, output->stream) != length)
		output->failed = true;
}

/* U+0080 to U+009F: in UTF-8 two bytes, of which this is the first. */
static bool is_second_control(const unsigned char *bytes, size_t left)
{
	return left >= 2 && bytes[0] == 0xc2 && bytes[1] >= 0x80 && bytes[1] <= 0x9f;
}

static bool is_control(unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* Cleans in place. @return the new length */
static size_t clean(char *text, size_t length, bool one_line)
{
	const unsigned char *bytes = (const unsigned char *)text;
	size_t kept = 0;

	for (size_t i = 0; i < length; i++) {
		if (is_second_control(bytes + i, length - i)) {
			text[kept++] = '?';
			i++;
		} else if (bytes[i] == '\n' || bytes[i] == '\t') {
			text[kept++] = one_line ? ' ' : text[i];
		} else {
			text[kept++] = is_control(bytes[i]) ? '?' : text[i];
		}
	}
	return kept;
}

static void output_clean(struct output *output, const char *text, size_t length)
{
	char *copy = malloc(length + 1);

	if (copy == NULL) {
		output->failed = true;
		return;
	}
	memcpy(copy, text, length);
	output_bytes(output, copy, clean(copy, length, false));
	free(copy);
}

static void output_styled(struct output *output, enum style style, const char *text, size_t length)
{
	const bool styled = output->colour && style != STYLE_PLAIN && length > 0;

	if (styled)
		output_control(output, style_sequences[style]);
	output_bytes(output, text, length);
	if (styled)
		output_control(output, style_end);
}

static void output_format(struct output *output, enum style style, bool one_line, const char *fmt, va_list arguments)
	__attribute__((format(printf, 4, 0)));

static void output_format(struct output *output, enum style style, bool one_line, const char *fmt, va_list arguments)
{
	char *text;
	const int length = vasprintf(&text, fmt, arguments);

	if (length < 0) {
		output->failed = true;
		return;
	}
	output_styled(output, style, text, clean(text, (size_t)length, one_line));
	free(text);
}

void output_print(struct output *output, enum style style, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	output_format(output, style, false, fmt, arguments);
	va_end(arguments);
}

void output_line(struct output *output, enum style style, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	output_format(output, style, true, fmt, arguments);
	va_end(arguments);
	output_bytes(output, "\n", 1);
}

void output_inline(struct output *output, enum style style, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL) {
		output->failed = true;
		return;
	}
	output_styled(output, style, copy, clean(copy, strlen(copy), true));
	free(copy);
}

void output_prefixed(struct output *output, const char *prefix, const char *text, size_t length)
{
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		const size_t line = end != NULL ? (size_t)(end - text) : length;

		output_print(output, STYLE_FAINT, "%s", prefix);
		output_clean(output, text, line);
		output_bytes(output, "\n", 1);
		length -= end != NULL ? line + 1 : line;
		text += end != NULL ? line + 1 : line;
	}
}

/* jansson escapes the first 32 control characters itself; the others can only be inside of strings. */
static void output_json_text(struct output *output, const char *text)
{
	const size_t length = strlen(text);
	const unsigned char *bytes = (const unsigned char *)text;
	size_t written = 0;

	for (size_t i = 0; i < length; i++) {
		const bool second = is_second_control(bytes + i, length - i);
		char escape[sizeof("\\u0000")];

		if (!second && bytes[i] != 0x7f)
			continue;
		output_bytes(output, text + written, i - written);
		i += second ? 1 : 0;
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)bytes[i]);
		output_bytes(output, escape, strlen(escape));
		written = i + 1;
	}
	output_bytes(output, text + written, length - written);
}

void output_json(struct output *output, const json_t *value)
{
	/* 15 digits is what a double keeps of a decimal number: 0.1 stays 0.1. */
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

	if (text == NULL) {
		output->failed = true;
		return;
	}
	output_json_text(output, text);
	output_bytes(output, "\n", 1);
	free(text);
}

void output_control(struct output *output, const char *sequence)
{
	output_bytes(output, sequence, strlen(sequence));
}

void output_flush(struct output *output)
{
	if (fflush(output->stream) != 0)
		output->failed = true;
}

size_t output_columns(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		columns += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0; /* not the rest of a character */
	return columns;
}
