/*
 * test_http_date.c - dates of HTTP, written and read.
 */
#include "unit.h"

#include "http_date.h"

#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/** Half of 2024. */
#define NOW INT64_C(1719792000)

static const struct {
	int64_t time_s;
	const char *text;
} dates[] = {
	{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },          { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
	{ 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },  { 1735689599, "Tue, 31 Dec 2024 23:59:59 GMT" },
	{ 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" }, { 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
};

START_TEST(test_dates_there_and_back)
{
	char text[HTTP_DATE_BYTES + 1];
	int64_t time_s = 42;

	http_date_format(dates[_i].time_s, text);
	ck_assert_str_eq(text, dates[_i].text);
	ck_assert(http_date_parse(text, HTTP_DATE_BYTES, NOW, &time_s));
	ck_assert_int_eq(time_s, dates[_i].time_s);
}
END_TEST

START_TEST(test_dates_out_of_range_are_cut)
{
	char text[HTTP_DATE_BYTES + 1];

	http_date_format(-1, text);
	ck_assert_str_eq(text, "Thu, 01 Jan 1970 00:00:00 GMT");
	http_date_format(INT64_MAX, text);
	ck_assert_str_eq(text, "Fri, 31 Dec 9999 23:59:59 GMT");
	http_date_format(INT64_MIN, text);
	ck_assert_str_eq(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}
END_TEST

START_TEST(test_line_is_made_anew_for_another_second)
{
	const char *line = http_date_line(784111777);

	ck_assert_str_eq(line, "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
	ck_assert_uint_eq(strlen(line), HTTP_DATE_LINE_BYTES);
	ck_assert_ptr_eq(http_date_line(784111777), line);
	ck_assert_str_eq(http_date_line(784111778), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
	/* A clock that was set back. */
	ck_assert_str_eq(http_date_line(784111777), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}
END_TEST

static const struct {
	const char *text;
	int64_t time_s; /* -1: no date */
} parsed[] = {
	{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
	{ "Sun Nov  6 08:49:37 1994", 784111777 },
	{ "Sun Nov 16 08:49:37 1994", 784975777 },
	{ "Mon, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ "Wednesday, 01-Jan-70 00:00:00 GMT", 3155760000 },
	{ "Sunday, 31-Dec-74 23:59:59 GMT", 3313526399 },
	{ "Tuesday, 01-Jan-75 00:00:00 GMT", 157766400 },
	{ "Thu, 29 Feb 2024 12:00:00 GMT", 1709208000 },
	{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
	{ "Thu, 29 Feb 2023 12:00:00 GMT", -1 },
	{ "Mon, 29 Feb 2100 12:00:00 GMT", -1 },
	{ "Sun, 31 Apr 1994 08:49:37 GMT", -1 },
	{ "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 24:00:00 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:60:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:49:61 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
	{ "Sun, 06 Nov 1994 08:49:37", -1 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT ", -1 },
	{ " Sun, 06 Nov 1994 08:49:37 GMT", -1 },
	{ "sun, 06 nov 1994 08:49:37 gmt", -1 },
	{ "Sun, 6 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Now 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 94 08:49:37 GMT", -1 },
	{ "Sun, 06-Nov-94 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov-1994 08:49:37 GMT", -1 },
	{ "Sun Nov 6 08:49:37 1994", -1 },
	{ "Sun Nov  6 08:49:37 1994 GMT", -1 },
	{ "Sun, +6 Nov 1994 08:49:37 GMT", -1 },
	{ "784111777", -1 },
	{ "S", -1 },
	{ "", -1 },
};

START_TEST(test_dates_are_parsed)
{
	int64_t time_s = -1;

	ck_assert_msg(http_date_parse(parsed[_i].text, strlen(parsed[_i].text), NOW, &time_s) ==
			      (parsed[_i].time_s != -1),
		      "%s", parsed[_i].text);
	ck_assert_int_eq(time_s, parsed[_i].time_s);
}
END_TEST

START_TEST(test_no_beginning_of_a_date_is_one)
{
	int64_t time_s;

	for (size_t length = 0; length < HTTP_DATE_BYTES; length++) {
		char *exact = malloc(length + 1);

		ck_assert_ptr_nonnull(exact);
		memcpy(exact, dates[1].text, length);
		ck_assert(!http_date_parse(exact, length, NOW, &time_s));
		free(exact);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dates");
	TCase *test = tcase_create("dates");

	tcase_add_loop_test(test, test_dates_there_and_back, 0, LENGTH(dates));
	tcase_add_test(test, test_dates_out_of_range_are_cut);
	tcase_add_test(test, test_line_is_made_anew_for_another_second);
	tcase_add_loop_test(test, test_dates_are_parsed, 0, LENGTH(parsed));
	tcase_add_test(test, test_no_beginning_of_a_date_is_one);
	suite_add_tcase(suite, test);
	return unit_run(suite);
}
