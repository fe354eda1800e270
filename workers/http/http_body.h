/*
 * http_body.h - the body of a request between the socket and the application.
 *
 * What comes in is appended, what the application reads is taken from the front. In the async worker little is kept,
 * since reading stops meanwhile; the sync worker waits for the whole, and moves what is large into a file without a
 * name, so that many slow uploads cost no memory.
 */
#ifndef WORKERS_HTTP_BODY_H
#define WORKERS_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** From so much on a body that is waited for goes to a file; what Django's uploads stay below is 2.5 MB. */
#define HTTP_BODY_MEMORY_BYTES (1024 * 1024)
/** With so much unread, reading from the socket stops (asyncio's limit for a stream's high water is the same). */
#define HTTP_BODY_HIGH_BYTES 65536

struct http_body {
	char *bytes;
	size_t start;  /**< first byte not taken */
	size_t length; /**< bytes not taken, in memory */
	size_t capacity;
	int64_t file_start;  /**< bytes taken of the file */
	int64_t file_length; /**< bytes written to it */
	int file;            /**< -1 without one; what is in it comes before what is in memory */
	int64_t received;    /**< bytes of the body that have come in all */
	bool is_complete;    /**< the last one has come */
	bool is_spooled;     /**< large ones go to a file */
	bool is_discarded;   /**< nobody reads it any more */
};

void http_body_init(struct http_body *body, bool is_spooled);
void http_body_finish(struct http_body *body);

/** @return 0 or a negative errno value */
int http_body_append(struct http_body *body, const char *bytes, size_t length);

/** @return bytes that can be read now */
int64_t http_body_available(const struct http_body *body);

/** @return bytes read, 0 when there are none, or a negative errno value */
int64_t http_body_read(struct http_body *body, void *buffer, size_t size);

#endif
