/*
 * soak.c - unicornd-soak: very many requests to a server on this machine, whose clients leave at any time: within a
 * head, a body or an answer, by closing, resetting or half closing, on kept connections and with requests sent ahead.
 * What is answered must be right. Its result is one line of JSON; the exit status says whether all was right.
 *
 * The server must know /hello ("hello\n"), /echo (sends the body back) and /big?n=N&chunked=0 or 1 (N bytes).
 */
#include "load_answer.h"
#include "soak_plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 512
#define EXIT_USAGE  2
/* When nothing happens for so long, somebody waits for what never comes. */
#define SILENCE_MS 30000
/* With less the kernel's own timers would be what is waited for. */
#define SLOW_BUFFER_BYTES 16384
#define READ_BYTES        65536

struct client {
	int fd; /* -1: the next connection is to be made */
	struct soak_burst burst;
	struct load_answer answer;
	size_t sent;
	size_t received;
	int answered; /* of this burst */
	uint64_t body_bytes;
};

struct soak {
	struct sockaddr_in address;
	struct soak_random random;
	uint64_t requests_wanted;
	uint64_t requests;
	uint64_t answers;
	uint64_t connections;
	uint64_t endings[SOAK_ENDINGS];
	uint64_t resets;
	uint64_t lost; /* half-closed connections that ended before their last answer, as they may */
	uint64_t failures;
	int client_count;
	struct client clients[CLIENTS_MAX];
};

static struct soak soak;

static void fail(struct client *client, const char *what)
{
	soak.failures++;
	if (soak.failures <= 10)
		(void)fprintf(
			stderr,
			"unicornd-soak: %s: ending %d, request %d of %d, sent %zu of %zu, received %zu, errno %d\n",
			what, (int)client->burst.ending, client->answered + 1, client->burst.request_count,
			client->sent, client->burst.length, client->received, errno);
}

static void end_connection(struct client *client)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	soak.endings[client->burst.ending]++;
	if (client->burst.is_last && client->burst.ending >= SOAK_QUIT_SENDING && client->burst.resets) {
		soak.resets++;
		(void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	}
	(void)close(client->fd);
	client->fd = -1;
}

/** A request counts when its first byte was sent. */
static void count_requests(const struct client *client, size_t before)
{
	for (int i = 0; i < client->burst.request_count; i++) {
		size_t start = i == 0 ? 0 : client->burst.ends[i - 1];

		if (start >= before && start < client->sent)
			soak.requests++;
	}
}

static bool begin_burst(struct client *client)
{
	client->sent = 0;
	client->received = 0;
	client->answered = 0;
	client->body_bytes = 0;
	load_answer_reset(&client->answer);
	return soak_burst_make(&client->burst, &soak.random);
}

/** From one of many addresses, so that the ports of none are used up. */
static void bind_somewhere(int fd)
{
	struct sockaddr_in source = { .sin_family = AF_INET };
	int on = 1;

	source.sin_addr.s_addr = htonl((127U << 24) + (77U << 16) + soak_random_below(&soak.random, 250) * 256 + 1);
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	(void)bind(fd, (struct sockaddr *)&source, sizeof(source));
}

static bool begin_connection(struct client *client)
{
	int small = SLOW_BUFFER_BYTES;
	int on = 1;

	if (!begin_burst(client))
		return false;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return false;
	bind_somewhere(client->fd);
	if (client->burst.reads_slowly)
		(void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(client->fd, (struct sockaddr *)&soak.address, sizeof(soak.address)) != 0 ||
	    fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0)
		return false;
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	soak.connections++;
	return true;
}

/** The server has ended the connection, or it has failed. */
static void connection_is_over(struct client *client, bool is_reset)
{
	const struct soak_burst *burst = &client->burst;

	if (burst->ending == SOAK_HALF_CLOSE) {
		/* Who reads no more may be taken for somebody who has left. */
		soak.lost += client->answered < burst->request_count;
	} else if (burst->ending == SOAK_POLITE &&
		   (!burst->closes || client->answered < burst->request_count || is_reset)) {
		fail(client, is_reset ? "reset" : "the connection ends early");
	}
	end_connection(client);
}

static void send_more(struct client *client)
{
	const struct soak_burst *burst = &client->burst;
	size_t before = client->sent;
	ssize_t count = send(client->fd, burst->bytes + before, burst->sends_up_to - before, MSG_NOSIGNAL);

	if (count < 0 && errno != EAGAIN) {
		connection_is_over(client, true);
		return;
	}
	client->sent += count < 0 ? 0 : (size_t)count;
	count_requests(client, before);
	if (client->sent < burst->sends_up_to)
		return;
	if (burst->ending == SOAK_QUIT_SENDING || (burst->ending == SOAK_QUIT_READING && burst->reads_up_to == 0))
		end_connection(client);
	else if (burst->ending == SOAK_HALF_CLOSE)
		(void)shutdown(client->fd, SHUT_WR);
}

/** @return false when the answer is not what it should be */
static bool answer_is_right(struct client *client)
{
	const struct load_answer *answer = &client->answer;

	return answer->status == 200 && client->answered < client->burst.request_count &&
	       answer->body_bytes == client->burst.body_bytes[client->answered];
}

static void take_answers(struct client *client, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t taken = load_answer_feed(&client->answer, bytes, length);

		bytes += taken;
		length -= taken;
		if (client->answer.state == LOAD_ANSWER_MALFORMED) {
			fail(client, "malformed");
			end_connection(client);
			return;
		}
		if (client->answer.state != LOAD_ANSWER_COMPLETE)
			continue;
		if (!answer_is_right(client)) {
			fail(client, "wrong answer");
			end_connection(client);
			return;
		}
		soak.answers++;
		client->answered++;
		load_answer_reset(&client->answer);
	}
}

/** All of the burst is answered: on with the next, or the end. */
static void burst_is_answered(struct client *client)
{
	const struct soak_burst *burst = &client->burst;

	if (!burst->is_last && !begin_burst(client))
		fail(client, "no memory");
	else if (burst->ending == SOAK_QUIT_READING ||
		 (burst->is_last && burst->ending == SOAK_POLITE && !burst->closes))
		end_connection(client);
}

static void read_more(struct client *client)
{
	static char bytes[READ_BYTES];
	const struct soak_burst *burst = &client->burst;
	size_t room = burst->reads_up_to - client->received;
	ssize_t count = recv(client->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes), 0);

	if (count < 0 && errno == EAGAIN)
		return;
	if (count <= 0) {
		connection_is_over(client, count < 0);
		return;
	}
	client->received += (size_t)count;
	take_answers(client, bytes, (size_t)count);
	if (client->fd >= 0 && client->received >= burst->reads_up_to)
		end_connection(client);
	else if (client->fd >= 0 && client->answered == burst->request_count)
		burst_is_answered(client);
}

static void play(struct client *client, short events)
{
	/* Who sends without reading could wait for ever. */
	if ((events & (POLLIN | POLLHUP | POLLERR)) != 0)
		read_more(client);
	if (client->fd >= 0 && (events & POLLOUT) != 0 && client->sent < client->burst.sends_up_to)
		send_more(client);
}

/** @return how many connections there are */
static int prepare(struct pollfd *entries)
{
	int open = 0;

	for (int i = 0; i < soak.client_count; i++) {
		struct client *client = &soak.clients[i];

		if (client->fd < 0 && soak.requests < soak.requests_wanted && !begin_connection(client)) {
			fail(client, "no connection");
			client->fd = -1;
			soak.requests_wanted = 0;
		}
		open += client->fd >= 0;
		entries[i] = (struct pollfd){ .fd = client->fd, .events = POLLIN };
		if (client->fd >= 0 && client->sent < client->burst.sends_up_to)
			entries[i].events |= POLLOUT;
	}
	return open;
}

static void run(void)
{
	static struct pollfd entries[CLIENTS_MAX];

	while (prepare(entries) > 0) {
		int ready = poll(entries, (nfds_t)soak.client_count, SILENCE_MS);

		if (ready <= 0) {
			for (int i = 0; i < soak.client_count; i++) {
				if (soak.clients[i].fd >= 0)
					fail(&soak.clients[i], "no answer");
			}
			return;
		}
		for (int i = 0; i < soak.client_count; i++) {
			if (entries[i].revents != 0)
				play(&soak.clients[i], entries[i].revents);
		}
	}
}

static bool options_parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "address", required_argument, NULL, 'a' },
		{ "clients", required_argument, NULL, 'c' },
		{ "requests", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	char host[64];
	unsigned port = 0;
	int option;

	soak.client_count = 32;
	soak.random.state = 1;
	soak.address.sin_family = AF_INET;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a' && sscanf(optarg, "%63[0-9.]:%u", host, &port) != 2)
			return false;
		else if (option == 'c')
			soak.client_count = atoi(optarg);
		else if (option == 'r')
			soak.requests_wanted = strtoull(optarg, NULL, 10);
		else if (option == 's')
			soak.random.state += strtoull(optarg, NULL, 10) * 2654435761U;
		else if (option == '?')
			return false;
	}
	soak.address.sin_port = htons((uint16_t)port);
	/* Other machines are never asked. */
	return port > 0 && inet_pton(AF_INET, host, &soak.address.sin_addr) == 1 &&
	       ntohl(soak.address.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET && soak.client_count > 0 &&
	       soak.client_count <= CLIENTS_MAX && optind == argc;
}

int main(int argc, char **argv)
{
	if (!options_parse(argc, argv)) {
		(void)fputs("usage: unicornd-soak --address 127.x.x.x:PORT --requests N [--clients N] [--seed N]\n",
			    stderr);
		return EXIT_USAGE;
	}
	for (int i = 0; i < soak.client_count; i++)
		soak.clients[i].fd = -1;
	run();
	(void)printf("{\"requests\": %llu, \"answers\": %llu, \"connections\": %llu, \"polite\": %llu, "
		     "\"half_closed\": %llu, \"quit_sending\": %llu, \"quit_reading\": %llu, \"resets\": %llu, "
		     "\"lost\": %llu, \"failures\": %llu}\n",
		     (unsigned long long)soak.requests, (unsigned long long)soak.answers,
		     (unsigned long long)soak.connections, (unsigned long long)soak.endings[SOAK_POLITE],
		     (unsigned long long)soak.endings[SOAK_HALF_CLOSE],
		     (unsigned long long)soak.endings[SOAK_QUIT_SENDING],
		     (unsigned long long)soak.endings[SOAK_QUIT_READING], (unsigned long long)soak.resets,
		     (unsigned long long)soak.lost, (unsigned long long)soak.failures);
	for (int i = 0; i < soak.client_count; i++)
		free(soak.clients[i].burst.bytes);
	return soak.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
