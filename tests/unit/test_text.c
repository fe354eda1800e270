/*
 * test_text.c - growing strings, values and their formats, words of a command line, errors.
 */
#include "unit.h"

#include "base/error.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

START_TEST(test_text_grows)
{
	struct text text = { 0 };

	ck_assert_str_eq(text_string(&text), "");
	for (int i = 0; i < 1000; i++)
		text_append(&text, "%d,", i % 10);
	text_append_bytes(&text, "end", 3);
	ck_assert_uint_eq(text.length, 2003);
	ck_assert_uint_eq(strlen(text_string(&text)), 2003);
	ck_assert(!text.failed);
	text_finish(&text);
	ck_assert_str_eq(text_string(&text), "");
}
END_TEST

START_TEST(test_text_of_impossible_size_fails)
{
	struct text text = { 0 };

	text_append(&text, "kept");
	text_append_bytes(&text, "x", SIZE_MAX);
	ck_assert(text.failed);
	ck_assert_str_eq(text_string(&text), "kept");
	text_finish(&text);
}
END_TEST

START_TEST(test_string_lists)
{
	struct string_list a = { 0 };
	struct string_list b = { 0 };

	ck_assert(string_list_equal(&a, &b));
	ck_assert(string_list_append(&a, "one"));
	ck_assert(string_list_append(&a, ""));
	ck_assert_ptr_null(a.items[a.count]);
	ck_assert(string_list_copy(&b, &a));
	ck_assert(string_list_equal(&a, &b));
	ck_assert(string_list_append(&b, "more"));
	ck_assert(!string_list_equal(&a, &b));
	string_list_finish(&a);
	string_list_finish(&b);
}
END_TEST

static const struct {
	const char *string;
	bool valid;
	int64_t value;
} integers[] = {
	{ "0", true, 0 },
	{ "-12", true, -12 },
	{ "+7", true, 7 },
	{ "007", true, 7 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "9223372036854775808", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ " 1", false, 0 },
	{ "1 ", false, 0 },
	{ "0x10", false, 0 },
	{ "1.5", false, 0 },
};

START_TEST(test_integers)
{
	int64_t value = 42;

	ck_assert_msg(text_parse_integer(integers[_i].string, &value) == integers[_i].valid, "%s", integers[_i].string);
	ck_assert_int_eq(value, integers[_i].valid ? integers[_i].value : 42);
}
END_TEST

static const struct {
	const char *string;
	bool valid;
	int64_t value;
	const char *printed;
} durations[] = {
	{ "0", true, 0, "0" },
	{ "0s", true, 0, "0" },
	{ "250ms", true, 250, "250ms" },
	{ "30s", true, 30000, "30s" },
	{ "1m30s", true, 90000, "1m30s" },
	{ "1.5s", true, 1500, "1s500ms" },
	{ "0.0009s", true, 0, "0" },
	{ "90m", true, 5400000, "1h30m" },
	{ "2d", true, 172800000, "2d" },
	{ "1h1ms", true, 3600001, "1h1ms" },
	{ "106751991167d", true, INT64_C(9223372036828800000), "106751991167d" },
	{ "106751991168d", false, 0, NULL },
	{ "99999999999999999999s", false, 0, NULL },
	{ "30", false, 0, NULL },
	{ "", false, 0, NULL },
	{ "s", false, 0, NULL },
	{ "-1s", false, 0, NULL },
	{ "1.s", false, 0, NULL },
	{ ".5s", false, 0, NULL },
	{ "1 s", false, 0, NULL },
	{ "1s ", false, 0, NULL },
	{ "1w", false, 0, NULL },
	{ "1s2", false, 0, NULL },
};

START_TEST(test_durations)
{
	int64_t value = 42;
	char buffer[64];

	ck_assert_msg(text_parse_duration(durations[_i].string, &value) == durations[_i].valid, "%s",
		      durations[_i].string);
	ck_assert_int_eq(value, durations[_i].valid ? durations[_i].value : 42);
	if (durations[_i].valid)
		ck_assert_str_eq(text_format_duration(buffer, sizeof(buffer), value), durations[_i].printed);
}
END_TEST

START_TEST(test_durations_are_cut_to_the_buffer)
{
	char buffer[6];

	ck_assert_str_eq(text_format_duration(buffer, sizeof(buffer), 90061001), "1d1h");
}
END_TEST

static const struct {
	const char *string;
	bool valid;
	uint64_t value;
} sizes[] = {
	{ "0", true, 0 },
	{ "100", true, 100 },
	{ "64k", true, 65536 },
	{ "512M", true, 536870912 },
	{ "2g", true, 2147483648 },
	{ "unlimited", true, UINT64_MAX },
	{ "17179869184g", false, 0 },
	{ "-1", false, 0 },
	{ "k", false, 0 },
	{ "1kb", false, 0 },
	{ "1t", false, 0 },
	{ "", false, 0 },
};

START_TEST(test_sizes)
{
	uint64_t value = 42;

	ck_assert_msg(text_parse_size(sizes[_i].string, &value) == sizes[_i].valid, "%s", sizes[_i].string);
	ck_assert_uint_eq(value, sizes[_i].valid ? sizes[_i].value : 42);
}
END_TEST

START_TEST(test_booleans)
{
	bool value = false;

	ck_assert(text_parse_boolean("yes", &value) && value);
	ck_assert(text_parse_boolean("off", &value) && !value);
	ck_assert(text_parse_boolean("true", &value) && value);
	ck_assert(text_parse_boolean("false", &value) && !value);
	ck_assert(text_parse_boolean("on", &value) && value);
	ck_assert(!text_parse_boolean("1", &value) && value);
	ck_assert(!text_parse_boolean("", &value));
}
END_TEST

static const struct {
	const char *string;
	const char *words; /**< joined by |; NULL: refused */
	const char *problem;
} command_lines[] = {
	{ "", "", NULL },
	{ "  \t ", "", NULL },
	{ "a b  c", "a|b|c", NULL },
	{ " uvicorn --fd {fd} app:app ", "uvicorn|--fd|{fd}|app:app", NULL },
	{ "sh -c 'echo $HOME; true'", "sh|-c|echo $HOME; true", NULL },
	{ "a \"b c\"d 'e'\"f\"", "a|b cd|ef", NULL },
	{ "a '' \"\"", "a||", NULL },
	{ "\"\\\"\\\\\\$\\n\"", "\"\\$\\n", NULL },
	{ "'\\n'", "\\n", NULL },
	{ "a\\ b \\| \\'", "a b|||'", NULL },
	{ "files:static?max-age=60", "files:static?max-age=60", NULL },
	{ "a 'b", NULL, "a closing ' is missing" },
	{ "a \"b", NULL, "a closing \" is missing" },
	{ "a \\", NULL, "nothing stands behind the last \\" },
	{ "a | b", NULL, "`|` outside of quotes" },
	{ "a & b", NULL, "`&` outside of quotes" },
	{ "a > b", NULL, "`>` outside of quotes" },
	{ "a $HOME", NULL, "`$` outside of quotes" },
	{ "ls *", NULL, "`*` outside of quotes" },
	{ "a\nb", NULL, "a line break outside of quotes" },
};

START_TEST(test_command_lines)
{
	struct string_list words = { 0 };
	struct text joined = { 0 };
	struct error error;
	bool valid = text_split_words(command_lines[_i].string, &words, &error);

	ck_assert_msg(valid == (command_lines[_i].words != NULL), "%s", command_lines[_i].string);
	for (size_t i = 0; i < words.count; i++)
		text_append(&joined, "%s%s", i > 0 ? "|" : "", words.items[i]);
	if (valid)
		ck_assert_str_eq(text_string(&joined), command_lines[_i].words);
	else
		ck_assert_ptr_nonnull(strstr(error.text, command_lines[_i].problem));
	if (!valid)
		ck_assert_uint_eq(words.count, 0);
	string_list_finish(&words);
	text_finish(&joined);
}
END_TEST

START_TEST(test_errors_are_put_together_and_cut)
{
	struct error error;
	char long_text[2 * ERROR_TEXT_SIZE];

	ck_assert(!error_set_errno(&error, ERROR_SYSTEM, 2, "cannot open %s", "x"));
	ck_assert(!error_wrap(&error, "reload"));
	ck_assert_str_eq(error.text, "reload: cannot open x: No such file or directory");
	ck_assert_str_eq(error_kind_name(error.kind), "system");
	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	ck_assert(!error_set_errno(&error, ERROR_SYSTEM, 2, "%s", long_text));
	ck_assert(!error_wrap(&error, "%s", long_text));
	ck_assert_uint_eq(strlen(error.text), ERROR_TEXT_SIZE - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text");
	TCase *tcase = tcase_create("text");

	tcase_add_test(tcase, test_text_grows);
	tcase_add_test(tcase, test_text_of_impossible_size_fails);
	tcase_add_test(tcase, test_string_lists);
	tcase_add_loop_test(tcase, test_integers, 0, LENGTH(integers));
	tcase_add_loop_test(tcase, test_durations, 0, LENGTH(durations));
	tcase_add_test(tcase, test_durations_are_cut_to_the_buffer);
	tcase_add_loop_test(tcase, test_sizes, 0, LENGTH(sizes));
	tcase_add_test(tcase, test_booleans);
	tcase_add_loop_test(tcase, test_command_lines, 0, LENGTH(command_lines));
	tcase_add_test(tcase, test_errors_are_put_together_and_cut);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
