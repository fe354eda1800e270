/*
 * bare_loop.c - an epoll loop that answers each request with the same bytes: what HTTP costs when nobody looks at it.
 *
 * It finds the ends of heads and nothing else, so it serves requests without a body only. No timers, no limits, no
 * log; a client that does not take its answer is cut off. Ended by a signal.
 *
 * usage: bare_loop PORT
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG          1024
#define CONNECTIONS_MAX  4096
#define EVENTS_IN_A_TURN 64
#define RECEIVE_SIZE     8192

/* The bytes that the workers answer with, the date aside. */
static const char answer[] = "HTTP/1.1 200 OK\r\n"
			     "content-type: text/plain\r\n"
			     "content-length: 13\r\n"
			     "date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
			     "server: unicornd\r\n"
			     "\r\n"
			     "Hello, world!";

/* How much of the CR LF CR LF behind a head has come, for each descriptor. */
static uint8_t ends_seen[CONNECTIONS_MAX];

/** @return a listening socket, or -1 */
static int listener_open(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	    bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	perror("bare_loop");
	return -1;
}

static bool epoll_watch(int epoll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void accept_waiting(int epoll_fd, int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (fd >= CONNECTIONS_MAX || !epoll_watch(epoll_fd, fd)) {
			(void)close(fd);
			continue;
		}
		ends_seen[fd] = 0;
	}
}

/** @return how many heads end in these bytes */
static unsigned heads_count(uint8_t *seen, const char *bytes, size_t length)
{
	static const char end[] = { '\r', '\n', '\r', '\n' };
	unsigned count = 0;
	unsigned matched = *seen;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != end[matched]) {
			matched = bytes[i] == '\r';
			continue;
		}
		if (++matched == sizeof(end)) {
			matched = 0;
			count++;
		}
	}
	*seen = (uint8_t)matched;
	return count;
}

static void connection_serve(int fd)
{
	static char bytes[RECEIVE_SIZE];
	ssize_t got = recv(fd, bytes, sizeof(bytes), 0);
	unsigned heads;

	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			(void)close(fd);
		return;
	}
	heads = heads_count(&ends_seen[fd], bytes, (size_t)got);
	for (unsigned i = 0; i < heads; i++) {
		if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof(answer) - 1)) {
			(void)close(fd);
			return;
		}
	}
}

static int serve(int epoll_fd, int listener)
{
	struct epoll_event events[EVENTS_IN_A_TURN];

	for (;;) {
		int count = epoll_wait(epoll_fd, events, EVENTS_IN_A_TURN, -1);

		if (count < 0 && errno != EINTR)
			return 1;
		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_waiting(epoll_fd, listener);
			else
				connection_serve(events[i].data.fd);
		}
	}
}

int main(int argc, char **argv)
{
	long port = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	int epoll_fd;
	int listener;

	if (port < 1 || port > UINT16_MAX) {
		(void)fputs("usage: bare_loop PORT\n", stderr);
		return 2;
	}
	listener = listener_open((uint16_t)port);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (listener < 0 || epoll_fd < 0 || !epoll_watch(epoll_fd, listener))
		return 1;
	return serve(epoll_fd, listener);
}
