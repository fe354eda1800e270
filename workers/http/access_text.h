/*
 * access_text.h - what a client sent, escaped for the access log.
 *
 * Nothing of it can end a line or a quoted field, and nothing of it does anything to a terminal.
 */
#ifndef WORKERS_HTTP_ACCESS_TEXT_H
#define WORKERS_HTTP_ACCESS_TEXT_H

#include <stddef.h>

/** How it stands in the line. */
enum access_escaping {
	ACCESS_ESCAPE_WORD,   /**< as below, and a blank is escaped too */
	ACCESS_ESCAPE_QUOTED, /**< in the quotes of Apache's format: \" \\ and \xhh, the last for what is not ASCII, too
			       */
	ACCESS_ESCAPE_JSON,   /**< UTF-8; what is none becomes the replacement character */
};

/** Bytes, not owned. */
struct access_text {
	const unsigned char *bytes;
	size_t length;
};

/**
 * Writes the text escaped, at most `limit` bytes; what is longer is cut and ends with "...".
 *
 * @return where the next byte goes
 */
char *access_text_put(enum access_escaping escaping, char *at, struct access_text text, size_t limit);

#endif
