/*
 * output_ring.h - the last bytes that a worker wrote.
 *
 * Grows from nothing to OUTPUT_RING_MAX while there is output, so that a thousand silent workers cost nothing.
 */
#ifndef DAEMON_MODEL_OUTPUT_RING_H
#define DAEMON_MODEL_OUTPUT_RING_H

#include "base/text.h"

#include <stddef.h>

/** Bytes kept of each worker's output. */
#define OUTPUT_RING_MAX (64 * 1024)

/** Zeroed is empty and valid. */
struct output_ring {
	char *data;
	size_t size;  /**< allocated */
	size_t start; /**< index of the oldest byte */
	size_t length;
};

/** Adds bytes, forgetting the oldest beyond OUTPUT_RING_MAX. Without memory to grow it forgets earlier. */
void output_ring_append(struct output_ring *ring, const char *bytes, size_t length);

/** Appends the last `lines` lines (0: all), at most `bytes_max` bytes, beginning at a line's start where possible. */
void output_ring_tail(const struct output_ring *ring, size_t lines, size_t bytes_max, struct text *text);

/** Copies the last `length` bytes; fewer when there are fewer. @return how many */
size_t output_ring_copy_last(const struct output_ring *ring, char *target, size_t length);

/** Forgets the content, keeps the memory. */
void output_ring_clear(struct output_ring *ring);

/** Exchanges two rings. */
void output_ring_swap(struct output_ring *a, struct output_ring *b);

void output_ring_finish(struct output_ring *ring);

#endif
