/*
 * What a client may send on a connection of HTTP/1, through the whole engine: server, connection, parser, answers, with
 * an application that does many things.
 *
 * The first two bytes are the seed of the pieces' lengths, the next two the options: which worker, what the application
 * does, limits, the access log. The rest is what the client sends. It is sent at once, then in random pieces: the same
 * requests and the same answers must come out. A third time the client is a bad one, which reads little, leaves at any
 * time, lets deadlines pass, and meets a server that drains: then only what is said about the end must hold.
 */
#include "access_log.h"
#include "http_answers.h"
#include "http_application.h"
#include "http_connection.h"
#include "http_deadlines.h"
#include "http_request.h"
#include "http_server.h"
#include "trusted_peers.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX   40000
#define HEAD_BYTES  4
#define TURNS_MAX   20000
#define OUTPUT_STEP (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The lower bits of the second byte of options; those of the first are the application's. */
enum option {
	OPTION_LOG = 1,
	OPTION_JSON = 2,
	OPTION_TRUST = 4,  /**< the peer may say for whom it asks */
	OPTION_PROXY = 8,  /**< and does so in front of all */
	OPTION_SMALL = 16, /**< limits */
	OPTION_CROWD = 32, /**< other connections have something to do too, so that answers are held */
};

/** One connection, and all that belongs to it. */
struct run {
	struct http_server server;
	struct application application;
	struct access_log log;
	struct trusted_peers trusted;
	ev_check crowd;
	int client; /* -1: it has left */
	bool is_ended;
	char *output;
	size_t output_length;
	size_t output_capacity;
	uint32_t seed;
};

/** The worker would write a line; here it would only cost time. */
void unicorn_log(enum unicorn_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

static struct ev_loop *the_loop(void)
{
	static struct ev_loop *loop;

	if (loop == NULL)
		loop = ev_loop_new(EVBACKEND_POLL | EVFLAG_NOENV);
	require(loop != NULL);
	return loop;
}

static uint32_t next_random(struct run *run)
{
	run->seed = run->seed * 1103515245U + 12345U;
	return run->seed >> 16;
}

/* ---- one connection */

static struct http_limits limits_of(unsigned options)
{
	bool is_small = (options & OPTION_SMALL) != 0;

	return (struct http_limits){
		.line_bytes = is_small ? 100 : 8192,
		.header_count = is_small ? 10 : 100,
		.header_bytes = is_small ? 200 : 16384,
		.head_bytes = 1 << 20,
		.body_bytes = is_small ? 1000 : 60000,
		.message_bytes = 10000,
		.header_ms = 10000,
		.body_ms = 10000,
		.keep_alive_ms = 5000,
		.write_ms = 10000,
		.linger_ms = 1000,
	};
}

/** Something else that is pending while a request is handled. */
static void on_crowd(struct ev_loop *loop, ev_check *crowd, int events)
{
	(void)loop;
	(void)crowd;
	(void)events;
}

static struct run *run_begin(const uint8_t *options, uint32_t seed, int send_bytes)
{
	struct run *run = calloc(1, sizeof(*run));
	struct http_settings settings = { .limits = limits_of(options[1]), .root_path = "" };
	int pair[2];

	require(run != NULL && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	run->log = (struct access_log)ACCESS_LOG_OFF;
	run->application.options = options[0];
	run->application.loose_from = SIZE_MAX;
	run->trusted.trusts_everyone = true;
	run->seed = seed;
	run->client = pair[0];
	settings.is_async = (options[0] & APPLICATION_IS_ASYNC) != 0;
	settings.takes_proxy_protocol = (options[1] & OPTION_PROXY) != 0;
	settings.trusted = (options[1] & (OPTION_TRUST | OPTION_PROXY)) != 0 ? &run->trusted : NULL;
	if ((options[1] & OPTION_LOG) != 0) {
		char error[100];
		enum access_format format = (options[1] & OPTION_JSON) != 0 ? ACCESS_JSON : ACCESS_APACHE;

		require(access_log_open(&run->log, "/dev/null", format, error, sizeof(error)));
		settings.log = &run->log;
	}
	if (send_bytes > 0)
		(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
	http_server_init(&run->server, the_loop(), &settings);
	run->server.app = &fuzz_application;
	run->server.app_state = &run->application;
	ev_check_init(&run->crowd, on_crowd);
	ev_set_priority(&run->crowd, -1);
	if ((options[1] & OPTION_CROWD) != 0)
		ev_check_start(the_loop(), &run->crowd);
	require(http_connection_create(&run->server, pair[1]));
	return run;
}

static void run_end(struct run *run)
{
	ev_check_stop(the_loop(), &run->crowd);
	http_server_finish(&run->server);
	require(run->server.connection_count == 0 && run->server.busy_count == 0);
	require(run->application.handled_count == run->application.closed_count && run->application.deferred == NULL);
	require(run->server.request_count == (int64_t)run->application.handled_count);
	access_log_close(&run->log);
	if (run->client >= 0)
		(void)close(run->client);
	free(run->output);
	free(run);
}

/** @return has something come? */
static bool read_answers(struct run *run)
{
	ssize_t count;

	if (run->client < 0 || run->is_ended)
		return false;
	if (run->output_capacity - run->output_length < OUTPUT_STEP / 2) {
		run->output_capacity += OUTPUT_STEP;
		run->output = realloc(run->output, run->output_capacity);
		require(run->output != NULL);
	}
	count = recv(run->client, run->output + run->output_length, run->output_capacity - run->output_length, 0);
	if (count > 0)
		run->output_length += (size_t)count;
	/* A reset tells the same: what came before it has been read. */
	run->is_ended = count == 0 || (count < 0 && errno != EAGAIN);
	return count > 0;
}

static bool is_ready(struct http_connection *connection)
{
	struct pollfd entry = { .fd = connection->io.fd };

	if (!ev_is_active(&connection->io))
		return false;
	entry.events = (short)(((connection->io.events & EV_READ) != 0 ? POLLIN : 0) |
			       ((connection->io.events & EV_WRITE) != 0 ? POLLOUT : 0));
	return poll(&entry, 1, 0) > 0;
}

/** Turns the loop until nothing happens any more. */
static void settle(struct run *run, bool reads)
{
	bool is_busy = true;

	for (int turns = 0; is_busy; turns++) {
		require(turns < TURNS_MAX);
		(void)ev_run(run->server.loop, EVRUN_NOWAIT);
		is_busy = (reads && read_answers(run)) || application_run_deferred(&run->application);
		is_busy |= run->server.waiting != NULL ||
			   (run->server.connections != NULL && is_ready(run->server.connections));
	}
}

/** Sends all of it; what the server does not take is given up. */
static void send_bytes(struct run *run, const uint8_t *bytes, size_t length, bool reads)
{
	while (length > 0 && run->client >= 0) {
		ssize_t sent = send(run->client, bytes, length, MSG_NOSIGNAL);

		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
		settle(run, reads);
		if (sent <= 0)
			return;
	}
}

/** The client has said all. It waits for the end, or closes. */
static void end_sending(struct run *run)
{
	(void)shutdown(run->client, SHUT_WR);
	settle(run, true);
}

/* ---- what is done with an input */

static struct run *play_whole(const uint8_t *options, const uint8_t *bytes, size_t length)
{
	struct run *run = run_begin(options, 0, 0);

	send_bytes(run, bytes, length, true);
	end_sending(run);
	return run;
}

/** Of some bytes, or all up to the end of a head: what is behind it comes later. */
static size_t next_piece(struct run *run, const uint8_t *bytes, size_t length)
{
	uint32_t random = next_random(run);
	size_t piece = 1 + (random >> 2) % ((random & 3) == 0 ? 3000 : (random & 3) == 1 ? 200 : 12);
	const uint8_t *end = (random & 0x700) == 0 ? memmem(bytes, length, "\r\n\r\n", 4) : NULL;

	if (end != NULL)
		return (size_t)(end - bytes) + 4;
	return piece < length ? piece : length;
}

static struct run *play_in_pieces(const uint8_t *options, const uint8_t *bytes, size_t length, uint32_t seed)
{
	struct run *run = run_begin(options, seed, 0);

	while (length > 0) {
		size_t piece = next_piece(run, bytes, length);

		send_bytes(run, bytes, piece, true);
		/* What has been given back is not to be used. */
		http_request_stock_finish();
		http_buffer_stock_finish();
		bytes += piece;
		length -= piece;
	}
	end_sending(run);
	return run;
}

static void pass_deadlines(struct run *run)
{
	struct http_deadline *deadline;
	enum http_deadline_kind kind;

	while ((deadline = http_deadlines_take_due(&run->server.deadlines, INT64_MAX, &kind)) != NULL)
		http_connection_deadline(deadline, kind);
}

static void leave(struct run *run)
{
	if (run->client >= 0)
		(void)close(run->client);
	run->client = -1;
}

/** Something that may happen at any time. */
static void disturb(struct run *run)
{
	switch (next_random(run) % 24) {
	case 0:
		leave(run);
		break;
	case 1:
		pass_deadlines(run);
		break;
	case 2:
		http_server_drain(&run->server);
		break;
	case 3:
		if (run->client >= 0)
			(void)shutdown(run->client, SHUT_WR);
		break;
	case 4:
	case 5:
		(void)application_run_deferred(&run->application);
		break;
	case 6:
	case 7:
	case 8:
		(void)read_answers(run);
		break;
	default:
		break;
	}
}

static void play_badly(const uint8_t *options, const uint8_t *bytes, size_t length, uint32_t seed)
{
	struct run *run = run_begin(options, seed, 4096);

	while (length > 0) {
		size_t piece = next_piece(run, bytes, length);

		if (run->client >= 0)
			(void)send(run->client, bytes, piece, MSG_NOSIGNAL);
		(void)ev_run(run->server.loop, EVRUN_NOWAIT);
		disturb(run);
		bytes += piece;
		length -= piece;
	}
	if ((next_random(run) & 1) != 0)
		leave(run);
	(void)ev_run(run->server.loop, EVRUN_NOWAIT);
	pass_deadlines(run);
	settle(run, true);
	run_end(run);
}

static void compare(const struct run *whole, const struct run *pieces)
{
	static struct heard_answers one, other;
	size_t loose_from = whole->application.loose_from;

	heard_answers_read(&one, whole->output, whole->output_length, &whole->application);
	heard_answers_read(&other, pieces->output, pieces->output_length, &pieces->application);
	require(whole->is_ended && pieces->is_ended);
	if (loose_from > pieces->application.loose_from)
		loose_from = pieces->application.loose_from;
	if (loose_from == SIZE_MAX) {
		require(one.count == other.count && one.is_refused == other.is_refused);
		require(whole->application.whole_count == pieces->application.whole_count);
		require(whole->application.sum == pieces->application.sum);
		loose_from = one.count;
	}
	require(one.count >= loose_from && other.count >= loose_from);
	for (size_t i = 0; i < loose_from; i++)
		require(one.sums[i] == other.sums[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *options = data + 2;
	struct run *whole;
	struct run *pieces;
	uint32_t seed;

	if (size <= HEAD_BYTES || size > INPUT_MAX)
		return 0;
	seed = (uint32_t)data[0] << 8 | data[1];
	whole = play_whole(options, data + HEAD_BYTES, size - HEAD_BYTES);
	pieces = play_in_pieces(options, data + HEAD_BYTES, size - HEAD_BYTES, seed);
	compare(whole, pieces);
	run_end(whole);
	run_end(pieces);
	play_badly(options, data + HEAD_BYTES, size - HEAD_BYTES, seed * 7 + 1);
	return 0;
}
