#include "http_connection.h"

#include "http_flow.h"
#include "http_jobs.h"
#include "http_turn.h"
#include "http_websocket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* With less room than this the input buffer grows: a read of a few bytes is not worth its system call. */
#define READ_ROOM_MIN 2048
/* Of pipelined requests so much is read ahead, then the client has to wait. */
#define AHEAD_BYTES_MAX HTTP_BLOCK_BYTES
/* Thrown away behind an answer that came before the end of its request; then the client is cut off. */
#define DISCARD_BYTES_MAX (1024 * 1024)

/* Bodies are read through this one: what is parsed of them is copied anyway. Only the loop's thread uses it. */
static char scratch[65536];

static void on_event(struct ev_loop *loop, ev_io *io, int events);

bool http_connection_create(struct http_server *server, int fd)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL) {
		(void)close(fd);
		return false;
	}
	connection->server = server;
	connection->state = server->settings.takes_proxy_protocol ? HTTP_CONNECTION_PROXY : HTTP_CONNECTION_READING;
	connection->next = server->connections;
	if (connection->next != NULL)
		connection->next->previous = connection;
	server->connections = connection;
	server->connection_count++;
	http_parser_init(&connection->parser, &server->settings.limits, server->settings.is_async);
	http_flow_trust_peer(connection, fd);
	ev_io_init(&connection->io, on_event, fd, EV_READ);
	ev_io_start(server->loop, &connection->io);
	http_server_set_deadline(server, &connection->deadline,
				 server->is_draining ? HTTP_DEADLINE_LINGER : HTTP_DEADLINE_HEADER);
	return true;
}

static void leave_lists(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	if (server->next_to_drain == connection)
		server->next_to_drain = connection->next;
	if (connection->previous != NULL)
		connection->previous->next = connection->next;
	else
		server->connections = connection->next;
	if (connection->next != NULL)
		connection->next->previous = connection->previous;
	http_turn_forget(connection);
	if (!connection->is_waiting)
		return;
	for (struct http_connection **place = &server->waiting; *place != NULL; place = &(*place)->next_waiting) {
		if (*place == connection) {
			*place = connection->next_waiting;
			return;
		}
	}
}

void http_connection_destroy(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	http_flow_end_request(connection);
	leave_lists(connection);
	http_server_clear_deadline(server, &connection->deadline);
	ev_io_stop(server->loop, &connection->io);
	(void)close(connection->io.fd);
	http_websocket_destroy(connection->websocket);
	http_output_finish(&connection->output);
	http_buffer_finish(&connection->input);
	http_buffer_finish(&connection->ahead);
	free(connection->client_host);
	free(connection->server_host);
	free(connection->peer_host);
	free(connection);
	http_server_connection_ended(server);
}

/** @return bytes, 0 when there are none or no more will come (then a flag says so) */
static size_t receive(struct http_connection *connection, char *bytes, size_t size)
{
	ssize_t count = recv(connection->io.fd, bytes, size, 0);

	if (count > 0)
		return (size_t)count;
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	connection->is_end_of_input = true;
	connection->is_broken |= count < 0;
	return 0;
}

/** Makes room behind what was read of a head. @return false when it is too large or there is no memory */
static bool reserve_input(struct http_connection *connection)
{
	struct http_buffer *input = &connection->input;
	const char *before = input->bytes;
	size_t room = input->capacity - input->length;

	if (input->capacity > 0 && room >= READ_ROOM_MIN)
		return true;
	if ((int64_t)input->length > connection->server->settings.limits.head_bytes)
		return false;
	if (!http_buffer_reserve(input, input->capacity == 0 ? HTTP_BLOCK_BYTES : READ_ROOM_MIN))
		return false;
	if (connection->request != NULL && before != NULL && before != input->bytes)
		http_request_rebase(connection->request, input->bytes - before);
	return true;
}

/** Bytes of a request's head, and whatever came with them. */
static void read_head(struct http_connection *connection)
{
	struct http_buffer *input = &connection->input;

	/* What came before is looked at first, at the end of this turn. */
	if (connection->is_waiting)
		return;
	if (!reserve_input(connection)) {
		http_connection_refuse(connection, 431);
		return;
	}
	input->length += receive(connection, input->bytes + input->length, input->capacity - input->length);
	if (connection->is_broken)
		http_connection_destroy(connection);
	else if (connection->is_end_of_input)
		http_flow_begin_closing(connection, true);
	else if (connection->state == HTTP_CONNECTION_PROXY)
		http_flow_take_proxy_header(connection);
	else
		http_flow_parse(connection);
}

static bool keep_ahead(struct http_connection *connection, const char *bytes, size_t length)
{
	struct http_buffer *ahead = &connection->ahead;

	if (length == 0)
		return true;
	if (!http_buffer_reserve(ahead, length))
		return false;
	memcpy(ahead->bytes + ahead->length, bytes, length);
	ahead->length += length;
	return true;
}

/** The client waits for an answer and says something nevertheless: a pipelined request, or goodbye. */
static void read_ahead(struct http_connection *connection)
{
	size_t count = receive(connection, scratch, AHEAD_BYTES_MAX - connection->ahead.length);

	if (!keep_ahead(connection, scratch, count))
		connection->is_broken = true;
	if (connection->is_broken || connection->is_end_of_input)
		http_flow_client_left(connection);
	else
		http_flow_watch(connection);
}

static void read_body(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;
	size_t count = receive(connection, scratch, sizeof(scratch));
	size_t used = 0;

	if (connection->is_broken || connection->is_end_of_input) {
		http_flow_client_left(connection);
		return;
	}
	if (http_parser_run(&connection->parser, request, scratch, count, &used) == HTTP_PARSED_BAD) {
		http_flow_body_is_bad(connection);
		return;
	}
	if (!keep_ahead(connection, scratch + used, count - used))
		connection->is_broken = true;
	http_flow_body_came(connection);
}

/** Nothing more is answered; but a client that still sends would lose the answer if we just closed. */
static void read_and_discard(struct http_connection *connection)
{
	connection->discarded += (int64_t)receive(connection, scratch, sizeof(scratch));
	if (connection->is_broken || connection->is_end_of_input || connection->discarded > DISCARD_BYTES_MAX)
		http_connection_destroy(connection);
}

static void read_websocket(struct http_connection *connection)
{
	size_t count = receive(connection, scratch, sizeof(scratch));

	if (connection->is_broken || connection->is_end_of_input)
		http_flow_client_left(connection);
	else
		http_websocket_came(connection, scratch, count);
}

static void on_readable(struct http_connection *connection)
{
	switch (connection->state) {
	case HTTP_CONNECTION_PROXY:
	case HTTP_CONNECTION_READING:
		read_head(connection);
		break;
	case HTTP_CONNECTION_HANDLING:
		if (!connection->request->body.is_complete)
			read_body(connection);
		else
			read_ahead(connection);
		break;
	case HTTP_CONNECTION_WEBSOCKET:
		read_websocket(connection);
		break;
	case HTTP_CONNECTION_CLOSING:
		read_and_discard(connection);
		break;
	}
}

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
	struct http_connection *connection = (struct http_connection *)io;

	(void)loop;
	/* Writing first; it may end the connection, and a readable one is told again. */
	if ((events & EV_WRITE) != 0)
		http_flow_writable(connection);
	else
		on_readable(connection);
}

void http_connection_go_on(struct http_connection *connection)
{
	if (connection->state == HTTP_CONNECTION_READING && connection->request == NULL)
		http_flow_parse(connection);
}

void http_connection_drain(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	/* Draining may begin with the end of a request, on the connection that is ending with it. */
	if (connection->state == HTTP_CONNECTION_WEBSOCKET && connection->request != NULL)
		http_websocket_close(connection, 1012, "service restart");
	else if (connection->state == HTTP_CONNECTION_READING && connection->request == NULL &&
		 connection->deadline.kind != HTTP_DEADLINE_WRITE)
		http_server_set_deadline(server, &connection->deadline, HTTP_DEADLINE_LINGER);
}

void http_connection_await_client(struct http_connection *connection)
{
	connection->unsent_bytes = http_output_in_kernel(connection->io.fd);
	http_server_set_deadline(connection->server, &connection->deadline, HTTP_DEADLINE_WRITE);
}

/** Is silence over that is not the client's, because the worker was busy and has not read what came? */
static bool is_late_ourselves(const struct http_connection *connection, enum http_deadline_kind kind)
{
	int bytes = 0;

	if (kind == HTTP_DEADLINE_WRITE || kind == HTTP_DEADLINE_CLOSE ||
	    (kind == HTTP_DEADLINE_HEADER && connection->request != NULL) || (connection->io.events & EV_READ) == 0)
		return false;
	return ioctl(connection->io.fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

void http_connection_deadline(struct http_deadline *deadline, enum http_deadline_kind kind)
{
	struct http_connection *connection =
		(struct http_connection *)(void *)((char *)deadline - offsetof(struct http_connection, deadline));

	if (is_late_ourselves(connection, kind)) {
		http_server_set_deadline(connection->server, deadline,
					 kind == HTTP_DEADLINE_LINGER ? HTTP_DEADLINE_HEADER : kind);
		on_readable(connection);
	} else if (kind == HTTP_DEADLINE_HEADER && connection->request != NULL) {
		http_connection_refuse(connection, 408);
	} else if (kind == HTTP_DEADLINE_BODY) {
		connection->request->error_status = 408;
		http_flow_body_is_bad(connection);
	} else if (kind == HTTP_DEADLINE_WRITE && http_output_in_kernel(connection->io.fd) < connection->unsent_bytes) {
		/* It takes something: the socket tells that it can be written only when a good part is free. */
		connection->unsent_bytes = http_output_in_kernel(connection->io.fd);
		http_server_set_deadline(connection->server, deadline, kind);
	} else if (kind == HTTP_DEADLINE_WRITE) {
		connection->is_broken = true;
		http_flow_client_left(connection);
	} else if (kind == HTTP_DEADLINE_PING) {
		http_websocket_ping(connection);
	} else {
		http_connection_destroy(connection);
	}
}
