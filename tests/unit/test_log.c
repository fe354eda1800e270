/*
 * test_log.c - lines to files, pipes and the journal; nobody reading must not stop the writer.
 */
#include "unit.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/unicornd-log-XXXXXX";
static char renamed[sizeof(path) + 2];
static int saved_stderr;

static void begin(void)
{
	int fd;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(close(fd), 0);
	(void)snprintf(renamed, sizeof(renamed), "%s.1", path);
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
}

static void end(void)
{
	struct error error;

	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)unsetenv("JOURNAL_STREAM");
	(void)log_open(NULL, LOG_LEVEL_INFO, &error);
	(void)unlink(path);
	(void)unlink(renamed);
}

static const char *read_file(const char *name)
{
	static char content[16384];
	FILE *file = fopen(name, "re");
	size_t length;

	ck_assert_ptr_nonnull(file);
	length = fread(content, 1, sizeof(content) - 1, file);
	content[length] = '\0';
	ck_assert_int_eq(fclose(file), 0);
	return content;
}

/** Makes standard error a pipe. @return its read end, not blocking */
static int use_pipe(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(close(ends[1]), 0);
	return ends[0];
}

START_TEST(test_file)
{
	struct error error;
	const char *content;

	ck_assert(log_open(path, LOG_LEVEL_NOTICE, &error));
	errno = EDOM;
	log_notice("pool %s: %d", "app", 3);
	log_info("dropped");
	log_warning("two\nlines\033[0m");
	ck_assert_int_eq(errno, EDOM);
	content = read_file(path);
	ck_assert_int_eq(content[4], '-');
	ck_assert_int_eq(content[10], 'T');
	ck_assert_str_eq(content + strlen("2024-01-01T00:00:00.000Z "), strstr(content, "notice: pool app: 3\n"));
	ck_assert_ptr_nonnull(strstr(content, "Z warning: two?lines?[0m\n"));
	ck_assert_ptr_null(strstr(content, "dropped"));
}
END_TEST

START_TEST(test_file_is_reopened_by_name)
{
	struct error error;

	ck_assert(log_open(path, LOG_LEVEL_INFO, &error));
	log_info("first");
	ck_assert_int_eq(rename(path, renamed), 0);
	log_info("second");
	ck_assert(log_reopen(&error));
	log_info("third");
	ck_assert_ptr_nonnull(strstr(read_file(renamed), "second\n"));
	ck_assert_ptr_null(strstr(read_file(path), "second\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "third\n"));
}
END_TEST

START_TEST(test_file_that_cannot_be_opened_changes_nothing)
{
	struct error error;

	ck_assert(log_open(path, LOG_LEVEL_INFO, &error));
	ck_assert(!log_open("/nowhere/log", LOG_LEVEL_ERROR, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "cannot open the log /nowhere/log: No such file"));
	log_info("still here");
	ck_assert_ptr_nonnull(strstr(read_file(path), "still here\n"));
}
END_TEST

static const struct log_subject worker = { .pool = "app", .slot = 3, .generation = 2, .pid = 1234 };

START_TEST(test_long_lines_are_cut)
{
	struct error error;
	char line[10000];

	memset(line, 'x', sizeof(line));
	ck_assert(log_open(path, LOG_LEVEL_INFO, &error));
	log_output(&worker, line, sizeof(line));
	log_output(&worker, "short", 5);
	ck_assert_ptr_nonnull(strstr(read_file(path), "info: app/3[1234]: xxx"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "x\n2"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "info: app/3[1234]: short\n"));
}
END_TEST

/** The prefix of syslog is the level of a worker's line. */
START_TEST(test_level_of_output)
{
	struct error error;

	ck_assert(log_open(path, LOG_LEVEL_INFO, &error));
	log_output(&worker, "<3>broken", 9);
	log_output(&worker, "<0>burns", 8);
	log_output(&worker, "<4>", 3);
	log_output(&worker, "<7>dropped", 10);
	log_output(&worker, "<8>none", 7);
	log_output(&worker, "<b>bold</b>", 11);
	log_output(&worker, "<3", 2);
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z error: app/3[1234]: broken\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z error: app/3[1234]: burns\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z warning: app/3[1234]: \n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z info: app/3[1234]: <8>none\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z info: app/3[1234]: <b>bold</b>\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z info: app/3[1234]: <3\n"));
	ck_assert_ptr_null(strstr(read_file(path), "dropped"));
	ck_assert(log_open(path, LOG_LEVEL_DEBUG, &error));
	log_output(&worker, "<5>seen", 7);
	log_output(&worker, "<7>fine", 7);
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z notice: app/3[1234]: seen\n"));
	ck_assert_ptr_nonnull(strstr(read_file(path), "Z debug: app/3[1234]: fine\n"));
}
END_TEST

START_TEST(test_journal)
{
	struct error error;
	struct stat status;
	char stream[64];
	char line[64] = "";
	int reader = use_pipe();

	log_move_journal("/nowhere/socket");
	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	ck_assert(log_open(NULL, LOG_LEVEL_INFO, &error));
	log_warning("text");
	ck_assert_int_eq(read(reader, line, sizeof(line) - 1), 8);
	ck_assert_str_eq(line, "<4>text\n");
	ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	ck_assert(log_open(NULL, LOG_LEVEL_INFO, &error));
	log_warning("text");
	ck_assert_int_gt(read(reader, line, sizeof(line) - 1), 8);
	ck_assert_int_eq(line[0], '2');
	ck_assert_int_eq(close(reader), 0);
}
END_TEST

/** Reads all there is. @return whether the last line says how many were lost */
static bool drain(int reader)
{
	static char content[65536 + 1];
	bool said = false;
	ssize_t length;

	while ((length = read(reader, content, sizeof(content) - 1)) > 0) {
		content[length] = '\0';
		said = strstr(content, " lines of this log could not be written\n") != NULL;
	}
	return said;
}

START_TEST(test_a_reader_that_does_not_read)
{
	struct error error;
	int reader = use_pipe();

	ck_assert(log_open(NULL, LOG_LEVEL_INFO, &error));
	for (int i = 0; i < 5000; i++)
		log_info("%0100d", i);
	ck_assert(!drain(reader));
	log_info("read again");
	ck_assert(drain(reader));
	ck_assert_int_eq(close(reader), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, test_file);
	tcase_add_test(tcase, test_file_is_reopened_by_name);
	tcase_add_test(tcase, test_file_that_cannot_be_opened_changes_nothing);
	tcase_add_test(tcase, test_long_lines_are_cut);
	tcase_add_test(tcase, test_level_of_output);
	tcase_add_test(tcase, test_journal);
	tcase_add_test(tcase, test_a_reader_that_does_not_read);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
