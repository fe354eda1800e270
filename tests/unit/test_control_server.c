/*
 * The control server with real sockets and a real loop, both ends in this process: limits, clients that misbehave, the
 * socket's file.
 */
#include "control_world.h"
#include "unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "control/control_server.h"
#include "unicornd/control.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/** Nothing here takes long; a test that waits longer has failed. */
#define PATIENCE_MS 20000
/** Room for the start of an answer. */
#define LINE_SIZE 1024

#define ASK_VERSION "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\"}\n"
#define FOLLOW      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"events\",\"params\":{\"follow\":true,\"since\":1000000}}\n"

static struct control_world world;
static struct control_settings settings;
static struct ev_loop *loop;
static struct control_server *server;
static char folder[64];
static char path[100];

static struct control_server *create(struct error *error)
{
	const struct control_context context = {
		.path = path, .settings = &settings, .source = &world.source, .configuration_name = "site.conf"
	};

	return control_server_create(loop, &world.supervisor, &context, error);
}

static void set_up(void)
{
	struct error error;

	snprintf(folder, sizeof(folder), "/tmp/unicornd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/run/site.sock", folder);
	settings = (struct control_settings){ .mode = 0600 };
	control_world_init(&world, "4");
	loop = ev_loop_new(EVFLAG_AUTO);
	ck_assert_ptr_nonnull(loop);
	server = create(&error);
	ck_assert_msg(server != NULL, "%s", error.text);
}

static void tear_down(void)
{
	char run[sizeof(folder) + 8];

	control_server_destroy(server);
	server = NULL;
	ev_loop_destroy(loop);
	control_world_finish(&world);
	(void)unlink(path);
	snprintf(run, sizeof(run), "%s/run", folder);
	ck_assert_int_eq(rmdir(run), 0);
	ck_assert_int_eq(rmdir(folder), 0);
}

static int connect_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "%s", strerror(errno));
	return fd;
}

static void turn(void)
{
	ev_run(loop, EVRUN_NOWAIT);
}

/** Sends all, with turns of the loop while the socket is full. @return false when the other end is closed */
static bool send_all(int fd, const char *bytes, size_t length)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN)
			return false;
		ck_assert(clock_monotonic_ms() < until_ms);
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
		turn();
	}
	return true;
}

static void say(int fd, const char *line)
{
	ck_assert(send_all(fd, line, strlen(line)));
}

/** @return true while there is neither a byte nor the end */
static bool is_silent(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

/**
 * Appends what there is up to the newline to a line, which is cut where its room ends.
 * @return 1: the line is complete, 0: there is more to come, -1: the connection has ended
 */
static int hear_piece(int fd, struct text *line)
{
	static char piece[65536];
	ssize_t length = recv(fd, piece, sizeof(piece), MSG_PEEK);
	const char *newline;

	if (length < 0 && errno == EAGAIN) {
		turn();
		return 0;
	}
	if (length <= 0)
		return -1;
	newline = memchr(piece, '\n', (size_t)length);
	if (newline != NULL)
		length = newline - piece + 1;
	text_append_bytes(line, piece, (size_t)length);
	ck_assert_int_eq(recv(fd, piece, (size_t)length, 0), length);
	return newline != NULL ? 1 : 0;
}

/** Waits for the next line; a longer one than fits is cut. @return false at the end of the connection */
static bool hear(int fd, char *line, size_t size)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct text heard = { 0 };
	int done;

	while ((done = hear_piece(fd, &heard)) == 0)
		ck_assert_msg(clock_monotonic_ms() < until_ms, "nothing is said");
	snprintf(line, size, "%s", text_string(&heard));
	text_finish(&heard);
	return done > 0;
}

static void expect(int fd, const char *words)
{
	char line[LINE_SIZE] = "";

	ck_assert_msg(hear(fd, line, sizeof(line)), "closed instead of %s", words);
	ck_assert_msg(strstr(line, words) != NULL, "%s is not in %s", words, line);
}

static void expect_end(int fd)
{
	char line[LINE_SIZE];

	ck_assert_msg(!hear(fd, line, sizeof(line)), "still there: %s", line);
}

static void expect_version(int fd)
{
	say(fd, ASK_VERSION);
	expect(fd, "\"control\":1");
}

/* ---- talk */

START_TEST(test_a_request_may_come_in_any_pieces)
{
	int fd = connect_client();

	for (size_t first = 1; first < strlen(ASK_VERSION); first++) {
		ck_assert(send_all(fd, ASK_VERSION, first));
		ck_assert(is_silent(fd));
		ck_assert(send_all(fd, &ASK_VERSION[first], strlen(ASK_VERSION) - first));
		expect(fd, "\"control\":1");
	}
	say(fd, ASK_VERSION ASK_VERSION ASK_VERSION);
	for (int i = 0; i < 3; i++)
		expect(fd, "\"control\":1");
	close(fd);
}
END_TEST

START_TEST(test_what_was_sent_before_the_accept_is_answered_at_once)
{
	int fd = connect_client();

	ck_assert_int_eq(send(fd, ASK_VERSION, strlen(ASK_VERSION), 0), (ssize_t)strlen(ASK_VERSION));
	expect(fd, "\"control\":1");
	close(fd);
}
END_TEST

START_TEST(test_a_line_that_is_too_long_is_answered_and_ends_the_connection)
{
	static char noise[UNICORND_CONTROL_LINE_MAX + 10];
	int fd = connect_client();

	memset(noise, 'x', sizeof(noise));
	(void)send_all(fd, noise, sizeof(noise));
	expect(fd, "-32600");
	expect_end(fd);
	close(fd);
	fd = connect_client();
	expect_version(fd);
	close(fd);
}
END_TEST

START_TEST(test_a_line_of_the_longest_length_is_a_line)
{
	static char noise[UNICORND_CONTROL_LINE_MAX];
	int fd = connect_client();

	memset(noise, 'x', sizeof(noise));
	noise[sizeof(noise) - 1] = '\n';
	ck_assert(send_all(fd, noise, sizeof(noise)));
	expect(fd, "-32700");
	expect_version(fd);
	close(fd);
}
END_TEST

START_TEST(test_a_change_is_answered_also_when_the_client_says_no_more)
{
	int fd = connect_client();
	char line[LINE_SIZE];

	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"scale\",\"params\":{\"workers\":\"5\"}}\n");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	for (int i = 0; i < 5; i++)
		turn();
	control_world_run(&world);
	do
		ck_assert(hear(fd, line, sizeof(line)));
	while (strstr(line, "progress") != NULL);
	ck_assert_ptr_nonnull(strstr(line, "\"outcome\":\"done\""));
	expect_end(fd);
	close(fd);
}
END_TEST

START_TEST(test_a_client_may_leave_in_the_middle)
{
	int fd = connect_client();

	world.never_ready = true;
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"restart\"}\n");
	close(fd);
	turn();
	world.never_ready = false;
	control_world_run(&world);
	turn();
	fd = connect_client();
	ck_assert(send_all(fd, ASK_VERSION, 10));
	close(fd);
	turn();
	fd = connect_client();
	expect_version(fd);
	close(fd);
}
END_TEST

START_TEST(test_the_last_answers_are_written_at_the_end)
{
	int fd = connect_client();
	char line[LINE_SIZE] = "";

	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stop\"}\n");
	control_world_run(&world);
	ck_assert(world.supervisor.finished);
	control_server_flush(server);
	control_server_destroy(server);
	server = NULL;
	while (strstr(line, "\"outcome\"") == NULL)
		ck_assert(hear(fd, line, sizeof(line)));
	ck_assert_ptr_nonnull(strstr(line, "\"verb\":\"stop\""));
	expect_end(fd);
	close(fd);
}
END_TEST

/* ---- too many and too slow */

START_TEST(test_a_thousand_silent_clients_do_not_shut_anybody_out)
{
	static int silent[1000];
	int first, last;

	first = connect_client();
	expect_version(first);
	for (int i = 0; i < 1000; i++) {
		silent[i] = connect_client();
		if (i % 50 == 0)
			expect_version(first);
		else
			turn();
	}
	expect_version(first);
	last = connect_client();
	expect_version(last);
	expect_end(silent[0]);
	expect_end(silent[900]);
	expect_version(silent[999]);
	for (int i = 0; i < 1000; i++)
		close(silent[i]);
	close(first);
	close(last);
}
END_TEST

START_TEST(test_who_waits_or_follows_is_not_silent)
{
	int follower = connect_client();
	int waiter = connect_client();
	int silent[100];

	say(follower, FOLLOW);
	expect(follower, "\"events\":[]");
	world.never_ready = true;
	say(waiter, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"restart\",\"params\":{\"target\":\"app/1\"}}\n");
	for (int i = 0; i < 100; i++) {
		silent[i] = connect_client();
		turn();
	}
	world.never_ready = false;
	control_world_run(&world);
	expect(follower, "\"method\":\"event\"");
	expect(waiter, "r-2");
	for (int i = 0; i < 100; i++)
		close(silent[i]);
	close(follower);
	close(waiter);
}
END_TEST

START_TEST(test_when_all_wait_the_newcomer_is_not_served)
{
	int followers[UNICORND_CONTROL_CLIENTS_MAX];
	int late;

	for (int i = 0; i < UNICORND_CONTROL_CLIENTS_MAX; i++) {
		followers[i] = connect_client();
		say(followers[i], FOLLOW);
		expect(followers[i], "\"events\":[]");
	}
	late = connect_client();
	expect_end(late);
	close(late);
	close(followers[7]);
	turn();
	late = connect_client();
	expect_version(late);
	close(late);
	for (int i = 0; i < UNICORND_CONTROL_CLIENTS_MAX; i++) {
		if (i != 7)
			close(followers[i]);
	}
}
END_TEST

START_TEST(test_a_follower_that_hung_up_behind_its_end_gives_way)
{
	int followers[UNICORND_CONTROL_CLIENTS_MAX];
	int late;

	for (int i = 0; i < UNICORND_CONTROL_CLIENTS_MAX; i++) {
		followers[i] = connect_client();
		say(followers[i], FOLLOW);
		expect(followers[i], "\"events\":[]");
	}
	ck_assert_int_eq(shutdown(followers[3], SHUT_WR), 0);
	for (int i = 0; i < 5; i++)
		turn();
	close(followers[3]);
	late = connect_client();
	expect_version(late);
	close(late);
	for (int i = 0; i < UNICORND_CONTROL_CLIENTS_MAX; i++) {
		if (i != 3)
			close(followers[i]);
	}
}
END_TEST

/** Lets things happen until the follower, who does not read, must have been cut off. */
static void make_noise(void)
{
	static char noise[16384];
	size_t sent = 0;

	memset(noise, 'x', sizeof(noise));
	for (; sent < (size_t)UNICORND_CONTROL_BACKLOG_MAX + 4 * 1024 * 1024; sent += sizeof(noise)) {
		control_world_write(&world, 1, noise, sizeof(noise));
		turn();
	}
}

START_TEST(test_a_client_that_never_reads_is_cut_off)
{
	static char drain[65536];
	int deaf = connect_client();
	int reader = connect_client();
	ssize_t length;

	say(deaf, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logs\",\"params\":{\"follow\":true}}\n");
	make_noise();
	expect_version(reader);
	do
		length = recv(deaf, drain, sizeof(drain), 0);
	while (length > 0);
	ck_assert(length == 0 || errno == ECONNRESET);
	close(deaf);
	close(reader);
}
END_TEST

START_TEST(test_a_slow_reader_gets_everything)
{
	static char noise[16384];
	int fd = connect_client();
	size_t lines = 0, heard = 0;
	char line[256];

	memset(noise, 'x', sizeof(noise));
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"logs\",\"params\":{\"follow\":true}}\n");
	expect(fd, "\"logs\":[]");
	/* Behind by up to half a MiB all the time, over far more than the limit in all. */
	for (; lines < 1000; lines++) {
		control_world_write(&world, 1, noise, sizeof(noise));
		turn();
		for (; heard + 32 <= lines; heard++)
			ck_assert(hear(fd, line, sizeof(line)));
	}
	for (; heard < lines; heard++)
		ck_assert(hear(fd, line, sizeof(line)));
	ck_assert(is_silent(fd));
	close(fd);
}
END_TEST

START_TEST(test_many_requests_without_reading_end_the_connection_only)
{
	static char requests[1024 * 1024];
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"config\"}\n";
	size_t length = 0;
	int greedy = connect_client();
	int reader = connect_client();

	for (; length + strlen(line) < sizeof(requests); length += strlen(line))
		memcpy(requests + length, line, strlen(line));
	ck_assert(!send_all(greedy, requests, length));
	expect_version(reader);
	close(greedy);
	close(reader);
}
END_TEST

START_TEST(test_without_descriptors_the_server_waits_and_goes_on)
{
	struct rlimit before, none;
	int fd = connect_client();
	int probe = dup(fd);
	int64_t paused_ms;

	ck_assert_int_ge(probe, 0);
	close(probe);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)probe;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 10; i++)
		turn();
	/* Nobody is accepted for a while: the loop has nothing to do but to wait for that to be over. */
	paused_ms = clock_monotonic_ms();
	ev_run(loop, EVRUN_ONCE);
	ck_assert_int_gt(clock_monotonic_ms() - paused_ms, 100);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	expect_version(fd);
	close(fd);
}
END_TEST

/* ---- the socket's file */

START_TEST(test_the_file_has_its_mode_and_goes_with_the_server)
{
	struct stat status;

	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISSOCK(status.st_mode));
	ck_assert_int_eq(status.st_mode & 0777, 0600);
	control_server_destroy(server);
	server = NULL;
	ck_assert(lstat(path, &status) < 0 && errno == ENOENT);
}
END_TEST

START_TEST(test_a_file_of_somebody_else_stays)
{
	int fd;

	ck_assert_int_eq(unlink(path), 0);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	control_server_destroy(server);
	server = NULL;
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_a_path_in_use_is_refused)
{
	struct error error;

	ck_assert_ptr_null(create(&error));
	ck_assert_ptr_nonnull(strstr(error.text, path));
	ck_assert_ptr_nonnull(strstr(error.text, "control socket"));
}
END_TEST

START_TEST(test_a_group_that_does_not_exist_is_refused)
{
	char group[] = "no-such-group-here";
	struct error error;

	control_server_destroy(server);
	settings.operator_group = group;
	server = create(&error);
	ck_assert_ptr_null(server);
	ck_assert_ptr_nonnull(strstr(error.text, group));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("control_server");
	TCase *talk = tcase_create("talk");
	TCase *limits = tcase_create("limits");
	TCase *file = tcase_create("file");

	suite_add_tcase(suite, talk);
	tcase_set_timeout(talk, 60);
	tcase_add_checked_fixture(talk, set_up, tear_down);
	tcase_add_test(talk, test_a_request_may_come_in_any_pieces);
	tcase_add_test(talk, test_what_was_sent_before_the_accept_is_answered_at_once);
	tcase_add_test(talk, test_a_line_that_is_too_long_is_answered_and_ends_the_connection);
	tcase_add_test(talk, test_a_line_of_the_longest_length_is_a_line);
	tcase_add_test(talk, test_a_change_is_answered_also_when_the_client_says_no_more);
	tcase_add_test(talk, test_a_client_may_leave_in_the_middle);
	tcase_add_test(talk, test_the_last_answers_are_written_at_the_end);

	suite_add_tcase(suite, limits);
	tcase_set_timeout(limits, 120);
	tcase_add_checked_fixture(limits, set_up, tear_down);
	tcase_add_test(limits, test_a_thousand_silent_clients_do_not_shut_anybody_out);
	tcase_add_test(limits, test_who_waits_or_follows_is_not_silent);
	tcase_add_test(limits, test_when_all_wait_the_newcomer_is_not_served);
	tcase_add_test(limits, test_a_follower_that_hung_up_behind_its_end_gives_way);
	tcase_add_test(limits, test_a_client_that_never_reads_is_cut_off);
	tcase_add_test(limits, test_a_slow_reader_gets_everything);
	tcase_add_test(limits, test_many_requests_without_reading_end_the_connection_only);
	tcase_add_test(limits, test_without_descriptors_the_server_waits_and_goes_on);

	suite_add_tcase(suite, file);
	tcase_add_checked_fixture(file, set_up, tear_down);
	tcase_add_test(file, test_the_file_has_its_mode_and_goes_with_the_server);
	tcase_add_test(file, test_a_file_of_somebody_else_stays);
	tcase_add_test(file, test_a_path_in_use_is_refused);
	tcase_add_test(file, test_a_group_that_does_not_exist_is_refused);
	return suite;
}

int main(void)
{
	struct rlimit descriptors;
	struct error error;

	/* A thousand clients and the server are one process here; many systems begin with 1,024 descriptors. */
	if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
		descriptors.rlim_cur = descriptors.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &descriptors);
	}
	/* Much happens here, and none of it is news. */
	if (!log_open(NULL, LOG_LEVEL_ERROR, &error))
		return EXIT_FAILURE;
	return unit_run(make_suite());
}
