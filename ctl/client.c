/*
 * client.c - one connection to a daemon.
 */
#include "client.h"

#include "interrupt.h"
#include "unicornd/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/** Bytes asked for at a time. */
#define CHUNK_SIZE ((size_t)64 * 1024)
/** A daemon never holds more than this for a client, so no line of it can be longer. */
#define LINE_MAX_SIZE ((size_t)UNICORND_CONTROL_BACKLOG_MAX)

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Negative for ever, 0 when the time is over. */
static int64_t client_time_left(const struct client *client)
{
	int64_t left;

	if (client->deadline_ms < 0)
		return -1;
	left = client->deadline_ms - now_ms();
	return left > 0 ? left : 0;
}

static bool connect_failure(struct failure *failure, const char *path, int code)
{
	switch (code) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTDIR:
		return failure_set(failure, UNICORNCTL_EXIT_NOT_RUNNING, "no daemon answers at %s", path);
	case EACCES:
	case EPERM:
		return failure_set(failure, UNICORNCTL_EXIT_DENIED, "you may not open %s", path);
	case EAGAIN:
		return failure_set(failure, UNICORNCTL_EXIT_TIMED_OUT, "timed out: the daemon at %s does not answer",
				   path);
	default:
		return failure_set(failure, UNICORNCTL_EXIT_NOT_RUNNING, "cannot connect to %s: %s", path,
				   strerror(code));
	}
}

/* connect() on a socket of this family waits for room in the listener's queue as long as a send may take. */
static void client_limit_connect(const struct client *client, int64_t timeout_ms)
{
	const struct timeval limit = { .tv_sec = (time_t)(timeout_ms / 1000),
				       .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000 };

	if (timeout_ms >= 0)
		setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

bool client_connect(struct client *client, const char *path, int64_t timeout_ms, struct failure *failure)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	*client = (struct client){ .fd = -1, .deadline_ms = -1 };
	if (timeout_ms >= 0 && __builtin_add_overflow(now_ms(), timeout_ms, &client->deadline_ms))
		client->deadline_ms = INT64_MAX;
	if (path[0] == '\0' || strlen(path) >= sizeof(address.sun_path))
		return failure_set(failure, UNICORNCTL_EXIT_USAGE, "not the path of a socket, or too long: '%s'", path);
	memcpy(address.sun_path, path, strlen(path));
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return failure_set(failure, EXIT_FAILURE, "cannot make a socket: %s", strerror(errno));
	client_limit_connect(client, timeout_ms);
	if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return connect_failure(failure, path, errno);
	return true;
}

static enum client_result client_wait(const struct client *client, short events)
{
	struct pollfd descriptor = { .fd = client->fd, .events = events };
	const int ready = interrupt_poll(&descriptor, client_time_left(client));

	if (ready > 0)
		return CLIENT_DONE;
	if (ready == 0)
		return CLIENT_TIMED_OUT;
	if (interrupt_is_pending())
		return CLIENT_INTERRUPTED;
	return errno == EINTR ? CLIENT_DONE : CLIENT_BROKEN; /* a stop and a continuation: try again */
}

static bool is_temporary(int code)
{
	return code == EAGAIN || code == EINTR;
}

enum client_result client_send(struct client *client, const char *bytes, size_t length)
{
	while (length > 0) {
		const enum client_result waited = client_wait(client, POLLOUT);
		ssize_t sent;

		if (waited != CLIENT_DONE)
			return waited;
		sent = send(client->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && !is_temporary(errno))
			return CLIENT_BROKEN;
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
	}
	return CLIENT_DONE;
}

/* Makes room for a chunk behind what is in the buffer. */
static bool client_make_room(struct client *client)
{
	size_t size = client->size > 0 ? client->size : CHUNK_SIZE;
	char *buffer;

	if (client->begin > 0) {
		memmove(client->buffer, client->buffer + client->begin, client->length - client->begin);
		client->length -= client->begin;
		client->scanned -= client->begin;
		client->begin = 0;
	}
	while (size < client->length + CHUNK_SIZE)
		size *= 2;
	if (size == client->size)
		return true;
	buffer = realloc(client->buffer, size);
	if (buffer == NULL)
		return false;
	client->buffer = buffer;
	client->size = size;
	return true;
}

static enum client_result client_read(struct client *client)
{
	const enum client_result waited = client_wait(client, POLLIN);
	ssize_t received;

	if (waited != CLIENT_DONE)
		return waited;
	if (!client_make_room(client))
		return CLIENT_NO_MEMORY;
	received = recv(client->fd, client->buffer + client->length, CHUNK_SIZE, MSG_DONTWAIT);
	if (received == 0)
		return client->length > 0 ? CLIENT_BROKEN : CLIENT_CLOSED;
	if (received < 0)
		return is_temporary(errno) ? CLIENT_DONE : CLIENT_BROKEN;
	client->length += (size_t)received;
	return CLIENT_DONE;
}

static bool client_take_line(struct client *client, const char **line, size_t *length)
{
	const char *end = NULL;

	if (client->length > client->scanned)
		end = memchr(client->buffer + client->scanned, '\n', client->length - client->scanned);
	if (end == NULL) {
		client->scanned = client->length;
		return false;
	}
	*line = client->buffer + client->begin;
	*length = (size_t)(end - *line);
	client->begin += *length + 1;
	client->scanned = client->begin;
	return true;
}

enum client_result client_receive(struct client *client, const char **line, size_t *length)
{
	while (!client_take_line(client, line, length)) {
		enum client_result result;

		if (client->length - client->begin >= LINE_MAX_SIZE)
			return CLIENT_TOO_LONG;
		result = client_read(client);
		if (result != CLIENT_DONE)
			return result;
	}
	return CLIENT_DONE;
}

void client_close(struct client *client)
{
	free(client->buffer);
	client->buffer = NULL;
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}
