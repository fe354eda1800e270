/*
 * test_http_option_values.c - values of the workers' options, and what is said about wrong ones.
 */
#include "unit.h"

#include "option_values.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
	const char *text;
	bool valid;
	int64_t value;
} durations[] = {
	{ "0", true, 0 },
	{ "250ms", true, 250 },
	{ "30s", true, 30000 },
	{ "5m", true, 300000 },
	{ "1h30m", true, 5400000 },
	{ "1d", true, 86400000 },
	{ "1.5s", true, 1500 },
	{ "0.25m", true, 15000 },
	{ "0s", true, 0 },
	{ "1.0000001s", false, 0 },
	{ "", false, 0 },
	{ "30", false, 0 },
	{ "s", false, 0 },
	{ "-1s", false, 0 },
	{ "+1s", false, 0 },
	{ " 1s", false, 0 },
	{ "1s ", false, 0 },
	{ "1 s", false, 0 },
	{ "1.s", false, 0 },
	{ ".5s", false, 0 },
	{ "1w", false, 0 },
	{ "1S", false, 0 },
	{ "1s30", false, 0 },
	{ "106751991167d", true, 106751991167 * 86400000 },
	{ "106751991168d", false, 0 },
	{ "106751991167d106751991167d", false, 0 },
	{ "99999999999999999999ms", false, 0 },
};

START_TEST(test_durations)
{
	char error[OPTION_ERROR_SIZE] = "";
	int64_t value = 42;
	const bool valid = option_duration_parse(durations[_i].text, &value, error, sizeof(error));

	ck_assert_msg(valid == durations[_i].valid, "%s", durations[_i].text);
	ck_assert_int_eq(value, valid ? durations[_i].value : 42);
	ck_assert_msg((strstr(error, "30s") != NULL) == !valid, "%s", error);
}
END_TEST

static const struct {
	const char *text;
	bool valid;
	int64_t value;
} sizes[] = {
	{ "0", true, 0 },
	{ "65536", true, 65536 },
	{ "64k", true, 65536 },
	{ "64K", true, 65536 },
	{ "512m", true, 512LL << 20 },
	{ "1g", true, 1LL << 30 },
	{ "unlimited", true, OPTION_SIZE_UNLIMITED },
	{ "9223372036854775807", true, INT64_MAX },
	{ "8589934591g", true, 8589934591LL << 30 },
	{ "8589934592g", false, 0 },
	{ "9223372036854775808", false, 0 },
	{ "", false, 0 },
	{ "k", false, 0 },
	{ "64kb", false, 0 },
	{ "64 k", false, 0 },
	{ "-1", false, 0 },
	{ "1.5k", false, 0 },
	{ "1t", false, 0 },
	{ "1\vk", false, 0 },
	{ "Unlimited", false, 0 },
};

START_TEST(test_sizes)
{
	char error[OPTION_ERROR_SIZE] = "";
	int64_t value = 42;
	const bool valid = option_size_parse(sizes[_i].text, &value, error, sizeof(error));

	ck_assert_msg(valid == sizes[_i].valid, "%s", sizes[_i].text);
	ck_assert_int_eq(value, valid ? sizes[_i].value : 42);
	ck_assert_msg((strstr(error, "64k") != NULL) == !valid, "%s", error);
}
END_TEST

static const struct {
	const char *text;
	bool valid;
	int64_t value;
} numbers[] = {
	{ "1", true, 1 },   { "64", true, 64 },  { "-5", true, -5 },  { "007", true, 7 },
	{ "-6", false, 0 }, { "65", false, 0 },  { "", false, 0 },    { "-", false, 0 },
	{ "+1", false, 0 }, { "1k", false, 0 },  { "0x1", false, 0 }, { "99999999999999999999", false, 0 },
	{ " 1", false, 0 }, { "--1", false, 0 }, { "1.0", false, 0 },
};

START_TEST(test_numbers)
{
	const struct option_range range = { -5, 64 };
	char error[OPTION_ERROR_SIZE] = "";
	int64_t value = 42;
	const bool valid = option_number_parse(numbers[_i].text, range, &value, error, sizeof(error));

	ck_assert_msg(valid == numbers[_i].valid, "%s", numbers[_i].text);
	ck_assert_int_eq(value, valid ? numbers[_i].value : 42);
	ck_assert_msg((strstr(error, "from -5 to 64") != NULL) == !valid, "%s", error);
}
END_TEST

static const struct {
	const char *text;
	const char *host;
	int port;
} inet_addresses[] = {
	{ "127.0.0.1:8000", "127.0.0.1", 8000 },
	{ "0.0.0.0:0", "0.0.0.0", 0 },
	{ "localhost:80", "127.0.0.1", 80 },
	{ ":8000", "::", 8000 },
	{ "[::1]:65535", "::1", 65535 },
	{ "[::]:1", "::", 1 },
	{ "[2001:db8:1111:2222:3333:4444:5555:6666]:443", "2001:db8:1111:2222:3333:4444:5555:6666", 443 },
};

START_TEST(test_inet_addresses)
{
	char error[OPTION_ERROR_SIZE] = "";
	struct option_address address;
	char host[INET6_ADDRSTRLEN];
	in_port_t port;

	ck_assert_msg(option_address_parse(inet_addresses[_i].text, &address, error, sizeof(error)), "%s", error);
	ck_assert_str_eq(error, "");
	if (address.storage.ss_family == AF_INET) {
		struct sockaddr_in inet;

		ck_assert_uint_eq(address.length, sizeof(inet));
		memcpy(&inet, &address.storage, sizeof(inet));
		ck_assert_ptr_nonnull(inet_ntop(AF_INET, &inet.sin_addr, host, sizeof(host)));
		port = inet.sin_port;
	} else {
		struct sockaddr_in6 inet;

		ck_assert_int_eq(address.storage.ss_family, AF_INET6);
		ck_assert_uint_eq(address.length, sizeof(inet));
		memcpy(&inet, &address.storage, sizeof(inet));
		ck_assert_ptr_nonnull(inet_ntop(AF_INET6, &inet.sin6_addr, host, sizeof(host)));
		port = inet.sin6_port;
	}
	ck_assert_str_eq(host, inet_addresses[_i].host);
	ck_assert_int_eq(ntohs(port), inet_addresses[_i].port);
}
END_TEST

static const struct {
	const char *text;
	const char *path;
	size_t length; /* of the path, and of its NUL where it has one */
} unix_addresses[] = {
	{ "unix:/run/app.sock", "/run/app.sock", 14 },
	{ "/run/app.sock", "/run/app.sock", 14 },
	{ "@app", "\0app", 4 },
	{ "unix:@app", "\0app", 4 },
};

START_TEST(test_unix_addresses)
{
	char error[OPTION_ERROR_SIZE] = "";
	struct option_address address;
	struct sockaddr_un local;

	ck_assert_msg(option_address_parse(unix_addresses[_i].text, &address, error, sizeof(error)), "%s", error);
	ck_assert_int_eq(address.storage.ss_family, AF_UNIX);
	ck_assert_uint_eq(address.length, offsetof(struct sockaddr_un, sun_path) + unix_addresses[_i].length);
	memcpy(&local, &address.storage, sizeof(local));
	ck_assert_mem_eq(local.sun_path, unix_addresses[_i].path, unix_addresses[_i].length);
}
END_TEST

#define TEXT_100 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *text;
	const char *told; /* a part of the error */
} wrong_addresses[] = {
	{ "", "HOST:PORT" },
	{ "8000", "HOST:PORT" },
	{ "127.0.0.1", "HOST:PORT" },
	{ ":", "is not a port" },
	{ ":http", "is not a port" },
	{ ":65536", "is not a port" },
	{ ":-1", "is not a port" },
	{ ":8000 ", "is not a port" },
	{ "127.0.0.1:", "is not a port" },
	{ "*:8000", "write :PORT" },
	{ "example.org:80", "not looked up" },
	{ "1.2.3:80", "not looked up" },
	{ "01.2.3.4:80", "not looked up" },
	{ "::1:8000", "[::1]:8000" },
	{ "[::1:8000", "[::1]:8000" },
	{ "[::1]", "[::1]:8000" },
	{ "[", "HOST:PORT" },
	{ "[]:80", "nothing in the brackets" },
	{ "[:80", "[::1]:8000" },
	{ "[1.2.3.4]:80", "is not an IPv6 address" },
	{ "[::1]x:80", "[::1]:8000" },
	{ TEXT_100 ":80", "IP address" },
	{ "unix:", "begins with /" },
	{ "unix:run/app", "begins with /" },
	{ "unix:/", "missing" },
	{ "@", "missing" },
	{ "/" TEXT_100 TEXT_100, "at most 107" },
};

START_TEST(test_wrong_addresses)
{
	char error[OPTION_ERROR_SIZE] = "";
	struct option_address address = { .length = 7 };

	ck_assert_msg(!option_address_parse(wrong_addresses[_i].text, &address, error, sizeof(error)), "%s",
		      wrong_addresses[_i].text);
	ck_assert_msg(strstr(error, wrong_addresses[_i].told) != NULL, "%s: %s", wrong_addresses[_i].text, error);
	ck_assert_uint_eq(address.length, 7);
}
END_TEST

START_TEST(test_long_errors_are_cut)
{
	char error[16];
	int64_t value;

	memset(error, 'x', sizeof(error));
	ck_assert(!option_size_parse(TEXT_100, &value, error, sizeof(error)));
	ck_assert_uint_eq(strlen(error), sizeof(error) - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("option values");
	TCase *test = tcase_create("option values");

	tcase_add_loop_test(test, test_durations, 0, LENGTH(durations));
	tcase_add_loop_test(test, test_sizes, 0, LENGTH(sizes));
	tcase_add_loop_test(test, test_numbers, 0, LENGTH(numbers));
	tcase_add_loop_test(test, test_inet_addresses, 0, LENGTH(inet_addresses));
	tcase_add_loop_test(test, test_unix_addresses, 0, LENGTH(unix_addresses));
	tcase_add_loop_test(test, test_wrong_addresses, 0, LENGTH(wrong_addresses));
	tcase_add_test(test, test_long_errors_are_cut);
	suite_add_tcase(suite, test);
	return unit_run(suite);
}
