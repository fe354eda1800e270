/*
 * http_log.h - who asked, by whose word, and the line of the access log about it.
 */
#ifndef WORKERS_HTTP_LOG_H
#define WORKERS_HTTP_LOG_H

#include "http_connection.h"

/** A request is over. */
void http_log_request(struct http_server *server, struct http_connection *connection,
		      const struct unicorn_request *request);

/** The peer is trusted: what do the headers of its request say about the client? */
void http_log_take_forwarded(struct http_connection *connection);

#endif
