/*
 * test_websocket_close.c - how a WebSocket ends: section 7 of the Autobahn test suite's list, as cases of ours.
 */
#include "unit.h"
#include "websocket_peer.h"

#include <errno.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define MESSAGE_BYTES 65536
#define CUTS          3
#define CUT(i)        (cuts[(i) % CUTS])

/** As long as a reason may be. */
static const char longest[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
			      "01234567890123456789012345678901234567890123456789012";

static const size_t cuts[CUTS] = { 0, 1, 3 };

START_TEST(test_a_close_is_answered_and_ends_all)
{
	struct peer peer;
	const char *reason;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_text(&peer, "last words");
	peer_add_frame(&peer, WEBSOCKET_TEXT, "never ended", 11);
	peer_add_close(&peer, 1000, "done");
	peer_add_frame(&peer, PEER_FIN_LAST, "too late", 8);
	peer_add_text(&peer, "too late");
	peer_add_frame(&peer, PEER_FIN_PING, "too late", 8);
	peer_add_close(&peer, 1002, "");
	ck_assert_int_eq(websocket_close_code(peer.websocket, NULL), WEBSOCKET_CODE_LOST);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, 1000);
	ck_assert_int_eq(websocket_close_code(peer.websocket, &reason), 1000);
	ck_assert_str_eq(reason, "done");
	peer_expect_text(&peer, "last words");
	peer_expect_no_message(&peer);
	ck_assert_int_eq(websocket_close(peer.websocket, 1000, NULL), -EPIPE);
	ck_assert_int_eq(websocket_send(peer.websocket, UNICORN_TEXT, "x", 1), -EPIPE);
	peer_expect_silence(&peer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_a_close_without_a_code)
{
	struct peer peer;
	const char *reason;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_frame(&peer, PEER_FIN_CLOSE, "", 0);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, WEBSOCKET_CODE_NONE);
	ck_assert_int_eq(websocket_close_code(peer.websocket, &reason), WEBSOCKET_CODE_NONE);
	ck_assert_str_eq(reason, "");
	peer_finish(&peer);
}
END_TEST

static const int good_codes[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010,
				  1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 };
static const int bad_codes[] = { 0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 5999, 65535 };

START_TEST(test_good_close_codes)
{
	int code = good_codes[_i / CUTS];
	struct peer peer;
	const char *reason;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_close(&peer, code, longest);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, code);
	ck_assert_int_eq(websocket_close_code(peer.websocket, &reason), code);
	ck_assert_str_eq(reason, longest);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_bad_close_codes_are_protocol_errors)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	ck_assert_int_eq(websocket_close(peer.websocket, bad_codes[_i / CUTS], "why"), -EINVAL);
	peer_add_close(&peer, bad_codes[_i / CUTS], "");
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, WEBSOCKET_CODE_PROTOCOL);
	peer_finish(&peer);
}
END_TEST

static const struct {
	const char *payload;
	size_t length;
	int answer;
} broken[] = {
	{ "\x03", 1, WEBSOCKET_CODE_PROTOCOL },
	{ "\x03\xe8\xce\xba\xed\xa0\x80", 7, WEBSOCKET_CODE_NO_TEXT },
	{ "\x03\xe8"
	  "cut \xe2\x82",
	  8, WEBSOCKET_CODE_NO_TEXT },
	{ "\x03\xe8\xff", 3, WEBSOCKET_CODE_NO_TEXT },
};

START_TEST(test_broken_close_frames)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_frame(&peer, PEER_FIN_CLOSE, broken[_i / CUTS].payload, broken[_i / CUTS].length);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_close(&peer, broken[_i / CUTS].answer);
	ck_assert_int_eq(websocket_close_code(peer.websocket, NULL), broken[_i / CUTS].answer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_our_close_waits_for_the_client)
{
	struct peer peer;
	const char *reason;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_frame(&peer, WEBSOCKET_TEXT, "begun", 5);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	ck_assert_int_eq(websocket_close(peer.websocket, WEBSOCKET_CODE_RESTART, "bye"), 0);
	peer_expect_frame(&peer, PEER_FIN_CLOSE, "\x03\xf4\x62\x79\x65", 5);
	ck_assert_int_eq(websocket_send(peer.websocket, UNICORN_TEXT, "x", 1), -EPIPE);
	ck_assert_int_eq(websocket_close(peer.websocket, 1000, NULL), -EPIPE);
	peer_add_frame(&peer, PEER_FIN_LAST, "\xff", 1);
	peer_add_text(&peer, "ignored");
	peer_add_frame(&peer, WEBSOCKET_BINARY, "ignored", 7);
	peer_add_frame(&peer, PEER_FIN_PING, "ignored", 7);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_CLOSING);
	ck_assert_int_eq(websocket_close_code(peer.websocket, NULL), WEBSOCKET_CODE_LOST);
	peer_add_close(&peer, WEBSOCKET_CODE_RESTART, "bye too");
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	ck_assert_int_eq(websocket_close_code(peer.websocket, &reason), WEBSOCKET_CODE_RESTART);
	ck_assert_str_eq(reason, "bye too");
	peer_expect_no_message(&peer);
	peer_expect_silence(&peer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_what_came_before_our_close_can_be_taken)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	peer_add_text(&peer, "first");
	peer_add_text(&peer, "second");
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_OPEN);
	ck_assert_int_eq(websocket_close(peer.websocket, 1000, NULL), 0);
	peer_expect_text(&peer, "first");
	peer_expect_text(&peer, "second");
	peer_expect_no_message(&peer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_errors_while_closing_are_not_answered)
{
	struct peer peer;

	peer_init(&peer, MESSAGE_BYTES, NULL, CUT(_i));
	ck_assert_int_eq(websocket_close(peer.websocket, WEBSOCKET_CODE_NONE, NULL), 0);
	peer_expect_close(&peer, WEBSOCKET_CODE_NONE);
	peer_add_frame(&peer, WEBSOCKET_FIN | 3, "", 0);
	ck_assert_int_eq(peer_feed(&peer), WEBSOCKET_FINISHED);
	peer_expect_silence(&peer);
	peer_finish(&peer);
}
END_TEST

START_TEST(test_reasons_of_our_own)
{
	char too_long[sizeof(longest) + 1];
	struct peer peer;

	memset(too_long, 'x', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	peer_init(&peer, MESSAGE_BYTES, NULL, 0);
	ck_assert_int_eq(websocket_close(peer.websocket, 1000, too_long), -EINVAL);
	ck_assert_int_eq(websocket_close(peer.websocket, 1000, "\xff"), -EINVAL);
	ck_assert_int_eq(websocket_close(peer.websocket, WEBSOCKET_CODE_NONE, "no code, no reason"), -EINVAL);
	peer_expect_silence(&peer);
	ck_assert_int_eq(websocket_close(peer.websocket, 1000, longest), 0);
	ck_assert_uint_eq(peer.output.length, 2 + WEBSOCKET_CONTROL_MAX);
	ck_assert_int_eq(memcmp(peer.output.bytes + 4, longest, WEBSOCKET_REASON_MAX), 0);
	peer_finish(&peer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("websocket_close");
	TCase *tcase = tcase_create("websocket_close");

	tcase_add_loop_test(tcase, test_a_close_is_answered_and_ends_all, 0, CUTS);
	tcase_add_loop_test(tcase, test_a_close_without_a_code, 0, CUTS);
	tcase_add_loop_test(tcase, test_good_close_codes, 0, LENGTH(good_codes) * CUTS);
	tcase_add_loop_test(tcase, test_bad_close_codes_are_protocol_errors, 0, LENGTH(bad_codes) * CUTS);
	tcase_add_loop_test(tcase, test_broken_close_frames, 0, LENGTH(broken) * CUTS);
	tcase_add_loop_test(tcase, test_our_close_waits_for_the_client, 0, CUTS);
	tcase_add_loop_test(tcase, test_what_came_before_our_close_can_be_taken, 0, CUTS);
	tcase_add_loop_test(tcase, test_errors_while_closing_are_not_answered, 0, CUTS);
	tcase_add_test(tcase, test_reasons_of_our_own);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
