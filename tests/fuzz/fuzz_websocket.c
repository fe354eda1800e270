/*
 * What a client may send to a WebSocket, in one piece and in random ones, and with an echo.
 *
 * The first byte is the seed of the pieces' lengths, the second says what was agreed on and how to read the rest: as it
 * is, or as frames of a first byte, a length and a payload, which get their masks here, so that the fuzzer need not
 * guess what is behind them. However the input is cut, the same messages must come out.
 */
#include "utf8.h"
#include "websocket.h"
#include "websocket_deflate.h"
#include "websocket_frame.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_BYTES 20000
#define INPUT_MAX     65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum option {
	OPTION_FRAMES = 1, /**< the input is frames without masks */
	OPTION_DEFLATE = 2,
	OPTION_FORGETS = 4,  /**< neither side keeps its context */
	OPTION_SMALL = 8,    /**< windows */
	OPTION_SHRINKS = 16, /**< between two pieces */
	OPTION_CLOSES = 32,  /**< after the first message */
};

/** What was heard. */
struct hearing {
	uint64_t sum;
	size_t messages;
	enum websocket_state state;
	int code;
};

/** What was said, to be put together again. */
struct speech {
	uint8_t head[WEBSOCKET_HEAD_MAX];
	bool is_closed;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_write(void *context, struct iovec *parts, int count)
{
	struct speech *speech = context;
	uint64_t length;

	/* A call is a frame: its head, and its payload if there is one. */
	require(!speech->is_closed && (count == 1 || count == 2));
	require(parts[0].iov_len >= 2 && parts[0].iov_len <= WEBSOCKET_HEAD_MAX);
	memcpy(speech->head, parts[0].iov_base, parts[0].iov_len);
	require((speech->head[0] & WEBSOCKET_FIN) != 0 && (speech->head[1] & WEBSOCKET_MASKED) == 0);
	require(websocket_frame_head_bytes(speech->head) == parts[0].iov_len);
	require(websocket_frame_payload_bytes(speech->head, &length));
	require(length == (count == 2 ? parts[1].iov_len : 0));
	speech->is_closed = (speech->head[0] & WEBSOCKET_OPCODE) == WEBSOCKET_CLOSE;
	if ((speech->head[0] & 8) != 0)
		require(length <= WEBSOCKET_CONTROL_MAX);
}

static void hear(struct websocket *websocket, struct hearing *hearing, bool is_echo)
{
	enum unicorn_message_type type;
	const void *bytes;
	size_t length;

	while (websocket_next_message(websocket, &type, &bytes, &length)) {
		require(length <= MESSAGE_BYTES);
		require(type == UNICORN_BINARY || (type == UNICORN_TEXT && utf8_is_valid(bytes, length)));
		hearing->messages++;
		hearing->sum = (hearing->sum * 31 + type) * 31 + length;
		for (size_t i = 0; i < length; i++)
			hearing->sum = hearing->sum * 31 + ((const uint8_t *)bytes)[i];
		if (is_echo)
			(void)websocket_send(websocket, type, bytes, length);
	}
	require(websocket_pending_bytes(websocket) == 0);
}

static struct websocket *websocket_new(unsigned options, struct speech *speech)
{
	struct websocket_limits limits = { .message_bytes = MESSAGE_BYTES };
	struct websocket_deflate_parameters deflate = {
		.server_no_context_takeover = (options & OPTION_FORGETS) != 0,
		.client_no_context_takeover = (options & OPTION_FORGETS) != 0,
		.server_window_bits = (options & OPTION_SMALL) != 0 ? 9 : 12,
		.client_window_bits = (options & OPTION_SMALL) != 0 ? 8 : 15,
	};

	return websocket_create(&limits, (options & OPTION_DEFLATE) != 0 ? &deflate : NULL, check_write, speech);
}

static void hearing_end(struct websocket *websocket, struct hearing *hearing)
{
	const char *reason;

	hearing->state = websocket_state(websocket);
	hearing->code = websocket_close_code(websocket, &reason);
	require(utf8_is_valid(reason, strlen(reason)) && strlen(reason) <= WEBSOCKET_REASON_MAX);
	require(hearing->state == WEBSOCKET_FINISHED || hearing->code == WEBSOCKET_CODE_LOST);
	websocket_destroy(websocket);
}

static void feed_whole(const uint8_t *bytes, size_t length, unsigned options, struct hearing *hearing)
{
	struct speech speech = { 0 };
	struct websocket *websocket = websocket_new(options, &speech);

	require(websocket != NULL);
	(void)websocket_feed(websocket, bytes, length);
	hear(websocket, hearing, false);
	hearing_end(websocket, hearing);
}

/** Feeds a copy of exactly the piece's length, so that a read behind it is seen. */
static void feed_copy(struct websocket *websocket, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length);

	require(copy != NULL);
	memcpy(copy, bytes, length);
	(void)websocket_feed(websocket, copy, length);
	free(copy);
}

static void feed_in_pieces(const uint8_t *bytes, size_t length, unsigned options, uint32_t seed,
			   struct hearing *hearing)
{
	struct speech speech = { 0 };
	struct websocket *websocket = websocket_new(options, &speech);

	require(websocket != NULL);
	while (length > 0) {
		size_t piece;

		seed = seed * 1103515245U + 12345U;
		piece = 1 + (seed >> 16) % ((seed & 1) != 0 ? 5000 : 9);
		if (piece > length)
			piece = length;
		feed_copy(websocket, bytes, piece);
		if ((seed & 0x100) != 0)
			hear(websocket, hearing, (seed & 0x200) != 0);
		if ((options & OPTION_SHRINKS) != 0)
			websocket_shrink(websocket);
		if ((options & OPTION_CLOSES) != 0 && hearing->messages > 0)
			(void)websocket_close(websocket, 1000, "enough");
		bytes += piece;
		length -= piece;
	}
	hear(websocket, hearing, true);
	hearing_end(websocket, hearing);
}

/** Makes frames with masks of ones without. @return their length */
static size_t make_frames(const uint8_t *data, size_t size, uint8_t *frames)
{
	static const uint8_t mask[WEBSOCKET_MASK_BYTES] = { 1, 2, 4, 128 };
	size_t length = 0;

	while (size >= 2 && length + WEBSOCKET_HEAD_MAX + 255 + sizeof(mask) < INPUT_MAX) {
		size_t payload = data[1] < size - 2 ? data[1] : size - 2;
		size_t head = websocket_frame_write_head(frames + length, data[0], payload);

		frames[length + 1] |= WEBSOCKET_MASKED;
		memcpy(frames + length + head, mask, sizeof(mask));
		length += head + sizeof(mask);
		websocket_frame_unmask(frames + length, data + 2, payload, mask, 0);
		length += payload;
		data += 2 + payload;
		size -= 2 + payload;
	}
	return length;
}

static void check_input(const uint8_t *bytes, size_t length, unsigned options, uint32_t seed)
{
	struct hearing whole = { 0 }, pieces = { 0 };

	feed_whole(bytes, length, options, &whole);
	feed_in_pieces(bytes, length, options, seed, &pieces);
	if ((options & OPTION_CLOSES) != 0)
		return;
	require(whole.sum == pieces.sum && whole.messages == pieces.messages && whole.state == pieces.state);
	/* Of two errors in one compressed message, the one that is met first depends on the pieces. */
	require(whole.code == pieces.code || (options & OPTION_DEFLATE) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned options;
	uint8_t *frames;

	if (size < 3 || size > INPUT_MAX)
		return 0;
	options = data[1];
	if ((options & OPTION_FRAMES) == 0) {
		check_input(data + 2, size - 2, options, data[0]);
		return 0;
	}
	frames = malloc(INPUT_MAX);
	require(frames != NULL);
	check_input(frames, make_frames(data + 2, size - 2, frames), options, data[0]);
	free(frames);
	return 0;
}
