/*
 * service_manager.h - the only module that knows libsystemd; without the library every call answers "not there".
 */
#ifndef DAEMON_SYSTEM_SERVICE_MANAGER_H
#define DAEMON_SYSTEM_SERVICE_MANAGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Sends lines as sd_notify(3) takes them; nothing happens when no service manager listens. */
void service_manager_notify(const char *lines);

/**
 * Gives a copy of a descriptor to the service manager, which passes it on to the next process of the service.
 * @param name  printable ASCII without a colon; a manager without room for it says so in its own log
 */
void service_manager_store(int fd, const char *name);

/** Makes the service manager close what it stored under a name. */
void service_manager_forget(const char *name);

/** @return true when a service manager listens to us. */
bool service_manager_is_there(void);

/** @return milliseconds within which the service manager wants WATCHDOG=1, or 0. */
int64_t service_manager_watchdog_ms(void);

/** One socket that the service manager passed on. */
struct inherited_socket {
	char name[256]; /**< the longest that systemd has */
	int fd;         /**< close-on-exec; -1 once somebody took it */
};

/** @return how many sockets LISTEN_FDS passes that are there: room for service_manager_sockets(). */
size_t service_manager_socket_count(void);

/**
 * Takes over the sockets passed by LISTEN_FDS and forgets the variables, so that workers do not see them.
 * Call once, at the start. @return how many were stored, at most `size`
 */
size_t service_manager_sockets(struct inherited_socket *sockets, size_t size);

/** Forgets NOTIFY_SOCKET and WATCHDOG_* in our environment after remembering them, so that workers get their own. */
void service_manager_init(void);

#endif
