/*
 * websocket.h - the server's end of a WebSocket (RFC 6455, permessage-deflate of RFC 7692).
 *
 * Bytes of the client go in, messages come out, and the other way round; fragments, pings, UTF-8, limits and the
 * closing handshake are dealt with in between. No sockets, no clock, and no handshake: websocket_handshake.h has that
 * one.
 *
 * The framing is our own. wslay's event interface was tried first. It answers a broken control frame or length with a
 * close frame without a code instead of 1002, takes a close frame of one byte for a good one and the codes 1012 to 1014
 * for bad ones, reserves what a frame's head announces before a byte of it has come, keeps 8 KB of buffers for each
 * idle connection, and copies a message three times with two allocations: an echo of 64 bytes costs 290 ns with it and
 * 50 ns here, one of 64 KB 195 us and 7 us. Compression, its limit and the UTF-8 of what was compressed would have been
 * ours in any case, and those are the larger part.
 *
 * The end: when websocket_feed() says WEBSOCKET_FINISHED, nothing will be written any more. The owner sends what is
 * waiting, shuts down its side for writing, and reads on for a moment, for a reset would take the close frame with it.
 */
#ifndef WORKERS_HTTP_WEBSOCKET_H
#define WORKERS_HTTP_WEBSOCKET_H

#include "unicornd/app.h"

#include <sys/uio.h>

#define WEBSOCKET_REASON_MAX 123

/* Close codes that are ours to tell, here or in the engine (RFC 6455 section 7.4.1). */
enum websocket_code {
	WEBSOCKET_CODE_NORMAL = 1000,
	WEBSOCKET_CODE_PROTOCOL = 1002,
	WEBSOCKET_CODE_NONE = 1005, /**< never sent: there was none */
	WEBSOCKET_CODE_LOST = 1006, /**< never sent: the connection just ended */
	WEBSOCKET_CODE_NO_TEXT = 1007,
	WEBSOCKET_CODE_TOO_BIG = 1009,
	WEBSOCKET_CODE_INTERNAL = 1011,
	WEBSOCKET_CODE_RESTART = 1012,
};

enum websocket_state {
	WEBSOCKET_OPEN,
	WEBSOCKET_CLOSING,  /**< we have closed; what comes in front of the client's close frame is ignored */
	WEBSOCKET_FINISHED, /**< nothing more is read or written */
};

struct websocket;
struct websocket_deflate_parameters;

struct websocket_limits {
	size_t message_bytes; /**< of a message, fragments together, inflated; more is 1009 */
};

/**
 * Sends parts, in this order and before anything else. They are invalid afterwards, so what cannot be sent is copied.
 * A connection that fails needs no telling here; the owner destroys the websocket, but not in this call.
 *
 * @param parts  may be changed
 */
typedef void websocket_write(void *context, struct iovec *parts, int count);

/** @param deflate  what was agreed on, or NULL for none; copied. @return NULL without memory */
struct websocket *websocket_create(const struct websocket_limits *limits,
				   const struct websocket_deflate_parameters *deflate, websocket_write *write,
				   void *context);
void websocket_destroy(struct websocket *websocket);

/** Takes bytes of the client, cut anywhere. Pings and closes are answered at once, messages are queued. */
enum websocket_state websocket_feed(struct websocket *websocket, const void *bytes, size_t length);

enum websocket_state websocket_state(const struct websocket *websocket);

/** @return bytes of complete messages not taken yet; with many the owner should not read on */
size_t websocket_pending_bytes(const struct websocket *websocket);

/** Takes a message. Its bytes are valid until the next call of this or of websocket_feed(). @return 1, or 0 for none */
int websocket_next_message(struct websocket *websocket, enum unicorn_message_type *type, const void **bytes,
			   size_t *length);

/** @return 0; -EPIPE unless open; -ENOMEM. Text must be UTF-8. */
int websocket_send(struct websocket *websocket, enum unicorn_message_type type, const void *bytes, size_t length);

/** @param length  at most 125. @return 0; -EPIPE unless open; -EINVAL */
int websocket_ping(struct websocket *websocket, const void *bytes, size_t length);

/**
 * Begins the closing handshake.
 *
 * @param code    1005 sends none
 * @param reason  UTF-8 of at most 123 bytes, or NULL
 * @return 0; -EPIPE unless open; -EINVAL for a code that must not be sent or an impossible reason
 */
int websocket_close(struct websocket *websocket, int code, const char *reason);

/**
 * How it ended: what the client's close frame said, or what it was told when it broke the protocol; 1005 when it gave
 * no code, 1006 when it has said nothing so far.
 *
 * @param reason  set to a string, perhaps ""; may be NULL
 */
int websocket_close_code(const struct websocket *websocket, const char **reason);

/** The connection has been silent: frees memory that can be taken again when needed. */
void websocket_shrink(struct websocket *websocket);

#endif
