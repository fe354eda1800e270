/*
 * http_output.h - what the client has not taken yet: memory and parts of files, in order.
 *
 * Whatever the kernel takes at once is never copied. Not a word of HTTP here, and no waiting: who owns the socket looks
 * at `pending` and calls http_output_flush() when it can be written again.
 */
#ifndef WORKERS_HTTP_OUTPUT_H
#define WORKERS_HTTP_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/**
 * A corked output keeps no more than this: below it a copy is cheaper than a system call. With the segment's own fields
 * it is the largest piece that the C library has in reserve for each thread.
 */
#define HTTP_CORKED_BYTES 960

struct http_segment;

struct http_output {
	struct http_segment *first;
	struct http_segment *last;
	int64_t pending; /**< bytes not taken by the kernel, those of files included */
	bool is_corked;  /**< what is small is kept until http_output_flush() */
};

/**
 * Sends parts, or keeps a copy of what the kernel does not take, or of all when it is corked and not too much.
 *
 * @param parts  is changed
 * @param more   something follows at once: the kernel may wait for it before it sends a packet
 * @return 0 or a negative errno value, after which the connection is of no use
 */
int http_output_write(struct http_output *output, int fd, struct iovec *parts, int count, bool more);

/** Queues a part of a file and sends what the kernel takes. @param file  taken over, closed in any case */
int http_output_file(struct http_output *output, int fd, int file, int64_t offset, int64_t length);

/** Sends on. @return 0 when the kernel takes no more or nothing is left, or a negative errno value */
int http_output_flush(struct http_output *output, int fd);

/** @return bytes that the kernel has taken and the client has not acknowledged */
int http_output_in_kernel(int fd);

/** Forgets all of it. */
void http_output_finish(struct http_output *output);

#endif
