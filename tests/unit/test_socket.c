/*
 * Real sockets on the loopback interface and in a folder of the test's own.
 */
#include "unit.h"

#include "base/ownership.h"
#include "system/socket.h"
#include "system/socket_holder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/** User and group that own nothing. */
#define NOBODY 65534

static char folder[64];
static struct listener_settings settings;
static struct error error;

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/unicornd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	settings = (struct listener_settings){ .backlog = 7, .mode = -1 };
	error = (struct error){ .kind = ERROR_NONE };
}

static void teardown(void)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/app.sock", folder);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else may have been left behind */
}

static void use_tcp4(uint16_t port)
{
	static const uint8_t loopback[] = { 127, 0, 0, 1 };

	settings.address = (struct address){ .kind = ADDRESS_TCP4, .port = port };
	memcpy(settings.address.host, loopback, sizeof(loopback));
}

static void use_tcp6(uint16_t port)
{
	settings.address = (struct address){ .kind = ADDRESS_TCP6, .port = port };
	memcpy(settings.address.host, &in6addr_loopback, sizeof(in6addr_loopback));
}

static void use_path(void)
{
	settings.address = (struct address){ .kind = ADDRESS_UNIX };
	(void)snprintf(settings.address.path, sizeof(settings.address.path), "%s/app.sock", folder);
}

static void use_abstract(void)
{
	settings.address = (struct address){ .kind = ADDRESS_ABSTRACT };
	(void)snprintf(settings.address.path, sizeof(settings.address.path), "unicornd-test-%d", (int)getpid());
}

static int open_listener(void)
{
	int fd = socket_open(&settings, &error);

	ck_assert_msg(fd >= 0, "%s", error.text);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	return fd;
}

static void assert_refused(const char *words)
{
	ck_assert_int_eq(socket_open(&settings, &error), -1);
	ck_assert_int_eq(error.kind, ERROR_ADDRESS);
	ck_assert_msg(strstr(error.text, words) != NULL, "'%s' is not in: %s", words, error.text);
}

/** Connects to where a listener really listens. @return the descriptor or -1 */
static int connect_to(int listener)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	owned_fd fd = -1;

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return connect(fd, (const struct sockaddr *)&address, length) == 0 ? take_fd(&fd) : -1;
}

static int connect_to_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	owned_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? take_fd(&fd) : -1;
}

static int get_option(int fd, int level, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, option, &value, &length), 0);
	return value;
}

/** A connection goes through, and what the accepted side has of TCP_NODELAY. */
static int accept_one(int listener)
{
	owned_fd client = connect_to(listener);
	owned_fd accepted = -1;

	ck_assert_int_ge(client, 0);
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(accepted, 0);
	return get_option(accepted, IPPROTO_TCP, TCP_NODELAY);
}

START_TEST(tcp4_listens)
{
	struct address address;
	owned_fd fd = -1;

	use_tcp4(0);
	settings.no_delay = true;
	fd = open_listener();
	ck_assert_int_ne(accept_one(fd), 0);
	ck_assert_int_ne(get_option(fd, SOL_SOCKET, SO_REUSEADDR), 0);
	ck_assert(socket_address(fd, &address));
	ck_assert_int_eq(address.kind, ADDRESS_TCP4);
	ck_assert_uint_ne(address.port, 0);
	ck_assert_mem_eq(address.host, settings.address.host, 4);
}
END_TEST

START_TEST(tcp_options_follow_the_settings)
{
	owned_fd fd = -1;

	use_tcp4(0);
	settings.defer_accept = 3;
	fd = open_listener();
	ck_assert_int_eq(get_option(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	ck_assert_int_ge(get_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 3);
}
END_TEST

START_TEST(tcp6_listens)
{
	struct address address;
	owned_fd fd = -1;

	use_tcp6(0);
	fd = socket_open(&settings, &error);
	if (fd < 0)
		return; /* this machine has no IPv6 loopback address */
	(void)accept_one(fd);
	ck_assert(socket_address(fd, &address));
	ck_assert_int_eq(address.kind, ADDRESS_TCP6);
	ck_assert_mem_eq(address.host, settings.address.host, 16);
}
END_TEST

/** Connects over IPv4 to the port of a listener. */
static bool answers_v4(int fd)
{
	struct sockaddr_in target = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	owned_fd client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct address address;

	ck_assert(socket_address(fd, &address));
	target.sin_port = htons(address.port);
	return connect(client, (const struct sockaddr *)&target, sizeof(target)) == 0;
}

START_TEST(all_addresses_mean_ipv4_too_unless_only_v6)
{
	owned_fd both = -1, only = -1;

	use_tcp6(0);
	memset(settings.address.host, 0, sizeof(settings.address.host));
	both = open_listener();
	ck_assert(answers_v4(both));
	settings.only_v6 = true;
	only = socket_open(&settings, &error);
	if (only >= 0)
		ck_assert(!answers_v4(only));
}
END_TEST

START_TEST(port_in_use_is_refused_with_words)
{
	struct address address;
	char words[128];
	owned_fd fd = -1;

	use_tcp4(0);
	fd = open_listener();
	ck_assert(socket_address(fd, &address));
	use_tcp4(address.port);
	(void)snprintf(words, sizeof(words),
		       "cannot listen on 127.0.0.1:%u: Address already in use (test_socket, process %d, listens there)",
		       (unsigned)address.port, (int)getpid());
	assert_refused(words);
}
END_TEST

/** Everybody's port is one of each address, in both families; a neighbour's is not. */
START_TEST(holder_of_a_port_is_found_by_what_is_in_the_way)
{
	struct address address;
	struct address neighbour;
	owned_fd fd = -1;

	use_tcp4(0);
	fd = open_listener();
	ck_assert(socket_address(fd, &address));
	ck_assert_int_eq(socket_holder_of_tcp(&address), getpid());
	neighbour = address;
	neighbour.host[3] = 77;
	ck_assert_int_eq(socket_holder_of_tcp(&neighbour), 0);
	memset(neighbour.host, 0, sizeof(neighbour.host));
	ck_assert_int_eq(socket_holder_of_tcp(&neighbour), getpid());
	neighbour.kind = ADDRESS_TCP6;
	ck_assert_int_eq(socket_holder_of_tcp(&neighbour), getpid());
	neighbour.host[15] = 1;
	ck_assert_int_eq(socket_holder_of_tcp(&neighbour), 0);
}
END_TEST

START_TEST(unknown_holder_is_looked_for_by_hand)
{
	char text[SOCKET_HOLDER_SIZE];
	char expected[SOCKET_HOLDER_SIZE];

	ck_assert_str_eq(socket_holder_print(0, ADDRESS_TCP6, text, sizeof(text)),
			 "another process listens there; 'ss -ltnp' names it");
	ck_assert_str_eq(socket_holder_print(INT32_MAX, ADDRESS_ABSTRACT, text, sizeof(text)),
			 "another process listens there; 'ss -lxp' names it");
	ck_assert_int_eq(prctl(PR_SET_NAME, "a\033[1mb\n"), 0);
	(void)snprintf(expected, sizeof(expected), "a?[1mb?, process %d, listens there", (int)getpid());
	ck_assert_str_eq(socket_holder_print(getpid(), ADDRESS_TCP4, text, sizeof(text)), expected);
	ck_assert_int_eq(prctl(PR_SET_NAME, "test_socket"), 0);
}
END_TEST

START_TEST(foreign_address_is_refused_with_words)
{
	static const uint8_t documentation[] = { 192, 0, 2, 1 };

	use_tcp4(0);
	memcpy(settings.address.host, documentation, sizeof(documentation));
	assert_refused("no network interface of this machine");
}
END_TEST

/** Binds a low port as nobody. @return 0 when that is refused with the right words */
static int bind_low_port_as_nobody(void)
{
	use_tcp4(1);
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 1;
	if (socket_open(&settings, &error) >= 0)
		return 2;
	return error.kind == ERROR_ADDRESS && strstr(error.text, "CAP_NET_BIND_SERVICE") != NULL ? 0 : 3;
}

START_TEST(low_port_is_refused_with_words)
{
	int first_port = 0;
	int status;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	pid_t pid;

	if (file == NULL || fscanf(file, "%d", &first_port) != 1)
		first_port = 0;
	if (file != NULL)
		(void)fclose(file);
	if (geteuid() != 0 || first_port <= 1)
		return;
	pid = fork();
	if (pid == 0)
		_exit(bind_low_port_as_nobody());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(kinds_that_cannot_be_bound_are_refused)
{
	settings.address.kind = ADDRESS_SYSTEMD;
	assert_refused("cannot be bound");
	settings.address.kind = ADDRESS_NONE;
	assert_refused("cannot be bound");
}
END_TEST

START_TEST(unix_socket_gets_its_name_and_mode)
{
	struct address address;
	struct stat status;
	owned_fd fd = -1, client = -1;
	mode_t umask_before = umask(077);

	use_path();
	fd = open_listener();
	ck_assert_uint_eq(umask(umask_before), 077);
	client = connect_to_path(settings.address.path);
	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(lstat(settings.address.path, &status), 0);
	ck_assert(S_ISSOCK(status.st_mode));
	ck_assert_uint_eq(status.st_mode & 07777, 0660);
	ck_assert(socket_address(fd, &address));
	ck_assert_int_eq(address.kind, ADDRESS_UNIX);
	ck_assert_str_eq(address.path, settings.address.path);
	socket_unlink(fd, &settings.address);
	ck_assert_int_lt(lstat(settings.address.path, &status), 0);
}
END_TEST

/** Servers remove the file that they find by getsockname(2); it must not be the one that clients use. */
START_TEST(unix_socket_does_not_lead_workers_to_its_file)
{
	struct sockaddr_un address;
	socklen_t length = sizeof(address);
	owned_fd fd = -1;

	use_path();
	fd = open_listener();
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_lt(unlink(address.sun_path), 0);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(unix_socket_gets_mode_and_owner)
{
	static char owner[] = "65534", group[] = "65533";
	struct stat status;
	owned_fd fd = -1;

	if (geteuid() != 0)
		return;
	use_path();
	settings.mode = 0604;
	settings.owner = owner;
	settings.group = group;
	fd = open_listener();
	ck_assert_int_eq(lstat(settings.address.path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0604);
	ck_assert_uint_eq(status.st_uid, 65534);
	ck_assert_uint_eq(status.st_gid, 65533);
}
END_TEST

static int give_away_as_nobody(void)
{
	static char group[] = "65533";

	settings.group = group;
	if (chown(folder, NOBODY, NOBODY) < 0 || setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 2;
	if (socket_open(&settings, &error) >= 0)
		return 3;
	if (strstr(error.text, "/app.sock: the user ") == NULL || strstr(error.text, "usermod -aG 65533 ") == NULL)
		return 4;
	return access(settings.address.path, F_OK) == 0 ? 5 : 0;
}

START_TEST(group_of_others_is_refused_with_what_to_do)
{
	int status = 0;
	pid_t pid;

	if (geteuid() != 0)
		return;
	use_path();
	pid = fork();
	if (pid == 0)
		_exit(give_away_as_nobody());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(unknown_owner_leaves_nothing_behind)
{
	static char owner[] = "no-such-user";

	use_path();
	settings.owner = owner;
	assert_refused("no user 'no-such-user'");
	settings.owner = NULL;
	settings.group = owner;
	assert_refused("no group 'no-such-user'");
	ck_assert_int_lt(access(settings.address.path, F_OK), 0);
}
END_TEST

START_TEST(stale_unix_socket_is_replaced)
{
	owned_fd client = -1, fd = -1;
	int dead;

	use_path();
	dead = open_listener();
	close_fd(&dead);
	ck_assert_int_eq(access(settings.address.path, F_OK), 0);
	fd = open_listener();
	client = connect_to_path(settings.address.path);
	ck_assert_int_ge(client, 0);
}
END_TEST

START_TEST(leftover_under_the_temporary_name_is_replaced)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	owned_fd dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	owned_fd fd = -1;

	use_path();
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/app.sock.new", folder);
	ck_assert_int_eq(bind(dead, (const struct sockaddr *)&address, sizeof(address)), 0);
	fd = open_listener();
	ck_assert_int_ge(fd, 0);
}
END_TEST

START_TEST(live_unix_socket_is_refused)
{
	struct stat before, after;
	char words[256];
	owned_fd live = -1;

	use_path();
	live = open_listener();
	ck_assert_int_eq(lstat(settings.address.path, &before), 0);
	(void)snprintf(words, sizeof(words), "cannot listen on %s: test_socket, process %d, listens there",
		       settings.address.path, (int)getpid());
	assert_refused(words);
	ck_assert_int_eq(lstat(settings.address.path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(full_unix_socket_is_live)
{
	owned_fd live = -1, client = -1;

	use_path();
	settings.backlog = 0;
	live = open_listener();
	client = connect_to_path(settings.address.path);
	assert_refused("another process listens there");
}
END_TEST

START_TEST(other_files_are_refused)
{
	int fd;

	use_path();
	fd = open(settings.address.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	close_fd(&fd);
	assert_refused("not a socket");
	ck_assert_int_eq(unlink(settings.address.path), 0);
	ck_assert_int_eq(symlink("/nonexistent", settings.address.path), 0);
	assert_refused("not a socket");
	ck_assert_int_eq(unlink(settings.address.path), 0);
	ck_assert_int_eq(mkdir(settings.address.path, 0700), 0);
	assert_refused("not a socket");
	ck_assert_int_eq(rmdir(settings.address.path), 0);
}
END_TEST

START_TEST(missing_folder_and_long_path_are_refused)
{
	use_path();
	(void)snprintf(settings.address.path, sizeof(settings.address.path), "/nonexistent/app.sock");
	assert_refused("No such file or directory");
	memset(settings.address.path, 'a', sizeof(settings.address.path) - 1);
	assert_refused("the path has more than 103 characters");
}
END_TEST

START_TEST(unlink_leaves_the_successor_alone)
{
	int old;
	owned_fd fd = -1;

	use_path();
	old = open_listener();
	ck_assert_int_eq(unlink(settings.address.path), 0);
	fd = open_listener();
	socket_unlink(old, &settings.address);
	ck_assert_int_eq(access(settings.address.path, F_OK), 0);
	close_fd(&old);
	socket_unlink(-1, &settings.address);
	ck_assert_int_eq(access(settings.address.path, F_OK), 0);
	socket_unlink(fd, &settings.address);
	ck_assert_int_lt(access(settings.address.path, F_OK), 0);
	socket_unlink(fd, &settings.address);
}
END_TEST

START_TEST(abstract_socket_listens)
{
	char words[128];
	struct address address;
	owned_fd fd = -1;

	use_abstract();
	fd = open_listener();
	(void)close(connect_to(fd));
	ck_assert(socket_address(fd, &address));
	ck_assert_int_eq(address.kind, ADDRESS_ABSTRACT);
	ck_assert_str_eq(address.path, settings.address.path);
	(void)snprintf(words, sizeof(words), "Address already in use (test_socket, process %d, listens there)",
		       (int)getpid());
	assert_refused(words);
	socket_unlink(fd, &settings.address);
}
END_TEST

enum family { FAMILY_TCP4, FAMILY_PATH, FAMILY_ABSTRACT, FAMILY_COUNT };

static void use_family(int family)
{
	if (family == FAMILY_TCP4)
		use_tcp4(0);
	else if (family == FAMILY_PATH)
		use_path();
	else
		use_abstract();
}

/** By its path where it has one: the name that it was bound under is gone. */
static int connect_by_settings(int fd)
{
	return settings.address.kind == ADDRESS_UNIX ? connect_to_path(settings.address.path) : connect_to(fd);
}

START_TEST(queue_counts_who_waits)
{
	struct socket_queue queue;
	owned_fd fd = -1, first = -1, second = -1, accepted = -1;

	use_family(_i);
	fd = open_listener();
	ck_assert(socket_queue(fd, &queue));
	ck_assert_uint_eq(queue.waiting, 0);
	ck_assert_uint_eq(queue.limit, 7);
	first = connect_by_settings(fd);
	second = connect_by_settings(fd);
	ck_assert(first >= 0 && second >= 0);
	ck_assert(socket_queue(fd, &queue));
	ck_assert_uint_eq(queue.waiting, 2);
	accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	ck_assert(socket_queue(fd, &queue));
	ck_assert_uint_eq(queue.waiting, 1);
	ck_assert(socket_listen(fd, 9, &error));
	ck_assert(socket_queue(fd, &queue));
	ck_assert_uint_eq(queue.limit, 9);
	ck_assert(!socket_queue(accepted, &queue));
}
END_TEST

START_TEST(what_is_no_listener_has_neither_queue_nor_address)
{
	struct socket_queue queue;
	struct address address;
	owned_fd file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	owned_fd unbound = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	owned_fd netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

	ck_assert(!socket_queue(file, &queue));
	ck_assert(!socket_queue(unbound, &queue));
	ck_assert(!socket_queue(-1, &queue));
	ck_assert(!socket_address(file, &address));
	ck_assert(!socket_address(unbound, &address));
	ck_assert(!socket_address(netlink, &address));
	ck_assert(!socket_listen(file, 1, &error));
	ck_assert_int_eq(error.kind, ERROR_ADDRESS);
}
END_TEST

START_TEST(socket_is_reachable_by_its_own_address_only)
{
	owned_fd unbound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	owned_fd tcp = -1, local = -1, abstract = -1;

	address_parse(&settings.address, "127.0.0.1:0", &error);
	tcp = open_listener();
	ck_assert(socket_is_reachable(tcp, &settings));
	ck_assert(socket_address(tcp, &settings.address));
	ck_assert(socket_is_reachable(tcp, &settings));
	ck_assert(!socket_is_reachable(unbound, &settings));
	use_abstract();
	abstract = open_listener();
	ck_assert(socket_is_reachable(abstract, &settings));
	ck_assert(!socket_is_reachable(tcp, &settings));
	use_path();
	local = open_listener();
	ck_assert(socket_is_reachable(local, &settings));
	ck_assert(!socket_is_reachable(abstract, &settings));
	ck_assert_int_eq(unlink(settings.address.path), 0);
	ck_assert(!socket_is_reachable(local, &settings));
	address_parse(&settings.address, "[::]:0", &error);
	close_fd(&tcp);
	tcp = open_listener(); /* of IPv4, where there is no other */
	ck_assert(socket_is_reachable(tcp, &settings));
}
END_TEST

/** Although somebody else still has it open. */
START_TEST(socket_that_stopped_listening_is_in_nobodys_way)
{
	owned_fd before = -1, after = -1;

	address_parse(&settings.address, "127.0.0.1:0", &error);
	before = open_listener();
	ck_assert(socket_address(before, &settings.address));
	ck_assert_int_lt(socket_open(&settings, &error), 0);
	socket_stop_listening(before);
	after = open_listener();
	(void)accept_one(after);
	use_path();
	close_fd(&before);
	before = open_listener();
	ck_assert_int_lt(socket_open(&settings, &error), 0);
	socket_stop_listening(before);
	close_fd(&after);
	after = open_listener();
	ck_assert(socket_is_reachable(after, &settings));
}
END_TEST

START_TEST(bound_socket_is_adopted)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	owned_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	settings.address.kind = ADDRESS_SYSTEMD;
	settings.no_delay = true;
	ck_assert(socket_adopt(fd, &settings, &error));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(accept_one(fd), 0);
	ck_assert(socket_adopt(fd, &settings, &error)); /* one that listens already, too */
}
END_TEST

/* A server that accepts until EAGAIN would hang for ever in a socket made blocking behind its back. */
START_TEST(adjusting_leaves_nonblocking_alone)
{
	int fd;

	address_parse(&settings.address, "127.0.0.1:0", &error);
	fd = socket_open(&settings, &error);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	settings.backlog = 7;
	ck_assert(socket_adjust(fd, &settings, &error));
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}
END_TEST

START_TEST(unix_socket_is_adopted)
{
	owned_fd fd = -1;

	use_path();
	fd = open_listener();
	settings.no_delay = true; /* means nothing here */
	ck_assert(socket_adopt(fd, &settings, &error));
}
END_TEST

static void assert_not_adopted(int fd, const char *words)
{
	ck_assert(!socket_adopt(fd, &settings, &error));
	ck_assert_int_eq(error.kind, ERROR_ADDRESS);
	ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
}

START_TEST(other_descriptors_are_not_adopted)
{
	int pair[2];
	owned_fd file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	owned_fd datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	owned_fd netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	owned_fd unbound = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_not_adopted(file, "it is not a socket");
	assert_not_adopted(datagrams, "not a stream socket");
	assert_not_adopted(netlink, "neither a TCP nor a Unix socket");
	assert_not_adopted(pair[0], "it is a connection");
	assert_not_adopted(unbound, "cannot listen");
	assert_not_adopted(-1, "it is not a socket");
	(void)close(pair[0]);
	(void)close(pair[1]);
}
END_TEST

static TCase *opening_tests(void)
{
	TCase *tests = tcase_create("opening");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, tcp4_listens);
	tcase_add_test(tests, tcp_options_follow_the_settings);
	tcase_add_test(tests, tcp6_listens);
	tcase_add_test(tests, all_addresses_mean_ipv4_too_unless_only_v6);
	tcase_add_test(tests, port_in_use_is_refused_with_words);
	tcase_add_test(tests, foreign_address_is_refused_with_words);
	tcase_add_test(tests, holder_of_a_port_is_found_by_what_is_in_the_way);
	tcase_add_test(tests, unknown_holder_is_looked_for_by_hand);
	tcase_add_test(tests, low_port_is_refused_with_words);
	tcase_add_test(tests, kinds_that_cannot_be_bound_are_refused);
	tcase_add_test(tests, unix_socket_gets_its_name_and_mode);
	tcase_add_test(tests, unix_socket_does_not_lead_workers_to_its_file);
	tcase_add_test(tests, unix_socket_gets_mode_and_owner);
	tcase_add_test(tests, group_of_others_is_refused_with_what_to_do);
	tcase_add_test(tests, unknown_owner_leaves_nothing_behind);
	tcase_add_test(tests, stale_unix_socket_is_replaced);
	tcase_add_test(tests, leftover_under_the_temporary_name_is_replaced);
	tcase_add_test(tests, live_unix_socket_is_refused);
	tcase_add_test(tests, full_unix_socket_is_live);
	tcase_add_test(tests, other_files_are_refused);
	tcase_add_test(tests, missing_folder_and_long_path_are_refused);
	tcase_add_test(tests, unlink_leaves_the_successor_alone);
	tcase_add_test(tests, abstract_socket_listens);
	return tests;
}

static TCase *asking_tests(void)
{
	TCase *tests = tcase_create("asking");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, queue_counts_who_waits, 0, FAMILY_COUNT);
	tcase_add_test(tests, what_is_no_listener_has_neither_queue_nor_address);
	tcase_add_test(tests, socket_is_reachable_by_its_own_address_only);
	tcase_add_test(tests, socket_that_stopped_listening_is_in_nobodys_way);
	tcase_add_test(tests, bound_socket_is_adopted);
	tcase_add_test(tests, adjusting_leaves_nonblocking_alone);
	tcase_add_test(tests, unix_socket_is_adopted);
	tcase_add_test(tests, other_descriptors_are_not_adopted);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("socket");

	suite_add_tcase(suite, opening_tests());
	suite_add_tcase(suite, asking_tests());
	return unit_run(suite);
}
