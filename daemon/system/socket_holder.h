/*
 * socket_holder.h - which process has an address that is in use. For the socket files of this folder only.
 */
#ifndef DAEMON_SYSTEM_SOCKET_HOLDER_H
#define DAEMON_SYSTEM_SOCKET_HOLDER_H

#include "model/address.h"

#include <stddef.h>
#include <sys/types.h>

#define SOCKET_HOLDER_SIZE 80

/**
 * Looks for a process that listens at a TCP address, in /proc and for a bounded time: a running daemon may ask.
 *
 * @return its pid; 0: another user's or another container's, or nobody listens and the port is only bound
 */
pid_t socket_holder_of_tcp(const struct address *address);

/** @return pid of the process that listens at the other end of a connected Unix socket; 0: not of this container */
pid_t socket_holder_of_peer(int fd);

/** "python3, process 1234, listens there"; without a pid how to find out. @return buffer */
const char *socket_holder_print(pid_t pid, enum address_kind kind, char *buffer, size_t size);

#endif
