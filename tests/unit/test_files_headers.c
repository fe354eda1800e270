/*
 * test_files_headers.c - static files: ranges, entity tags, content codings, preconditions.
 */
#include "unit.h"

#include "files_coding.h"
#include "files_condition.h"
#include "files_etag.h"
#include "files_fields.h"
#include "files_range.h"
#include "http_date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* ---- ranges, of a file of 1000 bytes unless said otherwise */

#define IGNORED "ignored"
#define REFUSED "refused"

static const struct {
	const char *value;
	int64_t size;
	const char *parts; /* "first+length first+length" */
} ranges[] = {
	{ "bytes=0-0", 1000, "0+1" },
	{ "bytes=0-", 1000, "0+1000" },
	{ "bytes=10-19", 1000, "10+10" },
	{ "BYTES=10-19", 1000, "10+10" },
	{ "bytes= 10-19 ", 1000, "10+10" },
	{ "bytes=999-", 1000, "999+1" },
	{ "bytes=990-5000", 1000, "990+10" },
	{ "bytes=990-99999999999999999999999999", 1000, "990+10" },
	{ "bytes=-1", 1000, "999+1" },
	{ "bytes=-5000", 1000, "0+1000" },
	{ "bytes=-99999999999999999999999999", 1000, "0+1000" },
	{ "bytes=0-9,20-29", 1000, "0+10 20+10" },
	{ "bytes=20-29 ,\t0-9,", 1000, "20+10 0+10" },
	{ "bytes=,,0-9", 1000, "0+10" },
	{ "bytes=0-9,5000-", 1000, "0+10" },
	{ "bytes=0-9,-0", 1000, "0+10" },
	{ "bytes=0-499,250-499", 1000, "0+500 250+250" },
	{ "bytes=0-499,500-999", 1000, "0+500 500+500" },
	{ "bytes=1000-", 1000, REFUSED },
	{ "bytes=1000-1001,5000-", 1000, REFUSED },
	{ "bytes=99999999999999999999999999-", 1000, REFUSED },
	{ "bytes=-0", 1000, REFUSED },
	{ "bytes=0-,0-", 1000, REFUSED },
	{ "bytes=0-999,0-0", 1000, REFUSED },
	{ "bytes=0-0", 0, REFUSED },
	{ "bytes=-5", 0, REFUSED },
	{ "bytes=", 1000, IGNORED },
	{ "bytes=,", 1000, IGNORED },
	{ "bytes", 1000, IGNORED },
	{ "", 1000, IGNORED },
	{ "lines=0-9", 1000, IGNORED },
	{ "bytes =0-9", 1000, IGNORED },
	{ "bytes=9-0", 1000, IGNORED },
	{ "bytes=0-9,9-0", 1000, IGNORED },
	{ "bytes=a-9", 1000, IGNORED },
	{ "bytes=0-x", 1000, IGNORED },
	{ "bytes=0", 1000, IGNORED },
	{ "bytes=-", 1000, IGNORED },
	{ "bytes=--1", 1000, IGNORED },
	{ "bytes=0 -9", 1000, IGNORED },
	{ "bytes=0-9 9", 1000, IGNORED },
	{ "bytes=+0-9", 1000, IGNORED },
	{ "bytes=0-9;", 1000, IGNORED },
};

static void tell_parts(char *text, size_t size, const struct files_range *found, size_t count)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%" PRId64 "+%" PRId64, i == 0 ? "" : " ",
					 found[i].first, found[i].length);
}

START_TEST(test_ranges)
{
	struct files_range found[FILES_RANGES_MAX];
	size_t count;
	char text[4096];

	switch (files_range_parse(ranges[_i].value, strlen(ranges[_i].value), ranges[_i].size, found, &count)) {
	case FILES_RANGE_IGNORED:
		ck_assert_str_eq(IGNORED, ranges[_i].parts);
		break;
	case FILES_RANGE_REFUSED:
		ck_assert_str_eq(REFUSED, ranges[_i].parts);
		break;
	case FILES_RANGE_PARTS:
	default:
		tell_parts(text, sizeof(text), found, count);
		ck_assert_str_eq(text, ranges[_i].parts);
	}
}
END_TEST

START_TEST(test_many_ranges)
{
	struct files_range found[FILES_RANGES_MAX];
	char text[4096] = "bytes=";
	size_t used = strlen(text);
	size_t count;

	for (int i = 0; i < FILES_RANGES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%d-%d,", 2 * i, 2 * i);
	ck_assert_int_eq(files_range_parse(text, used, 1000, found, &count), FILES_RANGE_PARTS);
	ck_assert_uint_eq(count, FILES_RANGES_MAX);
	used += (size_t)snprintf(text + used, sizeof(text) - used, "500-501");
	ck_assert_int_eq(files_range_parse(text, used, 1000, found, &count), FILES_RANGE_REFUSED);
}
END_TEST

/* ---- entity tags */

static const struct {
	const char *tag;
	const char *list;
	bool equals_weakly;
	bool equals_strongly;
} tags[] = {
	{ "\"a\"", "\"a\"", true, true },
	{ "\"a\"", "*", true, true },
	{ "\"a\"", " * ", true, true },
	{ "\"a\"", "W/\"a\"", true, false },
	{ "W/\"a\"", "\"a\"", true, false },
	{ "W/\"a\"", "W/\"a\"", true, false },
	{ "\"a\"", "\"b\"", false, false },
	{ "\"a\"", "\"b\", \"a\"", true, true },
	{ "\"a\"", "\"b\",,\t,\"a\" ,", true, true },
	{ "\"a\"", "\"b,\\\", \"a\"", true, true },
	{ "\"a\"", "W/\"b\" , W/\"a\"", true, false },
	{ "\"a\"", "W/\"a\" , \"a\"", true, true },
	{ "\"a\"", "\"ab\"", false, false },
	{ "\"ab\"", "\"a\"", false, false },
	{ "\"a\"", "a", false, false },
	{ "\"a\"", "\"a", false, false },
	{ "\"a\"", "w/\"a\"", false, false },
	{ "\"a\"", "W/", false, false },
	{ "\"a\"", "\"b\" \"a\"", false, false },
	{ "\"a\"", "\"b\", *", false, false },
	{ "\"a\"", "", false, false },
	{ "\"a\"", "\"", false, false },
};

START_TEST(test_tags)
{
	const size_t length = strlen(tags[_i].list);

	ck_assert_int_eq(files_etag_is_listed(tags[_i].tag, tags[_i].list, length, false), tags[_i].equals_weakly);
	ck_assert_int_eq(files_etag_is_listed(tags[_i].tag, tags[_i].list, length, true), tags[_i].equals_strongly);
}
END_TEST

START_TEST(test_tags_are_written)
{
	const struct timespec modified = { .tv_sec = 1, .tv_nsec = 1 };
	const struct timespec late = { .tv_sec = INT64_MAX / 1000000000, .tv_nsec = 999999999 };
	char tag[FILES_ETAG_BYTES];

	files_etag_format(tag, &modified, 255, FILES_IDENTITY, true);
	ck_assert_str_eq(tag, "\"3b9aca01-ff\"");
	files_etag_format(tag, &modified, 255, FILES_GZIP, false);
	ck_assert_str_eq(tag, "W/\"3b9aca01-ff-gz\"");
	files_etag_format(tag, &late, INT64_MAX, FILES_BROTLI, false);
	ck_assert_str_eq(tag + strlen(tag) - 4, "-br\"");
}
END_TEST

/* ---- content codings; b: brotli, g: gzip, i: the plain file */

static const struct {
	const char *value;
	const char *order;
} codings[] = {
	{ NULL, "i" },
	{ "", "i" },
	{ "gzip", "gi" },
	{ "x-gzip", "gi" },
	{ "GZip, BR", "bgi" },
	{ "gzip, deflate, br, zstd", "bgi" },
	{ "deflate", "i" },
	{ "br;q=0.5, gzip;q=0.8", "gbi" },
	{ "br ; q=0.5 , gzip;Q=0.501", "gbi" },
	{ "gzip;q=0", "i" },
	{ "gzip;q=0.000, br", "bi" },
	{ "identity, gzip;q=0.5", "ig" },
	{ "identity;q=0.1, gzip;q=0.5", "gi" },
	{ "identity;q=0", "" },
	{ "identity;q=0, gzip", "g" },
	{ "*", "bgi" },
	{ "*;q=0.2, gzip", "gbi" },
	{ "*;q=0", "" },
	{ "*;q=0, gzip", "g" },
	{ "*;q=0, identity", "i" },
	{ "gzip;q=0, *", "bi" },
	{ "gzip;q=1.000", "gi" },
	{ "gzip;q=1.001", "i" },
	{ "gzip;q=2", "i" },
	{ "gzip;q=0.1234", "i" },
	{ "gzip;q=", "i" },
	{ "gzip;q=a", "i" },
	{ "gzip;q=-1", "i" },
	{ "gzip;level=9", "i" },
	{ "gzipped", "i" },
	{ ",, gzip ,", "gi" },
};

START_TEST(test_codings)
{
	struct files_codings wanted = FILES_CODINGS_UNSAID;
	enum files_coding order[FILES_CODINGS];
	char text[FILES_CODINGS + 1] = "";
	size_t count;

	if (codings[_i].value != NULL)
		files_codings_add(&wanted, codings[_i].value, strlen(codings[_i].value));
	count = files_codings_order(&wanted, order);
	for (size_t i = 0; i < count; i++)
		text[i] = "bgi"[order[i]];
	ck_assert_str_eq(text, codings[_i].order);
}
END_TEST

START_TEST(test_codings_of_two_headers)
{
	struct files_codings wanted = FILES_CODINGS_UNSAID;
	enum files_coding order[FILES_CODINGS];

	files_codings_add(&wanted, "gzip;q=0.5", 10);
	files_codings_add(&wanted, "br;q=0.1", 8);
	ck_assert_uint_eq(files_codings_order(&wanted, order), 3);
	ck_assert_int_eq(order[0], FILES_GZIP);
	ck_assert_int_eq(order[1], FILES_BROTLI);
}
END_TEST

/* ---- preconditions: of a file "t" that was changed at noon */

#define NOON    "Sun, 06 Nov 1994 12:00:00 GMT"
#define BEFORE  "Sun, 06 Nov 1994 11:59:59 GMT"
#define AFTER   "Sun, 06 Nov 1994 12:00:01 GMT"
#define NOON_AS "Sunday, 06-Nov-94 12:00:00 GMT"

static const struct {
	const char *name;
	const char *value;
	const char *other_name; /* a second header, or NULL */
	const char *other_value;
	int verdict;
} conditions[] = {
	{ "accept", "*/*", NULL, NULL, FILES_WANTED },
	{ "if-match", "\"t\"", NULL, NULL, FILES_WANTED },
	{ "if-match", "*", NULL, NULL, FILES_WANTED },
	{ "if-match", "\"x\"", NULL, NULL, FILES_PRECONDITION_FAILED },
	{ "if-match", "W/\"t\"", NULL, NULL, FILES_PRECONDITION_FAILED },
	{ "if-match", "\"x\"", "if-match", "\"t\"", FILES_WANTED },
	{ "if-unmodified-since", NOON, NULL, NULL, FILES_WANTED },
	{ "if-unmodified-since", AFTER, NULL, NULL, FILES_WANTED },
	{ "if-unmodified-since", BEFORE, NULL, NULL, FILES_PRECONDITION_FAILED },
	{ "if-unmodified-since", "yesterday", NULL, NULL, FILES_WANTED },
	{ "if-unmodified-since", BEFORE, "if-match", "\"t\"", FILES_WANTED },
	{ "if-none-match", "\"t\"", NULL, NULL, FILES_NOT_MODIFIED },
	{ "if-none-match", "W/\"t\"", NULL, NULL, FILES_NOT_MODIFIED },
	{ "if-none-match", "*", NULL, NULL, FILES_NOT_MODIFIED },
	{ "if-none-match", "\"x\"", NULL, NULL, FILES_WANTED },
	{ "if-none-match", "\"x\"", "if-none-match", "\"y\", \"t\"", FILES_NOT_MODIFIED },
	{ "if-none-match", "\"x\"", "if-modified-since", NOON, FILES_WANTED },
	{ "if-none-match", "\"t\"", "if-modified-since", BEFORE, FILES_NOT_MODIFIED },
	{ "if-modified-since", NOON, NULL, NULL, FILES_NOT_MODIFIED },
	{ "if-modified-since", NOON_AS, NULL, NULL, FILES_NOT_MODIFIED },
	{ "if-modified-since", AFTER, NULL, NULL, FILES_NOT_MODIFIED },
	{ "if-modified-since", BEFORE, NULL, NULL, FILES_WANTED },
	{ "if-modified-since", "0", NULL, NULL, FILES_WANTED },
	{ "if-modified-since", NOON, "if-modified-since", NOON, FILES_WANTED },
	{ "if-match", "\"x\"", "if-none-match", "\"t\"", FILES_PRECONDITION_FAILED },
	{ "if-match", "\"t\"", "if-none-match", "\"t\"", FILES_NOT_MODIFIED },
};

static const struct {
	const char *value;
	bool allows; /* with a strong tag; a weak one allows nothing */
} if_ranges[] = {
	{ "\"t\"", true }, { "W/\"t\"", false }, { "\"x\"", false }, { "*", false },
	{ NOON, true },    { BEFORE, false },    { AFTER, false },   { "", false },
};

static struct unicorn_header make_header(const char *name, const char *value)
{
	return (struct unicorn_header){ name, value, (uint32_t)strlen(name), (uint32_t)strlen(value) };
}

static struct files_validators make_validators(void)
{
	struct files_validators validators = { .tag = "\"t\"", .now_s = 1000000000, .is_strong = true };

	ck_assert(http_date_parse(NOON, strlen(NOON), validators.now_s, &validators.modified_s));
	return validators;
}

START_TEST(test_conditions)
{
	const struct files_validators validators = make_validators();
	struct unicorn_header headers[2] = { make_header(conditions[_i].name, conditions[_i].value) };
	struct unicorn_head head = { .headers = headers, .header_count = 1 };
	struct files_fields fields;

	if (conditions[_i].other_name != NULL)
		headers[head.header_count++] = make_header(conditions[_i].other_name, conditions[_i].other_value);
	files_fields_find(&fields, &head);
	ck_assert_int_eq(files_condition_check(&fields, &validators), conditions[_i].verdict);
}
END_TEST

START_TEST(test_if_range)
{
	struct files_validators validators = make_validators();
	const struct unicorn_header header = make_header("if-range", if_ranges[_i].value);
	const struct unicorn_head head = { .headers = &header, .header_count = 1 };
	struct files_fields fields;

	files_fields_find(&fields, &head);
	ck_assert_int_eq(files_condition_allows_range(&fields, &validators), if_ranges[_i].allows);
	validators.is_strong = false;
	ck_assert(!files_condition_allows_range(&fields, &validators));
}
END_TEST

START_TEST(test_fields)
{
	const struct unicorn_header headers[] = { UNICORN_HEADER("range", "bytes=0-1"), UNICORN_HEADER("rangex", "x"),
						  UNICORN_HEADER("range", "bytes=2-3"), UNICORN_HEADER("", "") };
	const struct unicorn_head head = { .headers = headers, .header_count = LENGTH(headers) };
	const struct unicorn_head none = { .header_count = 0 };
	struct files_fields fields;

	files_fields_find(&fields, &none);
	ck_assert_ptr_null(files_fields_only(&fields, FILES_RANGE));
	files_fields_find(&fields, &head);
	ck_assert_ptr_null(files_fields_only(&fields, FILES_RANGE));
	ck_assert_ptr_eq(fields.first[FILES_RANGE], &headers[0]);
	ck_assert_ptr_eq(files_fields_next(&fields, &headers[0]), &headers[2]);
	ck_assert_ptr_null(files_fields_next(&fields, &headers[2]));
}
END_TEST

START_TEST(test_young_files_are_weak)
{
	struct files_validators validators;
	struct timespec modified;

	ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &modified), 0);
	files_validators_init(&validators, &modified, 1, FILES_IDENTITY);
	ck_assert(!validators.is_strong && validators.tag[0] == 'W');
	modified.tv_sec -= 10;
	files_validators_init(&validators, &modified, 1, FILES_IDENTITY);
	ck_assert(validators.is_strong && validators.tag[0] == '"');
	ck_assert_int_eq(validators.modified_s, modified.tv_sec);
	modified.tv_sec += 1000;
	files_validators_init(&validators, &modified, 1, FILES_IDENTITY);
	ck_assert(!validators.is_strong);
	ck_assert_int_eq(validators.modified_s, validators.now_s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files_headers");
	TCase *tcase = tcase_create("headers");

	tcase_add_loop_test(tcase, test_ranges, 0, LENGTH(ranges));
	tcase_add_test(tcase, test_many_ranges);
	tcase_add_loop_test(tcase, test_tags, 0, LENGTH(tags));
	tcase_add_test(tcase, test_tags_are_written);
	tcase_add_loop_test(tcase, test_codings, 0, LENGTH(codings));
	tcase_add_test(tcase, test_codings_of_two_headers);
	tcase_add_loop_test(tcase, test_conditions, 0, LENGTH(conditions));
	tcase_add_loop_test(tcase, test_if_range, 0, LENGTH(if_ranges));
	tcase_add_test(tcase, test_fields);
	tcase_add_test(tcase, test_young_files_are_weak);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
