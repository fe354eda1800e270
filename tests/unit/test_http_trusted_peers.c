/*
 * test_http_trusted_peers.c - addresses in words, and lists of those that are trusted.
 */
#include "unit.h"

#include "address_text.h"
#include "trusted_peers.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/** An IP address, "unix", or "none". */
static struct sockaddr_storage address_of(const char *text)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };

	if (strcmp(text, "unix") == 0)
		address.ss_family = AF_UNIX;
	else if (strcmp(text, "none") != 0)
		ck_assert_msg(address_text_parse(text, strlen(text), &address), "%s", text);
	return address;
}

static const struct {
	const char *list;
	const char *address;
	bool included;
} matches[] = {
	{ "127.0.0.1", "127.0.0.1", true },
	{ "127.0.0.1", "127.0.0.2", false },
	{ "127.0.0.1", "::ffff:127.0.0.1", true },
	{ "127.0.0.1", "::1", false },
	{ "127.0.0.1", "::127.0.0.1", false },
	{ "127.0.0.1", "unix", false },
	{ "127.0.0.1", "none", false },
	{ "::ffff:127.0.0.1", "127.0.0.1", true },
	{ "10.0.0.0/8", "10.255.255.255", true },
	{ "10.0.0.0/8", "11.0.0.0", false },
	{ "10.0.0.0/8", "::ffff:10.1.2.3", true },
	{ "172.16.0.0/12", "172.31.255.255", true },
	{ "172.16.0.0/12", "172.32.0.0", false },
	{ "192.0.2.128/25", "192.0.2.128", true },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.1/32", "192.0.2.1", true },
	{ "192.0.2.1/32", "192.0.2.0", false },
	{ "::ffff:10.0.0.0/104", "10.1.2.3", true },
	{ "::ffff:10.0.0.0/104", "11.1.2.3", false },
	{ "0.0.0.0/0", "203.0.113.1", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "203.0.113.1", false },
	{ "::/0", "unix", false },
	{ "::1", "::1", true },
	{ "::1", "::2", false },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:db8::/128", "2001:db8::", true },
	{ "2001:db8::/128", "2001:db8::1", false },
	{ "unix", "unix", true },
	{ "unix", "127.0.0.1", false },
	{ "*", "unix", true },
	{ "*", "127.0.0.1", true },
	{ "*", "none", true },
	{ "127.0.0.1,10.0.0.0/8,::1,unix", "127.0.0.1", true },
	{ "127.0.0.1,10.0.0.0/8,::1,unix", "10.1.1.1", true },
	{ "127.0.0.1,10.0.0.0/8,::1,unix", "::1", true },
	{ "127.0.0.1,10.0.0.0/8,::1,unix", "unix", true },
	{ "127.0.0.1,10.0.0.0/8,::1,unix", "8.8.8.8", false },
	{ " 127.0.0.1 , ::1 ", "::1", true },
};

START_TEST(test_matches)
{
	const struct sockaddr_storage address = address_of(matches[_i].address);
	struct trusted_peers peers = { 0 };
	char error[256] = "";

	ck_assert(!trusted_peers_include(&peers, &address));
	ck_assert_msg(trusted_peers_add(&peers, matches[_i].list, error, sizeof(error)), "%s", error);
	ck_assert_msg(trusted_peers_include(&peers, &address) == matches[_i].included, "%s in %s", matches[_i].address,
		      matches[_i].list);
	trusted_peers_finish(&peers);
	ck_assert(!trusted_peers_include(&peers, &address));
}
END_TEST

static const struct {
	const char *list;
	const char *told; /* a part of the error */
} wrong[] = {
	{ "", "`` is not an IP address" },
	{ "127.0.0.1,", "`` is not an IP address: write 127.0.0.1" },
	{ ",127.0.0.1", "`` is not" },
	{ "localhost", "`localhost` is not" },
	{ "127.0.0.1:80", "is not an IP address" },
	{ "[::1]", "is not an IP address" },
	{ "127.0.0.1 ::1", "is not an IP address" },
	{ "10.0.0.0/33", "`33` is not a number of bits of 10.0.0.0: write one from 0 to 32" },
	{ "10.0.0.0/", "from 0 to 32" },
	{ "10.0.0.0/-1", "from 0 to 32" },
	{ "10.0.0.0/+8", "from 0 to 32" },
	{ "10.0.0.0/0x8", "from 0 to 32" },
	{ "10.0.0.0/8/8", "from 0 to 32" },
	{ "10.0.0.0/255.0.0.0", "from 0 to 32" },
	{ "10.0.0.0/0008", "from 0 to 32" },
	{ "::/129", "from 0 to 128" },
	{ "10.0.0.1/8", "10.0.0.1/8 has bits set behind its first 8" },
	{ "10.128.0.0/8", "bits set" },
	{ "2001:db8::1/64", "bits set" },
	{ "1.0.0.0/0", "bits set" },
	{ "::ffff:0.0.0.0/90", "bits set" },
	{ "*,UNIX", "`UNIX` is not" },
	{ "unix,8.8.8.8,none", "`none` is not" },
	{ "1111111111111111111111111111111111111111111111111111111111111111111111111111111111",
	  "is not an IP address" },
};

START_TEST(test_wrong_lists_change_nothing)
{
	const struct sockaddr_storage home = address_of("127.0.0.1");
	const struct sockaddr_storage other = address_of("8.8.8.8");
	const struct sockaddr_storage unnamed = address_of("unix");
	struct trusted_peers peers = { 0 };
	char error[256] = "";

	ck_assert(trusted_peers_add(&peers, "127.0.0.1", error, sizeof(error)));
	ck_assert_msg(!trusted_peers_add(&peers, wrong[_i].list, error, sizeof(error)), "%s", wrong[_i].list);
	ck_assert_msg(strstr(error, wrong[_i].told) != NULL, "%s: %s", wrong[_i].list, error);
	ck_assert(trusted_peers_include(&peers, &home));
	ck_assert(!trusted_peers_include(&peers, &other));
	ck_assert(!trusted_peers_include(&peers, &unnamed));
	trusted_peers_finish(&peers);
}
END_TEST

START_TEST(test_lists_add_up)
{
	struct trusted_peers peers = { 0 };
	char error[256] = "";

	for (int i = 0; i < 300; i++) {
		char entry[32];

		(void)snprintf(entry, sizeof(entry), "10.1.%d.%d,unix", i / 256, i % 256);
		ck_assert_msg(trusted_peers_add(&peers, entry, error, sizeof(error)), "%s", error);
	}
	for (int i = 0; i < 400; i++) {
		struct sockaddr_storage address;
		char entry[32];

		(void)snprintf(entry, sizeof(entry), "10.1.%d.%d", i / 256, i % 256);
		address = address_of(entry);
		ck_assert(trusted_peers_include(&peers, &address) == (i < 300));
	}
	trusted_peers_finish(&peers);
	trusted_peers_finish(NULL);
}
END_TEST

static const struct {
	const char *path;
	size_t length;
	const char *text;
} unix_names[] = {
	{ "", 0, "" },
	{ "/run/app.sock", 14, "/run/app.sock" },
	{ "/run/app.sock", 13, "/run/app.sock" },
	{ "\0app", 4, "@app" },
	{ "\0", 1, "" },
	{ "\0a\0b", 4, "@a" },
	{ "/a-path-that-is-longer-than-the-sixty-three-bytes-that-a-host-may-have", 71,
	  "/a-path-that-is-longer-than-the-sixty-three-bytes-that-a-host-m" },
};

START_TEST(test_unix_addresses_in_words)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct sockaddr_storage address = { 0 };
	char host[ADDRESS_TEXT_BYTES];

	memcpy(local.sun_path, unix_names[_i].path, unix_names[_i].length);
	memcpy(&address, &local, sizeof(local));
	ck_assert_uint_eq(
		address_text_print(&address,
				   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + unix_names[_i].length), host),
		0);
	ck_assert_str_eq(host, unix_names[_i].text);
}
END_TEST

static const struct {
	const char *text;
	const char *printed; /* NULL: not an address */
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1" },
	{ "2001:DB8:0:0::1", "2001:db8::1" },
	{ "::ffff:192.0.2.1", "192.0.2.1" },
	{ "::", "::" },
	{ "", NULL },
	{ "192.0.2", NULL },
	{ "192.0.2.01", NULL },
	{ "192.0.2.1.", NULL },
	{ " 192.0.2.1", NULL },
	{ "0x7f.0.0.1", NULL },
	{ "fe80::1%lo", NULL },
	{ ":::", NULL },
	{ "0000:0000:0000:0000:0000:0000:192.168.100.100.100", NULL },
};

START_TEST(test_ip_addresses_in_words)
{
	struct sockaddr_storage address = { 0 };
	char host[ADDRESS_TEXT_BYTES] = "";

	ck_assert(address_text_parse(addresses[_i].text, strlen(addresses[_i].text), &address) ==
		  (addresses[_i].printed != NULL));
	if (addresses[_i].printed == NULL)
		return;
	(void)address_text_print(&address, sizeof(address), host);
	ck_assert_str_eq(host, addresses[_i].printed);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trusted peers");
	TCase *test = tcase_create("trusted peers");

	tcase_add_loop_test(test, test_matches, 0, LENGTH(matches));
	tcase_add_loop_test(test, test_wrong_lists_change_nothing, 0, LENGTH(wrong));
	tcase_add_test(test, test_lists_add_up);
	tcase_add_loop_test(test, test_unix_addresses_in_words, 0, LENGTH(unix_names));
	tcase_add_loop_test(test, test_ip_addresses_in_words, 0, LENGTH(addresses));
	suite_add_tcase(suite, test);
	return unit_run(suite);
}
