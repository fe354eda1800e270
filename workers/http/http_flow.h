/*
 * http_flow.h - between the files of a connection: what follows from what has happened.
 */
#ifndef WORKERS_HTTP_FLOW_H
#define WORKERS_HTTP_FLOW_H

#include "http_connection.h"

/** Is the peer one of those who may say for whom they ask? */
void http_flow_trust_peer(struct http_connection *connection, int fd);

/** Something of the PROXY protocol's header has come. */
void http_flow_take_proxy_header(struct http_connection *connection);

/** Something of a head has come: finds requests and passes them on. May end the connection. */
void http_flow_parse(struct http_connection *connection);

/** Something of a body has come. */
void http_flow_body_came(struct http_connection *connection);

/** A body breaks off, is malformed or too slow: request->error_status tells. */
void http_flow_body_is_bad(struct http_connection *connection);

/** The socket can be written. */
void http_flow_writable(struct http_connection *connection);

/** The client has closed, or is unreachable. */
void http_flow_client_left(struct http_connection *connection);

/** Waits for what can happen next on the socket, and no longer than it may take. */
void http_flow_watch(struct http_connection *connection);

/** Answers are sent, and no other follows. @param is_clean  the client has nothing under way that would reset it */
void http_flow_begin_closing(struct http_connection *connection, bool is_clean);

/** Forgets the request; the application, if it has it, is told. */
void http_flow_end_request(struct http_connection *connection);

#endif
