/*
 * test_websocket_deflate.c - compressed messages: the examples of RFC 7692, and sections 12 and 13 of the Autobahn test
 * suite's list, as cases of ours.
 */
#define ZLIB_CONST
#include "unit.h"
#include "websocket_peer.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define MB            (1024 * 1024)
#define RSV1_TEXT     (WEBSOCKET_RSV1 | PEER_FIN_TEXT)

static const struct websocket_deflate_parameters usual = { .server_window_bits = 12, .client_window_bits = 15 };

/* ---- the client's zlib */

struct client {
	struct peer peer;
	z_stream deflater;
	z_stream inflater;
	bool forgets_deflater;
	bool forgets_inflater;
};

static void client_init(struct client *client, size_t message_bytes,
			const struct websocket_deflate_parameters *parameters, size_t piece)
{
	int bits = parameters->client_window_bits;

	*client = (struct client){ .forgets_deflater = parameters->client_no_context_takeover,
				   .forgets_inflater = parameters->server_no_context_takeover };
	peer_init(&client->peer, message_bytes, parameters, piece);
	/* zlib has no window of 8 bits for raw data; what it makes with 9 of short inputs is the same. */
	ck_assert_int_eq(deflateInit2(&client->deflater, Z_BEST_COMPRESSION, Z_DEFLATED, bits < 9 ? -9 : -bits, 9,
				      Z_DEFAULT_STRATEGY),
			 Z_OK);
	ck_assert_int_eq(inflateInit2(&client->inflater, -parameters->server_window_bits), Z_OK);
}

static void client_finish(struct client *client)
{
	(void)deflateEnd(&client->deflater);
	(void)inflateEnd(&client->inflater);
	peer_finish(&client->peer);
}

/** Deflates a message. @return the memory, to be freed */
static uint8_t *client_pack(struct client *client, const void *bytes, size_t length, size_t *packed_length)
{
	size_t capacity = deflateBound(&client->deflater, length) + 16;
	uint8_t *packed = malloc(capacity);

	ck_assert_ptr_nonnull(packed);
	if (length == 0) {
		/* zlib does not flush twice for nothing; this is what RFC 7692 section 7.2.3.6 wants. */
		packed[0] = 0;
		*packed_length = 1;
		return packed;
	}
	client->deflater.next_in = bytes;
	client->deflater.avail_in = (unsigned)length;
	client->deflater.next_out = packed;
	client->deflater.avail_out = (unsigned)capacity;
	ck_assert_int_eq(deflate(&client->deflater, Z_SYNC_FLUSH), Z_OK);
	ck_assert_uint_eq(client->deflater.avail_in, 0);
	*packed_length = capacity - client->deflater.avail_out - 4;
	if (client->forgets_deflater)
		ck_assert_int_eq(deflateReset(&client->deflater), Z_OK);
	return packed;
}

/** Adds a compressed message, in frames of at most this length. */
static void client_add(struct client *client, unsigned opcode, const void *bytes, size_t length, size_t fragment)
{
	size_t packed_length, at = 0;
	uint8_t *packed = client_pack(client, bytes, length, &packed_length);

	do {
		size_t piece = packed_length - at < fragment ? packed_length - at : fragment;
		unsigned first_byte = at == 0 ? WEBSOCKET_RSV1 | opcode : WEBSOCKET_CONTINUATION;

		if (at + piece == packed_length)
			first_byte |= WEBSOCKET_FIN;
		peer_add_frame(&client->peer, first_byte, packed + at, piece);
		at += piece;
	} while (at < packed_length);
	free(packed);
}

/** Expects a message, compressed when it is long enough. */
static void client_expect(struct client *client, unsigned opcode, const void *bytes, size_t length)
{
	static const uint8_t tail[4] = { 0, 0, 0xff, 0xff };
	unsigned first_byte;
	size_t payload_length;
	const uint8_t *payload = peer_take_frame(&client->peer, &first_byte, &payload_length);
	uint8_t *found = malloc(length + 1);

	ck_assert_ptr_nonnull(found);
	if ((first_byte & WEBSOCKET_RSV1) == 0) {
		ck_assert_uint_eq(payload_length, length);
		memcpy(found, payload, length);
	} else {
		client->inflater.next_in = payload;
		client->inflater.avail_in = (unsigned)payload_length;
		client->inflater.next_out = found;
		client->inflater.avail_out = (unsigned)length + 1;
		ck_assert_int_eq(inflate(&client->inflater, Z_SYNC_FLUSH), Z_OK);
		client->inflater.next_in = tail;
		client->inflater.avail_in = sizeof(tail);
		ck_assert_int_eq(inflate(&client->inflater, Z_SYNC_FLUSH), Z_OK);
		ck_assert_uint_eq(client->inflater.avail_out, 1);
		if (client->forgets_inflater)
			ck_assert_int_eq(inflateReset(&client->inflater), Z_OK);
	}
	ck_assert_uint_eq(first_byte & ~WEBSOCKET_RSV1, WEBSOCKET_FIN | opcode);
	ck_assert_int_eq(memcmp(found, bytes, length), 0);
	free(found);
}

/** Text like JSON, or noise. */
static uint8_t *make_payload(size_t length, bool is_noise)
{
	uint8_t *bytes = malloc(length + 64);
	uint32_t seed = (uint32_t)length + 1;

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < length;) {
		seed = seed * 1103515245U + 12345U;
		if (is_noise)
			bytes[i++] = (uint8_t)(seed >> 16);
		else
			i += (size_t)snprintf((char *)bytes + i, 48, "{\"id\": %u, \"name\": \"value %u\"},\n",
					      seed >> 20, seed >> 28);
	}
	return bytes;
}

/* ---- examples of RFC 7692, section 7.2.3 */

static const struct {
	unsigned first_bytes[3];
	const char *payloads[3];
	size_t lengths[3];
	int frames;
} examples[] = {
	{ { RSV1_TEXT }, { "\xf2\x48\xcd\xc9\xc9\x07\x00" }, { 7 }, 1 },
	{ { WEBSOCKET_RSV1 | WEBSOCKET_TEXT, PEER_FIN_LAST }, { "\xf2\x48\xcd", "\xc9\xc9\x07\x00" }, { 3, 4 }, 2 },
	/* no compression */
	{ { RSV1_TEXT }, { "\x00\x05\x00\xfa\xffHello\x00" }, { 11 }, 1 },
	/* marked as the last block of all */
	{ { RSV1_TEXT }, { "\xf3\x48\xcd\xc9\xc9\x07\x00\x00" }, { 8 }, 1 },
	/* two blocks */
	{ { RSV1_TEXT }, { "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00" }, { 13 }, 1 },
	/* in an empty frame and a whole one, and without compression at all */
	{ { WEBSOCKET_RSV1 | WEBSOCKET_TEXT, PEER_FIN_LAST }, { "", "\xf2\x48\xcd\xc9\xc9\x07\x00" }, { 0, 7 }, 2 },
	{ { PEER_FIN_TEXT }, { "Hello" }, { 5 }, 1 },
	/* the last block of all, with nothing behind it */
	{ { RSV1_TEXT }, { "\xf3\x48\xcd\xc9\xc9\x07\x00" }, { 7 }, 1 },
};

START_TEST(test_examples)
{
	for (size_t piece = 0; piece < 3; piece++) {
		struct peer peer;

		peer_init(&peer, 5, &usual, piece);
		/* Twice, since the second refers to what the first left behind. */
		for (int round = 0; round < 2; round++) {
			for (int i = 0; i < examples[_i].frames; i++)
				peer_add_frame(&peer, examples[_i].first_bytes[i], examples[_i].payloads[i],
					       examples[_i].lengths[i]);
			peer_add_frame(&peer, PEER_FIN_PING, "", 0);
		}
		ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
		peer_expect_text(&peer, "Hello");
		peer_expect_text(&peer, "Hello");
		peer_expect_no_message(&peer);
		peer_finish(&peer);
	}
}
END_TEST

START_TEST(test_a_message_refers_to_the_one_before)
{
	struct peer peer;

	peer_init(&peer, 5, &usual, (size_t)_i);
	peer_add_frame(&peer, RSV1_TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
	peer_add_frame(&peer, RSV1_TEXT, "\xf2\x00\x11\x00\x00", 5);
	/* Also over the end of all blocks. */
	peer_add_frame(&peer, RSV1_TEXT, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8);
	peer_add_frame(&peer, RSV1_TEXT, "\xf2\x00\x11\x00\x00", 5);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	for (int i = 0; i < 4; i++)
		peer_expect_text(&peer, "Hello");
	peer_finish(&peer);
}
END_TEST

START_TEST(test_a_forgetful_client_cannot_refer)
{
	struct websocket_deflate_parameters parameters = usual;
	struct peer peer;

	parameters.client_no_context_takeover = true;
	peer_init(&peer, 5, &parameters, (size_t)_i);
	peer_add_frame(&peer, RSV1_TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
	peer_add_frame(&peer, RSV1_TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
	peer_add_frame(&peer, RSV1_TEXT, "\xf2\x00\x11\x00\x00", 5);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_text(&peer, "Hello");
	peer_expect_text(&peer, "Hello");
	peer_expect_no_message(&peer);
	peer_expect_close(&peer, WEBSOCKET_CODE_NO_TEXT);
	peer_finish(&peer);
}
END_TEST

/* ---- what is wrong */

static const struct {
	unsigned first_bytes[2];
	const char *payloads[2];
	size_t lengths[2];
	int code;
} broken[] = {
	/* the bit on a continuation, a ping, a close */
	{ { WEBSOCKET_TEXT, WEBSOCKET_RSV1 | PEER_FIN_LAST }, { "a", "b" }, { 1, 1 }, WEBSOCKET_CODE_PROTOCOL },
	{ { WEBSOCKET_RSV1 | PEER_FIN_PING, PEER_FIN_PING }, { "", "" }, { 0, 0 }, WEBSOCKET_CODE_PROTOCOL },
	{ { WEBSOCKET_RSV1 | PEER_FIN_CLOSE, PEER_FIN_PING }, { "", "" }, { 0, 0 }, WEBSOCKET_CODE_PROTOCOL },
	/* other bits with it */
	{ { 0x20 | RSV1_TEXT, PEER_FIN_PING },
	  { "\xf2\x48\xcd\xc9\xc9\x07\x00", "" },
	  { 7, 0 },
	  WEBSOCKET_CODE_PROTOCOL },
	/* no block is of this type; a stored block with a wrong length; a distance beyond the beginning */
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\x07\x00", "" }, { 2, 0 }, WEBSOCKET_CODE_NO_TEXT },
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\x00\x05\x00\x05\x00Hello\x00", "" }, { 11, 0 }, WEBSOCKET_CODE_NO_TEXT },
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\xf2\x00\x11\x00\x00", "" }, { 5, 0 }, WEBSOCKET_CODE_NO_TEXT },
	/* ends within a block */
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\xf2\x48\xcd", "" }, { 3, 0 }, WEBSOCKET_CODE_NO_TEXT },
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\x00\x0a\x00\xf5\xff", "" }, { 5, 0 }, WEBSOCKET_CODE_NO_TEXT },
	/* nothing at all */
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\xff\xff\xff\xff", "" }, { 4, 0 }, WEBSOCKET_CODE_NO_TEXT },
	/* more than the limit */
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\x00\x06\x00\xf9\xffHello!\x00", "" }, { 12, 0 }, WEBSOCKET_CODE_TOO_BIG },
	/* inflates to what is no text; the last is cut within a character */
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\x00\x02\x00\xfd\xff\xc0\x80\x00", "" }, { 8, 0 }, WEBSOCKET_CODE_NO_TEXT },
	{ { RSV1_TEXT, PEER_FIN_PING }, { "\x00\x02\x00\xfd\xff\xe2\x82\x00", "" }, { 8, 0 }, WEBSOCKET_CODE_NO_TEXT },
};

START_TEST(test_broken_messages)
{
	for (size_t piece = 0; piece < 2; piece++) {
		struct peer peer;

		peer_init(&peer, 5, &usual, piece);
		for (int i = 0; i < 2; i++)
			peer_add_frame(&peer, broken[_i].first_bytes[i], broken[_i].payloads[i], broken[_i].lengths[i]);
		ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
		peer_expect_no_message(&peer);
		peer_expect_close(&peer, broken[_i].code);
		peer_finish(&peer);
	}
}
END_TEST

START_TEST(test_an_empty_compressed_message)
{
	struct peer peer;

	peer_init(&peer, 5, &usual, 0);
	peer_add_frame(&peer, RSV1_TEXT, "\x00", 1);
	peer_add_frame(&peer, RSV1_TEXT, "\x02\x00", 2);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_text(&peer, "");
	peer_expect_text(&peer, "");
	peer_finish(&peer);
}
END_TEST

START_TEST(test_a_bomb_is_stopped_at_the_limit)
{
	size_t size = 64 * MB;
	uint8_t *zeros = calloc(size, 1);
	struct client client;

	ck_assert_ptr_nonnull(zeros);
	client_init(&client, MB, &usual, 0);
	client_add(&client, WEBSOCKET_BINARY, zeros, MB, SIZE_MAX);
	ck_assert_int_eq(peer_feed(&client.peer), WEBSOCKET_OPEN);
	peer_expect_message(&client.peer, UNICORN_BINARY, zeros, MB);
	client_add(&client, WEBSOCKET_BINARY, zeros, MB + 1, SIZE_MAX);
	ck_assert_int_eq(peer_feed(&client.peer), WEBSOCKET_FINISHED);
	peer_expect_close(&client.peer, WEBSOCKET_CODE_TOO_BIG);
	client_finish(&client);

	client_init(&client, MB, &usual, 0);
	client_add(&client, WEBSOCKET_BINARY, zeros, size, SIZE_MAX);
	ck_assert_int_eq(peer_feed(&client.peer), WEBSOCKET_FINISHED);
	peer_expect_close(&client.peer, WEBSOCKET_CODE_TOO_BIG);
	client_finish(&client);
	free(zeros);
}
END_TEST

/* ---- there and back */

static const struct websocket_deflate_parameters agreements[] = {
	{ .server_window_bits = 12, .client_window_bits = 15 },
	{ .server_window_bits = 12, .client_window_bits = 12 },
	{ .server_window_bits = 9, .client_window_bits = 9 },
	{ .server_window_bits = 15, .client_window_bits = 15 },
	{ .server_window_bits = 9, .client_window_bits = 15, .server_no_context_takeover = true },
	{ .server_window_bits = 12, .client_window_bits = 9, .client_no_context_takeover = true },
	{ .server_window_bits = 15,
	  .client_window_bits = 10,
	  .server_no_context_takeover = true,
	  .client_no_context_takeover = true },
};

static const struct {
	size_t size;
	size_t fragment; /**< 0: whole */
	size_t piece;
} shapes[] = {
	{ 0, 0, 0 },    { 16, 0, 0 },      { 64, 0, 1 },      { 127, 5, 0 },      { 128, 0, 3 },        { 256, 1, 0 },
	{ 1024, 0, 1 }, { 4096, 256, 17 }, { 32768, 0, 536 }, { 65536, 1000, 0 }, { 131072, 0, 16384 },
};

START_TEST(test_messages_there_and_back)
{
	const struct websocket_deflate_parameters *agreement = &agreements[_i / LENGTH(shapes)];
	size_t size = shapes[_i % LENGTH(shapes)].size;
	size_t fragment = shapes[_i % LENGTH(shapes)].fragment;
	struct client client;

	client_init(&client, size, agreement, shapes[_i % LENGTH(shapes)].piece);
	for (int round = 0; round < 8; round++) {
		bool is_noise = round % 4 == 3;
		unsigned opcode = is_noise ? WEBSOCKET_BINARY : WEBSOCKET_TEXT;
		enum unicorn_message_type type = is_noise ? UNICORN_BINARY : UNICORN_TEXT;
		uint8_t *payload = make_payload(size, is_noise);

		/* Compressed ones and others in turn. */
		if (round % 3 == 2)
			peer_add_frame(&client.peer, WEBSOCKET_FIN | opcode, payload, size);
		else
			client_add(&client, opcode, payload, size, fragment > 0 ? fragment : SIZE_MAX);
		ck_assert_int_eq(peer_feed(&client.peer), WEBSOCKET_OPEN);
		peer_expect_message(&client.peer, type, payload, size);
		ck_assert_int_eq(websocket_send(client.peer.websocket, type, payload, size), 0);
		client_expect(&client, opcode, payload, size);
		peer_expect_silence(&client.peer);
		if (round == 5)
			websocket_shrink(client.peer.websocket);
		free(payload);
	}
	client_finish(&client);
}
END_TEST

START_TEST(test_what_repeats_is_sent_once)
{
	uint8_t *payload = make_payload(1000, false);
	size_t first, second;
	struct client client;

	client_init(&client, MB, &usual, 0);
	ck_assert_int_eq(websocket_send(client.peer.websocket, UNICORN_TEXT, payload, 1000), 0);
	first = client.peer.output.length;
	ck_assert_uint_lt(first, 600);
	ck_assert_int_eq(websocket_send(client.peer.websocket, UNICORN_TEXT, payload, 1000), 0);
	second = client.peer.output.length - first;
	ck_assert_uint_lt(second, first / 4);
	client_expect(&client, WEBSOCKET_TEXT, payload, 1000);
	client_expect(&client, WEBSOCKET_TEXT, payload, 1000);
	client_finish(&client);
	free(payload);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("websocket_deflate");
	TCase *tcase = tcase_create("websocket_deflate");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_examples, 0, LENGTH(examples));
	tcase_add_loop_test(tcase, test_a_message_refers_to_the_one_before, 0, 3);
	tcase_add_loop_test(tcase, test_a_forgetful_client_cannot_refer, 0, 3);
	tcase_add_loop_test(tcase, test_broken_messages, 0, LENGTH(broken));
	tcase_add_test(tcase, test_an_empty_compressed_message);
	tcase_add_test(tcase, test_a_bomb_is_stopped_at_the_limit);
	tcase_add_loop_test(tcase, test_messages_there_and_back, 0, LENGTH(agreements) * LENGTH(shapes));
	tcase_add_test(tcase, test_what_repeats_is_sent_once);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
