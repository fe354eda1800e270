/*
 * socket_unix.h - Unix sockets in the file system; socket.c is its only caller.
 */
#ifndef DAEMON_SYSTEM_SOCKET_UNIX_H
#define DAEMON_SYSTEM_SOCKET_UNIX_H

#include "base/error.h"
#include "model/settings.h"

#include <stdbool.h>

/**
 * Ending of the temporary name. The kernel goes on to report the socket under this name, and that is welcome: servers
 * that remove the file that getsockname(2) names, when they stop, do not find ours.
 */
#define SOCKET_UNIX_SUFFIX ".new"

/** Binds `fd` to the path of the settings and listens, as socket_open() describes. */
bool socket_unix_bind(int fd, const struct listener_settings *settings, struct error *error);

/** @return true when the file at the path is the one that `fd` is bound to, and the kernel tells so. */
bool socket_unix_has_file(int fd, const char *path);

#endif
