/*
 * socket.h - listening sockets: create, take over, ask.
 */
#ifndef DAEMON_SYSTEM_SOCKET_H
#define DAEMON_SYSTEM_SOCKET_H

#include "base/error.h"
#include "model/address.h"
#include "model/settings.h"

/**
 * Binds and listens, close-on-exec and non-blocking not set.
 *
 * TCP: SO_REUSEADDR, TCP_NODELAY when asked (accepted sockets inherit it: servers that get a descriptor forget it),
 * IPV6_V6ONLY, TCP_DEFER_ACCEPT. Unix: a path on which somebody answers is refused, a stale socket is replaced, any
 * other file is refused; it is bound under a temporary name, gets mode and owner, and is renamed into place.
 *
 * @return the descriptor, owned by the caller, or -1: error kind ADDRESS
 */
int socket_open(const struct listener_settings *settings, struct error *error);

/** Checks that an inherited descriptor is a listening or listenable stream socket, makes it close-on-exec, listens. */
bool socket_adopt(int fd, const struct listener_settings *settings, struct error *error);

/**
 * Applies options and backlog again to a socket that workers may be using.
 *
 * O_NONBLOCK is left alone: it is on the description that all share, and a server that drains the queue until EAGAIN
 * (asyncio does) would block for ever in a socket that somebody made blocking behind its back.
 */
bool socket_adjust(int fd, const struct listener_settings *settings, struct error *error);

/** listen(2) again: foreign servers change the backlog of the shared socket. */
bool socket_listen(int fd, int backlog, struct error *error);

/**
 * @return true when clients find `fd` by the address of the settings; false when it is bound to another one, or not at
 *         all, or when the file of a Unix socket is gone or another one's
 */
bool socket_is_reachable(int fd, const struct listener_settings *settings);

/** Refuses clients from now on, those that wait too, and frees the port, whoever else has the socket open. */
void socket_stop_listening(int fd);

/** Takes away the file of a Unix socket, if it is still the one of `fd`. */
void socket_unlink(int fd, const struct address *address);

/** What the kernel knows of a listening socket. */
struct socket_queue {
	unsigned waiting; /**< connections that wait to be accepted */
	unsigned limit;   /**< backlog in force */
};

/** TCP: TCP_INFO. Unix: sock_diag. @return false when the kernel does not tell. */
bool socket_queue(int fd, struct socket_queue *queue);

/** Address that a descriptor is bound to. @return false when it is not a socket of a known family. */
bool socket_address(int fd, struct address *address);

#endif
