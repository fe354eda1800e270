/*
 * test_log_journal.c - entries for the journal, byte for byte, and what becomes of them when it does not read, is gone
 * or comes back.
 */
#include "unit.h"

#include "base/log.h"
#include "base/log_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD "SYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=unicornd\n"

static char folder[] = "/tmp/unicornd-journal-XXXXXX";
static char path[sizeof(folder) + 8];
static struct log_journal journal;
static int saved_stderr;

static void begin(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	journal = (struct log_journal){ .path = path, .fd = -1 };
	saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
}

static void end(void)
{
	struct error error;

	log_journal_close(&journal);
	(void)dup2(saved_stderr, STDERR_FILENO);
	(void)close(saved_stderr);
	(void)unsetenv("JOURNAL_STREAM");
	(void)log_open(NULL, LOG_LEVEL_INFO, &error);
	(void)unlink(path);
	(void)rmdir(folder);
}

/** The journal's side. */
static int socket_open(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	memcpy(address.sun_path, path, strlen(path));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void socket_remove(int fd)
{
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(unlink(path), 0);
}

/** @return the next entry, or what stands in standard error, or "" when there is none */
static const char *next(int fd)
{
	static char bytes[8192];
	ssize_t length = read(fd, bytes, sizeof(bytes) - 1);

	bytes[length > 0 ? length : 0] = '\0';
	return bytes;
}

static int say(const char *text)
{
	return log_journal_send(&journal, 6, NULL, text, strlen(text));
}

START_TEST(test_fields)
{
	const struct log_subject subject = {
		.event = "worker_lost", .pool = "app", .slot = 3, .generation = 12, .pid = 1234
	};
	const struct log_subject pool = { .pool = "app" };
	int fd = socket_open();

	ck_assert_int_eq(say("text = \xc3\xbc\xff"), 0);
	ck_assert_str_eq(next(fd), "PRIORITY=6\n" HEAD "MESSAGE=text = \xc3\xbc\xff\n");
	journal.site = "shop";
	ck_assert_int_eq(log_journal_send(&journal, 3, &subject, "textual", 4), 0);
	ck_assert_str_eq(next(fd), "PRIORITY=3\n" HEAD "UNICORND_SITE=shop\nUNICORND_POOL=app\nUNICORND_SLOT=3\n"
				   "UNICORND_GENERATION=12\nUNICORND_WORKER_PID=1234\nUNICORND_EVENT=worker_lost\n"
				   "MESSAGE=text\n");
	ck_assert_int_eq(log_journal_send(&journal, 0, &pool, "", 0), 0);
	ck_assert_str_eq(next(fd), "PRIORITY=0\n" HEAD "UNICORND_SITE=shop\nUNICORND_POOL=app\nMESSAGE=\n");
	ck_assert_str_eq(next(fd), "");
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_values_make_no_fields)
{
	struct log_subject subject = { .pool = "a\nMESSAGE=b\n", .slot = -1 };
	char long_name[1000];
	int fd = socket_open();
	const char *entry;

	ck_assert_int_eq(log_journal_send(&journal, 6, &subject, "text", 4), 0);
	ck_assert_str_eq(next(fd), "PRIORITY=6\n" HEAD "UNICORND_POOL=a?MESSAGE=b?\nMESSAGE=text\n");
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	journal.site = long_name;
	subject = (struct log_subject){
		.event = long_name, .pool = long_name, .slot = INT32_MAX, .generation = UINT32_MAX, .pid = INT32_MAX
	};
	ck_assert_int_eq(log_journal_send(&journal, 6, &subject, "text", 4), 0);
	entry = next(fd);
	ck_assert_ptr_nonnull(strstr(entry, "x\nUNICORND_SLOT=2147483647\nUNICORND_GENERATION=4294967295\n"
					    "UNICORND_WORKER_PID=2147483647\nUNICORND_EVENT=x"));
	ck_assert_str_eq(entry + strlen(entry) - strlen("x\nMESSAGE=text\n"), "x\nMESSAGE=text\n");
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_full_socket)
{
	char line[4000];
	int fd = socket_open();
	int sent = 0;

	memset(line, 'x', sizeof(line));
	while (sent < 100000 && log_journal_send(&journal, 6, NULL, line, sizeof(line)) == 0)
		sent++;
	ck_assert_int_gt(sent, 0);
	ck_assert_int_lt(sent, 100000);
	ck_assert_int_eq(say("lost"), EAGAIN);
	for (int i = 0; i < sent; i++)
		ck_assert_uint_gt(strlen(next(fd)), sizeof(line));
	ck_assert_str_eq(next(fd), "");
	ck_assert_int_eq(say("read again"), 0);
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=read again\n"));
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_socket_that_comes_back)
{
	int fd;

	ck_assert_int_eq(say("nobody"), ENOENT);
	ck_assert_int_eq(journal.fd, -1);
	fd = socket_open();
	ck_assert_int_eq(say("first"), 0);
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=first\n"));
	socket_remove(fd);
	fd = socket_open();
	ck_assert_int_eq(say("second"), 0);
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=second\n"));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(say("refused"), ECONNREFUSED);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(say("gone"), ENOENT);
	fd = socket_open();
	ck_assert_int_eq(say("third"), 0);
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=third\n"));
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(test_path_that_is_too_long)
{
	char long_path[200];

	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	journal.path = long_path;
	ck_assert_int_eq(say("text"), ENAMETOOLONG);
}
END_TEST

/* ---- the log that uses it */

/** Makes standard error a stream to a journal. @return its other end */
static int use_journal(void)
{
	struct error error;
	struct stat status;
	char stream[64];
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	ck_assert_int_eq(close(ends[1]), 0);
	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
	ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_move_journal(path);
	log_name_site("shop");
	ck_assert(log_open(NULL, LOG_LEVEL_INFO, &error));
	return ends[0];
}

static const struct log_subject worker = { .pool = "app", .slot = 3, .generation = 2, .pid = 1234 };

START_TEST(test_log_goes_one_way)
{
	int fd = socket_open();
	int stream = use_journal();

	errno = EDOM;
	log_warning("two\nlines");
	log_output(&worker, "of \0 a worker", 5);
	log_about(&worker, LOG_LEVEL_ERROR, "about it");
	log_debug("dropped");
	ck_assert_int_eq(errno, EDOM);
	ck_assert_str_eq(next(fd), "PRIORITY=4\n" HEAD "UNICORND_SITE=shop\nMESSAGE=two?lines\n");
	ck_assert_str_eq(next(fd), "PRIORITY=6\n" HEAD "UNICORND_SITE=shop\nUNICORND_POOL=app\nUNICORND_SLOT=3\n"
				   "UNICORND_GENERATION=2\nUNICORND_WORKER_PID=1234\nMESSAGE=app/3[1234]: of \n");
	ck_assert_ptr_nonnull(strstr(next(fd), "UNICORND_WORKER_PID=1234\nMESSAGE=about it\n"));
	ck_assert_str_eq(next(fd), "");
	ck_assert_str_eq(next(stream), "");
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(close(stream), 0);
}
END_TEST

START_TEST(test_log_long_lines_are_cut)
{
	int fd = socket_open();
	int stream = use_journal();
	char line[10000];
	const char *entry;

	memset(line, 'x', sizeof(line));
	log_output(&worker, line, sizeof(line));
	entry = next(fd);
	ck_assert_uint_gt(strlen(entry), 4000);
	ck_assert_str_eq(entry + strlen(entry) - 2, "x\n");
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(close(stream), 0);
}
END_TEST

START_TEST(test_log_falls_back_to_the_stream)
{
	int stream = use_journal();
	int fd;

	log_output(&worker, "nobody there", 12);
	ck_assert_str_eq(next(stream), "<6>app/3[1234]: nobody there\n");
	fd = socket_open();
	log_warning("there");
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=there\n"));
	socket_remove(fd);
	log_warning("gone");
	ck_assert_str_eq(next(stream), "<4>gone\n");
	fd = socket_open();
	log_warning("back");
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=back\n"));
	ck_assert_str_eq(next(fd), "");
	ck_assert_str_eq(next(stream), "");
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(close(stream), 0);
}
END_TEST

/** A journal that does not read costs lines, and 100 ms once; they are counted. */
START_TEST(test_log_is_not_stopped)
{
	int fd = socket_open();
	int stream = use_journal();
	int entries = 0;
	int lost = 0;

	for (int i = 0; i < 5000; i++)
		log_info("%01000d", i);
	while (next(fd)[0] != '\0')
		entries++;
	ck_assert_int_gt(entries, 0);
	ck_assert_int_lt(entries, 5000);
	log_info("read again");
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=read again\n"));
	ck_assert_int_eq(sscanf(strstr(next(fd), "\nMESSAGE="), "\nMESSAGE=%d lines of this log", &lost), 1);
	ck_assert_int_eq(entries + lost, 5000);
	ck_assert_str_eq(next(stream), "");
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(close(stream), 0);
}
END_TEST

START_TEST(test_log_in_a_file_leaves_the_journal)
{
	struct error error;
	int fd = socket_open();
	int stream = use_journal();

	log_info("first");
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=first\n"));
	ck_assert(log_open("/dev/null", LOG_LEVEL_INFO, &error));
	log_info("second");
	ck_assert_str_eq(next(fd), "");
	ck_assert(log_open(NULL, LOG_LEVEL_INFO, &error));
	log_info("third");
	ck_assert_ptr_nonnull(strstr(next(fd), "\nMESSAGE=third\n"));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(close(stream), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log journal");
	TCase *tcase = tcase_create("log journal");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, test_fields);
	tcase_add_test(tcase, test_values_make_no_fields);
	tcase_add_test(tcase, test_full_socket);
	tcase_add_test(tcase, test_socket_that_comes_back);
	tcase_add_test(tcase, test_path_that_is_too_long);
	tcase_add_test(tcase, test_log_goes_one_way);
	tcase_add_test(tcase, test_log_long_lines_are_cut);
	tcase_add_test(tcase, test_log_falls_back_to_the_stream);
	tcase_add_test(tcase, test_log_is_not_stopped);
	tcase_add_test(tcase, test_log_in_a_file_leaves_the_journal);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
