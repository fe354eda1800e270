/*
 * http_websocket.h - a WebSocket on a connection: between the protocol (websocket.h), the socket and the application.
 */
#ifndef WORKERS_HTTP_HTTP_WEBSOCKET_H
#define WORKERS_HTTP_HTTP_WEBSOCKET_H

#include "http_connection.h"

/** Sends 101 and turns the connection into a WebSocket. Returns as unicorn_websocket_accept(). */
int http_websocket_accept(struct http_connection *connection, const char *subprotocol,
			  const struct unicorn_header *headers, size_t count);

void http_websocket_destroy(struct http_websocket *websocket);

/** Bytes have come. */
void http_websocket_came(struct http_connection *connection, const char *bytes, size_t length);

/** Time for a ping: a client that has said nothing since the last one is given up. A silent one costs no memory. */
void http_websocket_ping(struct http_connection *connection);

/** The client has left, without a word or after its last one. */
void http_websocket_left(struct http_connection *connection);

/** The application has done something, or the socket can be written. May end the connection. */
void http_websocket_settle(struct http_connection *connection);

int http_websocket_close(struct http_connection *connection, int code, const char *reason);
int http_websocket_send(struct http_connection *connection, enum unicorn_message_type type, const void *bytes,
			size_t length);
int http_websocket_receive(struct http_connection *connection, enum unicorn_message_type *type, const void **bytes,
			   size_t *length);
int http_websocket_close_code(const struct http_connection *connection, const char **reason);

#endif
