/*
 * output.h - the door through which all text leaves unicornctl: control characters do not pass, colours are added.
 *
 * The daemon's strings hold what workers and clients of workers wrote; raw, they could drive the terminal. Everything
 * here replaces control characters by "?", newline and tab excepted.
 */
#ifndef CTL_OUTPUT_H
#define CTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_STRONG, STYLE_FAINT, STYLE_GOOD, STYLE_CHANGING, STYLE_BAD };

struct output {
	FILE *stream;
	bool is_terminal;
	bool colour;
	bool failed; /**< something could not be written, or there was no memory to write it */
};

/** @param colour_wanted  false when the user wants none; a stream that is no terminal has none anyway */
void output_init(struct output *output, FILE *stream, bool colour_wanted);

/** Writes formatted text. */
void output_print(struct output *output, enum style style, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** Writes a text as a part of a line: a line break in it becomes a blank. */
void output_inline(struct output *output, enum style style, const char *text);
/** Writes formatted text as one line, whatever is in it, and ends the line. */
void output_line(struct output *output, enum style style, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** Writes each line of a text of many lines behind a prefix. The last line need not be ended. */
void output_prefixed(struct output *output, const char *prefix, const char *text, size_t length);
/** Writes a value as JSON in one line. What a terminal would obey is escaped, which does not change the value. */
void output_json(struct output *output, const json_t *value);

/** Writes a control sequence to the terminal: for sequences of our own only. */
void output_control(struct output *output, const char *sequence);
/** Gives what was written to the kernel. */
void output_flush(struct output *output);

/** @return columns that the text takes on a terminal, nearly: characters. */
size_t output_columns(const char *text);

#endif
