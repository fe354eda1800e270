/*
 * test_http_proxy_protocol.c - headers of the PROXY protocol, whole, in pieces, and wrong ones.
 */
#include "unit.h"

#include "address_text.h"
#include "proxy_protocol.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))
/** Bytes of a literal without its NUL. */
#define BYTES(literal) (literal), sizeof(literal) - 1

#define SIGNATURE     "\r\n\r\n\0\r\nQUIT\n"
#define IPV6_A        "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define IPV6_B        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
#define ZEROS_10      "\0\0\0\0\0\0\0\0\0\0"
#define ZEROS_100     ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10
#define CHARACTERS_50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *bytes;
	size_t length;
	const char *source; /* NULL: the socket's addresses hold */
	const char *destination;
} headers[] = {
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"), "192.0.2.1:56324", "192.0.2.2:443" },
	{ BYTES("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), "0.0.0.0:0", "255.255.255.255:65535" },
	{ BYTES("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), "2001:db8::1:1", "::1:2" },
	{ BYTES("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"), "192.0.2.1:1", "::1:2" },
	{ BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
		"65535\r\n"),
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535" },
	{ BYTES("PROXY UNKNOWN\r\n"), NULL, NULL },
	{ BYTES("PROXY UNKNOWN whatever is here\r\n"), NULL, NULL },
	{ BYTES("PROXY UNKNOWN " CHARACTERS_50 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"), NULL, NULL },
	{ BYTES(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbb"), "192.0.2.1:56324", "192.0.2.2:443" },
	{ BYTES(SIGNATURE "\x21\x12\0\x0c\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbb"), "192.0.2.1:56324", "192.0.2.2:443" },
	{ BYTES(SIGNATURE "\x21\x21\0\x24" IPV6_A IPV6_B "\0\1\0\2"), "2001:db8::1:1", "::1:2" },
	{ BYTES(SIGNATURE "\x21\x11\0\x14\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbb\3\0\4abcd\x20"), "192.0.2.1:56324",
	  "192.0.2.2:443" },
	{ BYTES(SIGNATURE "\x21\x31\0\xd8/run/a.sock" ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10 ZEROS_10
			ZEROS_10 ZEROS_10 "\0\0\0\0\0\0\0@name" ZEROS_100 "\0\0\0"),
	  "/run/a.sock:0", "@name:0" },
	{ BYTES(SIGNATURE "\x20\0\0\0"), NULL, NULL },
	{ BYTES(SIGNATURE "\x20\x7f\0\3abc"), NULL, NULL },
	{ BYTES(SIGNATURE "\x20\x11\0\0"), NULL, NULL },
	{ BYTES(SIGNATURE "\x21\0\0\0"), NULL, NULL },
	{ BYTES(SIGNATURE "\x21\0\0\2ab"), NULL, NULL },
};

static void check_address(const struct sockaddr_storage *address, socklen_t length, const char *expected)
{
	char host[ADDRESS_TEXT_BYTES];
	char text[ADDRESS_TEXT_BYTES + 8];
	const unsigned port = address_text_print(address, length, host);

	if (expected == NULL) {
		ck_assert_int_eq(address->ss_family, AF_UNSPEC);
		ck_assert_uint_eq(length, 0);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s:%u", host, port);
	ck_assert_str_eq(text, expected);
}

static enum proxy_result parse_copy(const char *bytes, size_t length, struct proxy_header *header)
{
	char *exact = malloc(length > 0 ? length : 1);
	enum proxy_result result;

	ck_assert_ptr_nonnull(exact);
	memcpy(exact, bytes, length);
	result = proxy_protocol_parse(exact, length, header);
	free(exact);
	return result;
}

START_TEST(test_headers)
{
	struct proxy_header header;

	for (size_t length = 0; length < headers[_i].length; length++)
		ck_assert_msg(parse_copy(headers[_i].bytes, length, &header) == PROXY_NEED_MORE, "%zu bytes of %d",
			      length, _i);
	ck_assert_int_eq(parse_copy(headers[_i].bytes, headers[_i].length, &header), PROXY_DONE);
	ck_assert_uint_eq(header.consumed, headers[_i].length);
	ck_assert(header.is_local == (headers[_i].source == NULL));
	check_address(&header.source, header.source_length, headers[_i].source);
	check_address(&header.destination, header.destination_length, headers[_i].destination);
}
END_TEST

START_TEST(test_what_follows_is_not_consumed)
{
	static const char next[] = "GET / HTTP/1.1\r\n\r\n";
	char bytes[512];
	struct proxy_header header;

	memcpy(bytes, headers[_i].bytes, headers[_i].length);
	memcpy(bytes + headers[_i].length, next, sizeof(next));
	ck_assert_int_eq(parse_copy(bytes, headers[_i].length + sizeof(next), &header), PROXY_DONE);
	ck_assert_uint_eq(header.consumed, headers[_i].length);
}
END_TEST

static const struct {
	const char *bytes;
	size_t length;
} wrong[] = {
	{ BYTES("G") },
	{ BYTES("GET / HTTP/1.1\r\n\r\n") },
	{ BYTES("PROXX") },
	{ BYTES("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n") },
	{ BYTES(" PROXY") },
	{ BYTES("\x16\x03\x01") },
	{ BYTES("PROXY\t") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rx") },
	{ BYTES("PROXY TCP4\t192.0.2.1") },
	{ BYTES("PROXY TCP4\0") },
	{ BYTES("PROXY TCP4 192.0.2.1\0 192.0.2.2 1 2\r\n") },
	{ BYTES("PROXY \r\n") },
	{ BYTES("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n") },
	{ BYTES("PROXY TCP4\r\n") },
	{ BYTES("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 999999\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n") },
	{ BYTES("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n") },
	{ BYTES("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n") },
	{ BYTES("PROXY TCP4 ::1 ::1 1 2\r\n") },
	{ BYTES("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n") },
	{ BYTES("PROXY TCP6 [::1] ::1 1 2\r\n") },
	{ BYTES("PROXY TCP6 fe80::1%1 ::1 1 2\r\n") },
	{ BYTES("PROXY UNKNOWNS\r\n") },
	{ BYTES("PROXY UNKNOWN " CHARACTERS_50 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n") },
	{ BYTES("PROXY UNKNOWN " CHARACTERS_50 CHARACTERS_50) },
	{ BYTES("\r\n\r\n\1") },
	{ BYTES("\r\n\r\nGET") },
	{ BYTES(SIGNATURE "\x11") },
	{ BYTES(SIGNATURE "\x22") },
	{ BYTES(SIGNATURE "\x31") },
	{ BYTES(SIGNATURE "\x21\x10") },
	{ BYTES(SIGNATURE "\x21\x13") },
	{ BYTES(SIGNATURE "\x21\x41") },
	{ BYTES(SIGNATURE "\x21\1") },
	{ BYTES(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\xdc\4\1") },
	{ BYTES(SIGNATURE "\x21\x11\0\0") },
	{ BYTES(SIGNATURE "\x21\x21\0\x23" IPV6_A IPV6_B "\0\1\0") },
	{ BYTES(SIGNATURE "\x21\x31\0\xd7" ZEROS_100 ZEROS_100 ZEROS_10 "\0\0\0\0\0") },
	{ BYTES(SIGNATURE "\x21\x11\x0f\xf1") },
	{ BYTES(SIGNATURE "\x20\0\xff\xff") },
};

START_TEST(test_wrong_headers)
{
	struct proxy_header header;

	ck_assert_int_eq(parse_copy(wrong[_i].bytes, wrong[_i].length, &header), PROXY_BAD);
}
END_TEST

START_TEST(test_longest_header)
{
	static const char start[] = SIGNATURE "\x21\x11\x0f\xf0\xc0\0\2\1\xc0\0\2\2\xdc\4\1\xbb";
	char bytes[PROXY_HEADER_BYTES_MAX] = "";
	struct proxy_header header;

	memcpy(bytes, start, sizeof(start) - 1);
	ck_assert_int_eq(proxy_protocol_parse(bytes, sizeof(bytes) - 1, &header), PROXY_NEED_MORE);
	ck_assert_int_eq(proxy_protocol_parse(bytes, sizeof(bytes), &header), PROXY_DONE);
	ck_assert_uint_eq(header.consumed, sizeof(bytes));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("PROXY protocol");
	TCase *test = tcase_create("PROXY protocol");

	tcase_add_loop_test(test, test_headers, 0, LENGTH(headers));
	tcase_add_loop_test(test, test_what_follows_is_not_consumed, 0, LENGTH(headers));
	tcase_add_loop_test(test, test_wrong_headers, 0, LENGTH(wrong));
	tcase_add_test(test, test_longest_header);
	suite_add_tcase(suite, test);
	return unit_run(suite);
}
