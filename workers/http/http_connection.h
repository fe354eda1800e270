/*
 * http_connection.h - one client's connection: bytes in, requests to the application, answers out.
 *
 * Who owns it: the thread of the loop, except while the application is called in a thread of the pool (--threads). From
 * http_jobs_add() until it comes back to http_connection_settle() it belongs to that thread, and the loop keeps off: it
 * neither watches the socket nor sets a deadline, reads nothing ahead and looks at no field but its own ones. Both ways
 * lead through the mutex of http_jobs. So a call sees the same as in a worker without threads, where the loop stands
 * still meanwhile: that the client has left is noticed when the thread writes, or when the loop has the connection
 * again.
 *
 * The loop's own, always: the places in lists (previous, next, next_waiting, next_held, is_waiting, is_held), the
 * watcher but for its `fd`, the deadline, the state. What all threads read while the loop may change it is atomic:
 * whether the server drains, and the time of the Date line.
 */
#ifndef WORKERS_HTTP_CONNECTION_H
#define WORKERS_HTTP_CONNECTION_H

#include "http_buffer.h"
#include "http_deadlines.h"
#include "http_output.h"
#include "http_parser.h"
#include "http_server.h"

#include <ev.h>
#include <netinet/in.h>
#include <sys/socket.h>

/** A longer path of a Unix socket is cut; and the text of an IPv6 address with its scope. */
#define HTTP_HOST_BYTES 64

enum http_connection_state {
	HTTP_CONNECTION_PROXY,    /**< the PROXY protocol's header is awaited */
	HTTP_CONNECTION_READING,  /**< a request, or between two */
	HTTP_CONNECTION_HANDLING, /**< the application has it */
	HTTP_CONNECTION_WEBSOCKET,
	HTTP_CONNECTION_CLOSING, /**< nothing more is answered; what comes is thrown away until the client ends */
};

struct http_websocket;

struct http_connection {
	ev_io io; /* first: a watcher is its connection */
	struct http_server *server;
	struct http_connection *previous;
	struct http_connection *next;
	struct http_connection *next_waiting;
	struct http_connection *next_held; /* in the list of http_turn */
	struct http_connection *next_job;  /* in a queue of http_jobs, under its mutex */
	struct http_deadline deadline;
	struct http_parser parser;
	struct http_buffer input; /* the head of the request, and what came with it */
	size_t input_used;        /* bytes of it that the parser has seen */
	struct http_buffer ahead; /* what came while a request was being answered */
	struct http_output output;
	struct unicorn_request *request;
	struct http_websocket *websocket;
	enum http_connection_state state;
	unsigned events;   /* for the application's next resume() */
	int unsent_bytes;  /* in the kernel when the wait for the client began */
	int64_t discarded; /* bytes thrown away while closing */
	uint16_t client_port;
	uint16_t server_port;
	uint16_t peer_port;
	bool is_in_call;      /* the application is running for it */
	bool is_waiting;      /* in server->waiting */
	bool is_held;         /* its answer waits for the end of the turn */
	bool is_congested;    /* the application was told to wait for the client */
	bool is_end_of_input; /* the client sends no more */
	bool is_broken;       /* a read or write failed */
	bool has_served;      /* a request has been answered: silence is allowed now */
	bool is_trusted;      /* the peer may say for whom it asks */
	char *client_host;    /* made when asked for */
	char *server_host;
	char *peer_host; /* of a trusted peer: itself */
};

/** Takes over a connected, non-blocking socket. @return false without memory; the socket is closed then */
bool http_connection_create(struct http_server *server, int fd);

/** Frees it at once, whatever happens on it. */
void http_connection_destroy(struct http_connection *connection);

/** Sets the deadline of a client that is to take something. */
void http_connection_await_client(struct http_connection *connection);

/** The deadline that it has set is over. */
void http_connection_deadline(struct http_deadline *deadline, enum http_deadline_kind kind);

/** The server drains: what is silent gets its linger time, a WebSocket its 1012. */
void http_connection_drain(struct http_connection *connection);

/** Looks at what came in while a request was being answered. */
void http_connection_go_on(struct http_connection *connection);

/** The application has been called, or has done something from outside of a call: what follows from it? */
void http_connection_settle(struct http_connection *connection);

/** Calls the application: handle() the first time, then resume(). Runs in a thread of the pool when there is one, which
 * owns the connection then. */
void http_connection_call(struct http_connection *connection);

/** Makes the text of an address. @return false without memory */
bool http_connection_name_client(struct http_connection *connection);
bool http_connection_name_server(struct http_connection *connection);

/** An answer of the worker's own. */
void http_connection_refuse(struct http_connection *connection, int status);

#endif
