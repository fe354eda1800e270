/*
 * test_worker_library.c - libunicornworker over real pipes and sockets.
 *
 * Each test plays the daemon and forks a worker, which gets its descriptors from 3 on and its environment as the daemon
 * would give them. The worker ends by EXPECT (line number on standard error, exit status 1) or with 0.
 */
#include "unicornd/protocol.h"
#include "unicornd/worker.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LISTENERS   2
#define STATUS_FD   (UNICORND_FIRST_FD + LISTENERS)
#define PATIENCE_MS 20000

#define EXPECT(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			(void)fprintf(stderr, "# line %d: not so: %s\n", __LINE__, #condition);                        \
			_exit(1);                                                                                      \
		}                                                                                                      \
	} while (0)

/** The daemon's side. */
static struct daemon_side {
	int listeners[LISTENERS];
	int reader;
	int writer;
	pid_t worker;
} side;

static int listener_open(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

static void setup(void)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	side.reader = ends[0];
	side.writer = ends[1];
	side.worker = -1;
	for (int i = 0; i < LISTENERS; i++)
		side.listeners[i] = listener_open();
}

static void descriptor_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void teardown(void)
{
	for (int i = 0; i < LISTENERS; i++)
		descriptor_close(&side.listeners[i]);
	descriptor_close(&side.reader);
	descriptor_close(&side.writer);
	if (side.worker > 0) {
		(void)kill(side.worker, SIGKILL);
		(void)waitpid(side.worker, NULL, 0);
	}
}

static void environment_set_number(const char *name, long number)
{
	char digits[32];

	(void)snprintf(digits, sizeof(digits), "%ld", number);
	(void)setenv(name, digits, 1);
}

/** Descriptors go up first, because they may be where others shall be. */
static void descriptors_place(void)
{
	int sources[LISTENERS + 1] = { side.listeners[0], side.listeners[1], side.writer };

	for (int i = 0; i <= LISTENERS; i++)
		sources[i] = fcntl(sources[i], F_DUPFD, 100);
	for (int i = 0; i <= LISTENERS; i++)
		(void)dup2(sources[i], UNICORND_FIRST_FD + i);
	for (int i = STATUS_FD + 1; i < 256; i++)
		(void)close(i);
}

/** Forks a worker with a complete environment; `function` runs in it and should return. */
static void worker_start(void (*function)(void))
{
	side.worker = fork();
	ck_assert_int_ge(side.worker, 0);
	if (side.worker > 0) {
		descriptor_close(&side.writer);
		return;
	}
	descriptors_place();
	environment_set_number(UNICORND_ENV_LISTEN_FDS, LISTENERS);
	environment_set_number(UNICORND_ENV_LISTEN_PID, (long)getpid());
	(void)setenv(UNICORND_ENV_LISTEN_FDNAMES, "web:admin", 1);
	environment_set_number(UNICORND_ENV_STATUS_FD, STATUS_FD);
	(void)setenv(UNICORND_ENV_POOL, "app", 1);
	(void)setenv(UNICORND_ENV_SLOT, "3", 1);
	(void)setenv(UNICORND_ENV_GENERATION, "7", 1);
	(void)setenv(UNICORND_ENV_WATCHDOG_USEC, "20000", 1);
	environment_set_number(UNICORND_ENV_WATCHDOG_PID, (long)getpid());
	function();
	_exit(0);
}

/** Waits for the end of the worker, which must be exit status 0. */
static void worker_expect_end(void)
{
	int status;

	ck_assert_int_eq(waitpid(side.worker, &status, 0), side.worker);
	side.worker = -1;
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "worker: wait status %#x", (unsigned)status);
}

/** Reads the pipe until it has said the text. What comes behind it in the same read is dropped. */
static void daemon_read_until(const char *text)
{
	static char bytes[65536];
	size_t length = 0;

	do {
		struct pollfd reader = { .fd = side.reader, .events = POLLIN };
		ssize_t count;

		ck_assert_msg(poll(&reader, 1, PATIENCE_MS) == 1, "the worker did not say %s", text);
		count = read(side.reader, bytes + length, sizeof(bytes) - 1 - length);
		ck_assert_msg(count > 0, "the worker ended without saying %s", text);
		length += (size_t)count;
		bytes[length] = '\0';
	} while (strstr(bytes, text) == NULL);
}

static int daemon_connect(int listener)
{
	struct sockaddr_in address;
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(getsockname(side.listeners[listener], (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, length), 0);
	return fd;
}

static bool is_close_on_exec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* --- the environment --- */

static void init_fills_all(void)
{
	struct unicorn_worker worker;
	struct sigaction action;

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(worker.listener_count == LISTENERS);
	EXPECT(worker.first_listener == UNICORND_FIRST_FD);
	EXPECT(worker.status_fd == STATUS_FD);
	EXPECT(worker.slot == 3);
	EXPECT(worker.generation == 7);
	EXPECT(worker.heartbeat_ms == 10);
	EXPECT(strcmp(worker.pool, "app") == 0);
	for (int fd = UNICORND_FIRST_FD; fd <= STATUS_FD; fd++)
		EXPECT(is_close_on_exec(fd));
	EXPECT(sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
	EXPECT(!unicorn_worker_is_stopping());
}

START_TEST(test_init_reads_the_environment)
{
	worker_start(init_fills_all);
	worker_expect_end();
}
END_TEST

static void listeners_have_names(void)
{
	struct unicorn_worker worker;

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(unicorn_worker_listener(&worker, NULL) == UNICORND_FIRST_FD);
	EXPECT(unicorn_worker_listener(&worker, "web") == UNICORND_FIRST_FD);
	EXPECT(unicorn_worker_listener(&worker, "admin") == UNICORND_FIRST_FD + 1);
	EXPECT(unicorn_worker_listener(&worker, "adm") == -1);
	EXPECT(unicorn_worker_listener(&worker, "administration") == -1);
	EXPECT(unicorn_worker_listener(&worker, "") == -1);
}

START_TEST(test_listeners_have_names)
{
	worker_start(listeners_have_names);
	worker_expect_end();
}
END_TEST

static void without_daemon(void)
{
	struct unicorn_worker worker;

	(void)clearenv();
	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(worker.listener_count == 0);
	EXPECT(worker.status_fd == -1);
	EXPECT(worker.slot == 0 && worker.generation == 0 && worker.heartbeat_ms == 0);
	EXPECT(worker.pool[0] == '\0');
	EXPECT(unicorn_worker_listener(&worker, NULL) == -1);
	EXPECT(unicorn_worker_listener(&worker, "web") == -1);
	EXPECT(unicorn_worker_ready(&worker) == 0);
	EXPECT(unicorn_worker_beat(&worker) == 0);
	EXPECT(unicorn_worker_stopping(&worker) == 0);
	EXPECT(unicorn_worker_status(&worker, "nobody hears this") == 0);
	EXPECT(unicorn_worker_figures(&worker, 1, 2, 3) == 0);
	EXPECT(unicorn_worker_extend(&worker, 1000) == 0);
	EXPECT(unicorn_worker_accept(&worker) == -EINVAL);
}

START_TEST(test_without_daemon_messages_go_nowhere)
{
	worker_start(without_daemon);
	worker_expect_end();
}
END_TEST

static void pid_of_another(void)
{
	struct unicorn_worker worker;

	(void)setenv(UNICORND_ENV_LISTEN_PID, "1", 1);
	(void)setenv(UNICORND_ENV_WATCHDOG_PID, "1", 1);
	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(worker.listener_count == 0);
	EXPECT(worker.heartbeat_ms == 0);
	EXPECT(worker.status_fd == STATUS_FD);
	/* A helper of the worker: the pipe was closed on exec, and something else has its number. */
	EXPECT(dup2(UNICORND_FIRST_FD, STATUS_FD) == STATUS_FD);
	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(worker.status_fd == -1);
	(void)unsetenv(UNICORND_ENV_LISTEN_PID);
	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(worker.listener_count == 0);
}

START_TEST(test_variables_of_another_process_are_not_ours)
{
	worker_start(pid_of_another);
	worker_expect_end();
}
END_TEST

static const struct contradiction {
	const char *name;
	const char *value;
} contradictions[] = {
	{ UNICORND_ENV_LISTEN_FDS, "" },
	{ UNICORND_ENV_LISTEN_FDS, "two" },
	{ UNICORND_ENV_LISTEN_FDS, "-1" },
	{ UNICORND_ENV_LISTEN_FDS, "2 " },
	{ UNICORND_ENV_LISTEN_FDS, "1" },
	{ UNICORND_ENV_LISTEN_FDS, "99" },
	{ UNICORND_ENV_LISTEN_FDS, "99999999999999999999999999999" },
	{ UNICORND_ENV_LISTEN_FDNAMES, "web" },
	{ UNICORND_ENV_LISTEN_FDNAMES, "web:admin:more" },
	{ UNICORND_ENV_STATUS_FD, "pipe" },
	{ UNICORND_ENV_STATUS_FD, "3" },
	{ UNICORND_ENV_STATUS_FD, "77" },
	{ UNICORND_ENV_SLOT, "-1" },
	{ UNICORND_ENV_GENERATION, "7x" },
	{ UNICORND_ENV_WATCHDOG_USEC, "soon" },
};

static int contradiction_index;

static void contradiction_refused(void)
{
	const struct contradiction *contradiction = &contradictions[contradiction_index];
	struct unicorn_worker worker;

	(void)setenv(contradiction->name, contradiction->value, 1);
	EXPECT(unicorn_worker_init(&worker) == -EINVAL);
}

START_TEST(test_contradictions_are_refused)
{
	contradiction_index = _i;
	worker_start(contradiction_refused);
	worker_expect_end();
}
END_TEST

/* --- messages --- */

static char long_text[2 * UNICORND_STATUS_LINE_MAX];

/** The pipe is read by nobody else: the worker checks itself what arrived. */
static void expect_said(const char *wanted, size_t length)
{
	static char bytes[UNICORND_STATUS_LINE_MAX + 1];
	int reader = open("/proc/self/fd/5", O_RDONLY | O_NONBLOCK);

	EXPECT(reader >= 0);
	EXPECT(read(reader, bytes, sizeof(bytes)) == (ssize_t)length);
	EXPECT(memcmp(bytes, wanted, length) == 0);
	(void)close(reader);
}

#define EXPECT_SAID(call, wanted)                                                                                      \
	do {                                                                                                           \
		EXPECT((call) == 0);                                                                                   \
		expect_said(wanted, sizeof(wanted) - 1);                                                               \
	} while (0)

static void messages_are_lines(void)
{
	struct unicorn_worker worker;

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT_SAID(unicorn_worker_ready(&worker), "READY=1\n");
	EXPECT_SAID(unicorn_worker_beat(&worker), "WATCHDOG=1\n");
	EXPECT_SAID(unicorn_worker_stopping(&worker), "STOPPING=1\n");
	EXPECT_SAID(unicorn_worker_status(&worker, "warm = 3"), "STATUS=warm = 3\n");
	EXPECT_SAID(unicorn_worker_status(&worker, "one\nREADY=1"), "STATUS=one\n");
	EXPECT_SAID(unicorn_worker_request(&worker, "GET /"), "REQUEST=GET /\n");
	EXPECT_SAID(unicorn_worker_request(&worker, ""), "REQUEST=\n");
	EXPECT_SAID(unicorn_worker_figures(&worker, 1, 2, UINT64_MAX),
		    "BUSY=1\nCONNECTIONS=2\nREQUESTS=18446744073709551615\n");
	EXPECT_SAID(unicorn_worker_extend(&worker, 1500), "EXTEND_TIMEOUT_USEC=1500000\n");
	EXPECT(unicorn_worker_extend(&worker, -1) == -EINVAL);
	EXPECT(unicorn_worker_extend(&worker, INT64_MAX) == -EINVAL);
}

START_TEST(test_messages_are_lines)
{
	worker_start(messages_are_lines);
	worker_expect_end();
}
END_TEST

static void long_text_is_cut(void)
{
	static char wanted[UNICORND_STATUS_LINE_MAX] = "STATUS=";
	struct unicorn_worker worker;

	EXPECT(unicorn_worker_init(&worker) == 0);
	memset(long_text, 'x', sizeof(long_text) - 1);
	memset(wanted + 7, 'x', sizeof(wanted) - 8);
	wanted[sizeof(wanted) - 1] = '\n';
	EXPECT(unicorn_worker_status(&worker, long_text) == 0);
	expect_said(wanted, sizeof(wanted));
	/* Two bytes a character: the last one would be cut in half. */
	for (size_t i = 0; i + 1 < sizeof(long_text); i++)
		long_text[i] = i % 2 == 0 ? '\xc3' : '\xa4';
	long_text[sizeof(long_text) - 2] = '\0';
	memcpy(wanted + 7, long_text, sizeof(wanted) - 8);
	EXPECT(unicorn_worker_status(&worker, long_text) == 0);
	expect_said(wanted, sizeof(wanted));
	memmove(long_text + 1, long_text, sizeof(long_text) - 2);
	long_text[0] = 'y';
	memcpy(wanted + 7, long_text, sizeof(wanted) - 9);
	wanted[sizeof(wanted) - 2] = '\n';
	EXPECT(unicorn_worker_status(&worker, long_text) == 0);
	expect_said(wanted, sizeof(wanted) - 1);
}

START_TEST(test_long_text_is_cut_to_one_line)
{
	worker_start(long_text_is_cut);
	worker_expect_end();
}
END_TEST

static void full_pipe_does_not_block(void)
{
	struct unicorn_worker worker;
	int result = 0;

	EXPECT(unicorn_worker_init(&worker) == 0);
	for (int i = 0; i < 1000000 && result == 0; i++)
		result = unicorn_worker_beat(&worker);
	EXPECT(result == -EAGAIN);
}

START_TEST(test_full_pipe_does_not_block)
{
	worker_start(full_pipe_does_not_block);
	worker_expect_end();
}
END_TEST

static void broken_pipe_is_told(void)
{
	struct unicorn_worker worker;
	struct pollfd status = { .fd = STATUS_FD };

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(poll(&status, 1, PATIENCE_MS) == 1);
	EXPECT(unicorn_worker_beat(&worker) == -EPIPE);
}

START_TEST(test_broken_pipe_is_told)
{
	worker_start(broken_pipe_is_told);
	descriptor_close(&side.reader);
	worker_expect_end();
}
END_TEST

/* --- the end --- */

static void stop_is_remembered(void)
{
	struct unicorn_worker worker;

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(raise(SIGTERM) == 0);
	EXPECT(unicorn_worker_is_stopping());
	EXPECT(unicorn_worker_accept(&worker) == -1);
	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(!unicorn_worker_is_stopping());
	unicorn_worker_order_stop();
	EXPECT(unicorn_worker_is_stopping());
	EXPECT(unicorn_worker_accept(&worker) == -1);
}

START_TEST(test_stop_is_remembered)
{
	worker_start(stop_is_remembered);
	worker_expect_end();
}
END_TEST

#define STOP_ROUNDS 300

static void accept_often(void)
{
	struct unicorn_worker worker;

	/* No heartbeat that could end the wait: an order that gets lost is a test that hangs. */
	(void)unsetenv(UNICORND_ENV_WATCHDOG_USEC);
	for (int i = 0; i < STOP_ROUNDS; i++) {
		EXPECT(unicorn_worker_init(&worker) == 0);
		EXPECT(unicorn_worker_ready(&worker) == 0);
		EXPECT(unicorn_worker_accept(&worker) == -1);
	}
}

START_TEST(test_stop_is_never_lost)
{
	worker_start(accept_often);
	for (int i = 0; i < STOP_ROUNDS; i++) {
		daemon_read_until("READY=1\n");
		/* Hits before, at and behind the beginning of the wait. */
		for (volatile int delay = 0; delay < i * 50; delay++)
			continue;
		ck_assert_int_eq(kill(side.worker, SIGTERM), 0);
	}
	worker_expect_end();
}
END_TEST

static void *take_signals(void *nothing)
{
	for (;;)
		(void)pause();
	return nothing;
}

/** The signal interrupts no system call of the accepting thread, so only the descriptor can end its wait. */
static void accept_deaf_to_signals(void)
{
	struct unicorn_worker worker;
	sigset_t stop_signals;
	pthread_t thread;

	(void)setenv(UNICORND_ENV_WATCHDOG_USEC, "600000000", 1);
	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(pthread_create(&thread, NULL, take_signals, NULL) == 0);
	(void)sigemptyset(&stop_signals);
	(void)sigaddset(&stop_signals, SIGTERM);
	EXPECT(pthread_sigmask(SIG_BLOCK, &stop_signals, NULL) == 0);
	EXPECT(unicorn_worker_accept(&worker) == -1);
}

START_TEST(test_stop_between_check_and_wait_is_not_lost)
{
	worker_start(accept_deaf_to_signals);
	/* The one beat is said behind the check and before the wait. */
	daemon_read_until("WATCHDOG=1\n");
	ck_assert_int_eq(kill(side.worker, SIGTERM), 0);
	worker_expect_end();
}
END_TEST

static void accept_until_daemon_is_gone(void)
{
	struct unicorn_worker worker;

	(void)unsetenv(UNICORND_ENV_WATCHDOG_USEC);
	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(unicorn_worker_ready(&worker) == 0);
	EXPECT(unicorn_worker_accept(&worker) == -1);
	EXPECT(unicorn_worker_is_stopping());
}

START_TEST(test_accept_ends_when_the_daemon_is_gone)
{
	worker_start(accept_until_daemon_is_gone);
	daemon_read_until("READY=1\n");
	descriptor_close(&side.reader);
	worker_expect_end();
}
END_TEST

/* --- accept --- */

static void accept_one(void)
{
	struct unicorn_worker worker;
	int client;

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(unicorn_worker_ready(&worker) == 0);
	client = unicorn_worker_accept(&worker);
	EXPECT(client >= 0);
	EXPECT(is_close_on_exec(client));
	EXPECT((fcntl(client, F_GETFL) & O_NONBLOCK) == 0);
	EXPECT(write(client, "x", 1) == 1);
}

START_TEST(test_accept_beats_until_a_connection_comes)
{
	char byte;
	int client;

	worker_start(accept_one);
	daemon_read_until("READY=1\n");
	for (int i = 0; i < 5; i++)
		daemon_read_until("WATCHDOG=1\n");
	client = daemon_connect(_i);
	ck_assert_int_eq(read(client, &byte, 1), 1);
	(void)close(client);
	worker_expect_end();
}
END_TEST

static void accept_two(void)
{
	struct sockaddr_in first = { 0 };
	struct sockaddr_in second = { 0 };
	struct unicorn_worker worker;
	socklen_t length = sizeof(first);

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT(getsockname(unicorn_worker_accept(&worker), (struct sockaddr *)&first, &length) == 0);
	EXPECT(getsockname(unicorn_worker_accept(&worker), (struct sockaddr *)&second, &length) == 0);
	EXPECT(first.sin_port != second.sin_port);
}

START_TEST(test_a_busy_listener_does_not_starve_the_other)
{
	int clients[] = { daemon_connect(0), daemon_connect(0), daemon_connect(0), daemon_connect(1) };

	worker_start(accept_two);
	worker_expect_end();
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		(void)close(clients[i]);
}
END_TEST

static void accept_with_a_neighbour(void)
{
	struct unicorn_worker worker;
	pid_t neighbour;
	int client;
	int status = 0;

	EXPECT(unicorn_worker_init(&worker) == 0);
	EXPECT((fcntl(UNICORND_FIRST_FD, F_GETFL) & O_NONBLOCK) == 0);
	neighbour = fork();
	EXPECT(neighbour >= 0);
	EXPECT(unicorn_worker_ready(&worker) == 0);
	while ((client = unicorn_worker_accept(&worker)) >= 0)
		EXPECT(close(client) == 0);
	EXPECT(client == -1);
	EXPECT((fcntl(UNICORND_FIRST_FD, F_GETFL) & O_NONBLOCK) != 0);
	/* One that hangs in accept would not see that the daemon is gone. */
	if (neighbour > 0)
		EXPECT(waitpid(neighbour, &status, 0) == neighbour && status == 0);
}

START_TEST(test_neighbours_take_connections_away)
{
	char byte;

	worker_start(accept_with_a_neighbour);
	daemon_read_until("READY=1\n");
	for (int i = 0; i < 200; i++) {
		int client = daemon_connect(0);

		ck_assert_int_eq(read(client, &byte, 1), 0);
		(void)close(client);
	}
	descriptor_close(&side.reader);
	worker_expect_end();
}
END_TEST

static void raise_limit(int number)
{
	const struct rlimit limit = { 200, 200 };

	(void)number;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void accept_without_descriptors(void)
{
	struct sigaction action = { .sa_handler = raise_limit };
	const struct itimerval timer = { .it_value.tv_usec = 300000 };
	struct unicorn_worker worker;
	struct rlimit limit = { 0, 200 };
	int client;

	EXPECT(unicorn_worker_init(&worker) == 0);
	client = dup(0);
	EXPECT(client >= 0);
	limit.rlim_cur = (rlim_t)client;
	EXPECT(close(client) == 0);
	EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
	EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	EXPECT(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	EXPECT(unicorn_worker_accept(&worker) == client);
	/* It waited, and beat, but did not spin. */
	EXPECT(clock() < CLOCKS_PER_SEC / 10);
}

START_TEST(test_lack_of_descriptors_pauses)
{
	int client = daemon_connect(0);

	worker_start(accept_without_descriptors);
	for (int i = 0; i < 5; i++)
		daemon_read_until("WATCHDOG=1\n");
	worker_expect_end();
	(void)close(client);
}
END_TEST

static TCase *case_create(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	return tcase;
}

static void environment_tests_add(Suite *suite)
{
	TCase *tcase = case_create(suite, "environment");

	tcase_add_test(tcase, test_init_reads_the_environment);
	tcase_add_test(tcase, test_listeners_have_names);
	tcase_add_test(tcase, test_without_daemon_messages_go_nowhere);
	tcase_add_test(tcase, test_variables_of_another_process_are_not_ours);
	tcase_add_loop_test(tcase, test_contradictions_are_refused, 0,
			    sizeof(contradictions) / sizeof(contradictions[0]));
}

static void message_tests_add(Suite *suite)
{
	TCase *tcase = case_create(suite, "messages");

	tcase_add_test(tcase, test_messages_are_lines);
	tcase_add_test(tcase, test_long_text_is_cut_to_one_line);
	tcase_add_test(tcase, test_full_pipe_does_not_block);
	tcase_add_test(tcase, test_broken_pipe_is_told);
}

static void accept_tests_add(Suite *suite)
{
	TCase *tcase = case_create(suite, "accept");

	tcase_add_test(tcase, test_stop_is_remembered);
	tcase_add_test(tcase, test_stop_is_never_lost);
	tcase_add_test(tcase, test_stop_between_check_and_wait_is_not_lost);
	tcase_add_test(tcase, test_accept_ends_when_the_daemon_is_gone);
	tcase_add_loop_test(tcase, test_accept_beats_until_a_connection_comes, 0, LISTENERS);
	tcase_add_test(tcase, test_a_busy_listener_does_not_starve_the_other);
	tcase_add_test(tcase, test_neighbours_take_connections_away);
	tcase_add_test(tcase, test_lack_of_descriptors_pauses);
}

int main(void)
{
	Suite *suite = suite_create("worker_library");

	environment_tests_add(suite);
	message_tests_add(suite);
	accept_tests_add(suite);
	return unit_run(suite);
}
