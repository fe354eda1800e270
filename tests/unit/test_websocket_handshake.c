/*
 * test_websocket_handshake.c - which requests may become a WebSocket, what is answered, and which offers of compression
 * are accepted.
 */
#include "sha1.h"
#include "unit.h"
#include "websocket_handshake.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define HEADERS       8

#define UPGRADE_LINE    "upgrade: websocket"
#define CONNECTION_LINE "connection: Upgrade"
#define KEY_LINE        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="
#define VERSION_LINE    "sec-websocket-version: 13"

/* ---- SHA-1: examples of FIPS 180, and lengths around the size of a block */

static const struct {
	const char *text;
	size_t length; /**< 0: the text's; else its first letter so often */
	const char *digest;
} digests[] = {
	{ "", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ "abc", 0, "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 0, "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	{ "a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
	{ "a", 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
	{ "a", 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
	{ "a", 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
	{ "a", 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
	{ "a", 65, "11655326c708d70319be2610e8a57d9a5b959d3b" },
};

START_TEST(test_sha1)
{
	size_t length = digests[_i].length > 0 ? digests[_i].length : strlen(digests[_i].text);
	uint8_t digest[SHA1_BYTES];
	char *bytes = malloc(length + 1);
	char text[2 * SHA1_BYTES + 1];

	ck_assert_ptr_nonnull(bytes);
	if (digests[_i].length > 0)
		memset(bytes, digests[_i].text[0], length);
	else
		memcpy(bytes, digests[_i].text, length);
	sha1_digest(bytes, length, digest);
	for (size_t i = 0; i < SHA1_BYTES; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", (unsigned)digest[i]);
	ck_assert_str_eq(text, digests[_i].digest);
	free(bytes);
}
END_TEST

/* ---- requests */

struct request {
	struct unicorn_header headers[HEADERS];
	struct unicorn_head head;
};

/** Makes a head of lines "name: value"; the strings are not ended by a NUL where the parts end. */
static void request_init(struct request *request, const char *method, int minor_version, const char *const *lines)
{
	uint32_t count = 0;

	for (; count < HEADERS && lines[count] != NULL; count++) {
		const char *line = lines[count];
		size_t name_length = strcspn(line, ":");

		request->headers[count] = (struct unicorn_header){
			.name = line,
			.name_length = (uint32_t)name_length,
			.value = line + name_length + 2,
			.value_length = (uint32_t)strlen(line + name_length + 2),
		};
	}
	request->head = (struct unicorn_head){
		.method = method,
		.method_length = (uint32_t)strlen(method),
		.minor_version = minor_version,
		.headers = request->headers,
		.header_count = count,
	};
}

static const struct {
	const char *lines[HEADERS];
	enum websocket_request verdict;
} requests[] = {
	{ { "host: x", UPGRADE_LINE, CONNECTION_LINE, KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_GOOD },
	{ { "upgrade: WebSocket", "connection: keep-alive, UPGRADE", KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_GOOD },
	{ { "upgrade: h2c, websocket", "connection: keep-alive", CONNECTION_LINE, KEY_LINE, VERSION_LINE },
	  WEBSOCKET_REQUEST_GOOD },
	/* something else is asked for */
	{ { "host: x" }, WEBSOCKET_REQUEST_NONE },
	{ { CONNECTION_LINE, KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_NONE },
	{ { UPGRADE_LINE, KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_NONE },
	{ { UPGRADE_LINE, "connection: close", KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_NONE },
	{ { "upgrade: h2c", CONNECTION_LINE, KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_NONE },
	{ { "upgrade: websockets", CONNECTION_LINE, KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_NONE },
	/* another version */
	{ { UPGRADE_LINE, CONNECTION_LINE, KEY_LINE }, WEBSOCKET_REQUEST_VERSION },
	{ { UPGRADE_LINE, CONNECTION_LINE, KEY_LINE, "sec-websocket-version: 8" }, WEBSOCKET_REQUEST_VERSION },
	{ { UPGRADE_LINE, CONNECTION_LINE, KEY_LINE, "sec-websocket-version: 013" }, WEBSOCKET_REQUEST_VERSION },
	{ { UPGRADE_LINE, CONNECTION_LINE, KEY_LINE, "sec-websocket-version: 13, 8" }, WEBSOCKET_REQUEST_VERSION },
	{ { UPGRADE_LINE, CONNECTION_LINE, KEY_LINE, "sec-websocket-version: " }, WEBSOCKET_REQUEST_VERSION },
	/* no key, or none of sixteen bytes */
	{ { UPGRADE_LINE, CONNECTION_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_BAD },
	{ { UPGRADE_LINE, CONNECTION_LINE, VERSION_LINE, "sec-websocket-key: " }, WEBSOCKET_REQUEST_BAD },
	{ { UPGRADE_LINE, CONNECTION_LINE, VERSION_LINE, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ" },
	  WEBSOCKET_REQUEST_BAD },
	{ { UPGRADE_LINE, CONNECTION_LINE, VERSION_LINE, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ= " },
	  WEBSOCKET_REQUEST_BAD },
	{ { UPGRADE_LINE, CONNECTION_LINE, VERSION_LINE, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQAA" },
	  WEBSOCKET_REQUEST_BAD },
	{ { UPGRADE_LINE, CONNECTION_LINE, VERSION_LINE, "sec-websocket-key: dGhlIHNhbXBsZ!Bub25jZQ==" },
	  WEBSOCKET_REQUEST_BAD },
	{ { UPGRADE_LINE, CONNECTION_LINE, VERSION_LINE, "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==A" },
	  WEBSOCKET_REQUEST_BAD },
	/* twice */
	{ { UPGRADE_LINE, CONNECTION_LINE, KEY_LINE, KEY_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_BAD },
	{ { UPGRADE_LINE, CONNECTION_LINE, KEY_LINE, VERSION_LINE, VERSION_LINE }, WEBSOCKET_REQUEST_BAD },
};

START_TEST(test_requests)
{
	struct websocket_handshake handshake;
	struct request request;

	request_init(&request, "GET", 1, requests[_i].lines);
	ck_assert_int_eq(websocket_handshake_parse(&handshake, &request.head), requests[_i].verdict);
	request_init(&request, "POST", 1, requests[_i].lines);
	ck_assert_int_eq(websocket_handshake_parse(&handshake, &request.head), WEBSOCKET_REQUEST_NONE);
	request_init(&request, "GET", 0, requests[_i].lines);
	ck_assert_int_eq(websocket_handshake_parse(&handshake, &request.head), WEBSOCKET_REQUEST_NONE);
}
END_TEST

START_TEST(test_a_body_is_not_allowed)
{
	struct websocket_handshake handshake;
	struct request request;

	request_init(&request, "GET", 1, requests[0].lines);
	request.head.content_length = -1;
	ck_assert_int_eq(websocket_handshake_parse(&handshake, &request.head), WEBSOCKET_REQUEST_BAD);
	request.head.content_length = 5;
	ck_assert_int_eq(websocket_handshake_parse(&handshake, &request.head), WEBSOCKET_REQUEST_BAD);
}
END_TEST

START_TEST(test_the_answer_of_the_standard)
{
	struct websocket_handshake handshake;
	struct request request;
	char value[WEBSOCKET_EXTENSIONS_SIZE];

	request_init(&request, "GET", 1, requests[0].lines);
	ck_assert_int_eq(websocket_handshake_parse(&handshake, &request.head), WEBSOCKET_REQUEST_GOOD);
	websocket_handshake_accept_value(&handshake, value);
	ck_assert_str_eq(value, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	ck_assert_uint_eq(websocket_handshake_extensions(&handshake, value), 0);
	ck_assert_str_eq(value, "");
}
END_TEST

/* ---- offers */

#define DEFLATE    "permessage-deflate"
#define EXTENSIONS "sec-websocket-extensions: "

static const struct {
	const char *offers[2];
	const char *answer;
	int server_bits;
	int client_bits;
} offers[] = {
	{ { EXTENSIONS DEFLATE }, DEFLATE, 12, 15 },
	/* what browsers send */
	{ { EXTENSIONS DEFLATE "; client_max_window_bits" }, DEFLATE "; client_max_window_bits=12", 12, 12 },
	{ { EXTENSIONS DEFLATE ";client_max_window_bits;server_max_window_bits=10" },
	  DEFLATE "; server_max_window_bits=10; client_max_window_bits=12",
	  10,
	  12 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=15; client_max_window_bits=15" },
	  DEFLATE "; server_max_window_bits=12; client_max_window_bits=12",
	  12,
	  12 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=9; client_max_window_bits=8" },
	  DEFLATE "; server_max_window_bits=9; client_max_window_bits=8",
	  9,
	  8 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=\"9\" ;\tclient_max_window_bits = \"9\"" },
	  DEFLATE "; server_max_window_bits=9; client_max_window_bits=9",
	  9,
	  9 },
	{ { EXTENSIONS DEFLATE "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; "
			       "client_max_window_bits=12" },
	  DEFLATE "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; "
		  "client_max_window_bits=12",
	  12,
	  12 },
	/* the first that can be accepted */
	{ { EXTENSIONS "x-webkit-deflate-frame, " DEFLATE }, DEFLATE, 12, 15 },
	{ { EXTENSIONS "x; a=1; b=\"c\", ," DEFLATE "; x, " DEFLATE "; client_no_context_takeover" },
	  DEFLATE "; client_no_context_takeover",
	  12,
	  15 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=8, " DEFLATE }, DEFLATE, 12, 15 },
	{ { EXTENSIONS "x", EXTENSIONS DEFLATE }, DEFLATE, 12, 15 },
	{ { EXTENSIONS DEFLATE "; y", EXTENSIONS DEFLATE "; server_no_context_takeover" },
	  DEFLATE "; server_no_context_takeover",
	  12,
	  15 },
	/* none */
	{ { EXTENSIONS }, "", 0, 0 },
	{ { EXTENSIONS "x" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "2" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; unknown" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; unknown=1" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_no_context_takeover=1" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_no_context_takeover=true" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_no_context_takeover; server_no_context_takeover" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_no_context_takeover; client_no_context_takeover" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_max_window_bits; client_max_window_bits" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=10; server_max_window_bits=10" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=7" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=8" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=16" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=010" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=09" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=1x" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; server_max_window_bits=-9" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_max_window_bits=7" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_max_window_bits=16" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_max_window_bits=100" }, "", 0, 0 },
	/* no list of extensions */
	{ { EXTENSIONS DEFLATE ";" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_max_window_bits=" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_max_window_bits=\"9" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE "; client_max_window_bits=\"\"" }, "", 0, 0 },
	{ { EXTENSIONS DEFLATE " client_max_window_bits" }, "", 0, 0 },
	{ { EXTENSIONS "; " DEFLATE }, "", 0, 0 },
	{ { EXTENSIONS "=, " DEFLATE }, "", 0, 0 },
	{ { EXTENSIONS "(), " DEFLATE }, "", 0, 0 },
	{ { EXTENSIONS ",,, ," }, "", 0, 0 },
};

START_TEST(test_offers)
{
	const char *lines[HEADERS] = { UPGRADE_LINE, CONNECTION_LINE,      KEY_LINE,
				       VERSION_LINE, offers[_i].offers[0], offers[_i].offers[1] };
	struct websocket_handshake handshake;
	struct request request;
	char answer[WEBSOCKET_EXTENSIONS_SIZE];

	request_init(&request, "GET", 1, lines);
	ck_assert_int_eq(websocket_handshake_parse(&handshake, &request.head), WEBSOCKET_REQUEST_GOOD);
	ck_assert_uint_eq(websocket_handshake_extensions(&handshake, answer), strlen(offers[_i].answer));
	ck_assert_str_eq(answer, offers[_i].answer);
	ck_assert_int_eq(handshake.has_deflate, offers[_i].answer[0] != '\0');
	if (handshake.has_deflate) {
		ck_assert_int_eq(handshake.deflate.server_window_bits, offers[_i].server_bits);
		ck_assert_int_eq(handshake.deflate.client_window_bits, offers[_i].client_bits);
	}
	handshake.has_deflate = false;
	ck_assert_uint_eq(websocket_handshake_extensions(&handshake, answer), 0);
}
END_TEST

/* ---- subprotocols */

START_TEST(test_subprotocols)
{
	static const char *const lines[] = { "sec-websocket-protocol: chat, superchat",
					     "host: x",
					     "sec-websocket-protocol: ",
					     "sec-websocket-protocol: ,v1.json ,, mqtt, bad@, never",
					     "sec-websocket-protocol: last",
					     NULL };
	static const char *const names[] = { "chat", "superchat", "v1.json", "mqtt", "bad", "last" };
	struct websocket_subprotocol subprotocol = { 0 };
	struct request request;

	request_init(&request, "GET", 1, lines);
	for (int i = 0; i < LENGTH(names); i++) {
		ck_assert(websocket_subprotocol_next(&subprotocol, &request.head));
		ck_assert_uint_eq(subprotocol.length, strlen(names[i]));
		ck_assert_int_eq(memcmp(subprotocol.name, names[i], subprotocol.length), 0);
		ck_assert(websocket_subprotocol_is_offered(&request.head, names[i]));
	}
	ck_assert(!websocket_subprotocol_next(&subprotocol, &request.head));
	ck_assert(!websocket_subprotocol_next(&subprotocol, &request.head));
	ck_assert(!websocket_subprotocol_is_offered(&request.head, "cha"));
	ck_assert(!websocket_subprotocol_is_offered(&request.head, "Chat"));
	ck_assert(!websocket_subprotocol_is_offered(&request.head, ""));
	ck_assert(!websocket_subprotocol_is_offered(&request.head, "never"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("websocket_handshake");
	TCase *tcase = tcase_create("websocket_handshake");

	tcase_add_loop_test(tcase, test_sha1, 0, LENGTH(digests));
	tcase_add_loop_test(tcase, test_requests, 0, LENGTH(requests));
	tcase_add_test(tcase, test_a_body_is_not_allowed);
	tcase_add_test(tcase, test_the_answer_of_the_standard);
	tcase_add_loop_test(tcase, test_offers, 0, LENGTH(offers));
	tcase_add_test(tcase, test_subprotocols);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
