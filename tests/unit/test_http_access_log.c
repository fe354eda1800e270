/*
 * test_http_access_log.c - lines of the access log, and what becomes of them when they can not be written.
 */
#include "unit.h"

#include "access_line.h"
#include "access_log.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))
/** Bytes of a literal without its NUL. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/** 2024-02-29 12:00:00 UTC */
#define NOON INT64_C(1709208000)

static char folder[] = "/tmp/unicornd-access-XXXXXX";
static char path[64];

static void set_up(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/log", folder);
	ck_assert_int_eq(setenv("TZ", "UTC", 1), 0);
}

static void tear_down(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct unicorn_head head_make(const char *target, size_t length, const struct unicorn_header *headers,
				     uint32_t count)
{
	const struct unicorn_head head = {
		.method = "GET",
		.method_length = 3,
		.target = target,
		.target_length = (uint32_t)length,
		.headers = headers,
		.header_count = count,
		.minor_version = 1,
	};

	return head;
}

static struct access_record record_make(const struct unicorn_head *head)
{
	const struct access_record record = {
		.head = head,
		.client_host = "192.0.2.1",
		.status = 200,
		.body_bytes = 6,
		.duration_us = 1234,
		.time_s = NOON,
	};

	return record;
}

/** The line as a string, without its end. */
static char *line_of(enum access_format format, const struct access_record *record)
{
	/* Exactly what is allowed, so that a sanitizer sees a byte more. */
	char *line = malloc(ACCESS_LINE_BYTES_MAX);
	char date[ACCESS_DATE_BYTES];
	size_t length;

	ck_assert_ptr_nonnull(line);
	access_date_format(format, record->time_s, date);
	length = access_line_format(format, record, date, line);
	ck_assert_uint_le(length, ACCESS_LINE_BYTES_MAX);
	ck_assert(line[length - 1] == '\n');
	line[length - 1] = '\0';
	ck_assert_uint_eq(strlen(line), length - 1);
	return line;
}

static void check_line(enum access_format format, const struct access_record *record, const char *expected)
{
	char *line = line_of(format, record);

	ck_assert_str_eq(line, expected);
	free(line);
}

/* ---- formats */

START_TEST(test_whole_lines)
{
	static const struct unicorn_header headers[] = {
		UNICORN_HEADER("host", "example.org"),
		UNICORN_HEADER("referer", "http://example.org/"),
		UNICORN_HEADER("user-agent", "curl/8"),
	};
	const struct unicorn_head head = head_make(BYTES("/a?b=c"), headers, LENGTH(headers));
	struct access_record record = record_make(&head);

	record.user = "anna";
	check_line(ACCESS_APACHE, &record,
		   "192.0.2.1 - anna [29/Feb/2024:12:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 6 "
		   "\"http://example.org/\" \"curl/8\" 1234");
	check_line(ACCESS_JSON, &record,
		   "{\"time\":\"2024-02-29T12:00:00Z\",\"client\":\"192.0.2.1\",\"user\":\"anna\",\"method\":\"GET\","
		   "\"target\":\"/a?b=c\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":6,\"duration_us\":1234,"
		   "\"referer\":\"http://example.org/\",\"user_agent\":\"curl/8\"}");
}
END_TEST

START_TEST(test_lines_without_anything)
{
	const struct unicorn_head empty = { .minor_version = 0 };
	struct access_record record = { .status = 400, .body_bytes = 0, .duration_us = -1, .time_s = 0 };
	const char *apache = "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 0 \"-\" \"-\" 0";
	const char *json = "{\"time\":\"1970-01-01T00:00:00Z\",\"client\":null,\"user\":null,\"method\":null,"
			   "\"target\":null,\"protocol\":null,\"status\":400,\"bytes\":0,\"duration_us\":0,"
			   "\"referer\":null,\"user_agent\":null}";

	check_line(ACCESS_APACHE, &record, apache);
	check_line(ACCESS_JSON, &record, json);
	record.head = &empty;
	record.client_host = "";
	record.user = "";
	check_line(ACCESS_APACHE, &record, apache);
	check_line(ACCESS_JSON, &record, json);
}
END_TEST

START_TEST(test_old_protocol_and_large_numbers)
{
	struct unicorn_head head = head_make(BYTES("/"), NULL, 0);
	struct access_record record = record_make(&head);

	head.minor_version = 0;
	record.body_bytes = INT64_MAX;
	record.duration_us = INT64_MAX;
	record.user = "a b]\"";
	check_line(ACCESS_APACHE, &record,
		   "192.0.2.1 - a\\x20b]\\\" [29/Feb/2024:12:00:00 +0000] \"GET / HTTP/1.0\" 200 9223372036854775807 "
		   "\"-\" \"-\" 9223372036854775807");
}
END_TEST

static const struct {
	const char *zone;
	int64_t time_s;
	const char *apache;
	const char *json;
} dates[] = {
	{ "UTC", 951782400, "29/Feb/2000:00:00:00 +0000", "2000-02-29T00:00:00Z" },
	{ "EST5", 951782400, "28/Feb/2000:19:00:00 -0500", "2000-02-29T00:00:00Z" },
	{ "XXX-5:30", 1735689599, "01/Jan/2025:05:29:59 +0530", "2024-12-31T23:59:59Z" },
	{ "XXX3:30", 1735689599, "31/Dec/2024:20:29:59 -0330", "2024-12-31T23:59:59Z" },
	{ "UTC", INT64_MIN, "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00Z" },
	{ "UTC", INT64_MAX, "31/Dec/9999:00:00:00 +0000", "9999-12-31T00:00:00Z" },
};

START_TEST(test_dates)
{
	char date[ACCESS_DATE_BYTES];

	ck_assert_int_eq(setenv("TZ", dates[_i].zone, 1), 0);
	tzset();
	access_date_format(ACCESS_APACHE, dates[_i].time_s, date);
	ck_assert_str_eq(date, dates[_i].apache);
	access_date_format(ACCESS_JSON, dates[_i].time_s, date);
	ck_assert_str_eq(date, dates[_i].json);
}
END_TEST

/* ---- escaping */

static const struct {
	const char *bytes;
	size_t length;
	const char *apache;
	const char *json;
} escapes[] = {
	{ BYTES("/plain~ !#$%&'()*+,-./:;<=>?@[]^_`{|}"), "/plain~ !#$%&'()*+,-./:;<=>?@[]^_`{|}",
	  "/plain~ !#$%&'()*+,-./:;<=>?@[]^_`{|}" },
	{ BYTES("/\" 200 \"x"), "/\\\" 200 \\\"x", "/\\\" 200 \\\"x" },
	{ BYTES("/\\"), "/\\\\", "/\\\\" },
	{ BYTES("/\r\n1.2.3.4"), "/\\x0d\\x0a1.2.3.4", "/\\u000d\\u000a1.2.3.4" },
	{ BYTES("/\0\t\x1b[2J\x7f"), "/\\x00\\x09\\x1b[2J\\x7f", "/\\u0000\\u0009\\u001b[2J\\u007f" },
	{ BYTES("/\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x84"), "/\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\xa6\\x84",
	  "/\xc3\xa9\xe2\x82\xac\xf0\x9f\xa6\x84" },
	/* line ends, terminals, direction: valid, but not harmless */
	{ BYTES("/\xc2\x85\xc2\x9b"), "/\\xc2\\x85\\xc2\\x9b", "/\\u0085\\u009b" },
	{ BYTES("/\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6"), "/\\xe2\\x80\\xa8\\xe2\\x80\\xae\\xe2\\x81\\xa6",
	  "/\\u2028\\u202e\\u2066" },
	{ BYTES("/\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xf4\x8f\xbf\xbf"),
	  "/\\xc2\\xa0\\xe2\\x80\\xa7\\xe2\\x80\\xaf\\xf4\\x8f\\xbf\\xbf",
	  "/\xc2\xa0\xe2\x80\xa7\xe2\x80\xaf\xf4\x8f\xbf\xbf" },
	/* no UTF-8: alone, cut, overlong, surrogate, too large */
	{ BYTES("/\x80\xffx"), "/\\x80\\xffx", "/\\ufffd\\ufffdx" },
	{ BYTES("/\xc3"), "/\\xc3", "/\\ufffd" },
	{ BYTES("/\xc3\"x"), "/\\xc3\\\"x", "/\\ufffd\\\"x" },
	{ BYTES("/\xe2\x82"), "/\\xe2\\x82", "/\\ufffd\\ufffd" },
	{ BYTES("/\xc0\x8a\xe0\x80\x8a"), "/\\xc0\\x8a\\xe0\\x80\\x8a", "/\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd" },
	{ BYTES("/\xed\xa0\x80"), "/\\xed\\xa0\\x80", "/\\ufffd\\ufffd\\ufffd" },
	{ BYTES("/\xf4\x90\x80\x80"), "/\\xf4\\x90\\x80\\x80", "/\\ufffd\\ufffd\\ufffd\\ufffd" },
};

/** What stands in a line behind a mark, in front of another one. */
static void check_part(const char *line, const char *before, const char *part, const char *behind)
{
	char wanted[512];

	(void)snprintf(wanted, sizeof(wanted), "%s%s%s", before, part, behind);
	ck_assert_msg(strstr(line, wanted) != NULL, "no %s in %s", wanted, line);
}

START_TEST(test_escapes)
{
	const struct unicorn_header headers[] = {
		{ "user-agent", escapes[_i].bytes, 10, (uint32_t)escapes[_i].length },
		{ "referer", escapes[_i].bytes, 7, (uint32_t)escapes[_i].length },
	};
	const struct unicorn_head head = head_make(escapes[_i].bytes, escapes[_i].length, headers, LENGTH(headers));
	const struct access_record record = record_make(&head);
	char *line = line_of(ACCESS_APACHE, &record);

	check_part(line, "\"GET ", escapes[_i].apache, " HTTP/1.1\" 200");
	check_part(line, " 6 \"", escapes[_i].apache, "\" \"/");
	check_part(line, "\" \"", escapes[_i].apache, "\" 1234");
	free(line);
	line = line_of(ACCESS_JSON, &record);
	check_part(line, "\"target\":\"", escapes[_i].json, "\",\"protocol\"");
	check_part(line, "\"referer\":\"", escapes[_i].json, "\",\"user_agent\"");
	check_part(line, "\"user_agent\":\"", escapes[_i].json, "\"}");
	ck_assert(utf8_is_valid(line, strlen(line)));
	free(line);
}
END_TEST

/** Fields of any length, of bytes of each kind: the line fits, and no cut goes through an escape or a character. */
START_TEST(test_long_fields_are_cut)
{
	static const char *const units[] = { "a", "\"", "\n", "\xc3\xa9", "\xff", "\xf0\x9f\xa6\x84" };
	const char *unit = units[_i];
	char *bytes = malloc(20001);
	size_t length = 0;

	ck_assert_ptr_nonnull(bytes);
	for (; length < 20000; length += strlen(unit))
		memcpy(bytes + length, unit, strlen(unit) + 1);
	for (size_t cut = 0; cut < 20; cut++) {
		const struct unicorn_header headers[] = {
			{ "user-agent", bytes, 10, (uint32_t)(length - cut) },
			{ "referer", bytes, 7, (uint32_t)(length - cut) },
		};
		struct unicorn_head head = head_make(bytes + cut, length - cut, headers, LENGTH(headers));
		struct access_record record = record_make(&head);
		char *line;

		head.method = bytes;
		head.method_length = 20000;
		record.client_host = bytes;
		record.user = bytes;
		record.status = 999;
		record.body_bytes = record.duration_us = INT64_MAX;
		line = line_of(ACCESS_APACHE, &record);
		check_part(line, "...", "\" 9223372036854775807", "");
		free(line);
		line = line_of(ACCESS_JSON, &record);
		check_part(line, "...", "\"}", "");
		ck_assert(utf8_is_valid(line, strlen(line)));
		free(line);
	}
	free(bytes);
}
END_TEST

/* ---- files */

/** The file's content as a string. */
static char *file_read(const char *name)
{
	char *content = calloc(1, 1 << 20);
	const int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	ck_assert_ptr_nonnull(content);
	ck_assert_int_ge(fd, 0);
	length = read(fd, content, (1 << 20) - 1);
	ck_assert_int_ge(length, 0);
	(void)close(fd);
	return content;
}

static size_t count_lines(const char *content)
{
	size_t count = 0;

	for (; *content != '\0'; content++)
		count += *content == '\n';
	return count;
}

static size_t file_lines(const char *name)
{
	char *content = file_read(name);
	const size_t count = count_lines(content);

	free(content);
	return count;
}

static void log_open(struct access_log *log, const char *name)
{
	char error[256] = "";

	ck_assert_msg(access_log_open(log, name, ACCESS_APACHE, error, sizeof(error)), "%s", error);
}

static void log_write(struct access_log *log, size_t count)
{
	const struct unicorn_head head = head_make(BYTES("/a/path/of/usual/length?and=a&query=string"), NULL, 0);
	const struct access_record record = record_make(&head);

	for (size_t i = 0; i < count; i++)
		access_log_write(log, &record);
}

START_TEST(test_lines_are_gathered)
{
	struct access_log log;
	struct stat status;

	log_open(&log, path);
	log_write(&log, 3);
	ck_assert_uint_eq(file_lines(path), 0);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_uint_eq(file_lines(path), 3);
	log_write(&log, 1000);
	ck_assert_uint_gt(file_lines(path), 500);
	access_log_close(&log);
	ck_assert_uint_eq(file_lines(path), 1003);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_int_eq(status.st_mode & 07, 0);
	log_open(&log, path);
	log_write(&log, 1);
	access_log_close(&log);
	ck_assert_uint_eq(file_lines(path), 1004);
}
END_TEST

START_TEST(test_date_follows_the_second)
{
	const struct unicorn_head head = head_make(BYTES("/"), NULL, 0);
	struct access_record record = record_make(&head);
	struct access_log log;
	char *content;

	log_open(&log, path);
	access_log_write(&log, &record);
	record.time_s++;
	access_log_write(&log, &record);
	record.time_s -= 2;
	access_log_write(&log, &record);
	access_log_close(&log);
	content = file_read(path);
	ck_assert_ptr_nonnull(strstr(content, "12:00:00"));
	ck_assert_ptr_nonnull(strstr(content, "12:00:01"));
	ck_assert_ptr_nonnull(strstr(content, "11:59:59"));
	free(content);
}
END_TEST

START_TEST(test_log_that_is_off)
{
	struct access_log log = ACCESS_LOG_OFF;

	log_write(&log, 3);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_int_eq(access_log_reopen(&log), 0);
	access_log_close(&log);
	access_log_close(NULL);
}
END_TEST

START_TEST(test_what_can_not_be_opened)
{
	char error[256] = "";
	struct access_log log;

	ck_assert(!access_log_open(&log, folder, ACCESS_JSON, error, sizeof(error)));
	ck_assert_ptr_nonnull(strstr(error, folder));
	ck_assert_int_eq(log.fd, -1);
	log_write(&log, 1);
	access_log_close(&log);
}
END_TEST

START_TEST(test_standard_output)
{
	const int saved = dup(STDOUT_FILENO);
	const int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct access_log log;

	(void)fflush(stdout);
	ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
	log_open(&log, "-");
	log_write(&log, 2);
	ck_assert_int_eq(access_log_reopen(&log), 0);
	log_write(&log, 1);
	access_log_close(&log);
	log_open(&log, "-");
	log_write(&log, 1);
	access_log_close(&log);
	ck_assert_int_ge(dup2(saved, STDOUT_FILENO), 0);
	(void)close(saved);
	(void)close(fd);
	ck_assert_uint_eq(file_lines(path), 4);
}
END_TEST

START_TEST(test_reopening_after_a_rotation)
{
	char rotated[sizeof(path) + 4];
	struct access_log log;

	(void)snprintf(rotated, sizeof(rotated), "%s.1", path);
	log_open(&log, path);
	log_write(&log, 3);
	ck_assert_int_eq(rename(path, rotated), 0);
	ck_assert_int_eq(access_log_reopen(&log), 0);
	log_write(&log, 2);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_uint_eq(file_lines(rotated), 3);
	ck_assert_uint_eq(file_lines(path), 2);
	/* A new file that can not be made leaves the old one. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(access_log_reopen(&log), -EISDIR);
	ck_assert_int_eq(rmdir(path), 0);
	log_write(&log, 1);
	ck_assert_int_eq(access_log_flush(&log), 0);
	access_log_close(&log);
	ck_assert_int_eq(unlink(rotated), 0);
}
END_TEST

/** The file is looked for when there is something to write, and what has been gathered goes to the new one. */
START_TEST(test_following_a_rotation)
{
	char rotated[sizeof(path) + 4];
	struct access_log log;
	struct access_log other;

	(void)snprintf(rotated, sizeof(rotated), "%s.1", path);
	log_open(&log, path);
	log_open(&other, path);
	log_write(&log, 3);
	ck_assert_int_eq(access_log_follow(&log), 0);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_int_eq(rename(path, rotated), 0);
	ck_assert_int_eq(access_log_follow(&log), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	log_write(&log, 2);
	ck_assert_int_eq(access_log_follow(&log), 0);
	ck_assert_int_eq(access_log_flush(&log), 0);
	log_write(&other, 4);
	ck_assert_int_eq(access_log_follow(&other), 0);
	ck_assert_int_eq(access_log_flush(&other), 0);
	ck_assert_uint_eq(file_lines(rotated), 3);
	ck_assert_uint_eq(file_lines(path), 6);
	/* Another file of that name, as logrotate makes one. */
	ck_assert_int_eq(rename(rotated, path), 0);
	log_write(&log, 1);
	ck_assert_int_eq(access_log_follow(&log), 0);
	access_log_close(&log);
	access_log_close(&other);
	ck_assert_uint_eq(file_lines(path), 4);
}
END_TEST

START_TEST(test_new_file_that_can_not_be_made_is_told_once)
{
	char rotated[sizeof(path) + 4];
	struct access_log log;

	(void)snprintf(rotated, sizeof(rotated), "%s.1", path);
	log_open(&log, path);
	ck_assert_int_eq(rename(path, rotated), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	for (int i = 0; i < 3; i++) {
		log_write(&log, 1);
		ck_assert_int_eq(access_log_follow(&log), i == 0 ? -EISDIR : 0);
		ck_assert_int_eq(access_log_flush(&log), 0);
	}
	ck_assert_uint_eq(file_lines(rotated), 3);
	ck_assert_int_eq(rmdir(path), 0);
	log_write(&log, 2);
	ck_assert_int_eq(access_log_follow(&log), 0);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_uint_eq(file_lines(path), 2);
	ck_assert_uint_eq(log.lost_lines, 0);
	/* It went well in between, so it is told again. */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	log_write(&log, 1);
	ck_assert_int_eq(access_log_follow(&log), -EISDIR);
	access_log_close(&log);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(unlink(rotated), 0);
}
END_TEST

START_TEST(test_log_stays_in_its_folder)
{
	const int before = open(".", O_PATH | O_CLOEXEC);
	struct access_log log;

	ck_assert_int_eq(chdir(folder), 0);
	log_open(&log, strrchr(path, '/') + 1);
	ck_assert_int_eq(chdir("/"), 0);
	log_write(&log, 1);
	ck_assert_int_eq(access_log_follow(&log), 0);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_int_eq(unlink(path), 0);
	log_write(&log, 2);
	ck_assert_int_eq(access_log_follow(&log), 0);
	access_log_close(&log);
	ck_assert_uint_eq(file_lines(path), 2);
	ck_assert_int_eq(fchdir(before), 0);
	(void)close(before);
}
END_TEST

/* ---- problems */

START_TEST(test_full_disk_is_told_once)
{
	struct access_log log;

	log_open(&log, "/dev/full");
	log_write(&log, 2000);
	ck_assert_int_eq(access_log_flush(&log), -ENOSPC);
	ck_assert_int_eq(access_log_flush(&log), 0);
	log_write(&log, 2000);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_uint_eq(log.lost_lines, 4000);
	access_log_close(&log);
}
END_TEST

/** libcheck notes every assertion in a file, so there must be none while the limit holds. */
static void limit_file_size(rlim_t size)
{
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };

	(void)getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	(void)setrlimit(RLIMIT_FSIZE, &limit);
}

/** A disk that is full in the middle of a line, and has room again. */
START_TEST(test_line_behind_a_torn_one_is_whole)
{
	struct access_log log;
	int results[3];
	char *content;

	(void)signal(SIGXFSZ, SIG_IGN);
	log_open(&log, path);
	limit_file_size(200);
	log_write(&log, 1);
	results[0] = access_log_flush(&log);
	log_write(&log, 5);
	results[1] = access_log_flush(&log);
	log_write(&log, 1);
	results[2] = access_log_flush(&log);
	limit_file_size(RLIM_INFINITY);
	ck_assert_int_eq(results[0], 0);
	ck_assert_int_eq(results[1], -EFBIG);
	ck_assert_int_eq(results[2], 0);
	ck_assert_uint_eq(log.lost_lines, 6);
	log_write(&log, 1);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_uint_eq(log.lost_lines, 6);
	access_log_close(&log);
	content = file_read(path);
	ck_assert_uint_eq(count_lines(content), 3);
	ck_assert_int_eq(strncmp(content + 200, "\n192.0.2.1 - - [", 16), 0);
	free(content);
}
END_TEST

/* What is not a file on a disk: a pipe, one that blocks as standard output does, and a terminal, which takes parts. */
enum reader { READER_PIPE, READER_BLOCKING_PIPE, READER_TERMINAL, READER_COUNT };

/** @return the end to read from; the log writes to the other one */
static int reader_open(enum reader reader, struct access_log *log)
{
	int fd;

	if (reader == READER_TERMINAL) {
		struct termios mode;

		fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(grantpt(fd), 0);
		ck_assert_int_eq(unlockpt(fd), 0);
		log_open(log, ptsname(fd));
		ck_assert_int_eq(tcgetattr(log->fd, &mode), 0);
		cfmakeraw(&mode);
		ck_assert_int_eq(tcsetattr(log->fd, TCSANOW, &mode), 0);
		return fd;
	}
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	log_open(log, path);
	if (reader == READER_BLOCKING_PIPE)
		ck_assert_int_eq(fcntl(log->fd, F_SETFL, 0), 0);
	return fd;
}

/** Reads and writes in turns until there is no more. @return length */
static size_t reader_empty(int fd, struct access_log *log, char *content, size_t size)
{
	size_t at = 0;

	for (int idle = 0; idle < 3 && at < size - 1;) {
		const ssize_t length = read(fd, content + at, size - 1 - at);

		if (length > 0)
			at += (size_t)length;
		else
			idle++;
		ck_assert_int_eq(access_log_flush(log), 0);
	}
	content[at] = '\0';
	return at;
}

/** What nobody empties is not waited for; what is in it is whole when somebody does. */
START_TEST(test_full_pipe_is_not_waited_for)
{
	static char content[65536 * 4];
	struct access_log log;
	const int fd = reader_open((enum reader)_i, &log);

	log_write(&log, 3000);
	ck_assert_int_eq(access_log_flush(&log), -EAGAIN);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_uint_gt(log.lost_lines, 1000);
	(void)reader_empty(fd, &log, content, sizeof(content));
	ck_assert_uint_eq(count_lines(content) + log.lost_lines, 3000);
	for (const char *line = content; *line != '\0'; line = strchr(line, '\n') + 1)
		ck_assert_int_eq(strncmp(line, "192.0.2.1 - - [", 15), 0);
	/* It is told again after it went well. */
	log_write(&log, 3000);
	ck_assert_int_eq(access_log_flush(&log), -EAGAIN);
	access_log_close(&log);
	(void)close(fd);
}
END_TEST

START_TEST(test_closed_pipe)
{
	struct access_log log;
	int fd;

	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	log_open(&log, path);
	(void)close(fd);
	log_write(&log, 3);
	ck_assert_int_eq(access_log_flush(&log), -EPIPE);
	ck_assert_int_eq(access_log_flush(&log), 0);
	ck_assert_uint_eq(log.lost_lines, 3);
	access_log_close(&log);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access log");
	TCase *test = tcase_create("access log");

	tcase_add_checked_fixture(test, set_up, tear_down);
	tcase_add_test(test, test_whole_lines);
	tcase_add_test(test, test_lines_without_anything);
	tcase_add_test(test, test_old_protocol_and_large_numbers);
	tcase_add_loop_test(test, test_dates, 0, LENGTH(dates));
	tcase_add_loop_test(test, test_escapes, 0, LENGTH(escapes));
	tcase_add_loop_test(test, test_long_fields_are_cut, 0, 6);
	tcase_add_test(test, test_lines_are_gathered);
	tcase_add_test(test, test_date_follows_the_second);
	tcase_add_test(test, test_log_that_is_off);
	tcase_add_test(test, test_what_can_not_be_opened);
	tcase_add_test(test, test_standard_output);
	tcase_add_test(test, test_reopening_after_a_rotation);
	tcase_add_test(test, test_following_a_rotation);
	tcase_add_test(test, test_new_file_that_can_not_be_made_is_told_once);
	tcase_add_test(test, test_log_stays_in_its_folder);
	tcase_add_test(test, test_full_disk_is_told_once);
	tcase_add_test(test, test_line_behind_a_torn_one_is_whole);
	tcase_add_loop_test(test, test_full_pipe_is_not_waited_for, 0, READER_COUNT);
	tcase_add_test(test, test_closed_pipe);
	suite_add_tcase(suite, test);
	return unit_run(suite);
}
