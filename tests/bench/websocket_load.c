/*
 * websocket_load.c - clients of a WebSocket echo, each with one small text message on its way at a time.
 *
 * Whatever is not the echo, pings included, is an error: it is a load, not a client. Extensions are not offered. Ends
 * after the given seconds, or when nothing has come for some.
 *
 * usage: websocket_load PORT CONNECTIONS SECONDS
 * Prints {"echoes": N, "seconds": S} and exits with 0, or says what is wrong and exits with 1.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX  1024
#define SECONDS_MAX      60
#define SILENCE_SECONDS  5
#define EVENTS_IN_A_TURN 64
#define NS_PER_SECOND    1000000000
#define NS_PER_MS        1000000

#define MESSAGE        "hello, websocket"
#define MESSAGE_LENGTH (sizeof(MESSAGE) - 1)
#define HEADER_LENGTH  2
#define MASK_LENGTH    4
#define ECHO_LENGTH    (HEADER_LENGTH + MESSAGE_LENGTH)
#define FRAME_LENGTH   (HEADER_LENGTH + MASK_LENGTH + MESSAGE_LENGTH)
#define CLOSE_LENGTH   (HEADER_LENGTH + MASK_LENGTH + 2)

/* The key and its answer are the example of RFC 6455, section 1.3. */
static const char handshake[] = "GET / HTTP/1.1\r\n"
				"Host: 127.0.0.1\r\n"
				"Upgrade: websocket\r\n"
				"Connection: Upgrade\r\n"
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
				"Sec-WebSocket-Version: 13\r\n"
				"\r\n";
static const char accepted_status[] = "HTTP/1.1 101 ";
static const char accepted_key[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

struct client {
	int fd;
	size_t received; /**< bytes of the echo that is under way */
};

struct load {
	int epoll_fd;
	int count;
	struct client clients[CONNECTIONS_MAX];
	unsigned char frame[FRAME_LENGTH];   /**< what is sent, masked */
	unsigned char expected[ECHO_LENGTH]; /**< what must come back */
	uint64_t echoes;
};

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static bool complain(const char *what)
{
	(void)fprintf(stderr, "websocket_load: %s: %s\n", what, errno != 0 ? strerror(errno) : "not what was expected");
	return false;
}

static void mask(unsigned char *to, const void *payload, size_t length)
{
	static const unsigned char key[MASK_LENGTH] = { 0x37, 0xfa, 0x21, 0x3d };
	const unsigned char *from = payload;

	memcpy(to, key, MASK_LENGTH);
	for (size_t i = 0; i < length; i++)
		to[MASK_LENGTH + i] = from[i] ^ key[i % MASK_LENGTH];
}

static void frames_prepare(struct load *load)
{
	load->frame[0] = load->expected[0] = 0x81; /* the only part of a text */
	load->frame[1] = 0x80 | MESSAGE_LENGTH;
	load->expected[1] = MESSAGE_LENGTH;
	mask(load->frame + HEADER_LENGTH, MESSAGE, MESSAGE_LENGTH);
	memcpy(load->expected + HEADER_LENGTH, MESSAGE, MESSAGE_LENGTH);
}

/* --- the beginning: blocking, with a limit for each step --- */

static bool client_connect(struct client *client, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct timeval limit = { .tv_sec = SILENCE_SECONDS };
	int on = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return client->fd >= 0 && setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	       setsockopt(client->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
	       setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
	       connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

/** Byte by byte in the end, so that nothing behind the head is taken; it is done once. */
static bool client_shake_hands(const struct client *client)
{
	char head[2048];
	size_t length = 0;

	if (send(client->fd, handshake, sizeof(handshake) - 1, MSG_NOSIGNAL) != (ssize_t)(sizeof(handshake) - 1))
		return false;
	while (length < 4 || memcmp(head + length - 4, "\r\n\r\n", 4) != 0) {
		if (length == sizeof(head) - 1 || recv(client->fd, head + length, 1, 0) != 1)
			return false;
		length++;
	}
	head[length] = '\0';
	return strncmp(head, accepted_status, sizeof(accepted_status) - 1) == 0 && strstr(head, accepted_key) != NULL;
}

static bool clients_open(struct load *load, uint16_t port)
{
	for (int i = 0; i < load->count; i++) {
		struct client *client = &load->clients[i];
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = client };

		errno = 0;
		if (!client_connect(client, port))
			return complain("connect");
		if (!client_shake_hands(client))
			return complain("handshake");
		if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
			return complain("epoll_ctl");
	}
	return true;
}

/* --- the load --- */

static bool client_send(const struct load *load, const struct client *client)
{
	errno = 0;
	return send(client->fd, load->frame, FRAME_LENGTH, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)FRAME_LENGTH ||
	       complain("send");
}

static bool client_receive(struct load *load, struct client *client)
{
	unsigned char bytes[ECHO_LENGTH];
	ssize_t got;

	errno = 0;
	got = recv(client->fd, bytes, ECHO_LENGTH - client->received, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return true;
	if (got <= 0 || memcmp(bytes, load->expected + client->received, (size_t)got) != 0)
		return complain("echo");
	client->received += (size_t)got;
	if (client->received < ECHO_LENGTH)
		return true;
	client->received = 0;
	load->echoes++;
	return client_send(load, client);
}

static bool load_turn(struct load *load, int64_t left_ns)
{
	struct epoll_event events[EVENTS_IN_A_TURN];
	int timeout_ms = (int)(left_ns / NS_PER_MS) + 1;
	int count = epoll_wait(load->epoll_fd, events, EVENTS_IN_A_TURN, timeout_ms);

	if (count < 0 && errno != EINTR)
		return complain("epoll_wait");
	for (int i = 0; i < count; i++) {
		if (!client_receive(load, events[i].data.ptr))
			return false;
	}
	return true;
}

static bool load_run(struct load *load, long seconds)
{
	int64_t end = now_ns() + seconds * NS_PER_SECOND;

	for (int i = 0; i < load->count; i++) {
		if (!client_send(load, &load->clients[i]))
			return false;
	}
	for (int64_t now = now_ns(); now < end; now = now_ns()) {
		if (!load_turn(load, end - now))
			return false;
	}
	errno = 0;
	return load->echoes > 0 || complain("no echo");
}

/* --- the end: what is still on its way is read, then the server closes --- */

static bool client_close(struct client *client)
{
	unsigned char frame[CLOSE_LENGTH] = { 0x88, 0x80 | 2 };
	unsigned char bytes[256];
	ssize_t got;

	mask(frame + HEADER_LENGTH, "\x03\xe8", 2);
	errno = 0;
	if (send(client->fd, frame, sizeof(frame), MSG_NOSIGNAL) != (ssize_t)sizeof(frame))
		return complain("send of a close");
	do {
		got = recv(client->fd, bytes, sizeof(bytes), 0);
	} while (got > 0);
	(void)close(client->fd);
	return got == 0 || complain("close");
}

static bool clients_close(struct load *load)
{
	for (int i = 0; i < load->count; i++) {
		if (!client_close(&load->clients[i]))
			return false;
	}
	return true;
}

/** @return the number, or 0 when it is none or too high */
static long number_parse(const char *word, long most)
{
	char *end;
	long number = strtol(word, &end, 10);

	return *end == '\0' && number > 0 && number <= most ? number : 0;
}

int main(int argc, char **argv)
{
	static struct load load;
	long port = argc == 4 ? number_parse(argv[1], UINT16_MAX) : 0;
	long seconds = argc == 4 ? number_parse(argv[3], SECONDS_MAX) : 0;
	int64_t begun;
	double took;

	load.count = argc == 4 ? (int)number_parse(argv[2], CONNECTIONS_MAX) : 0;
	if (port == 0 || seconds == 0 || load.count == 0) {
		(void)fputs("usage: websocket_load PORT CONNECTIONS SECONDS\n", stderr);
		return 2;
	}
	frames_prepare(&load);
	load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load.epoll_fd < 0 || !clients_open(&load, (uint16_t)port))
		return 1;
	begun = now_ns();
	if (!load_run(&load, seconds))
		return 1;
	took = (double)(now_ns() - begun) / NS_PER_SECOND;
	if (!clients_close(&load))
		return 1;
	(void)printf("{\"echoes\": %llu, \"seconds\": %.3f}\n", (unsigned long long)load.echoes, took);
	return 0;
}
