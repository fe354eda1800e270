#include "websocket.h"

#include "websocket_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/** Below this a message is not compressed: a packet is sent anyway, and deflate finds little in it. */
#define COMPRESSED_BYTES_MIN 128

struct websocket *websocket_create(const struct websocket_limits *limits,
				   const struct websocket_deflate_parameters *deflate, websocket_write *write,
				   void *context)
{
	struct websocket *websocket = calloc(1, sizeof(*websocket));

	if (websocket == NULL)
		return NULL;
	websocket->write = write;
	websocket->context = context;
	/* Less than all there is, so that sums do not overflow. */
	websocket->message_bytes_max = limits->message_bytes < SIZE_MAX / 8 ? limits->message_bytes : SIZE_MAX / 8;
	websocket->close_code = WEBSOCKET_CODE_LOST;
	websocket->close_reason = "";
	if (deflate == NULL)
		return websocket;
	websocket->deflate = websocket_deflate_create(deflate);
	if (websocket->deflate == NULL) {
		free(websocket);
		return NULL;
	}
	return websocket;
}

void websocket_destroy(struct websocket *websocket)
{
	if (websocket == NULL)
		return;
	websocket_deflate_destroy(websocket->deflate);
	websocket_queue_finish(&websocket->queue);
	free(websocket);
}

enum websocket_state websocket_state(const struct websocket *websocket)
{
	return websocket->state;
}

size_t websocket_pending_bytes(const struct websocket *websocket)
{
	return websocket_queue_pending_bytes(&websocket->queue);
}

int websocket_close_code(const struct websocket *websocket, const char **reason)
{
	if (reason != NULL)
		*reason = websocket->close_reason;
	return websocket->close_code;
}

void websocket_shrink(struct websocket *websocket)
{
	websocket_queue_shrink(&websocket->queue);
	if (websocket->deflate != NULL && !websocket->is_in_message)
		websocket_deflate_shrink(websocket->deflate);
}

int websocket_next_message(struct websocket *websocket, enum unicorn_message_type *type, const void **bytes,
			   size_t *length)
{
	return websocket_queue_take(&websocket->queue, type, bytes, length);
}

/* ---- out */

void websocket_send_frame(struct websocket *websocket, unsigned first_byte, const void *bytes, size_t length)
{
	uint8_t head[WEBSOCKET_HEAD_MAX];
	struct iovec parts[2] = {
		{ .iov_base = head, .iov_len = websocket_frame_write_head(head, first_byte, length) },
	};

	if (length > 0) {
		/* What writes only reads; struct iovec has no word for that. */
		memcpy(&parts[1].iov_base, &bytes, sizeof(bytes));
		parts[1].iov_len = length;
	}
	websocket->write(websocket->context, parts, length > 0 ? 2 : 1);
}

int websocket_send(struct websocket *websocket, enum unicorn_message_type type, const void *bytes, size_t length)
{
	unsigned first_byte = WEBSOCKET_FIN | (type == UNICORN_TEXT ? (unsigned)WEBSOCKET_TEXT : WEBSOCKET_BINARY);
	struct websocket_packed packed;
	int result;

	if (websocket->state != WEBSOCKET_OPEN)
		return -EPIPE;
	if (websocket->deflate == NULL || length < COMPRESSED_BYTES_MIN) {
		websocket_send_frame(websocket, first_byte, bytes, length);
		return 0;
	}
	result = websocket_deflate_pack(websocket->deflate, bytes, length, &packed);
	if (result == 0)
		websocket_send_frame(websocket, first_byte | WEBSOCKET_RSV1, packed.bytes, packed.length);
	websocket_packed_finish(&packed);
	return result;
}

int websocket_ping(struct websocket *websocket, const void *bytes, size_t length)
{
	if (websocket->state != WEBSOCKET_OPEN)
		return -EPIPE;
	if (length > WEBSOCKET_CONTROL_MAX)
		return -EINVAL;
	websocket_send_frame(websocket, WEBSOCKET_FIN | WEBSOCKET_PING, bytes, length);
	return 0;
}

/* Those of the first range are the registered ones, IANA's "WebSocket Close Code Number Registry". */
bool websocket_code_is_sendable(int code)
{
	if (code >= 1000 && code <= 1014)
		return code != 1004 && code != WEBSOCKET_CODE_NONE && code != WEBSOCKET_CODE_LOST;
	return code >= 3000 && code <= 4999;
}

void websocket_send_close(struct websocket *websocket, int code, const char *reason)
{
	uint8_t payload[WEBSOCKET_CONTROL_MAX];
	size_t length = strlen(reason);

	if (code == WEBSOCKET_CODE_NONE) {
		websocket_send_frame(websocket, WEBSOCKET_FIN | WEBSOCKET_CLOSE, NULL, 0);
		return;
	}
	payload[0] = (uint8_t)(code >> 8);
	payload[1] = (uint8_t)(code & 0xff);
	memcpy(payload + 2, reason, length);
	websocket_send_frame(websocket, WEBSOCKET_FIN | WEBSOCKET_CLOSE, payload, 2 + length);
}

int websocket_close(struct websocket *websocket, int code, const char *reason)
{
	const char *text = reason != NULL ? reason : "";

	if (websocket->state != WEBSOCKET_OPEN)
		return -EPIPE;
	if (!websocket_code_is_sendable(code) && (code != WEBSOCKET_CODE_NONE || *text != '\0'))
		return -EINVAL;
	if (strlen(text) > WEBSOCKET_REASON_MAX || !utf8_is_valid(text, strlen(text)))
		return -EINVAL;
	websocket_send_close(websocket, code, text);
	websocket->state = WEBSOCKET_CLOSING;
	/* What else comes of it is passed over. */
	websocket_queue_drop(&websocket->queue);
	return 0;
}
