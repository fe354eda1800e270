#include "system/service_manager.h"

#include "base/text.h"
#include "unicornd/protocol.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>

/** What the environment said at the start; workers get their own variables of these names. */
static struct {
	char *notify_socket; /**< owned for the life of the process, NULL: nobody listens */
	int64_t watchdog_ms;
} manager;

static void remember(void)
{
	const char *notify_socket = getenv(UNICORND_ENV_NOTIFY_SOCKET);
	uint64_t watchdog_us = 0;

	free(manager.notify_socket);
	manager.notify_socket = notify_socket != NULL && notify_socket[0] != '\0' ? strdup(notify_socket) : NULL;
	manager.watchdog_ms = 0;
	if (sd_watchdog_enabled(0, &watchdog_us) > 0)
		manager.watchdog_ms = (int64_t)(watchdog_us / 1000);
}

/** The library takes the address from the environment only. @return false: there is nobody to tell */
static bool show_socket(void)
{
	return manager.notify_socket != NULL && setenv(UNICORND_ENV_NOTIFY_SOCKET, manager.notify_socket, 1) == 0;
}

void service_manager_notify(const char *lines)
{
	if (show_socket())
		(void)sd_notify(1, lines); /* 1: and removes the variable */
}

void service_manager_store(int fd, const char *name)
{
	char lines[320];

	/* Without FDPOLL=0 it would be dropped at the first error that the socket reports. */
	(void)snprintf(lines, sizeof(lines), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	if (show_socket())
		(void)sd_pid_notify_with_fds(0, 1, lines, &fd, 1);
}

void service_manager_forget(const char *name)
{
	char lines[320];

	(void)snprintf(lines, sizeof(lines), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	service_manager_notify(lines);
}

bool service_manager_is_there(void)
{
	return manager.notify_socket != NULL;
}

int64_t service_manager_watchdog_ms(void)
{
	return manager.watchdog_ms;
}

#else

static void remember(void)
{
}

void service_manager_notify(const char *lines)
{
	(void)lines;
}

void service_manager_store(int fd, const char *name)
{
	(void)fd;
	(void)name;
}

void service_manager_forget(const char *name)
{
	(void)name;
}

bool service_manager_is_there(void)
{
	return false;
}

int64_t service_manager_watchdog_ms(void)
{
	return 0;
}

#endif

void service_manager_init(void)
{
	remember();
	(void)unsetenv(UNICORND_ENV_NOTIFY_SOCKET);
	(void)unsetenv(UNICORND_ENV_WATCHDOG_USEC);
	(void)unsetenv(UNICORND_ENV_WATCHDOG_PID);
}

/** @return the number in a variable, or -1. */
static int64_t number_from(const char *name)
{
	const char *value = getenv(name);
	int64_t number;

	return value != NULL && text_parse_integer(value, &number) ? number : -1;
}

/** Takes the next name off the colon-separated list. */
static void take_name(const char **names, char *name, size_t size)
{
	size_t length = strcspn(*names, ":");
	size_t used = length < size ? length : size - 1;

	memcpy(name, *names, used);
	name[used] = '\0';
	*names += length + ((*names)[length] == ':' ? 1 : 0);
}

/*
 * Plain reading of the variables, with or without the library: other supervisors pass sockets the same way.
 */
size_t service_manager_socket_count(void)
{
	int64_t total = number_from(UNICORND_ENV_LISTEN_FDS);
	int fd = UNICORND_FIRST_FD;

	if (number_from(UNICORND_ENV_LISTEN_PID) != getpid() || total > INT32_MAX - UNICORND_FIRST_FD)
		return 0;
	while (fd < UNICORND_FIRST_FD + total && fcntl(fd, F_GETFD) >= 0)
		fd++; /* they stand in a row */
	return (size_t)(fd - UNICORND_FIRST_FD);
}

static size_t take_sockets(struct inherited_socket *sockets, size_t size)
{
	const char *names = getenv(UNICORND_ENV_LISTEN_FDNAMES);
	size_t count = service_manager_socket_count();

	if (names == NULL)
		names = "";
	for (size_t i = 0; i < count; i++) {
		int fd = UNICORND_FIRST_FD + (int)i;

		if (i >= size) {
			(void)close(fd); /* what nobody can ask for must not be held: its clients would wait in vain */
			continue;
		}
		take_name(&names, sockets[i].name, sizeof(sockets[i].name));
		sockets[i].fd = fd;
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	return count < size ? count : size;
}

size_t service_manager_sockets(struct inherited_socket *sockets, size_t size)
{
	size_t count = take_sockets(sockets, size);

	(void)unsetenv(UNICORND_ENV_LISTEN_FDS);
	(void)unsetenv(UNICORND_ENV_LISTEN_PID);
	(void)unsetenv(UNICORND_ENV_LISTEN_FDNAMES);
	return count;
}
