/*
 * websocket_peer.h - the client's end of a WebSocket, for tests: puts frames together, good and bad, and says what must
 * come back.
 *
 * Frames are collected first and then fed, whole or in pieces of some length.
 */
#ifndef TESTS_UNIT_WEBSOCKET_PEER_H
#define TESTS_UNIT_WEBSOCKET_PEER_H

#include "websocket.h"
#include "websocket_deflate.h"
#include "websocket_frame.h"

#define PEER_FIN_TEXT   (WEBSOCKET_FIN | WEBSOCKET_TEXT)
#define PEER_FIN_BINARY (WEBSOCKET_FIN | WEBSOCKET_BINARY)
#define PEER_FIN_LAST   (WEBSOCKET_FIN | WEBSOCKET_CONTINUATION)
#define PEER_FIN_CLOSE  (WEBSOCKET_FIN | WEBSOCKET_CLOSE)
#define PEER_FIN_PING   (WEBSOCKET_FIN | WEBSOCKET_PING)
#define PEER_FIN_PONG   (WEBSOCKET_FIN | WEBSOCKET_PONG)

struct peer_bytes {
	uint8_t *bytes;
	size_t length;
	size_t capacity;
	size_t read;
};

struct peer {
	struct websocket *websocket;
	struct peer_bytes input;  /**< to be fed */
	struct peer_bytes output; /**< what was written, and how much of it was looked at */
	size_t piece;             /**< bytes fed at a time; 0: all */
};

/** @param deflate  or NULL */
void peer_init(struct peer *peer, size_t message_bytes, const struct websocket_deflate_parameters *deflate,
	       size_t piece);
void peer_finish(struct peer *peer);

void peer_add_bytes(struct peer *peer, const void *bytes, size_t length);
/** A masked frame in its shortest form. */
void peer_add_frame(struct peer *peer, unsigned first_byte, const void *payload, size_t length);
void peer_add_text(struct peer *peer, const char *text);
void peer_add_close(struct peer *peer, int code, const char *reason);

/** Feeds what was collected; each piece is memory of its own length. */
enum websocket_state peer_feed(struct peer *peer);

void peer_expect_message(struct peer *peer, enum unicorn_message_type type, const void *bytes, size_t length);
void peer_expect_text(struct peer *peer, const char *text);
void peer_expect_no_message(struct peer *peer);

/** The next frame written. */
void peer_expect_frame(struct peer *peer, unsigned first_byte, const void *payload, size_t length);
/** Any frame. @return its payload */
const uint8_t *peer_take_frame(struct peer *peer, unsigned *first_byte, size_t *length);
/** A close frame, nothing behind it, and the state that follows. @param code  1005 for one without */
void peer_expect_close(struct peer *peer, int code);
void peer_expect_silence(const struct peer *peer);

#endif
