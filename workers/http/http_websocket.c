#include "http_websocket.h"

#include "http_answer.h"
#include "http_flow.h"
#include "websocket.h"
#include "websocket_handshake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* With so much that the application has not read, reading from the socket stops. */
#define PENDING_HIGH_BYTES 65536

struct http_websocket {
	struct websocket *protocol;
	bool is_told;  /* the application knows that it is over */
	bool has_left; /* the client is gone or will not be listened to */
	bool is_asked; /* it was pinged and has said nothing since */
	bool is_used;  /* there was a message since the last ping */
};

static void write_parts(void *context, struct iovec *parts, int count)
{
	struct http_connection *connection = context;

	if (http_output_write(&connection->output, connection->io.fd, parts, count, false) != 0)
		connection->is_broken = true;
}

static struct unicorn_header header_of(const char *name, const char *value)
{
	return (struct unicorn_header){ name, value, (uint32_t)strlen(name), (uint32_t)strlen(value) };
}

/** 101 and what belongs to it. */
static int send_handshake(struct http_connection *connection, const struct websocket_handshake *handshake,
			  const char *subprotocol, const struct unicorn_header *headers, size_t count)
{
	char accept[WEBSOCKET_ACCEPT_SIZE];
	char extensions[WEBSOCKET_EXTENSIONS_SIZE];
	struct unicorn_header *all = calloc(count + 5, sizeof(*all));
	struct http_way way = { .output = &connection->output, .fd = connection->io.fd };
	size_t used = 0;
	int result;

	if (all == NULL)
		return -ENOMEM;
	websocket_handshake_accept_value(handshake, accept);
	all[used++] = header_of("Upgrade", "websocket");
	all[used++] = header_of("Connection", "Upgrade");
	all[used++] = header_of("Sec-WebSocket-Accept", accept);
	if (websocket_handshake_extensions(handshake, extensions) > 0)
		all[used++] = header_of("Sec-WebSocket-Extensions", extensions);
	if (subprotocol != NULL)
		all[used++] = header_of("Sec-WebSocket-Protocol", subprotocol);
	if (count > 0)
		memcpy(all + used, headers, count * sizeof(*headers));
	result = http_answer_interim(way, 101, all, used + count);
	free(all);
	return result;
}

int http_websocket_accept(struct http_connection *connection, const char *subprotocol,
			  const struct unicorn_header *headers, size_t count)
{
	struct unicorn_request *request = connection->request;
	struct websocket_limits limits = { .message_bytes = (size_t)connection->server->settings.limits.message_bytes };
	struct websocket_handshake handshake;
	struct http_websocket *websocket;
	int result;

	if (!request->head.is_websocket || request->answer.is_begun || connection->websocket != NULL ||
	    websocket_handshake_parse(&handshake, &request->head) != WEBSOCKET_REQUEST_GOOD)
		return -EINVAL;
	websocket = calloc(1, sizeof(*websocket));
	if (websocket == NULL)
		return -ENOMEM;
	websocket->protocol =
		websocket_create(&limits, handshake.has_deflate ? &handshake.deflate : NULL, write_parts, connection);
	result = websocket->protocol == NULL ? -ENOMEM
					     : send_handshake(connection, &handshake, subprotocol, headers, count);
	if (result != 0) {
		http_websocket_destroy(websocket);
		return result;
	}
	request->answer.status = 101;
	request->answer.is_begun = true;
	request->answer.is_head_sent = true;
	connection->websocket = websocket;
	connection->state = HTTP_CONNECTION_WEBSOCKET;
	/* What the client has sent behind its request is for the protocol. */
	(void)websocket_feed(websocket->protocol, connection->input.bytes + connection->input_used,
			     connection->input.length - connection->input_used);
	connection->input_used = connection->input.length;
	(void)websocket_feed(websocket->protocol, connection->ahead.bytes, connection->ahead.length);
	http_buffer_finish(&connection->ahead);
	if (connection->server->is_draining)
		(void)websocket_close(websocket->protocol, WEBSOCKET_CODE_RESTART, "service restart");
	connection->events |= websocket_pending_bytes(websocket->protocol) > 0 ? UNICORN_MESSAGE : 0;
	return 0;
}

void http_websocket_destroy(struct http_websocket *websocket)
{
	if (websocket == NULL)
		return;
	websocket_destroy(websocket->protocol);
	free(websocket);
}

static bool is_over(const struct http_connection *connection)
{
	return connection->is_broken || connection->websocket->has_left ||
	       websocket_state(connection->websocket->protocol) == WEBSOCKET_FINISHED;
}

static void watch(struct http_connection *connection)
{
	struct http_websocket *websocket = connection->websocket;
	bool reads = !connection->is_end_of_input && connection->output.pending < PENDING_HIGH_BYTES &&
		     websocket_pending_bytes(websocket->protocol) < PENDING_HIGH_BYTES;
	int events = (reads ? EV_READ : 0) | (connection->output.pending > 0 ? EV_WRITE : 0);

	if ((connection->io.events & (EV_READ | EV_WRITE)) != events) {
		ev_io_stop(connection->server->loop, &connection->io);
		ev_io_set(&connection->io, connection->io.fd, events);
		if (events != 0)
			ev_io_start(connection->server->loop, &connection->io);
	}
	/* Whom nobody listens to cannot be heard. */
	websocket->is_asked &= reads;
	if (websocket_state(websocket->protocol) != WEBSOCKET_OPEN && connection->output.pending == 0)
		http_server_set_deadline(connection->server, &connection->deadline, HTTP_DEADLINE_CLOSE);
	else if (connection->output.pending > 0)
		http_connection_await_client(connection);
	else if (connection->deadline.kind != HTTP_DEADLINE_PING)
		http_server_set_deadline(connection->server, &connection->deadline, HTTP_DEADLINE_PING);
}

/** The last words are sent. */
static void end(struct http_connection *connection)
{
	if (connection->is_broken || connection->output.pending == 0) {
		http_flow_end_request(connection);
		connection->state = HTTP_CONNECTION_CLOSING;
		if (connection->is_broken || connection->is_end_of_input || shutdown(connection->io.fd, SHUT_WR) != 0) {
			http_connection_destroy(connection);
			return;
		}
	}
	http_flow_watch(connection);
}

void http_websocket_settle(struct http_connection *connection)
{
	struct http_websocket *websocket = connection->websocket;

	while (connection->events != 0 || (is_over(connection) && !websocket->is_told)) {
		if (is_over(connection) && !websocket->is_told) {
			websocket->is_told = true;
			connection->request->is_gone = true;
			connection->events |= UNICORN_GONE;
		}
		http_connection_call(connection);
	}
	if (is_over(connection))
		end(connection);
	else
		watch(connection);
}

void http_websocket_came(struct http_connection *connection, const char *bytes, size_t length)
{
	struct websocket *protocol = connection->websocket->protocol;

	connection->websocket->is_asked = false;
	(void)websocket_feed(protocol, bytes, length);
	if (websocket_pending_bytes(protocol) > 0) {
		connection->events |= UNICORN_MESSAGE;
		connection->websocket->is_used = true;
	}
	http_websocket_settle(connection);
}

void http_websocket_ping(struct http_connection *connection)
{
	struct http_websocket *websocket = connection->websocket;

	if (websocket->is_asked) {
		(void)websocket_close(websocket->protocol, WEBSOCKET_CODE_INTERNAL, "no answer to a ping");
	} else {
		if (!websocket->is_used)
			websocket_shrink(websocket->protocol);
		websocket->is_asked = true;
		websocket->is_used = false;
		(void)websocket_ping(websocket->protocol, NULL, 0);
	}
	http_connection_settle(connection);
}

void http_websocket_left(struct http_connection *connection)
{
	connection->websocket->has_left = true;
	if (connection->is_end_of_input && connection->output.pending > 0)
		connection->is_broken = true;
	http_connection_settle(connection);
}

int http_websocket_close(struct http_connection *connection, int code, const char *reason)
{
	int result = websocket_close(connection->websocket->protocol, code, reason);

	http_connection_settle(connection);
	return result;
}

int http_websocket_send(struct http_connection *connection, enum unicorn_message_type type, const void *bytes,
			size_t length)
{
	int result =
		is_over(connection) ? -EPIPE : websocket_send(connection->websocket->protocol, type, bytes, length);

	connection->websocket->is_used = true;
	http_connection_settle(connection);
	return result;
}

int http_websocket_receive(struct http_connection *connection, enum unicorn_message_type *type, const void **bytes,
			   size_t *length)
{
	int result = websocket_next_message(connection->websocket->protocol, type, bytes, length);

	if (result == 0 && !connection->is_in_call)
		watch(connection);
	return result;
}

int http_websocket_close_code(const struct http_connection *connection, const char **reason)
{
	if (connection->websocket == NULL) {
		if (reason != NULL)
			*reason = NULL;
		return WEBSOCKET_CODE_LOST;
	}
	return websocket_close_code(connection->websocket->protocol, reason);
}
