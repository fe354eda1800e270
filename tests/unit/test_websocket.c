/*
 * test_websocket.c - frames, pings, reserved bits, opcodes, fragments, closing and large messages: sections 1 to 5, 7,
 * 9 and 10 of the Autobahn test suite's list, as cases of ours.
 *
 * Nearly all of them run several times, with the input cut into pieces of a different length.
 */
#include "unit.h"
#include "websocket_peer.h"

#include <errno.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define MESSAGE_BYTES 65536
#define CUTS          4
#define CUT(i)        (cuts[(i) % CUTS])

static const size_t cuts[CUTS] = { 0, 1, 3, 997 };

static uint8_t *make_payload(size_t length, unsigned first)
{
	uint8_t *bytes = malloc(length + 1);

	ck_assert_ptr_nonnull(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)((first + i * 7) & 0x7f);
	return bytes;
}

/* ---- 1: framing */

static const size_t sizes[] = { 0, 1, 125, 126, 127, 128, 65535, 65536 };

START_TEST(test_messages_of_all_sizes)
{
	bool is_text = _i % 2 == 0;
	size_t size = sizes[_i / 2 % LENGTH(sizes)];
	uint8_t *payload = make_payload(size, 'a');
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, cuts[_i / 2 / LENGTH(sizes)]);
	peer_add_frame(&peer, is_text ? PEER_FIN_TEXT : PEER_FIN_BINARY, payload, size);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_message(&peer, is_text ? UNICORN_TEXT : UNICORN_BINARY, payload, size);
	peer_expect_no_message(&peer);
	ck_assert_int_eq(websocket_send(peer.websocket, is_text ? UNICORN_TEXT : UNICORN_BINARY, payload, size), 0);
	peer_expect_frame(&peer, is_text ? PEER_FIN_TEXT : PEER_FIN_BINARY, payload, size);
	peer_expect_silence(&peer);
	peer_finish(&peer);
	free(payload);
}
END_TEST

static const struct {
	uint8_t bytes[15];
	size_t length;
} bad_heads[] = {
	{ { 0x82, 0xfe, 0, 125, 1, 2, 3, 4 }, 8 }, /* 16 bits for what fits in 7 */
	{ { 0x82, 0xfe, 0, 0, 1, 2, 3, 4 }, 8 },
	{ { 0x82, 0xff, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4 }, 14 }, /* 64 bits for what fits in 16 */
	{ { 0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4 }, 14 },  /* the top bit */
	{ { 0x82, 0x01, 'x' }, 3 },                                     /* no mask */
	{ { 0x81, 0x00 }, 2 },
	{ { 0x89, 0x00 }, 2 },
	{ { 0x88, 0x00 }, 2 },
	{ { 0x00, 0x80, 1, 2, 3, 4 }, 6 }, /* nothing to continue */
	{ { 0x80, 0x80, 1, 2, 3, 4 }, 6 },
	{ { 0x80, 0x85, 1, 2, 3, 4, 0, 0, 0, 0, 0 }, 11 },
	{ { 0x09, 0x80, 1, 2, 3, 4 }, 6 }, /* control frames in fragments */
	{ { 0x0a, 0x80, 1, 2, 3, 4 }, 6 },
	{ { 0x08, 0x80, 1, 2, 3, 4 }, 6 },
	{ { 0x89, 0xfe, 0, 126, 1, 2, 3, 4 }, 8 }, /* and too long ones */
	{ { 0x8a, 0xfe, 0, 126, 1, 2, 3, 4 }, 8 },
	{ { 0x88, 0xfe, 0, 126, 1, 2, 3, 4 }, 8 },
	{ { 0x89, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4 }, 14 },
};

START_TEST(test_bad_heads_are_protocol_errors)
{
	struct peer peer;
	const char *reason;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_text(&peer, "before");
	peer_add_bytes(&peer, bad_heads[_i / CUTS].bytes, bad_heads[_i / CUTS].length);
	peer_add_text(&peer, "behind");
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, WEBSOCKET_CODE_PROTOCOL);
	peer_expect_text(&peer, "before");
	peer_expect_no_message(&peer);
	ck_assert_int_eq(websocket_close_code(peer.websocket, &reason), WEBSOCKET_CODE_PROTOCOL);
	ck_assert_str_ne(reason, "");
	ck_assert_int_eq(websocket_send(peer.websocket, UNICORN_TEXT, "x", 1), -EPIPE);
	peer_finish(&peer);
}
END_TEST

/* ---- 2: pings and pongs */

START_TEST(test_pings_are_answered_with_their_payload)
{
	static const size_t ping_sizes[] = { 0, 5, 125 };
	uint8_t *payload = make_payload(125, 0x7f);
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	for (int i = 0; i < LENGTH(ping_sizes); i++)
		peer_add_frame(&peer, PEER_FIN_PING, payload, ping_sizes[i]);
	peer_add_frame(&peer, PEER_FIN_PING, "\0\xff\xfe\xfd\xfc\xfb\0\xff", 8);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	for (int i = 0; i < LENGTH(ping_sizes); i++)
		peer_expect_frame(&peer, PEER_FIN_PONG, payload, ping_sizes[i]);
	peer_expect_frame(&peer, PEER_FIN_PONG, "\0\xff\xfe\xfd\xfc\xfb\0\xff", 8);
	peer_expect_silence(&peer);
	peer_finish(&peer);
	free(payload);
}
END_TEST

START_TEST(test_pongs_nobody_asked_for_are_ignored)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_frame(&peer, PEER_FIN_PONG, "", 0);
	peer_add_frame(&peer, PEER_FIN_PONG, "unasked", 7);
	peer_add_frame(&peer, PEER_FIN_PING, "asked", 5);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_frame(&peer, PEER_FIN_PONG, "asked", 5);
	peer_expect_silence(&peer);
	peer_expect_no_message(&peer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_many_pings)
{
	static const char payload[] = "payload-0123456789";
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	for (int i = 0; i < 10; i++)
		peer_add_frame(&peer, PEER_FIN_PING, payload + i, 8);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	for (int i = 0; i < 10; i++)
		peer_expect_frame(&peer, PEER_FIN_PONG, payload + i, 8);
	peer_expect_silence(&peer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_pings_of_our_own)
{
	uint8_t *payload = make_payload(126, 1);
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, 0);
	ck_assert_int_eq(websocket_ping(peer.websocket, payload, 126), -EINVAL);
	peer_expect_silence(&peer);
	ck_assert_int_eq(websocket_ping(peer.websocket, payload, 125), 0);
	peer_expect_frame(&peer, PEER_FIN_PING, payload, 125);
	ck_assert_int_eq(websocket_ping(peer.websocket, NULL, 0), 0);
	peer_expect_frame(&peer, PEER_FIN_PING, NULL, 0);
	ck_assert_int_eq(websocket_close(peer.websocket, 1000, NULL), 0);
	ck_assert_int_eq(websocket_ping(peer.websocket, NULL, 0), -EPIPE);
	peer_finish(&peer);
	free(payload);
}
END_TEST

/* ---- 3: reserved bits, 4: reserved opcodes */

START_TEST(test_reserved_bits_are_protocol_errors)
{
	static const unsigned opcodes[] = { PEER_FIN_TEXT, PEER_FIN_BINARY, PEER_FIN_PING, PEER_FIN_CLOSE };
	unsigned bits = (unsigned)(_i % 7 + 1) << 4;
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i / 7));
	peer_add_text(&peer, "good");
	peer_add_frame(&peer, bits | opcodes[_i / 7 / CUTS], "bad", 3);
	peer_add_frame(&peer, PEER_FIN_PING, "", 0);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_text(&peer, "good");
	peer_expect_no_message(&peer);
	peer_expect_close(&peer, WEBSOCKET_CODE_PROTOCOL);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_reserved_opcodes_are_protocol_errors)
{
	static const unsigned opcodes[] = { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 };
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_text(&peer, "good");
	peer_add_frame(&peer, WEBSOCKET_FIN | opcodes[_i / CUTS], "bad", _i % 2 == 0 ? 0 : 3);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_text(&peer, "good");
	peer_expect_no_message(&peer);
	peer_expect_close(&peer, WEBSOCKET_CODE_PROTOCOL);
	peer_finish(&peer);
}
END_TEST

/* ---- 5: fragments */

START_TEST(test_fragments_are_put_together)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_frame(&peer, WEBSOCKET_TEXT, "frag", 4);
	peer_add_frame(&peer, PEER_FIN_PING, "within", 6);
	peer_add_frame(&peer, WEBSOCKET_CONTINUATION, "", 0);
	peer_add_frame(&peer, WEBSOCKET_CONTINUATION, "ment", 4);
	peer_add_frame(&peer, PEER_FIN_PONG, "", 0);
	peer_add_frame(&peer, PEER_FIN_LAST, "s", 1);
	peer_add_frame(&peer, WEBSOCKET_BINARY, "", 0);
	peer_add_frame(&peer, PEER_FIN_LAST, "", 0);
	peer_add_text(&peer, "whole");
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_frame(&peer, PEER_FIN_PONG, "within", 6);
	peer_expect_silence(&peer);
	peer_expect_text(&peer, "fragments");
	peer_expect_message(&peer, UNICORN_BINARY, "", 0);
	peer_expect_text(&peer, "whole");
	peer_expect_no_message(&peer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_a_ping_is_answered_before_the_message_is_whole)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_frame(&peer, WEBSOCKET_TEXT, "one", 3);
	peer_add_frame(&peer, PEER_FIN_PING, "now", 3);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_frame(&peer, PEER_FIN_PONG, "now", 3);
	peer_expect_no_message(&peer);
	peer_add_frame(&peer, PEER_FIN_LAST, "two", 3);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_text(&peer, "onetwo");
	peer_finish(&peer);
}
END_TEST

/* Frames by letter: t, b whole messages, T, B their beginnings, C a part, c the last. */
static unsigned first_byte_of(char letter)
{
	switch (letter) {
	case 't':
		return PEER_FIN_TEXT;
	case 'b':
		return PEER_FIN_BINARY;
	case 'T':
		return WEBSOCKET_TEXT;
	case 'B':
		return WEBSOCKET_BINARY;
	case 'c':
		return PEER_FIN_LAST;
	default:
		return WEBSOCKET_CONTINUATION;
	}
}

static const struct {
	const char *frames;
	const char *message; /**< that is complete before the error */
} bad_sequences[] = {
	{ "TT", NULL },        { "Tt", NULL },        { "Tb", NULL },         { "BCt", NULL },  { "BB", NULL },
	{ "C", NULL },         { "c", NULL },         { "tC", "part" },       { "tc", "part" }, { "tCc", "part" },
	{ "TcC", "partpart" }, { "Tcc", "partpart" }, { "TcCt", "partpart" },
};

START_TEST(test_fragments_out_of_order_are_protocol_errors)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	for (const char *letter = bad_sequences[_i / CUTS].frames; *letter != '\0'; letter++)
		peer_add_frame(&peer, first_byte_of(*letter), "part", 4);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	if (bad_sequences[_i / CUTS].message != NULL)
		peer_expect_text(&peer, bad_sequences[_i / CUTS].message);
	peer_expect_no_message(&peer);
	peer_expect_close(&peer, WEBSOCKET_CODE_PROTOCOL);
	peer_finish(&peer);
}
END_TEST

/* ---- 9: large messages, and the limit; 10: fragments of one size */

#define MB (1024 * 1024)

static const struct {
	size_t size;
	size_t fragment; /**< 0: one frame */
	size_t piece;
} large[] = {
	{ 65536, 0, 64 },         { 65536, 64, 0 }, { 65536, 1300, 536 },  { MB, 0, 16384 },       { 4 * MB, 0, 16384 },
	{ 4 * MB, 65536, 16384 }, { MB, 256, 997 }, { 16 * MB, 0, 65536 }, { 16 * MB, MB, 65536 },
};

static void add_fragments(struct peer *peer, unsigned opcode, const uint8_t *payload, size_t size, size_t fragment)
{
	for (size_t at = 0; at < size; at += fragment) {
		unsigned first_byte = at == 0 ? opcode : WEBSOCKET_CONTINUATION;
		size_t length = size - at < fragment ? size - at : fragment;

		peer_add_frame(peer, at + length == size ? first_byte | WEBSOCKET_FIN : first_byte, payload + at,
			       length);
	}
}

START_TEST(test_large_messages)
{
	size_t size = large[_i / 2].size;
	unsigned opcode = _i % 2 == 0 ? WEBSOCKET_TEXT : WEBSOCKET_BINARY;
	uint8_t *payload = make_payload(size, 3);
	struct peer peer;

	peer_init(&peer, size, NULL, large[_i / 2].piece);
	add_fragments(&peer, opcode, payload, size, large[_i / 2].fragment > 0 ? large[_i / 2].fragment : size);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_message(&peer, _i % 2 == 0 ? UNICORN_TEXT : UNICORN_BINARY, payload, size);
	peer_expect_no_message(&peer);
	ck_assert_int_eq(websocket_send(peer.websocket, UNICORN_BINARY, payload, size), 0);
	peer_expect_frame(&peer, PEER_FIN_BINARY, payload, size);
	peer_finish(&peer);
	free(payload);
}
END_TEST

START_TEST(test_messages_above_the_limit)
{
	uint8_t *payload = make_payload(1001, 0);
	struct peer peer;

	peer_init(&peer, 1000, NULL, CUT(_i));
	add_fragments(&peer, WEBSOCKET_TEXT, payload, 1000, 300);
	add_fragments(&peer, WEBSOCKET_TEXT, payload, 1001, _i / CUTS == 0 ? 300 : 1001);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_message(&peer, UNICORN_TEXT, payload, 1000);
	peer_expect_no_message(&peer);
	peer_expect_close(&peer, WEBSOCKET_CODE_TOO_BIG);
	ck_assert_int_eq(websocket_close_code(peer.websocket, NULL), WEBSOCKET_CODE_TOO_BIG);
	peer_finish(&peer);
	free(payload);
}
END_TEST

START_TEST(test_a_length_beyond_all_memory_is_too_big)
{
	static const uint8_t head[] = { 0x80, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4 };
	struct peer peer;

	/* The head is enough; and no limit is still one. */
	peer_init(&peer, SIZE_MAX, NULL, CUT(_i));
	peer_add_frame(&peer, WEBSOCKET_BINARY, "x", 1);
	peer_add_bytes(&peer, head, sizeof(head));
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, WEBSOCKET_CODE_TOO_BIG);
	peer_finish(&peer);
}
END_TEST

/* ---- the queue */

START_TEST(test_messages_are_taken_while_others_come)
{
	struct peer peer;
	int sent = 0, taken = 0;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	for (int round = 0; round < 200; round++) {
		for (int i = 0; i < round % 7; i++, sent++)
			peer_add_frame(&peer, PEER_FIN_BINARY, &sent, sizeof(sent));
		peer_add_frame(&peer, WEBSOCKET_BINARY, &sent, sizeof(sent));
		ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
		for (; taken < sent - round % 5; taken++)
			peer_expect_message(&peer, UNICORN_BINARY, &taken, sizeof(taken));
		websocket_shrink(peer.websocket);
		peer_add_frame(&peer, PEER_FIN_LAST, "", 0);
		sent++;
	}
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	for (; taken < sent; taken++)
		peer_expect_message(&peer, UNICORN_BINARY, &taken, sizeof(taken));
	peer_expect_no_message(&peer);
	websocket_shrink(peer.websocket);
	peer_finish(&peer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("websocket");
	TCase *tcase = tcase_create("websocket");

	/* A sanitizer needs its time for the largest ones. */
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_messages_of_all_sizes, 0, 2 * LENGTH(sizes) * CUTS);
	tcase_add_loop_test(tcase, test_bad_heads_are_protocol_errors, 0, LENGTH(bad_heads) * CUTS);
	tcase_add_loop_test(tcase, test_pings_are_answered_with_their_payload, 0, CUTS);
	tcase_add_loop_test(tcase, test_pongs_nobody_asked_for_are_ignored, 0, CUTS);
	tcase_add_loop_test(tcase, test_many_pings, 0, CUTS);
	tcase_add_test(tcase, test_pings_of_our_own);
	tcase_add_loop_test(tcase, test_reserved_bits_are_protocol_errors, 0, 7 * 4 * CUTS);
	tcase_add_loop_test(tcase, test_reserved_opcodes_are_protocol_errors, 0, 10 * CUTS);
	tcase_add_loop_test(tcase, test_fragments_are_put_together, 0, CUTS);
	tcase_add_loop_test(tcase, test_a_ping_is_answered_before_the_message_is_whole, 0, CUTS);
	tcase_add_loop_test(tcase, test_fragments_out_of_order_are_protocol_errors, 0, LENGTH(bad_sequences) * CUTS);
	tcase_add_loop_test(tcase, test_large_messages, 0, 2 * LENGTH(large));
	tcase_add_loop_test(tcase, test_messages_above_the_limit, 0, 2 * CUTS);
	tcase_add_loop_test(tcase, test_a_length_beyond_all_memory_is_too_big, 0, CUTS);
	tcase_add_loop_test(tcase, test_messages_are_taken_while_others_come, 0, CUTS);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
