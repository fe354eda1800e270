/*
 * websocket_parts.h - what websocket.c and websocket_receive.c share: a WebSocket's inside.
 *
 * For these two only.
 */
#ifndef WORKERS_HTTP_WEBSOCKET_PARTS_H
#define WORKERS_HTTP_WEBSOCKET_PARTS_H

#include "utf8.h"
#include "websocket.h"
#include "websocket_deflate.h"
#include "websocket_frame.h"

struct websocket {
	struct websocket_queue queue;
	struct websocket_deflate *deflate; /**< NULL without */
	size_t message_bytes_max;
	websocket_write *write;
	void *context;
	enum websocket_state state;
	int close_code;
	const char *close_reason;

	/* The frame that is coming. */
	uint64_t payload_bytes;
	uint64_t payload_read;
	uint8_t head[WEBSOCKET_HEAD_MAX];
	uint8_t head_length;
	uint8_t mask[WEBSOCKET_MASK_BYTES];
	bool is_in_payload;

	/* The message that is coming. */
	bool is_in_message;
	bool is_text;
	bool is_compressed;
	struct utf8_check text;
	size_t text_checked; /**< bytes of it that are known to be good */

	/* Of a control frame; in the end the reason of the client's close frame, with a NUL. */
	uint8_t control[WEBSOCKET_CONTROL_MAX + 1];
};

/** Writes a frame that is a message or a control frame of its own. */
void websocket_send_frame(struct websocket *websocket, unsigned first_byte, const void *bytes, size_t length);

/** Writes a close frame; its code and reason are good. */
void websocket_send_close(struct websocket *websocket, int code, const char *reason);

/** May a close frame carry this code? */
bool websocket_code_is_sendable(int code);

#endif
