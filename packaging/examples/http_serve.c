/*
 * http_serve.c - see http_serve.h.
 *
 * The order to stop is SIGTERM, blocked outside of epoll_pwait(2), so that none is lost between the check and the wait.
 */
#include "http_serve.h"

#include "http_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ACCEPTS_IN_A_ROW  64
#define ACCEPT_PAUSE_MS   100
#define FIGURES_PERIOD_MS 1000
#define EVENTS_IN_A_TURN  64
#define NEVER             INT64_MAX

/* What an epoll event belongs to: a connection's address, or one of these, which are no addresses. */
enum { TAG_STATUS = 1, TAG_LISTENER = 2 };

struct figures {
	uint64_t busy;
	uint64_t connections;
	uint64_t answered;
};

struct http_server {
	const struct unicorn_worker *worker;
	const struct http_serve_options *options;
	struct http_site site;
	struct http_connection *connections;
	uint64_t connection_count;
	int epoll_fd;
	bool listens; /**< the listeners are watched */
	bool daemon_is_gone;
	int64_t accept_again_ms; /**< end of a pause, NEVER without one */
	int64_t next_expiry_ms;  /**< no deadline of a connection is earlier */
	int64_t next_beat_ms;
	int64_t beats_left;
	int64_t next_figures_ms;
	struct figures told; /**< the figures said last */
	sigset_t waiting_mask;
};

void http_serve_options_init(struct http_serve_options *options)
{
	*options = (struct http_serve_options){ .linger_ms = HTTP_SERVE_LINGER_MS, .beat_limit = -1, .turn_ms = -1 };
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/** @return 0 or a negative errno value */
static int answers_prepare(struct http_server *server)
{
	char identity[64];

	(void)snprintf(identity, sizeof(identity), "pid %d generation %d", (int)getpid(), server->worker->generation);
	return http_answers_create(&server->site.answers,
				   server->options->body != NULL ? server->options->body : identity);
}

/* --- listeners --- */

/**
 * No EPOLLEXCLUSIVE: it wakes one worker only, and when that one is killed or drains at this moment the connection
 * waits for the next one to come. Those that are woken in vain get EAGAIN.
 */
static int listeners_watch(struct http_server *server)
{
	for (int i = 0; i < server->worker->listener_count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u64 = TAG_LISTENER };

		if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->worker->first_listener + i, &event) != 0)
			return -errno;
	}
	server->listens = true;
	return 0;
}

static void listeners_ignore(struct http_server *server)
{
	for (int i = 0; server->listens && i < server->worker->listener_count; i++)
		(void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, server->worker->first_listener + i, NULL);
	server->listens = false;
}

/** A blocking accept would hang when a neighbour takes the connection first, and neighbours may undo O_NONBLOCK. */
static int accept_one(int listener)
{
	int flags = fcntl(listener, F_GETFL);

	if (flags >= 0 && (flags & O_NONBLOCK) == 0)
		(void)fcntl(listener, F_SETFL, flags | O_NONBLOCK);
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void accept_pause(struct http_server *server)
{
	listeners_ignore(server);
	server->accept_again_ms = server->site.now_ms + ACCEPT_PAUSE_MS;
}

/* --- connections --- */

static void connection_remove(struct http_server *server, struct http_connection *connection)
{
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	server->connection_count--;
	http_connection_destroy(connection);
}

static void connection_settle(struct http_server *server, struct http_connection *connection,
			      enum http_connection_want want)
{
	struct epoll_event event = { .events = want == HTTP_WANT_WRITE ? EPOLLOUT : EPOLLIN,
				     .data.u64 = (uintptr_t)connection };

	if (want != HTTP_WANT_END && want != connection->want &&
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) != 0)
		want = HTTP_WANT_END;
	connection->want = want;
	server->next_expiry_ms = earlier(server->next_expiry_ms, connection->deadline_ms);
	if (want == HTTP_WANT_END)
		connection_remove(server, connection);
}

static void connection_add(struct http_server *server, int fd)
{
	struct http_connection *connection = http_connection_create(fd, &server->site);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uintptr_t)connection };

	if (connection == NULL)
		return;
	if (epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
		http_connection_destroy(connection);
		return;
	}
	connection->next = server->connections;
	if (connection->next != NULL)
		connection->next->previous = connection;
	server->connections = connection;
	server->connection_count++;
	connection_settle(server, connection, http_connection_advance(connection, &server->site));
}

static void accept_waiting(struct http_server *server, int listener)
{
	for (int i = 0; i < ACCEPTS_IN_A_ROW; i++) {
		int fd = accept_one(listener);

		if (fd >= 0) {
			connection_add(server, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		if (errno != EAGAIN)
			accept_pause(server);
		return;
	}
}

static void accept_from_all(struct http_server *server)
{
	for (int i = 0; i < server->worker->listener_count; i++)
		accept_waiting(server, server->worker->first_listener + i);
}

static void connections_expire(struct http_server *server)
{
	struct http_connection *next;

	if (server->site.now_ms < server->next_expiry_ms)
		return;
	server->next_expiry_ms = NEVER;
	for (struct http_connection *connection = server->connections; connection != NULL; connection = next) {
		enum http_connection_want want = connection->want;

		next = connection->next;
		if (connection->deadline_ms <= server->site.now_ms)
			want = http_connection_expire(connection, &server->site);
		connection_settle(server, connection, want);
	}
}

/* --- the end --- */

/** From here on nothing is accepted, each next answer is the last one, and who asks nothing is waited for a little. */
static void drain_begin(struct http_server *server)
{
	listeners_ignore(server);
	server->accept_again_ms = NEVER;
	/* Nobody else will take what already waits when the daemon, and with it the site, is gone. */
	if (server->daemon_is_gone)
		accept_from_all(server);
	server->accept_again_ms = NEVER;
	server->site.is_draining = true;
	server->site.idle_timeout_ms = server->options->linger_ms;
	for (struct http_connection *connection = server->connections; connection != NULL;
	     connection = connection->next) {
		if (http_connection_is_idle(connection))
			connection->deadline_ms = server->site.now_ms + server->options->linger_ms;
	}
	server->next_expiry_ms = server->site.now_ms;
}

static void stop_when_ordered(struct http_server *server)
{
	bool is_ordered = unicorn_worker_is_stopping() && !server->options->ignore_stop;

	if (!server->site.is_draining && (is_ordered || server->daemon_is_gone))
		drain_begin(server);
}

static void status_pipe_lost(struct http_server *server)
{
	(void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, server->worker->status_fd, NULL);
	server->daemon_is_gone = true;
	stop_when_ordered(server);
}

/* --- heartbeat and figures --- */

static struct figures figures_count(const struct http_server *server)
{
	struct figures figures = { .connections = server->connection_count, .answered = server->site.answered };

	for (const struct http_connection *connection = server->connections; connection != NULL;
	     connection = connection->next) {
		if (!http_connection_is_idle(connection) && connection->state != HTTP_CONNECTION_LINGERING)
			figures.busy++;
	}
	return figures;
}

static void figures_say(struct http_server *server)
{
	struct figures figures;

	if (server->site.now_ms < server->next_figures_ms)
		return;
	figures = figures_count(server);
	if (memcmp(&figures, &server->told, sizeof(figures)) == 0)
		return;
	server->told = figures;
	server->next_figures_ms = server->site.now_ms + FIGURES_PERIOD_MS;
	(void)unicorn_worker_figures(server->worker, figures.busy, figures.connections, figures.answered);
}

static void beat_when_due(struct http_server *server)
{
	if (server->site.now_ms < server->next_beat_ms)
		return;
	if (server->beats_left == 0) {
		server->next_beat_ms = NEVER;
		return;
	}
	if (server->beats_left > 0)
		server->beats_left--;
	(void)unicorn_worker_beat(server->worker);
	figures_say(server);
	server->next_beat_ms = server->site.now_ms + server->worker->heartbeat_ms;
}

/* --- the loop --- */

static int turn_timeout_ms(const struct http_server *server)
{
	int64_t next = earlier(server->next_beat_ms, server->accept_again_ms);
	int64_t timeout;

	if (server->connections != NULL)
		next = earlier(next, server->next_expiry_ms);
	if (next == NEVER)
		return server->options->turn_ms;
	timeout = next > server->site.now_ms ? earlier(next - server->site.now_ms, INT_MAX) : 0;
	if (server->options->turn_ms >= 0)
		timeout = earlier(timeout, server->options->turn_ms);
	return (int)timeout;
}

static void event_handle(struct http_server *server, const struct epoll_event *event)
{
	struct http_connection *connection;

	if (event->data.u64 == TAG_STATUS) {
		status_pipe_lost(server);
	} else if (event->data.u64 == TAG_LISTENER) {
		if (server->listens)
			accept_from_all(server);
	} else {
		connection = (struct http_connection *)(uintptr_t)event->data.u64;
		connection_settle(server, connection, http_connection_advance(connection, &server->site));
	}
}

static void call(void (*function)(void *), void *context)
{
	if (function != NULL)
		function(context);
}

/** @return 0 or a negative errno value */
static int turn(struct http_server *server)
{
	struct epoll_event events[EVENTS_IN_A_TURN];
	uint64_t answered = server->site.answered;
	int count =
		epoll_pwait(server->epoll_fd, events, EVENTS_IN_A_TURN, turn_timeout_ms(server), &server->waiting_mask);

	if (count < 0 && errno != EINTR)
		return -errno;
	server->site.now_ms = now_ms();
	stop_when_ordered(server);
	for (int i = 0; i < count; i++)
		event_handle(server, &events[i]);
	connections_expire(server);
	beat_when_due(server);
	if (server->site.now_ms >= server->accept_again_ms) {
		server->accept_again_ms = NEVER;
		if (listeners_watch(server) != 0)
			accept_pause(server);
	}
	if (server->site.answered != answered)
		call(server->options->on_answer, server->options->context);
	call(server->options->on_turn, server->options->context);
	return 0;
}

static int server_prepare(struct http_server *server)
{
	struct epoll_event status_event = { .events = 0, .data.u64 = TAG_STATUS };
	sigset_t stop_signals;

	server->site.now_ms = now_ms();
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -errno;
	/* An error, the daemon's end being closed, is reported without being asked for. */
	if (server->worker->status_fd >= 0 &&
	    epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, server->worker->status_fd, &status_event) != 0)
		return -errno;
	(void)sigemptyset(&stop_signals);
	(void)sigaddset(&stop_signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &stop_signals, &server->waiting_mask) != 0)
		return -errno;
	(void)sigdelset(&server->waiting_mask, SIGTERM);
	return listeners_watch(server);
}

static void server_finish(struct http_server *server)
{
	while (server->connections != NULL)
		connection_remove(server, server->connections);
	if (server->epoll_fd >= 0)
		(void)close(server->epoll_fd);
	http_answers_destroy(&server->site.answers);
}

int http_serve(const struct unicorn_worker *worker, const struct http_serve_options *options)
{
	struct http_server server = {
		.worker = worker,
		.options = options,
		.site.idle_timeout_ms = HTTP_SERVE_IDLE_TIMEOUT_MS,
		.epoll_fd = -1,
		.accept_again_ms = NEVER,
		.next_expiry_ms = NEVER,
		.next_beat_ms = worker->heartbeat_ms > 0 ? 0 : NEVER,
		.beats_left = options->beat_limit,
	};
	int result = answers_prepare(&server);

	if (result == 0)
		result = server_prepare(&server);
	if (result == 0) {
		(void)unicorn_worker_ready(worker);
		call(options->on_ready, options->context);
	}
	while (result == 0 && !(server.site.is_draining && server.connections == NULL))
		result = turn(&server);
	server_finish(&server);
	return result;
}
