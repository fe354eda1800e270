#include "websocket_parts.h"

#include <errno.h>
#include <string.h>

/** Unmasked at a time, when what comes of it is not the message itself. */
#define PIECE_BYTES 2048

/** Memory taken at once for a frame that was announced; beyond that only as its bytes come. */
#define RESERVED_BYTES_MAX 65536

/** The client broke the protocol, or asks too much: tells it why, and is done with it. @param reason  a literal */
static void fail(struct websocket *websocket, int code, const char *reason)
{
	if (websocket->state == WEBSOCKET_OPEN)
		websocket_send_close(websocket, code, reason);
	websocket->close_code = code;
	websocket->close_reason = reason;
	websocket->state = WEBSOCKET_FINISHED;
	websocket_queue_drop(&websocket->queue);
}

static bool fail_memory(struct websocket *websocket)
{
	fail(websocket, WEBSOCKET_CODE_INTERNAL, "out of memory");
	return false;
}

static bool opcode_is_control(unsigned opcode)
{
	return (opcode & 8) != 0;
}

static unsigned frame_opcode(const struct websocket *websocket)
{
	return websocket->head[0] & WEBSOCKET_OPCODE;
}

static const char *control_fault(const uint8_t head[2])
{
	if ((head[0] & WEBSOCKET_OPCODE) > WEBSOCKET_PONG)
		return "unknown opcode";
	if ((head[0] & WEBSOCKET_FIN) == 0)
		return "control frame in fragments";
	if ((head[1] & WEBSOCKET_LENGTH) > WEBSOCKET_CONTROL_MAX)
		return "control frame too long";
	return NULL;
}

/** @return what is wrong with the first two bytes of a frame, or NULL */
static const char *frame_fault(const struct websocket *websocket)
{
	unsigned opcode = frame_opcode(websocket);
	bool has_rsv1 = (websocket->head[0] & WEBSOCKET_RSV1) != 0;

	if ((websocket->head[1] & WEBSOCKET_MASKED) == 0)
		return "frame without a mask";
	/* Only the first frame of a message says that it is compressed. */
	if ((websocket->head[0] & WEBSOCKET_RSV2_RSV3) != 0 ||
	    (has_rsv1 && (websocket->deflate == NULL || (opcode != WEBSOCKET_TEXT && opcode != WEBSOCKET_BINARY))))
		return "reserved bit set";
	if (opcode_is_control(opcode))
		return control_fault(websocket->head);
	if (opcode > WEBSOCKET_BINARY)
		return "unknown opcode";
	if ((opcode == WEBSOCKET_CONTINUATION) != websocket->is_in_message)
		return websocket->is_in_message ? "message within a message" : "nothing to continue";
	return NULL;
}

static bool begin_message(struct websocket *websocket)
{
	websocket->is_text = frame_opcode(websocket) == WEBSOCKET_TEXT;
	websocket->is_compressed = (websocket->head[0] & WEBSOCKET_RSV1) != 0;
	websocket->text = (struct utf8_check){ 0 };
	websocket->text_checked = 0;
	websocket->is_in_message = true;
	/* While closing, messages are followed, but not kept. */
	return websocket->state != WEBSOCKET_OPEN || websocket_queue_begin(&websocket->queue);
}

/** Looks at the length of a frame of a message. */
static bool begin_data(struct websocket *websocket)
{
	size_t reserved = RESERVED_BYTES_MAX;

	if (frame_opcode(websocket) != WEBSOCKET_CONTINUATION && !begin_message(websocket))
		return fail_memory(websocket);
	if (websocket->state != WEBSOCKET_OPEN || websocket->is_compressed)
		return true;
	if (websocket->payload_bytes >
	    websocket->message_bytes_max - websocket_queue_message_bytes(&websocket->queue)) {
		fail(websocket, WEBSOCKET_CODE_TOO_BIG, "message too big");
		return false;
	}
	if (websocket->payload_bytes < reserved)
		reserved = (size_t)websocket->payload_bytes;
	return websocket_queue_reserve(&websocket->queue, reserved) != NULL || fail_memory(websocket);
}

/** @return has what came so far of a text been UTF-8? */
static bool check_text(struct websocket *websocket)
{
	const uint8_t *message = websocket_queue_message(&websocket->queue);
	size_t length = websocket_queue_message_bytes(&websocket->queue);
	size_t checked = websocket->text_checked;

	websocket->text_checked = length;
	if (!websocket->is_text || utf8_check_feed(&websocket->text, message + checked, length - checked))
		return true;
	fail(websocket, WEBSOCKET_CODE_NO_TEXT, "text is not UTF-8");
	return false;
}

/** @param result  of websocket_deflate_unpack() */
static void fail_unpack(struct websocket *websocket, int result)
{
	if (result == -EMSGSIZE)
		fail(websocket, WEBSOCKET_CODE_TOO_BIG, "message too big");
	else if (result == -ENOMEM)
		(void)fail_memory(websocket);
	else
		fail(websocket, WEBSOCKET_CODE_NO_TEXT, "compressed data broken");
}

static void end_message(struct websocket *websocket)
{
	if (websocket->state == WEBSOCKET_OPEN && websocket->is_compressed) {
		int result = websocket_deflate_unpack_end(websocket->deflate, &websocket->queue,
							  websocket->message_bytes_max);

		if (result != 0) {
			fail_unpack(websocket, result);
			return;
		}
		if (!check_text(websocket))
			return;
	}
	if (websocket->state == WEBSOCKET_OPEN && !utf8_check_is_complete(&websocket->text)) {
		fail(websocket, WEBSOCKET_CODE_NO_TEXT, "text is not UTF-8");
		return;
	}
	if (websocket->state == WEBSOCKET_OPEN)
		websocket_queue_commit(&websocket->queue, websocket->is_text ? UNICORN_TEXT : UNICORN_BINARY);
	websocket->is_in_message = false;
}

static void take_close(struct websocket *websocket)
{
	size_t length = (size_t)websocket->payload_bytes;
	int code = length < 2 ? WEBSOCKET_CODE_NONE : websocket->control[0] << 8 | websocket->control[1];
	const char *reason = length < 2 ? "" : (const char *)websocket->control + 2;

	if (length == 1 || (length >= 2 && !websocket_code_is_sendable(code))) {
		fail(websocket, WEBSOCKET_CODE_PROTOCOL, "close code not allowed");
		return;
	}
	if (length > 2 && !utf8_is_valid(reason, length - 2)) {
		fail(websocket, WEBSOCKET_CODE_NO_TEXT, "close reason is not UTF-8");
		return;
	}
	websocket->control[length] = '\0';
	websocket->close_code = code;
	websocket->close_reason = reason;
	if (websocket->state == WEBSOCKET_OPEN)
		websocket_send_close(websocket, code, "");
	websocket->state = WEBSOCKET_FINISHED;
	websocket_queue_drop(&websocket->queue);
}

static void end_frame(struct websocket *websocket)
{
	websocket->is_in_payload = false;
	websocket->head_length = 0;
	switch (frame_opcode(websocket)) {
	case WEBSOCKET_CLOSE:
		take_close(websocket);
		break;
	case WEBSOCKET_PING:
		if (websocket->state == WEBSOCKET_OPEN)
			websocket_send_frame(websocket, WEBSOCKET_FIN | WEBSOCKET_PONG, websocket->control,
					     (size_t)websocket->payload_bytes);
		break;
	case WEBSOCKET_PONG:
		break;
	default:
		if ((websocket->head[0] & WEBSOCKET_FIN) != 0)
			end_message(websocket);
		break;
	}
}

/** The head of a frame is complete. */
static void begin_frame(struct websocket *websocket)
{
	memcpy(websocket->mask, websocket->head + websocket->head_length - WEBSOCKET_MASK_BYTES, WEBSOCKET_MASK_BYTES);
	websocket->payload_read = 0;
	if (!websocket_frame_payload_bytes(websocket->head, &websocket->payload_bytes)) {
		fail(websocket, WEBSOCKET_CODE_PROTOCOL, "length not in its shortest form");
		return;
	}
	if (!opcode_is_control(frame_opcode(websocket)) && !begin_data(websocket))
		return;
	websocket->is_in_payload = true;
	if (websocket->payload_bytes == 0)
		end_frame(websocket);
}

static size_t feed_head(struct websocket *websocket, const uint8_t *bytes, size_t length)
{
	size_t wanted = websocket->head_length < 2 ? 2 : websocket_frame_head_bytes(websocket->head);
	size_t taken = wanted - websocket->head_length;
	const char *fault;

	if (taken > length)
		taken = length;
	memcpy(websocket->head + websocket->head_length, bytes, taken);
	websocket->head_length = (uint8_t)(websocket->head_length + taken);
	if (websocket->head_length < wanted)
		return taken;
	if (wanted > 2) {
		begin_frame(websocket);
		return taken;
	}
	fault = frame_fault(websocket);
	if (fault != NULL)
		fail(websocket, WEBSOCKET_CODE_PROTOCOL, fault);
	return taken;
}

static bool feed_plain(struct websocket *websocket, const uint8_t *bytes, size_t length)
{
	uint8_t *target = websocket_queue_reserve(&websocket->queue, length);

	if (target == NULL)
		return fail_memory(websocket);
	websocket_frame_unmask(target, bytes, length, websocket->mask, websocket->payload_read);
	websocket_queue_add(&websocket->queue, length);
	return check_text(websocket);
}

static bool feed_compressed(struct websocket *websocket, const uint8_t *bytes, size_t length)
{
	uint8_t piece[PIECE_BYTES];
	size_t done = 0;

	while (done < length) {
		size_t count = length - done < sizeof(piece) ? length - done : sizeof(piece);
		int result;

		websocket_frame_unmask(piece, bytes + done, count, websocket->mask, websocket->payload_read + done);
		result = websocket_deflate_unpack(websocket->deflate, piece, count, &websocket->queue,
						  websocket->message_bytes_max);
		if (result != 0) {
			fail_unpack(websocket, result);
			return false;
		}
		if (!check_text(websocket))
			return false;
		done += count;
	}
	return true;
}

static bool feed_data(struct websocket *websocket, const uint8_t *bytes, size_t length)
{
	if (opcode_is_control(frame_opcode(websocket))) {
		websocket_frame_unmask(websocket->control + websocket->payload_read, bytes, length, websocket->mask,
				       websocket->payload_read);
		return true;
	}
	if (websocket->state != WEBSOCKET_OPEN)
		return true;
	return websocket->is_compressed ? feed_compressed(websocket, bytes, length)
					: feed_plain(websocket, bytes, length);
}

static size_t feed_payload(struct websocket *websocket, const uint8_t *bytes, size_t length)
{
	uint64_t left = websocket->payload_bytes - websocket->payload_read;
	size_t taken = length < left ? length : (size_t)left;

	if (!feed_data(websocket, bytes, taken))
		return taken;
	websocket->payload_read += taken;
	if (taken == left)
		end_frame(websocket);
	return taken;
}

enum websocket_state websocket_feed(struct websocket *websocket, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	while (length > 0 && websocket->state != WEBSOCKET_FINISHED) {
		size_t taken = websocket->is_in_payload ? feed_payload(websocket, at, length)
							: feed_head(websocket, at, length);

		at += taken;
		length -= taken;
	}
	return websocket->state;
}
