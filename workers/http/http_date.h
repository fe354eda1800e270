/*
 * http_date.h - dates of HTTP: written for headers, read from them.
 *
 * Knows nothing else of the engine: the gateway for files is a module of its own and compiles this file into itself.
 */
#ifndef WORKERS_HTTP_HTTP_DATE_H
#define WORKERS_HTTP_HTTP_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Length of "Sun, 06 Nov 1994 08:49:37 GMT". */
#define HTTP_DATE_BYTES 29
/** Length of "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n". */
#define HTTP_DATE_LINE_BYTES (6 + HTTP_DATE_BYTES + 2)

/** Writes HTTP_DATE_BYTES characters and a NUL. Seconds since 1970; what is outside of 1970 to 9999 is cut to it. */
void http_date_format(int64_t time_s, char text[HTTP_DATE_BYTES + 1]);

/**
 * The whole header line, HTTP_DATE_LINE_BYTES characters and a NUL, made anew only when the second is another one. Each
 * thread has a text of its own.
 *
 * @return valid until the thread's next call
 */
const char *http_date_line(int64_t time_s);

/**
 * Reads one of the three forms: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT" and
 * "Sun Nov  6 08:49:37 1994". Whether the day of the week is the right one is not looked at.
 *
 * @param now_s   decides the century of a year of two digits, which is never more than 50 years ahead
 * @param time_s  seconds since 1970; unchanged when false is returned
 * @return false when it is none of them or there is no such day or time
 */
bool http_date_parse(const char *text, size_t length, int64_t now_s, int64_t *time_s);

#endif
