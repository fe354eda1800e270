/*
 * control_json.h - values as JSON: texts of unknown bytes, times, and the print of a whole line.
 *
 * A function that makes a value returns NULL without memory; jansson's packers take that as an error of their own, so
 * that only the outermost result must be looked at.
 */
#ifndef DAEMON_CONTROL_CONTROL_JSON_H
#define DAEMON_CONTROL_CONTROL_JSON_H

#include "base/text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** @return a string; each byte that is not part of valid UTF-8 becomes U+FFFD. */
json_t *control_json_text(const char *bytes, size_t length);
/** The same for a C string. */
json_t *control_json_string(const char *string);
/** The same; null for the empty string. */
json_t *control_json_string_or_null(const char *string);

/** @return a duration in seconds. */
json_t *control_json_seconds(int64_t milliseconds);
/** @return seconds since 1970 for a time of the monotonic clock. */
json_t *control_json_time(int64_t at_ms);
/** @return a count; what is beyond JSON's integers is cut. */
json_t *control_json_count(uint64_t count);
/** @return the number, or null when it is 0. */
json_t *control_json_number_or_null(int64_t number);

/** Appends the value as one line. @return false without memory */
bool control_json_print(const json_t *value, struct text *line);

#endif
