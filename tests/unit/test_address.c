/*
 * test_address.c - addresses: parsed, printed, compared.
 */
#include "unit.h"

#include "model/address.h"

#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
	const char *string;
	enum address_kind kind;
	const char *printed;
} valid[] = {
	{ "0.0.0.0:8000", ADDRESS_TCP4, "0.0.0.0:8000" },
	{ "127.0.0.1:0", ADDRESS_TCP4, "127.0.0.1:0" },
	{ "localhost:80", ADDRESS_TCP4, "127.0.0.1:80" },
	{ ":8000", ADDRESS_TCP6, "[::]:8000" },
	{ "[::]:8000", ADDRESS_TCP6, "[::]:8000" },
	{ "[0:0::1]:65535", ADDRESS_TCP6, "[::1]:65535" },
	{ "[fe80::1%3]:80", ADDRESS_TCP6, "[fe80::1%3]:80" },
	{ "unix:/run/app.sock", ADDRESS_UNIX, "unix:/run/app.sock" },
	{ "/run/app.sock", ADDRESS_UNIX, "unix:/run/app.sock" },
	{ "@name", ADDRESS_ABSTRACT, "@name" },
	{ "unix:@name", ADDRESS_ABSTRACT, "@name" },
	{ "systemd:web", ADDRESS_SYSTEMD, "systemd:web" },
};

START_TEST(test_valid)
{
	struct address address;
	struct address again;
	struct error error;
	char buffer[ADDRESS_TEXT_SIZE];

	ck_assert_msg(address_parse(&address, valid[_i].string, &error), "%s", valid[_i].string);
	ck_assert_int_eq(address.kind, valid[_i].kind);
	ck_assert_str_eq(address_print(&address, buffer, sizeof(buffer)), valid[_i].printed);
	ck_assert(address_parse(&again, buffer, &error));
	ck_assert(address_equal(&address, &again));
}
END_TEST

static const struct {
	const char *string;
	const char *problem;
} invalid[] = {
	{ "", "is not an address" },
	{ "8000", "is not an address" },
	{ "web", "is not an address" },
	{ ":", "is not a port" },
	{ ":65536", "is not a port" },
	{ ":-1", "is not a port" },
	{ ":+80", "is not a port" },
	{ ":80x", "is not a port" },
	{ "example.org:80", "host names are not looked up" },
	{ "*:80", "write :PORT" },
	{ "1.2.3:80", "is not an IP address" },
	{ "::1:80", "in brackets" },
	{ "[::1:80", "closing ]" },
	{ "[:80", "closing ]" },
	{ "[]:80", "is not an IPv6 address" },
	{ "[::g]:80", "is not an IPv6 address" },
	{ "[fe80::1%eth0]:80", "number of an interface" },
	{ "[fe80::1%0]:80", "number of an interface" },
	{ "unix:run/app.sock", "must begin with /" },
	{ "unix:", "must begin with /" },
	{ "@", "is empty" },
	{ "systemd:", "is empty" },
	{ "systemd:a:b", "no colon" },
};

START_TEST(test_invalid)
{
	struct address address = { .kind = ADDRESS_TCP4, .port = 7 };
	struct error error;

	ck_assert_msg(!address_parse(&address, invalid[_i].string, &error), "%s", invalid[_i].string);
	ck_assert_msg(strstr(error.text, invalid[_i].problem) != NULL, "%s: %s", invalid[_i].string, error.text);
	ck_assert_uint_eq(address.port, 7);
}
END_TEST

START_TEST(test_paths_have_a_longest_length)
{
	struct address address;
	struct error error;
	char path[110];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[107] = '\0';
	ck_assert(address_parse(&address, path, &error));
	path[107] = 'a';
	path[108] = '\0';
	ck_assert(!address_parse(&address, path, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "longer than 107"));
}
END_TEST

START_TEST(test_different_addresses)
{
	static const char *const different[] = { ":80", ":81", "0.0.0.0:80", "[::1]:80", "/a", "@/a", "systemd:a" };
	struct address a;
	struct address b;
	struct error error;

	for (int i = 0; i < LENGTH(different); i++) {
		for (int k = 0; k < LENGTH(different); k++) {
			ck_assert(address_parse(&a, different[i], &error));
			ck_assert(address_parse(&b, different[k], &error));
			ck_assert_int_eq(address_equal(&a, &b), i == k);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");

	tcase_add_loop_test(tcase, test_valid, 0, LENGTH(valid));
	tcase_add_loop_test(tcase, test_invalid, 0, LENGTH(invalid));
	tcase_add_test(tcase, test_paths_have_a_longest_length);
	tcase_add_test(tcase, test_different_addresses);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
