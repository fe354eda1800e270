/*
 * text.h - growing strings, lists of strings, and the formats of values: durations, sizes, numbers, booleans, words.
 */
#ifndef DAEMON_BASE_TEXT_H
#define DAEMON_BASE_TEXT_H

#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A growing string. Zeroed is empty and valid; `data` is NULL until something was appended. */
struct text {
	char *data;
	size_t length;
	size_t size;
	bool failed; /**< an append found no memory; the text is cut there */
};

/** Appends formatted text; on lack of memory sets `failed` and leaves the text as it was. */
void text_append(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** As text_append(), with a va_list. */
void text_append_list(struct text *text, const char *fmt, va_list arguments) __attribute__((format(printf, 2, 0)));
/** Appends bytes. */
void text_append_bytes(struct text *text, const char *bytes, size_t length);
/** @return the text as a C string, "" when empty; valid until the next append. */
const char *text_string(const struct text *text);
/** Frees the memory and makes the text empty. */
void text_finish(struct text *text);

/** An owned list of owned strings. Zeroed is empty and valid. `items` is followed by a NULL pointer when not empty. */
struct string_list {
	char **items;
	size_t count;
};

/** Appends a copy. @return false when there is no memory; the list is then unchanged. */
bool string_list_append(struct string_list *list, const char *string);
/** Makes `target` (zeroed before) a deep copy. @return false when there is no memory; target is then empty. */
bool string_list_copy(struct string_list *target, const struct string_list *source);
bool string_list_equal(const struct string_list *a, const struct string_list *b);
void string_list_finish(struct string_list *list);

/* Parsers: the whole string must match, surrounding blanks are not accepted. They return false and leave *value alone
 * when the string is not of the form or the value does not fit. */

/** Decimal integer with optional sign. */
bool text_parse_integer(const char *string, int64_t *value);
/** "yes" "on" "true" / "no" "off" "false". */
bool text_parse_boolean(const char *string, bool *value);
/** Sum of numbers with units ms, s, m, h, d ("250ms", "30s", "1m30s", "1.5s"); "0" needs no unit. Milliseconds. */
bool text_parse_duration(const char *string, int64_t *milliseconds);
/** Number with optional unit k, m, g (powers of 1024) or "unlimited" (UINT64_MAX). Bytes. */
bool text_parse_size(const char *string, uint64_t *bytes);

/** Writes a duration as text_parse_duration() reads it ("1m30s"). @return buffer */
const char *text_format_duration(char *buffer, size_t size, int64_t milliseconds);

/**
 * Splits a string into words as a shell would: blanks separate; '...' and "..." group; a backslash takes the next
 * character literally (inside "..." only before " \ $ `). Nothing is expanded; an unquoted character that would need a
 * shell ( | & ; < > ( ) $ ` * ? newline ) is an error that says so. Braces are literal.
 *
 * @param words  zeroed or empty before; owned by the caller
 */
bool text_split_words(const char *string, struct string_list *words, struct error *error);

#endif
