/*
 * The service manager's side is played by the test. What needs libsystemd is expected to be silent without it.
 */
#include "unit.h"

#include "base/ownership.h"
#include "system/service_manager.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
static const bool with_library = true;
#else
static const bool with_library = false;
#endif

static void set_number(const char *variable, long number)
{
	char value[32];

	(void)snprintf(value, sizeof(value), "%ld", number);
	ck_assert_int_eq(setenv(variable, value, 1), 0);
}

/** Binds an abstract datagram socket and puts its name into NOTIFY_SOCKET. */
static int listen_for_notifications(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(name, sizeof(name), "@unicornd-test-manager-%d", (int)getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name + 1));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
			 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

START_TEST(nobody_is_there_without_variables)
{
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	service_manager_init();
	ck_assert(!service_manager_is_there());
	ck_assert_int_eq(service_manager_watchdog_ms(), 0);
	service_manager_notify("READY=1");
}
END_TEST

START_TEST(notifications_arrive_and_workers_see_no_variables)
{
	char said[64] = "";
	owned_fd fd = listen_for_notifications();

	set_number("WATCHDOG_USEC", 2500000);
	set_number("WATCHDOG_PID", getpid());
	service_manager_init();
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_ptr_null(getenv("WATCHDOG_USEC"));
	ck_assert_ptr_null(getenv("WATCHDOG_PID"));
	ck_assert_int_eq(service_manager_is_there(), with_library);
	ck_assert_int_eq(service_manager_watchdog_ms(), with_library ? 2500 : 0);
	for (int i = 0; i < 2; i++) {
		service_manager_notify("READY=1\nSTATUS=up");
		ck_assert_int_eq(recv(fd, said, sizeof(said) - 1, 0) > 0, with_library);
		ck_assert_str_eq(said, with_library ? "READY=1\nSTATUS=up" : "");
		ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	}
}
END_TEST

/** @return the descriptor that came with a message, or -1 */
static int receive_with_descriptor(int fd, char *said, size_t size)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = said, .iov_len = size - 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	int received = -1;

	if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			memcpy(&received, CMSG_DATA(header), sizeof(received));
	return received;
}

START_TEST(descriptors_are_stored_and_forgotten)
{
	char said[128] = "";
	owned_fd fd = listen_for_notifications();
	owned_fd file = memfd_create("stored", MFD_CLOEXEC);
	owned_fd copy = -1;

	service_manager_init();
	service_manager_store(file, "web");
	copy = receive_with_descriptor(fd, said, sizeof(said));
	ck_assert_int_eq(copy >= 0, with_library);
	ck_assert_str_eq(said, with_library ? "FDSTORE=1\nFDPOLL=0\nFDNAME=web" : "");
	memset(said, 0, sizeof(said));
	service_manager_forget("web");
	ck_assert_int_eq(receive_with_descriptor(fd, said, sizeof(said)), -1);
	ck_assert_str_eq(said, with_library ? "FDSTOREREMOVE=1\nFDNAME=web" : "");
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
}
END_TEST

START_TEST(watchdog_of_somebody_else_is_not_ours)
{
	set_number("WATCHDOG_USEC", 2500000);
	set_number("WATCHDOG_PID", getppid());
	service_manager_init();
	ck_assert_int_eq(service_manager_watchdog_ms(), 0);
}
END_TEST

static struct inherited_socket sockets[4];

/** Puts memory files to 3, 4, ... and takes them over: in a process of its own, whose numbers are free. */
static size_t take_over(int passed, size_t size, const char *names, pid_t pid)
{
	for (int fd = 3; fd < 3 + passed; fd++) {
		int file = memfd_create("inherited", 0);

		if (file == fd)
			continue;
		(void)dup2(file, fd);
		if (file >= 3 + passed)
			(void)close(file);
	}
	(void)close(3 + passed);
	set_number("LISTEN_FDS", passed);
	set_number("LISTEN_PID", pid);
	if (names != NULL)
		(void)setenv("LISTEN_FDNAMES", names, 1);
	return service_manager_sockets(sockets, size);
}

static bool variables_are_gone(void)
{
	return getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDNAMES") == NULL;
}

static bool is_socket(size_t index, const char *name)
{
	return strcmp(sockets[index].name, name) == 0 && sockets[index].fd == 3 + (int)index &&
	       fcntl(sockets[index].fd, F_GETFD) == FD_CLOEXEC;
}

static int takes_names(void)
{
	return take_over(3, 4, "web:admin:", getpid()) == 3 && is_socket(0, "web") && is_socket(1, "admin") &&
	       is_socket(2, "") && variables_are_gone();
}

static int takes_without_names(void)
{
	(void)unsetenv("LISTEN_FDNAMES");
	return take_over(2, 4, NULL, getpid()) == 2 && is_socket(0, "") && is_socket(1, "") && variables_are_gone();
}

static int closes_what_does_not_fit(void)
{
	return take_over(4, 2, "a:b:c:d", getpid()) == 2 && is_socket(1, "b") && fcntl(5, F_GETFD) < 0 &&
	       fcntl(6, F_GETFD) < 0;
}

static int cuts_long_names(void)
{
	char name[400];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	return take_over(1, 4, name, getpid()) == 1 && strlen(sockets[0].name) == sizeof(sockets[0].name) - 1;
}

static int leaves_those_of_others(void)
{
	return take_over(2, 4, "a:b", getppid()) == 0 && variables_are_gone();
}

static int survives_nonsense(void)
{
	static const char *const numbers[] = { "", "-1", "0", "x", "2147483647", "99999999999999999999" };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)close(3);
		set_number("LISTEN_PID", getpid());
		(void)setenv("LISTEN_FDS", numbers[i], 1);
		if (service_manager_sockets(sockets, 4) != 0)
			return 0;
	}
	return variables_are_gone();
}

static int (*const takeovers[])(void) = {
	takes_names,     takes_without_names,    closes_what_does_not_fit,
	cuts_long_names, leaves_those_of_others, survives_nonsense,
};

START_TEST(sockets_are_taken_over)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(takeovers[_i]() != 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service_manager");
	TCase *tests = tcase_create("service_manager");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, nobody_is_there_without_variables);
	tcase_add_test(tests, notifications_arrive_and_workers_see_no_variables);
	tcase_add_test(tests, descriptors_are_stored_and_forgotten);
	tcase_add_test(tests, watchdog_of_somebody_else_is_not_ours);
	tcase_add_loop_test(tests, sockets_are_taken_over, 0, (int)(sizeof(takeovers) / sizeof(takeovers[0])));
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
