/*
 * access_line.h - the text of one line of the access log.
 *
 * A line is written in memory that is known to be large enough, so that no byte is checked twice: each field has a
 * limit, and with all of them the line is not longer than ACCESS_LINE_BYTES_MAX.
 */
#ifndef WORKERS_HTTP_ACCESS_LINE_H
#define WORKERS_HTTP_ACCESS_LINE_H

#include "unicornd/app.h"

/** What a pipe takes as a whole (PIPE_BUF of Linux). */
#define ACCESS_LINE_BYTES_MAX 4096
/** Longest text of a date in either format, and its NUL. */
#define ACCESS_DATE_BYTES 32

enum access_format {
	ACCESS_APACHE, /**< host - user [date] "line" status bytes "referer" "agent" microseconds */
	ACCESS_JSON,   /**< an object a line */
};

/** One answer. */
struct access_record {
	const struct unicorn_head *head; /**< NULL when the request could not be understood; unknown strings are NULL */
	const char *client_host;         /**< "" or NULL: unknown */
	const char *user;                /**< "" or NULL: nobody */
	int status;
	int64_t body_bytes;
	int64_t duration_us;
	int64_t time_s; /**< its end, in seconds since 1970 */
};

/** Writes the date that goes into a line: local time for Apache's format, UTC as in RFC 3339 for JSON. */
void access_date_format(enum access_format format, int64_t time_s, char date[ACCESS_DATE_BYTES]);

/**
 * Writes a line and its end, without a NUL.
 *
 * @param date    of the record, made by access_date_format()
 * @param target  has room for ACCESS_LINE_BYTES_MAX
 * @return its length
 */
size_t access_line_format(enum access_format format, const struct access_record *record, const char *date,
			  char *target);

#endif
