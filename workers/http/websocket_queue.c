#include "websocket_queue.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 256

/** Stands in front of a message's bytes. Copied in and out, for it is not aligned. */
struct record {
	size_t length;
	enum unicorn_message_type type;
};

void websocket_queue_finish(struct websocket_queue *queue)
{
	free(queue->bytes);
	*queue = (struct websocket_queue){ 0 };
}

/** Moves what is not taken to the front, when that is cheap and frees much. */
static void queue_compact(struct websocket_queue *queue)
{
	size_t pending = queue->tail - queue->head;

	if (queue->head == 0 || pending > queue->head)
		return;
	if (pending > 0)
		memmove(queue->bytes, queue->bytes + queue->head, pending);
	queue->head = 0;
	queue->tail = pending;
	queue->length = pending;
}

bool websocket_queue_begin(struct websocket_queue *queue)
{
	queue_compact(queue);
	if (websocket_queue_reserve(queue, sizeof(struct record)) == NULL)
		return false;
	queue->length += sizeof(struct record);
	return true;
}

uint8_t *websocket_queue_reserve(struct websocket_queue *queue, size_t more)
{
	size_t capacity = queue->capacity > 0 ? queue->capacity : CAPACITY_FIRST;
	uint8_t *bytes;

	if (more > SIZE_MAX / 4 - queue->length)
		return NULL;
	while (capacity < queue->length + more)
		capacity *= 2;
	if (capacity != queue->capacity) {
		bytes = realloc(queue->bytes, capacity);
		if (bytes == NULL)
			return NULL;
		queue->bytes = bytes;
		queue->capacity = capacity;
	}
	return queue->bytes + queue->length;
}

void websocket_queue_add(struct websocket_queue *queue, size_t length)
{
	queue->length += length;
}

const uint8_t *websocket_queue_message(const struct websocket_queue *queue)
{
	return queue->bytes + queue->tail + sizeof(struct record);
}

size_t websocket_queue_message_bytes(const struct websocket_queue *queue)
{
	return queue->length - queue->tail - sizeof(struct record);
}

void websocket_queue_commit(struct websocket_queue *queue, enum unicorn_message_type type)
{
	struct record record = { .length = websocket_queue_message_bytes(queue), .type = type };

	memcpy(queue->bytes + queue->tail, &record, sizeof(record));
	queue->tail = queue->length;
}

void websocket_queue_drop(struct websocket_queue *queue)
{
	queue->length = queue->tail;
}

bool websocket_queue_take(struct websocket_queue *queue, enum unicorn_message_type *type, const void **bytes,
			  size_t *length)
{
	struct record record;

	if (queue->head == queue->tail) {
		if (queue->capacity > WEBSOCKET_QUEUE_KEPT_BYTES)
			websocket_queue_shrink(queue);
		return false;
	}
	memcpy(&record, queue->bytes + queue->head, sizeof(record));
	*type = record.type;
	*bytes = queue->bytes + queue->head + sizeof(record);
	*length = record.length;
	queue->head += sizeof(record) + record.length;
	return true;
}

size_t websocket_queue_pending_bytes(const struct websocket_queue *queue)
{
	return queue->tail - queue->head;
}

void websocket_queue_shrink(struct websocket_queue *queue)
{
	if (queue->head == queue->length)
		websocket_queue_finish(queue);
}
