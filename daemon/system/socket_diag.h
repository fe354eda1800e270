/*
 * socket_diag.h - what the kernel's sock_diag knows of a Unix socket of ours. For the socket files of this folder only.
 */
#ifndef DAEMON_SYSTEM_SOCKET_DIAG_H
#define DAEMON_SYSTEM_SOCKET_DIAG_H

#include "system/socket.h"

#include <stdbool.h>
#include <stdint.h>

struct socket_diag {
	bool has_queue;
	struct socket_queue queue;
	bool has_file;
	uint32_t file_number; /**< inode number of the file it is bound to, its lower 32 bits */
};

/** @return false when the kernel does not tell: no unix_diag module, another network namespace, a sandbox. */
bool socket_diag_unix(int fd, struct socket_diag *diag);

#endif
