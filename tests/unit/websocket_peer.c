#include "websocket_peer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mask[WEBSOCKET_MASK_BYTES] = { 0x37, 0xfa, 0x21, 0x3d };

static void bytes_append(struct peer_bytes *target, const void *bytes, size_t length)
{
	if (target->length + length > target->capacity) {
		target->capacity = (target->length + length) * 2;
		target->bytes = realloc(target->bytes, target->capacity);
		ck_assert_ptr_nonnull(target->bytes);
	}
	if (length > 0)
		memcpy(target->bytes + target->length, bytes, length);
	target->length += length;
}

static void peer_write(void *context, struct iovec *parts, int count)
{
	struct peer *peer = context;

	for (int i = 0; i < count; i++)
		bytes_append(&peer->output, parts[i].iov_base, parts[i].iov_len);
}

void peer_init(struct peer *peer, size_t message_bytes, const struct websocket_deflate_parameters *deflate,
	       size_t piece)
{
	struct websocket_limits limits = { .message_bytes = message_bytes };

	*peer = (struct peer){ .piece = piece };
	peer->websocket = websocket_create(&limits, deflate, peer_write, peer);
	ck_assert_ptr_nonnull(peer->websocket);
}

void peer_finish(struct peer *peer)
{
	websocket_destroy(peer->websocket);
	free(peer->input.bytes);
	free(peer->output.bytes);
}

void peer_add_bytes(struct peer *peer, const void *bytes, size_t length)
{
	bytes_append(&peer->input, bytes, length);
}

void peer_add_frame(struct peer *peer, unsigned first_byte, const void *payload, size_t length)
{
	uint8_t head[WEBSOCKET_HEAD_MAX];
	size_t head_length = websocket_frame_write_head(head, first_byte, length);
	const uint8_t *bytes = payload;
	size_t start;

	head[1] |= WEBSOCKET_MASKED;
	bytes_append(&peer->input, head, head_length);
	bytes_append(&peer->input, mask, sizeof(mask));
	start = peer->input.length;
	bytes_append(&peer->input, bytes, length);
	for (size_t i = 0; i < length; i++)
		peer->input.bytes[start + i] ^= mask[i % sizeof(mask)];
}

void peer_add_text(struct peer *peer, const char *text)
{
	peer_add_frame(peer, PEER_FIN_TEXT, text, strlen(text));
}

void peer_add_close(struct peer *peer, int code, const char *reason)
{
	uint8_t payload[2 + WEBSOCKET_CONTROL_MAX] = { (uint8_t)(code >> 8), (uint8_t)(code & 0xff) };

	ck_assert_uint_le(strlen(reason), WEBSOCKET_CONTROL_MAX);
	memcpy(payload + 2, reason, strlen(reason));
	peer_add_frame(peer, PEER_FIN_CLOSE, payload, 2 + strlen(reason));
}

enum websocket_state peer_feed(struct peer *peer)
{
	struct peer_bytes *input = &peer->input;

	while (input->read < input->length) {
		size_t left = input->length - input->read;
		size_t piece = peer->piece > 0 && peer->piece < left ? peer->piece : left;
		uint8_t *copy = malloc(piece);

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, input->bytes + input->read, piece);
		(void)websocket_feed(peer->websocket, copy, piece);
		free(copy);
		input->read += piece;
	}
	input->read = 0;
	input->length = 0;
	return websocket_state(peer->websocket);
}

void peer_expect_message(struct peer *peer, enum unicorn_message_type type, const void *bytes, size_t length)
{
	enum unicorn_message_type found_type;
	const void *found;
	size_t found_length;

	ck_assert_int_eq(websocket_next_message(peer->websocket, &found_type, &found, &found_length), 1);
	ck_assert_int_eq(found_type, type);
	ck_assert_uint_eq(found_length, length);
	ck_assert(length == 0 || memcmp(found, bytes, length) == 0);
}

void peer_expect_text(struct peer *peer, const char *text)
{
	peer_expect_message(peer, UNICORN_TEXT, text, strlen(text));
}

void peer_expect_no_message(struct peer *peer)
{
	enum unicorn_message_type type;
	const void *bytes;
	size_t length;

	ck_assert_uint_eq(websocket_pending_bytes(peer->websocket), 0);
	ck_assert_int_eq(websocket_next_message(peer->websocket, &type, &bytes, &length), 0);
}

const uint8_t *peer_take_frame(struct peer *peer, unsigned *first_byte, size_t *length)
{
	const uint8_t *head = peer->output.bytes + peer->output.read;
	size_t left = peer->output.length - peer->output.read;
	uint64_t payload;
	size_t head_length;

	ck_assert_uint_ge(left, 2);
	head_length = websocket_frame_head_bytes(head);
	ck_assert_uint_ge(left, head_length);
	/* A server does not mask. */
	ck_assert_uint_eq(head[1] & WEBSOCKET_MASKED, 0);
	ck_assert(websocket_frame_payload_bytes(head, &payload));
	ck_assert_uint_ge(left - head_length, payload);
	*first_byte = head[0];
	*length = (size_t)payload;
	peer->output.read += head_length + (size_t)payload;
	return head + head_length;
}

void peer_expect_frame(struct peer *peer, unsigned first_byte, const void *payload, size_t length)
{
	unsigned found_first_byte;
	size_t found_length;
	const uint8_t *found = peer_take_frame(peer, &found_first_byte, &found_length);

	ck_assert_uint_eq(found_first_byte, first_byte);
	ck_assert_uint_eq(found_length, length);
	ck_assert(length == 0 || memcmp(found, payload, length) == 0);
}

void peer_expect_close(struct peer *peer, int code)
{
	unsigned first_byte;
	size_t length;
	const uint8_t *payload = peer_take_frame(peer, &first_byte, &length);

	ck_assert_uint_eq(first_byte, PEER_FIN_CLOSE);
	if (code == WEBSOCKET_CODE_NONE) {
		ck_assert_uint_eq(length, 0);
	} else {
		ck_assert_uint_ge(length, 2);
		ck_assert_int_eq(payload[0] << 8 | payload[1], code);
	}
	peer_expect_silence(peer);
	ck_assert_int_ne(websocket_state(peer->websocket), WEBSOCKET_OPEN);
}

void peer_expect_silence(const struct peer *peer)
{
	ck_assert_uint_eq(peer->output.read, peer->output.length);
}
