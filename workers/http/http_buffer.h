/*
 * http_buffer.h - bytes that grow.
 *
 * A buffer's memory begins as one block of HTTP_BLOCK_BYTES from a small stock, so that a connection that wakes up gets
 * the block that the last one has just put back, which is still in the processor's cache, and an idle one holds none.
 * The stock belongs to the thread of the loop.
 */
#ifndef WORKERS_HTTP_BUFFER_H
#define WORKERS_HTTP_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/** Holds the head of nearly every request, and is what one read takes at most. */
#define HTTP_BLOCK_BYTES 16384

struct http_buffer {
	char *bytes;     /**< NULL while it holds nothing */
	size_t length;   /**< bytes in use */
	size_t capacity; /**< bytes allocated */
};

/** Makes room for `more` bytes behind those in use. @return false without memory; nothing has changed then */
bool http_buffer_reserve(struct http_buffer *buffer, size_t more);

/** Gives the memory back. */
void http_buffer_finish(struct http_buffer *buffer);

/** Frees the stock. */
void http_buffer_stock_finish(void);

#endif
