/*
 * http_connection.h - one client's connection: bytes in, answers out, and a close that no answer is lost in.
 */
#ifndef EXAMPLES_HTTP_CONNECTION_H
#define EXAMPLES_HTTP_CONNECTION_H

#include "http_answer.h"
#include "http_request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How long a request may take to come in, or its answer to go out. */
#define HTTP_REQUEST_TIMEOUT_MS 30000
/** How long a closed connection waits for the client to have read the last answer. */
#define HTTP_CLOSE_TIMEOUT_MS 2000

/** What all connections of a server have in common. */
struct http_site {
	struct http_answers answers;
	bool is_draining;        /**< every answer is the last one of its connection */
	int64_t idle_timeout_ms; /**< how long a connection may wait for its next request */
	uint64_t answered;       /**< answers sent completely */
	int64_t now_ms;
};

enum http_connection_state {
	HTTP_CONNECTION_READING,  /**< waits for a request, or for the rest of it */
	HTTP_CONNECTION_WRITING,  /**< an answer goes out */
	HTTP_CONNECTION_LINGERING /**< said good-bye, waits until the client has closed */
};

/** What to wait for before the next http_connection_advance(). */
enum http_connection_want { HTTP_WANT_READ, HTTP_WANT_WRITE, HTTP_WANT_END };

struct http_connection {
	struct http_connection *next; /**< in the server's list */
	struct http_connection *previous;
	int fd;
	enum http_connection_state state;
	enum http_connection_want want; /**< what is waited for now */
	int64_t deadline_ms;
	const char *answer;
	size_t answer_left;
	bool is_last;
	size_t received;
	char request[HTTP_REQUEST_MAX];
};

/** Takes a connected descriptor over. @return NULL when there is no memory: the descriptor is then closed */
struct http_connection *http_connection_create(int fd, const struct http_site *site);

/** Closes and frees. */
void http_connection_destroy(struct http_connection *connection);

/** Does what can be done without waiting. After HTTP_WANT_END the caller destroys the connection. */
enum http_connection_want http_connection_advance(struct http_connection *connection, struct http_site *site);

/** The deadline is over: refuses, says good-bye or gives up. Returns as http_connection_advance(). */
enum http_connection_want http_connection_expire(struct http_connection *connection, struct http_site *site);

/** @return true while nothing is asked and nothing answered: the only time at which a server may close */
bool http_connection_is_idle(const struct http_connection *connection);

#endif
