/*
 * client.h - one connection to a daemon: lines out, lines in, until a deadline. It does not know what is in the lines.
 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

#include "failure.h"

#include <stddef.h>
#include <stdint.h>

/** How sending or receiving ended. */
enum client_result {
	CLIENT_DONE,     /**< sent, or a line is there */
	CLIENT_CLOSED,   /**< the daemon closed the connection between two lines */
	CLIENT_BROKEN,   /**< the connection broke */
	CLIENT_TOO_LONG, /**< more bytes without an end of line than a daemon ever sends */
	CLIENT_TIMED_OUT,
	CLIENT_INTERRUPTED, /**< by a signal, see interrupt.h */
	CLIENT_NO_MEMORY
};

struct client {
	int fd;
	int64_t deadline_ms; /**< on the monotonic clock; negative for none */
	char *buffer;
	size_t size;
	size_t length;  /**< bytes in the buffer */
	size_t begin;   /**< of the next line */
	size_t scanned; /**< no end of line between `begin` and here */
};

/**
 * Connects.
 *
 * @param timeout_ms  for everything that this client ever does; negative for ever
 * @return false also when interrupted
 */
bool client_connect(struct client *client, const char *path, int64_t timeout_ms, struct failure *failure);
enum client_result client_send(struct client *client, const char *bytes, size_t length);
/**
 * Receives one line.
 *
 * @param line  set to the line without its end; not terminated; valid until the next call
 */
enum client_result client_receive(struct client *client, const char **line, size_t *length);
/** Closes; a client that never connected has fd -1 and is left alone. */
void client_close(struct client *client);

#endif
