/*
 * test_utf8.c - what is UTF-8 and what is not, alone and in text messages: section 6 of the Autobahn test suite's list,
 * as a table of ours. The classes are those of the Unicode standard's table 3-7, each with both of its ends.
 */
#include "unit.h"
#include "utf8.h"
#include "websocket_peer.h"

#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
	const char *text;
	bool is_valid;
	bool is_cut; /**< not valid only because something is missing at the end */
} texts[] = {
	{ "", true, false },
	{ "Hello, world. Longer than two words of the processor.", true, false },
	{ "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!", true, false },
	{ "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5", true, false },
	/* the first and the last of each length */
	{ "\x01", true, false },
	{ "\x7f", true, false },
	{ "\xc2\x80", true, false },
	{ "\xdf\xbf", true, false },
	{ "\xe0\xa0\x80", true, false },
	{ "\xef\xbf\xbf", true, false },
	{ "\xf0\x90\x80\x80", true, false },
	{ "\xf4\x8f\xbf\xbf", true, false },
	/* around the surrogates, which are none */
	{ "\xed\x9f\xbf", true, false },
	{ "\xee\x80\x80", true, false },
	{ "\xed\xa0\x80", false, false },
	{ "\xed\xad\xbf", false, false },
	{ "\xed\xae\x80", false, false },
	{ "\xed\xb0\x80", false, false },
	{ "\xed\xbf\xbf", false, false },
	{ "\xed\xa0\x80\xed\xb0\x80", false, false },
	/* no characters, and allowed all the same */
	{ "\xef\xbf\xbd", true, false },
	{ "\xef\xbf\xbe", true, false },
	{ "\xf0\x9f\xbf\xbe", true, false },
	{ "\xf3\xaf\xbf\xbf", true, false },
	/* other classes of lead bytes */
	{ "\xe1\x80\x80\xec\xbf\xbf", true, false },
	{ "\xf1\x80\x80\x80\xf3\xbf\xbf\xbf", true, false },
	/* above U+10FFFF, and lengths that were abolished */
	{ "\xf4\x90\x80\x80", false, false },
	{ "\xf5\x80\x80\x80", false, false },
	{ "\xf7\xbf\xbf\xbf", false, false },
	{ "\xf8\x88\x80\x80\x80", false, false },
	{ "\xfb\xbf\xbf\xbf\xbf", false, false },
	{ "\xfc\x84\x80\x80\x80\x80", false, false },
	{ "\xfd\xbf\xbf\xbf\xbf\xbf", false, false },
	{ "\xfe", false, false },
	{ "\xff", false, false },
	{ "\xfe\xfe\xff\xff", false, false },
	/* longer than they must be */
	{ "\xc0\xaf", false, false },
	{ "\xc1\xbf", false, false },
	{ "\xe0\x80\xaf", false, false },
	{ "\xe0\x9f\xbf", false, false },
	{ "\xf0\x80\x80\xaf", false, false },
	{ "\xf0\x8f\xbf\xbf", false, false },
	{ "\xc0\x80", false, false },
	{ "\xe0\x80\x80", false, false },
	/* continuations that continue nothing */
	{ "\x80", false, false },
	{ "\xbf", false, false },
	{ "a\x80z", false, false },
	{ "12345678\xbf", false, false },
	{ "\xc2\x80\x80", false, false },
	/* characters that something else follows */
	{ "\xc2 ", false, false },
	{ "\xe2\x82 ", false, false },
	{ "\xe2 \x82", false, false },
	{ "\xf0\x9f\x98 ", false, false },
	{ "\xf0\x9f\xf0\x9f", false, false },
	{ "\xe2\xc2\x80", false, false },
	{ "\xe2\x82\x7f", false, false },
	{ "\xe2\x82\xc0", false, false },
	/* characters that are not whole */
	{ "\xc2", false, true },
	{ "12345678\xdf", false, true },
	{ "\xe0\xa0", false, true },
	{ "\xe2", false, true },
	{ "\xe2\x82", false, true },
	{ "\xf0", false, true },
	{ "\xf0\x9f", false, true },
	{ "\xf4\x8f\xbf", false, true },
	{ "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce", false, true },
};

START_TEST(test_texts_whole_and_cut_in_two)
{
	const char *text = texts[_i].text;
	size_t length = strlen(text);

	ck_assert_int_eq(utf8_is_valid(text, length), texts[_i].is_valid);
	for (size_t cut = 0; cut <= length; cut++) {
		struct utf8_check check = { 0 };
		bool is_possible =
			utf8_check_feed(&check, text, cut) && utf8_check_feed(&check, text + cut, length - cut);

		ck_assert_int_eq(is_possible, texts[_i].is_valid || texts[_i].is_cut);
		if (is_possible)
			ck_assert_int_eq(utf8_check_is_complete(&check), texts[_i].is_valid);
	}
}
END_TEST

START_TEST(test_texts_behind_others)
{
	/* At each place of a word, and with more behind them. */
	for (size_t offset = 0; offset < 20; offset++) {
		char line[128];
		size_t length = strlen(texts[_i].text);

		memset(line, 'a', sizeof(line));
		memcpy(line + offset, texts[_i].text, length);
		ck_assert_int_eq(utf8_is_valid(line, offset + length), texts[_i].is_valid);
		ck_assert_int_eq(utf8_is_valid(line, sizeof(line)), texts[_i].is_valid);
	}
}
END_TEST

static bool is_scalar_value(uint32_t value)
{
	return value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
}

/** Writes a value as four bytes would hold it, in the given length, whether that is right or not. */
static void encode(uint8_t *bytes, uint32_t value, unsigned length)
{
	static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (unsigned i = length - 1; i > 0; i--, value >>= 6)
		bytes[i] = (uint8_t)(0x80 | (value & 0x3f));
	bytes[0] = (uint8_t)(leads[length] | value);
}

START_TEST(test_every_value_in_every_length)
{
	static const uint32_t ends[] = { 0x80, 0x80, 0x800, 0x10000, 0x200000 };

	for (unsigned length = 2; length <= 4; length++) {
		for (uint32_t value = 0; value < ends[length]; value++) {
			bool is_shortest = value >= ends[length - 1];
			uint8_t bytes[4];

			encode(bytes, value, length);
			if (utf8_is_valid(bytes, length) != (is_shortest && is_scalar_value(value)))
				ck_abort_msg("U+%04X in %u bytes", value, length);
		}
	}
}
END_TEST

static void check_state(struct peer *peer, bool is_valid, const char *text)
{
	if (is_valid) {
		ck_assert_int_eq(websocket_state(peer->websocket), WEBSOCKET_OPEN);
		peer_expect_text(peer, text);
	} else {
		ck_assert_int_eq(websocket_state(peer->websocket), WEBSOCKET_FINISHED);
		peer_expect_close(peer, WEBSOCKET_CODE_NO_TEXT);
	}
	peer_expect_no_message(peer);
}

START_TEST(test_text_messages)
{
	for (size_t piece = 0; piece < 3; piece++) {
		struct peer peer;

		peer_init(&peer, 1024, NULL, piece);
		peer_add_text(&peer, texts[_i].text);
		(void)peer_feed(&peer);
		check_state(&peer, texts[_i].is_valid, texts[_i].text);
		peer_finish(&peer);
	}
}
END_TEST

START_TEST(test_text_messages_in_fragments_of_a_byte)
{
	size_t length = strlen(texts[_i].text);
	struct peer peer;

	peer_init(&peer, 1024, NULL, 0);
	for (size_t i = 0; i < length; i++) {
		peer_add_frame(&peer, i == 0 ? WEBSOCKET_TEXT : WEBSOCKET_CONTINUATION, texts[_i].text + i, 1);
		/* A ping within a character changes nothing. */
		peer_add_frame(&peer, PEER_FIN_PONG, "\xff", 1);
	}
	peer_add_frame(&peer, length == 0 ? PEER_FIN_TEXT : PEER_FIN_LAST, "", 0);
	(void)peer_feed(&peer);
	check_state(&peer, texts[_i].is_valid, texts[_i].text);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_binary_messages_are_not_looked_at)
{
	struct peer peer;

	peer_init(&peer, 1024, NULL, 1);
	peer_add_frame(&peer, PEER_FIN_BINARY, texts[_i].text, strlen(texts[_i].text));
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_message(&peer, UNICORN_BINARY, texts[_i].text, strlen(texts[_i].text));
	peer_finish(&peer);
}
END_TEST

START_TEST(test_what_cannot_be_text_ends_it_at_once)
{
	struct peer peer;

	/* Neither the message nor its first frame is complete. */
	peer_init(&peer, 1024, NULL, 1);
	peer_add_frame(&peer, WEBSOCKET_TEXT, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80 and more",
		       24);
	peer.input.length -= 12;
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	peer_expect_silence(&peer);
	peer_finish(&peer);

	peer_init(&peer, 1024, NULL, 1);
	peer_add_frame(&peer, WEBSOCKET_TEXT, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80 and more",
		       24);
	peer.input.length -= 11;
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, WEBSOCKET_CODE_NO_TEXT);
	peer_finish(&peer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tcase = tcase_create("utf8");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_texts_whole_and_cut_in_two, 0, LENGTH(texts));
	tcase_add_loop_test(tcase, test_texts_behind_others, 0, LENGTH(texts));
	tcase_add_test(tcase, test_every_value_in_every_length);
	tcase_add_loop_test(tcase, test_text_messages, 0, LENGTH(texts));
	tcase_add_loop_test(tcase, test_text_messages_in_fragments_of_a_byte, 0, LENGTH(texts));
	tcase_add_loop_test(tcase, test_binary_messages_are_not_looked_at, 0, LENGTH(texts));
	tcase_add_test(tcase, test_what_cannot_be_text_ends_it_at_once);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
