#include "model/output_ring.h"

#include <stdlib.h>
#include <string.h>

/** First allocation; most workers print a few lines when they start and no more. */
#define OUTPUT_RING_FIRST 1024

static void copy_out(const struct output_ring *ring, size_t skip, char *target)
{
	size_t from = (ring->start + skip) % ring->size;
	size_t count = ring->length - skip;
	size_t first = ring->size - from < count ? ring->size - from : count;

	memcpy(target, ring->data + from, first);
	memcpy(target + first, ring->data, count - first);
}

static void grow(struct output_ring *ring, size_t needed)
{
	size_t size = ring->size > 0 ? ring->size : OUTPUT_RING_FIRST;

	while (size < needed && size < OUTPUT_RING_MAX)
		size *= 2;
	if (size == ring->size)
		return;
	char *data = malloc(size);
	if (data == NULL)
		return;
	if (ring->length > 0)
		copy_out(ring, 0, data);
	free(ring->data);
	ring->data = data;
	ring->size = size;
	ring->start = 0;
}

void output_ring_append(struct output_ring *ring, const char *bytes, size_t length)
{
	if (ring->length + length > ring->size)
		grow(ring, ring->length + length);
	if (ring->size == 0)
		return;
	if (length > ring->size) {
		bytes += length - ring->size;
		length = ring->size;
	}
	if (ring->length + length > ring->size) {
		size_t forget = ring->length + length - ring->size;
		ring->start = (ring->start + forget) % ring->size;
		ring->length -= forget;
	}
	size_t end = (ring->start + ring->length) % ring->size;
	size_t first = ring->size - end < length ? ring->size - end : length;
	memcpy(ring->data + end, bytes, first);
	memcpy(ring->data, bytes + first, length - first);
	ring->length += length;
}

static char byte_at(const struct output_ring *ring, size_t index)
{
	return ring->data[(ring->start + index) % ring->size];
}

/** Index where the last `lines` lines begin. */
static size_t find_tail(const struct output_ring *ring, size_t lines, size_t earliest)
{
	size_t index = ring->length;

	if (index > earliest && byte_at(ring, index - 1) == '\n')
		index--;
	while (index > earliest) {
		if (byte_at(ring, index - 1) == '\n' && --lines == 0)
			break;
		index--;
	}
	return index;
}

void output_ring_tail(const struct output_ring *ring, size_t lines, size_t bytes_max, struct text *text)
{
	if (ring->length == 0)
		return;
	size_t earliest = ring->length > bytes_max ? ring->length - bytes_max : 0;
	size_t index = lines > 0 ? find_tail(ring, lines, earliest) : earliest;
	size_t from = (ring->start + index) % ring->size;
	size_t count = ring->length - index;
	size_t first = ring->size - from < count ? ring->size - from : count;

	text_append_bytes(text, ring->data + from, first);
	text_append_bytes(text, ring->data, count - first);
}

size_t output_ring_copy_last(const struct output_ring *ring, char *target, size_t length)
{
	if (length > ring->length)
		length = ring->length;
	if (length > 0)
		copy_out(ring, ring->length - length, target);
	return length;
}

void output_ring_clear(struct output_ring *ring)
{
	ring->start = 0;
	ring->length = 0;
}

void output_ring_swap(struct output_ring *a, struct output_ring *b)
{
	struct output_ring kept = *a;

	*a = *b;
	*b = kept;
}

void output_ring_finish(struct output_ring *ring)
{
	free(ring->data);
	*ring = (struct output_ring){ 0 };
}
