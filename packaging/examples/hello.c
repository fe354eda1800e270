/*
 * hello.c - a worker of unicornd, as small as it gets: one connection at a time, every request is answered "hello".
 *
 *	cc -o hello_worker hello.c $(pkg-config --cflags --libs libunicornworker)
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unicornd/protocol.h>
#include <unicornd/worker.h>
#include <unistd.h>

#define ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"

/* With a time limit on the socket the order to stop, a signal, would break a read. */
static ssize_t receive(int client, char *bytes, size_t size)
{
	ssize_t count;

	do
		count = read(client, bytes, size);
	while (count < 0 && errno == EINTR);
	return count;
}

static void serve(int client)
{
	const struct timeval patience = { .tv_sec = 5 };
	char bytes[2048];
	ssize_t count;

	/* A client that sends nothing must not keep this worker from its heartbeat. */
	(void)setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	count = receive(client, bytes, sizeof(bytes));
	if (count > 0 && write(client, ANSWER, sizeof(ANSWER) - 1) > 0) {
		/* Closing with unread bytes would reset the connection and could take the answer along. */
		(void)shutdown(client, SHUT_WR);
		while (count > 0)
			count = receive(client, bytes, sizeof(bytes));
	}
	(void)close(client);
}

int main(void)
{
	struct unicorn_worker worker;
	int client;

	if (unicorn_worker_init(&worker) != 0)
		return UNICORND_EXIT_CONFIGURATION;
	(void)unicorn_worker_ready(&worker);
	while ((client = unicorn_worker_accept(&worker)) >= 0)
		serve(client);
	return client == -1 ? 0 : 1;
}
