/*
 * websocket_queue.h - messages that have come and were not taken yet, and the one that is coming.
 *
 * All lie one behind the other in one piece of memory, which is used again as soon as it is empty: small messages need
 * no allocation of their own.
 */
#ifndef WORKERS_HTTP_WEBSOCKET_QUEUE_H
#define WORKERS_HTTP_WEBSOCKET_QUEUE_H

#include "unicornd/app.h"

/** Memory up to this size stays with an idle connection. */
#define WEBSOCKET_QUEUE_KEPT_BYTES 1024

/** All zero is an empty one. */
struct websocket_queue {
	uint8_t *bytes;
	size_t capacity;
	size_t head;   /**< of the oldest message not taken */
	size_t tail;   /**< behind the newest complete one */
	size_t length; /**< behind what has come of the next */
};

void websocket_queue_finish(struct websocket_queue *queue);

/** A message begins. What was taken is invalid from here on. @return false without memory */
bool websocket_queue_begin(struct websocket_queue *queue);

/** @return where to put `more` bytes of the message, NULL without memory; websocket_queue_add() follows */
uint8_t *websocket_queue_reserve(struct websocket_queue *queue, size_t more);
void websocket_queue_add(struct websocket_queue *queue, size_t length);

/** Of the message that is coming. */
const uint8_t *websocket_queue_message(const struct websocket_queue *queue);
size_t websocket_queue_message_bytes(const struct websocket_queue *queue);

/** The message is complete, or given up. */
void websocket_queue_commit(struct websocket_queue *queue, enum unicorn_message_type type);
void websocket_queue_drop(struct websocket_queue *queue);

/** Takes the oldest message. @return false when there is none */
bool websocket_queue_take(struct websocket_queue *queue, enum unicorn_message_type *type, const void **bytes,
			  size_t *length);

/** @return bytes of memory that complete messages take until they are taken; 0 when there are none */
size_t websocket_queue_pending_bytes(const struct websocket_queue *queue);

/** Frees the memory when nothing is in it but what was taken. */
void websocket_queue_shrink(struct websocket_queue *queue);

#endif
