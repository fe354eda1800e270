/*
 * websocket_deflate.h - permessage-deflate (RFC 7692): what a message's payload becomes on the wire, and back.
 *
 * Both directions take their memory when they are first used. No frames here, and no negotiation:
 * websocket_handshake.h does that.
 */
#ifndef WORKERS_HTTP_WEBSOCKET_DEFLATE_H
#define WORKERS_HTTP_WEBSOCKET_DEFLATE_H

#include "websocket_queue.h"

/** What both sides have agreed on. */
struct websocket_deflate_parameters {
	bool server_no_context_takeover;
	bool client_no_context_takeover;
	uint8_t server_window_bits; /**< 9 to 15: of what is sent */
	uint8_t client_window_bits; /**< 8 to 15: of what is received */
	bool names_server_window;   /**< the client understands that it is told */
	bool names_client_window;
};

/** A message compressed; small ones lie in `space`. */
struct websocket_packed {
	uint8_t *bytes;
	size_t length;
	size_t capacity;
	uint8_t space[1024];
};

struct websocket_deflate;

/** @return NULL without memory */
struct websocket_deflate *websocket_deflate_create(const struct websocket_deflate_parameters *parameters);
void websocket_deflate_destroy(struct websocket_deflate *deflate);

/** Compresses a whole message. @return 0 or -ENOMEM; websocket_packed_finish() is needed in both cases */
int websocket_deflate_pack(struct websocket_deflate *deflate, const void *bytes, size_t length,
			   struct websocket_packed *packed);
void websocket_packed_finish(struct websocket_packed *packed);

/**
 * Inflates a piece of a message into the one that is coming in the queue.
 *
 * @param limit  bytes that the message may have
 * @return 0, -EBADMSG for what is not deflate's, -EMSGSIZE above the limit, -ENOMEM; the message is lost when not 0
 */
int websocket_deflate_unpack(struct websocket_deflate *deflate, const void *bytes, size_t length,
			     struct websocket_queue *queue, size_t limit);

/** The message has no more pieces. Returns as the above. */
int websocket_deflate_unpack_end(struct websocket_deflate *deflate, struct websocket_queue *queue, size_t limit);

/** Frees what can be made anew, between two messages: those sent next will compress worse. */
void websocket_deflate_shrink(struct websocket_deflate *deflate);

#endif
