#include "http_server.h"

#include "http_acceptor.h"
#include "http_answer_head.h"
#include "http_connection.h"
#include "http_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Pause after an accept that failed for want of descriptors or memory: the listener stays readable all the time. */
#define ACCEPT_PAUSE_S 0.1
/* How long it is not said again that one failed. */
#define ACCEPT_TELL_MS 10000
/* Deadlines are kept this exactly; finer would mean more wake-ups and serve nobody. */
#define DEADLINE_GRAIN_MS 20
/* How long what a client still sends is thrown away behind the last answer; nginx takes as long at most 30 s. */
#define CLOSE_MS 2000
/* How long, behind the time to linger, those are served that waited before draining began: it ends before
 * drain_timeout, 30 s by default, does. */
#define OWED_MS 10000

/* ---- deadlines */

/** Not the loop's time: that is the wall clock's, which may be set, and in a long turn it is late. */
static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void arm_deadline_timer(struct http_server *server)
{
	int64_t earliest = http_deadlines_earliest(&server->deadlines);
	int64_t wait_ms = earliest - now_ms();

	ev_timer_stop(server->loop, &server->deadline_timer);
	if (earliest < 0)
		return;
	ev_timer_set(&server->deadline_timer,
		     (double)(wait_ms < DEADLINE_GRAIN_MS ? DEADLINE_GRAIN_MS : wait_ms) / 1000, 0);
	ev_timer_start(server->loop, &server->deadline_timer);
}

void http_server_set_deadline(struct http_server *server, struct http_deadline *deadline, enum http_deadline_kind kind)
{
	int64_t begin_ms = now_ms();
	int64_t left_ms = (int64_t)(ev_timer_remaining(server->loop, &server->deadline_timer) * 1000);

	http_deadlines_set(&server->deadlines, deadline, kind, begin_ms);
	if (deadline->kind == HTTP_DEADLINE_NONE)
		return;
	/* Mostly the timer runs already, for one that is due earlier. */
	if (!ev_is_active(&server->deadline_timer) || deadline->at_ms - begin_ms < left_ms - DEADLINE_GRAIN_MS)
		arm_deadline_timer(server);
}

void http_server_clear_deadline(struct http_server *server, struct http_deadline *deadline)
{
	http_deadlines_clear(&server->deadlines, deadline);
}

static void on_deadline(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct http_server *server = timer->data;
	int64_t due_ms = now_ms();
	struct http_deadline *deadline;
	enum http_deadline_kind kind;

	(void)loop;
	(void)events;
	while ((deadline = http_deadlines_take_due(&server->deadlines, due_ms, &kind)) != NULL)
		http_connection_deadline(deadline, kind);
	arm_deadline_timer(server);
}

/* ---- accepting */

static void set_accepting(struct http_server *server, bool is_accepting)
{
	server->is_accepting = is_accepting;
	if (server->acceptor != NULL)
		http_acceptor_set_wanted(server->acceptor, is_accepting);
}

static bool has_room(const struct http_server *server)
{
	return server->settings.max_connections <= 0 || server->connection_count < server->settings.max_connections;
}

static void pause_accepting(struct http_server *server)
{
	set_accepting(server, false);
	ev_timer_set(&server->accept_timer, ACCEPT_PAUSE_S, 0);
	ev_timer_start(server->loop, &server->accept_timer);
}

static void tell_no_accept(struct http_server *server, int error)
{
	if (now_ms() < server->tells_after_ms)
		return;
	unicorn_log(UNICORN_WARNING, "no more connections can be accepted for now: %s", strerror(error));
	server->tells_after_ms = now_ms() + ACCEPT_TELL_MS;
}

static void on_accepted(void *context, int result)
{
	struct http_server *server = context;

	server->was_handed = true;
	if (result >= 0) {
		(void)http_connection_create(server, result);
	} else {
		tell_no_accept(server, -result);
		pause_accepting(server);
	}
	if (server->is_accepting && !has_room(server))
		set_accepting(server, false);
}

static void on_accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct http_server *server = timer->data;

	(void)loop;
	(void)events;
	if (!server->is_draining && has_room(server))
		set_accepting(server, true);
}

bool http_server_add_listener(struct http_server *server, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	/* Several processes wait for one connection; who comes too late must not wait in accept(2). */
	if (flags < 0 || server->listener_count == HTTP_LISTENERS_MAX || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return false;
	server->listeners[server->listener_count++] = fd;
	return true;
}

/** How many connections can be served at once; more would be kept from others who may have nothing to do. */
static int64_t free_hands(const struct http_server *server)
{
	if (server->settings.is_async)
		return INT64_MAX;
	return (server->jobs != NULL ? http_jobs_threads(server->jobs) : 1) - server->busy_count;
}

/** What waits in the queues already, a different one first each time. */
static void accept_waiting(struct http_server *server)
{
	int64_t left = free_hands(server);
	int first = server->first_waiting++;

	for (int i = 0; i < server->listener_count; i++) {
		int listener = server->listeners[(first + i) % server->listener_count];
		int fd = 0;

		while (fd >= 0 && left > 0 && has_room(server)) {
			fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			if (fd >= 0 && http_connection_create(server, fd)) {
				left--;
				server->owed_count--;
			}
		}
	}
}

/** @return how many wait to be accepted: what Linux has there for a TCP socket that listens (net/ipv4/tcp.c); others: 0
 */
static int64_t queue_length(int listener)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	return getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_unacked : 0;
}

/* ---- the server */

static void on_prepare(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	struct http_server *server = prepare->data;
	int64_t time_s = (int64_t)ev_now(loop);

	(void)events;
	if (time_s != server->time_s) {
		server->time_s = time_s;
		http_answer_set_time(time_s);
	}
	while (server->waiting != NULL) {
		struct http_connection *connection = server->waiting;

		server->waiting = connection->next_waiting;
		connection->is_waiting = false;
		http_connection_go_on(connection);
	}
	if (server->was_handed && server->acceptor != NULL) {
		server->was_handed = false;
		http_acceptor_allow(server->acceptor);
	}
}

void http_server_init(struct http_server *server, struct ev_loop *loop, const struct http_settings *settings)
{
	const struct http_limits *limits = &settings->limits;

	*server = (struct http_server){ .loop = loop, .settings = *settings };
	server->deadlines.after_ms[HTTP_DEADLINE_HEADER] = limits->header_ms;
	server->deadlines.after_ms[HTTP_DEADLINE_BODY] = limits->body_ms;
	server->deadlines.after_ms[HTTP_DEADLINE_KEEP_ALIVE] = limits->keep_alive_ms;
	server->deadlines.after_ms[HTTP_DEADLINE_WRITE] = limits->write_ms;
	server->deadlines.after_ms[HTTP_DEADLINE_LINGER] = limits->linger_ms > 0 ? limits->linger_ms : 1;
	server->deadlines.after_ms[HTTP_DEADLINE_CLOSE] = CLOSE_MS;
	server->deadlines.after_ms[HTTP_DEADLINE_PING] = limits->ping_ms;
	ev_timer_init(&server->deadline_timer, on_deadline, 1, 0);
	server->deadline_timer.data = server;
	/* Behind what has come: who has said something while the worker was busy was not silent. */
	ev_set_priority(&server->deadline_timer, EV_MINPRI + 1);
	ev_timer_init(&server->accept_timer, on_accept_again, ACCEPT_PAUSE_S, 0);
	server->accept_timer.data = server;
	ev_prepare_init(&server->prepare, on_prepare);
	server->prepare.data = server;
	ev_prepare_start(loop, &server->prepare);
	http_turn_init(server);
	server->time_s = (int64_t)ev_now(loop);
	http_answer_set_time(server->time_s);
}

bool http_server_start(struct http_server *server)
{
	server->is_accepting = true;
	server->acceptor =
		http_acceptor_create(server->loop, server->listeners, server->listener_count, on_accepted, server);
	return server->acceptor != NULL;
}

/**
 * Whether to serve who has come meanwhile, whom perhaps nobody else may serve. Others may, mostly, and with more
 * clients than all can serve somebody always has come; so there is a time for it, and a longer one for those who waited
 * before.
 */
static bool accepts_still(struct http_server *server)
{
	if (server->accepts_until_ms == 0) {
		server->accepts_until_ms = now_ms() + server->settings.limits.linger_ms;
		return true;
	}
	return now_ms() < server->accepts_until_ms + (server->owed_count > 0 ? OWED_MS : 0);
}

static void check_finished(struct http_server *server)
{
	if (!server->is_draining || server->is_finished || server->connection_count > 0)
		return;
	if (accepts_still(server))
		accept_waiting(server);
	if (server->connection_count > 0)
		return;
	server->is_finished = true;
	if (server->on_finished != NULL)
		server->on_finished(server);
}

void http_server_connection_ended(struct http_server *server)
{
	server->connection_count--;
	if (server->is_draining)
		check_finished(server);
	else if (!server->is_accepting && has_room(server) && !ev_is_active(&server->accept_timer) &&
		 server->acceptor != NULL)
		set_accepting(server, true);
}

static void stop_accepting(struct http_server *server)
{
	struct http_acceptor *acceptor = server->acceptor;

	server->acceptor = NULL;
	server->is_accepting = false;
	http_acceptor_destroy(acceptor);
}

void http_server_drain(struct http_server *server)
{
	if (server->is_draining)
		return;
	server->is_draining = true;
	stop_accepting(server);
	ev_timer_stop(server->loop, &server->accept_timer);
	for (int i = 0; i < server->listener_count; i++)
		server->owed_count += queue_length(server->listeners[i]);
	accept_waiting(server);
	/* An application that is told of one's end may end others. */
	server->next_to_drain = server->connections;
	while (server->next_to_drain != NULL) {
		struct http_connection *connection = server->next_to_drain;

		server->next_to_drain = connection->next;
		http_connection_drain(connection);
	}
	check_finished(server);
}

void http_server_finish(struct http_server *server)
{
	stop_accepting(server);
	server->is_finished = true;
	while (server->connections != NULL)
		http_connection_destroy(server->connections);
	ev_timer_stop(server->loop, &server->deadline_timer);
	ev_timer_stop(server->loop, &server->accept_timer);
	ev_prepare_stop(server->loop, &server->prepare);
	http_turn_finish(server);
	http_request_stock_finish();
	http_buffer_stock_finish();
}
