/*
 * test_http_forwarded.c - whom the headers of trusted proxies name as the client.
 *
 * The peer is 127.0.0.1, port 1111, on http; trusted are 127.0.0.1, 10.0.0.0/8 and 2001:db8:ffff::/48.
 */
#include "unit.h"

#include "forwarded.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define PEER          "127.0.0.1 1111 http"

/** Header lines, "name: value" each, and what comes of them as "HOST PORT SCHEME". */
static const struct {
	const char *lines;
	const char *client;
} cases[] = {
	{ "", PEER },
	{ "host: a\nx-real-ip: 203.0.113.9", PEER },
	/* X-Forwarded-For: the nearest hop that is not trusted */
	{ "x-forwarded-for: 203.0.113.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 203.0.113.1:4711", "203.0.113.1 4711 http" },
	{ "x-forwarded-for: 2001:db8::1", "2001:db8::1 0 http" },
	{ "x-forwarded-for: [2001:db8::1]", "2001:db8::1 0 http" },
	{ "x-forwarded-for: [2001:db8::1]:80", "2001:db8::1 80 http" },
	{ "x-forwarded-for: ::ffff:203.0.113.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 1.1.1.1, 203.0.113.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 1.1.1.1,203.0.113.1,10.1.1.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 1.1.1.1, 203.0.113.1, 10.1.1.1, 10.2.2.2:99", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 203.0.113.1, 2001:db8:ffff::1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 203.0.113.1 ,\t10.1.1.1 ", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 203.0.113.1,, ,10.1.1.1,", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 1.1.1.1\nhost: a\nx-forwarded-for: 203.0.113.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 203.0.113.1\nx-forwarded-for: 10.1.1.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 203.0.113.1\nx-forwarded-for:", "203.0.113.1 0 http" },
	/* all are trusted: the far end */
	{ "x-forwarded-for: 10.1.1.1", "10.1.1.1 0 http" },
	{ "x-forwarded-for: 10.3.3.3, 10.1.1.1", "10.3.3.3 0 http" },
	/* what makes no sense ends the walk at the hop that said it */
	{ "x-forwarded-for:", PEER },
	{ "x-forwarded-for: ,", PEER },
	{ "x-forwarded-for: unknown", PEER },
	{ "x-forwarded-for: 203.0.113.1, unknown", PEER },
	{ "x-forwarded-for: 203.0.113.1, nonsense, 10.1.1.1", "10.1.1.1 0 http" },
	{ "x-forwarded-for: nonsense, 203.0.113.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: \", 203.0.113.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: \"203.0.113.1\"", PEER },
	{ "x-forwarded-for: 203.0.113.1:", PEER },
	{ "x-forwarded-for: 203.0.113.1:65536", PEER },
	{ "x-forwarded-for: 203.0.113.1:123456", PEER },
	{ "x-forwarded-for: 203.0.113.1:8o", PEER },
	{ "x-forwarded-for: [203.0.113.1]", PEER },
	{ "x-forwarded-for: [2001:db8::1", PEER },
	{ "x-forwarded-for: 2001:db8::1]", PEER },
	{ "x-forwarded-for: [2001:db8::1]80", PEER },
	{ "x-forwarded-for: [2001:db8::1]:", PEER },
	{ "x-forwarded-for: []", PEER },
	{ "x-forwarded-for: [", PEER },
	{ "x-forwarded-for: :", PEER },
	{ "x-forwarded-for: fe80::1%eth0", PEER },
	{ "x-forwarded-for: for=203.0.113.1", PEER },
	{ "x-forwarded-for: 203.0.113.1 10.1.1.1", PEER },
	/* X-Forwarded-Proto */
	{ "x-forwarded-proto: https", "127.0.0.1 1111 https" },
	{ "x-forwarded-proto: HTTPS", "127.0.0.1 1111 https" },
	{ "x-forwarded-proto: wss", "127.0.0.1 1111 https" },
	{ "x-forwarded-proto: ws", PEER },
	{ "x-forwarded-proto: httpss", PEER },
	{ "x-forwarded-proto: http", PEER },
	{ "x-forwarded-proto: https,", "127.0.0.1 1111 https" },
	{ "x-forwarded-proto: http, https", "127.0.0.1 1111 https" },
	{ "x-forwarded-proto: https, http", PEER },
	{ "x-forwarded-for: 203.0.113.1\nx-forwarded-proto: https", "203.0.113.1 0 https" },
	{ "x-forwarded-for: 203.0.113.1, 10.1.1.1\nx-forwarded-proto: https", "203.0.113.1 0 https" },
	{ "x-forwarded-for: 203.0.113.1, 10.1.1.1\nx-forwarded-proto: https, http", "203.0.113.1 0 https" },
	{ "x-forwarded-for: 203.0.113.1, 10.1.1.1\nx-forwarded-proto: http, https", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 1.1.1.1, 203.0.113.1\nx-forwarded-proto: https, http", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 203.0.113.1, 10.1.1.1\nx-forwarded-proto: http, https, http", "203.0.113.1 0 http" },
	{ "x-forwarded-for: 10.2.2.2, 10.1.1.1\nx-forwarded-proto: https, http", "10.2.2.2 0 https" },
	{ "x-forwarded-for: 203.0.113.1, 10.1.1.1\nx-forwarded-proto: what, https", "203.0.113.1 0 https" },
	/* Forwarded */
	{ "forwarded: for=203.0.113.1", "203.0.113.1 0 http" },
	{ "forwarded: For=203.0.113.1;PROTO=HTTPS;by=10.1.1.1;host=example.org", "203.0.113.1 0 https" },
	{ "forwarded: for=\"203.0.113.1:4711\"; proto=\"https\"", "203.0.113.1 4711 https" },
	{ "forwarded: for=\"[2001:db8::1]:4711\"", "2001:db8::1 4711 http" },
	{ "forwarded: for=\"[2001:db8::1]:_hidden\"", "2001:db8::1 0 http" },
	{ "forwarded: for=203.0.113.1:80", "203.0.113.1 80 http" },
	{ "forwarded: for=1.1.1.1;proto=http, for=203.0.113.1;proto=https", "203.0.113.1 0 https" },
	{ "forwarded: for=203.0.113.1;proto=https, for=10.1.1.1;proto=http", "203.0.113.1 0 https" },
	{ "forwarded: for=203.0.113.1, for=10.1.1.1;proto=https", "203.0.113.1 0 https" },
	{ "forwarded: for=203.0.113.1\nforwarded: for=10.1.1.1", "203.0.113.1 0 http" },
	{ "forwarded: for=1.1.1.1;host=\"a,b;c\", for=10.1.1.1;host=\"x, for=2.2.2.2\"", "1.1.1.1 0 http" },
	{ "forwarded: proto=https", "127.0.0.1 1111 https" },
	{ "forwarded: for=203.0.113.1, proto=https", "127.0.0.1 1111 https" },
	{ "forwarded: for=203.0.113.1;", "203.0.113.1 0 http" },
	/* hidden ones */
	{ "forwarded: for=unknown;proto=https", "127.0.0.1 1111 https" },
	{ "forwarded: for=_hidden, for=10.1.1.1", "10.1.1.1 0 http" },
	{ "forwarded: for=203.0.113.1, for=_hidden", PEER },
	{ "forwarded: for=\"_hidden:80\"", PEER },
	/* a quote that the client leaves open does not hide what the proxy adds */
	{ "forwarded: for=\", for=203.0.113.1", "203.0.113.1 0 http" },
	{ "forwarded: for=\"x, for=\"[2001:db8::1]\"", "2001:db8::1 0 http" },
	{ "forwarded: for=\"\nforwarded: for=203.0.113.1", "203.0.113.1 0 http" },
	/* malformed */
	{ "forwarded:", PEER },
	{ "forwarded: ;", PEER },
	{ "forwarded: for", PEER },
	{ "forwarded: for=", PEER },
	{ "forwarded: =203.0.113.1", PEER },
	{ "forwarded: for=\"", PEER },
	{ "forwarded: for=\"203.0.113.1", PEER },
	{ "forwarded: for=\"203.0.113.1\\\"", PEER },
	{ "forwarded: for=\"\\203.0.113.1\"", PEER },
	{ "forwarded: for=203.0.113.1 proto=https", PEER },
	{ "forwarded: for = 203.0.113.1", PEER },
	{ "forwarded: for=203.0.113.1;for=203.0.113.2", PEER },
	{ "forwarded: for=\"\";for=203.0.113.2", PEER },
	{ "forwarded: for=203.0.113.1;proto=https;proto=http", PEER },
	{ "forwarded: for=203.0.113.1;proto=https;(", PEER },
	{ "forwarded: for=2001:db8::1", "2001:db8::1 0 http" },
	{ "forwarded: for=203.0.113.1;proto=gopher", "203.0.113.1 0 http" },
	/* both */
	{ "forwarded: for=1.1.1.1;proto=https\nx-forwarded-for: 203.0.113.1", "203.0.113.1 0 http" },
	{ "x-forwarded-for: unknown\nforwarded: for=1.1.1.1;proto=https", PEER },
	{ "forwarded: for=203.0.113.1;proto=https\nx-forwarded-for:", "203.0.113.1 0 https" },
	{ "forwarded: for=203.0.113.1\nx-forwarded-proto: https", "203.0.113.1 0 https" },
};

/** Headers of lines in memory of exactly their size. @return how many */
static uint32_t headers_make(const char *lines, struct unicorn_header *headers)
{
	uint32_t count = 0;

	while (*lines != '\0') {
		const size_t length = strcspn(lines, "\n");
		const size_t name_length = strcspn(lines, ":");
		const char *value = lines + name_length + 1;
		size_t value_length = length - name_length - 1;

		if (value_length > 0 && *value == ' ') {
			value++;
			value_length--;
		}
		headers[count].name = strndup(lines, name_length);
		headers[count].value = strndup(value, value_length);
		headers[count].name_length = (uint32_t)name_length;
		headers[count].value_length = (uint32_t)value_length;
		count++;
		lines += length + (lines[length] == '\n' ? 1 : 0);
	}
	return count;
}

static void headers_free(struct unicorn_header *headers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		free((void *)(uintptr_t)headers[i].name);
		free((void *)(uintptr_t)headers[i].value);
	}
}

static void check_client(const char *trusted, const char *lines, const char *expected)
{
	struct forwarded_client client = { .host = "127.0.0.1", .port = 1111, .is_https = false };
	struct trusted_peers peers = { 0 };
	struct unicorn_header headers[8];
	const uint32_t count = headers_make(lines, headers);
	char text[ADDRESS_TEXT_BYTES + 32];
	char error[256];

	ck_assert(trusted_peers_add(&peers, trusted, error, sizeof(error)));
	forwarded_resolve(&peers, headers, count, &client);
	(void)snprintf(text, sizeof(text), "%s %u %s", client.host, (unsigned)client.port,
		       client.is_https ? "https" : "http");
	ck_assert_msg(strcmp(text, expected) == 0, "%s\nis %s\nnot %s", lines, text, expected);
	headers_free(headers, count);
	trusted_peers_finish(&peers);
}

START_TEST(test_clients)
{
	check_client("127.0.0.1,10.0.0.0/8,2001:db8:ffff::/48", cases[_i].lines, cases[_i].client);
}
END_TEST

START_TEST(test_other_lists)
{
	check_client("*", "x-forwarded-for: 203.0.113.1, 1.1.1.1, 2.2.2.2", "203.0.113.1 0 http");
	check_client("unix", "x-forwarded-for: 203.0.113.1, 10.1.1.1", "10.1.1.1 0 http");
	check_client("127.0.0.1", "forwarded: for=203.0.113.1, for=10.1.1.1", "10.1.1.1 0 http");
}
END_TEST

START_TEST(test_http_takes_the_place_of_https)
{
	static const struct unicorn_header headers[] = { UNICORN_HEADER("x-forwarded-proto", "http") };
	struct forwarded_client client = { .host = "::1", .port = 1, .is_https = true };
	const struct trusted_peers nobody = { 0 };

	forwarded_resolve(&nobody, headers, 0, &client);
	ck_assert(client.is_https);
	forwarded_resolve(&nobody, headers, 1, &client);
	ck_assert(!client.is_https);
	ck_assert_str_eq(client.host, "::1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forwarded");
	TCase *test = tcase_create("forwarded");

	tcase_add_loop_test(test, test_clients, 0, LENGTH(cases));
	tcase_add_test(test, test_other_lists);
	tcase_add_test(test, test_http_takes_the_place_of_https);
	suite_add_tcase(suite, test);
	return unit_run(suite);
}
