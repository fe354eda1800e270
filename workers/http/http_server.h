/*
 * http_server.h - all connections of a worker: accepting, their times, draining.
 *
 * One for a process. What happens on one connection is http_connection's; how the worker lives with unicornd is
 * worker_life's.
 */
#ifndef WORKERS_HTTP_SERVER_H
#define WORKERS_HTTP_SERVER_H

#include "http_deadlines.h"
#include "http_limits.h"
#include "http_turn.h"
#include "unicornd/app.h"

#include <ev.h>
#include <stdatomic.h>

/** As libunicornworker's: what one worker can inherit. */
#define HTTP_LISTENERS_MAX 254

struct access_log;
struct http_acceptor;
struct http_connection;
struct http_jobs;
struct trusted_peers;

struct http_settings {
	struct http_limits limits;
	const char *root_path;
	int64_t max_connections;
	bool is_async;
	bool takes_proxy_protocol;
	const struct trusted_peers *trusted; /**< NULL: nobody */
	struct access_log *log;              /**< NULL: none */
};

struct http_server {
	struct ev_loop *loop;
	struct http_settings settings;
	const struct unicorn_app *app;
	void *app_state;
	struct http_jobs *jobs; /**< threads that call the application; NULL: the loop's thread does */
	int listeners[HTTP_LISTENERS_MAX];
	int listener_count;
	int first_waiting;              /**< the listener whose queue is looked at first while draining */
	int64_t tells_after_ms;         /**< when the log may hear again that nothing can be accepted */
	int64_t owed_count;             /**< connections that waited in the queues when draining began, not taken yet */
	int64_t accepts_until_ms;       /**< drained but for what still comes; 0: not yet */
	struct http_acceptor *acceptor; /**< NULL before the start and while draining */
	bool is_accepting;
	bool was_handed;         /**< a connection has come since the loop has last come to rest */
	atomic_bool is_draining; /**< threads that answer look at it */
	bool is_finished;        /**< drained */
	ev_timer deadline_timer;
	ev_timer accept_timer; /**< pause after an accept that failed for want of something */
	ev_prepare prepare;
	struct http_turn turn;
	struct http_deadlines deadlines;
	struct http_connection *connections;
	struct http_connection *next_to_drain; /**< while draining begins */
	struct http_connection *waiting;       /**< those with a request that is not looked at yet */
	int64_t connection_count;
	int64_t busy_count;    /**< requests that the application has and has not answered */
	int64_t request_count; /**< answered since the start */
	int64_t time_s;        /**< wall clock that the Date line shows */
	void (*on_request_end)(struct http_server *server);     /**< to be told of each request that is over, or NULL */
	void (*on_call)(const struct unicorn_request *request); /**< the application is called; NULL: it has returned */
	void (*on_finished)(struct http_server *server);
};

/** @param loop  where everything happens @param settings  copied */
void http_server_init(struct http_server *server, struct ev_loop *loop, const struct http_settings *settings);

/** Adds a listening socket, which is made non-blocking for this process's calls. */
bool http_server_add_listener(struct http_server *server, int fd);

/** Begins to accept. @return false without memory or threads */
bool http_server_start(struct http_server *server);

/** Stops accepting behind what waits already, and lets every connection come to its end. */
void http_server_drain(struct http_server *server);

/** Closes everything. */
void http_server_finish(struct http_server *server);

/* ---- for http_connection */

void http_server_set_deadline(struct http_server *server, struct http_deadline *deadline, enum http_deadline_kind kind);
void http_server_clear_deadline(struct http_server *server, struct http_deadline *deadline);

/** A connection has been freed. */
void http_server_connection_ended(struct http_server *server);

#endif
