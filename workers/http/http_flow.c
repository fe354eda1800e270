#include "http_flow.h"

#include "http_answer.h"
#include "http_jobs.h"
#include "http_log.h"
#include "http_turn.h"
#include "http_websocket.h"

#include <string.h>

/* With more than this the application waits for the client, with less it goes on. As asyncio's transports. */
#define OUTPUT_LOW_BYTES 16384
/* What is left of a body when the answer is sent is read up to this size, so that the connection can be kept. */
#define REST_BYTES_MAX   65536
#define READ_AHEAD_BYTES HTTP_BLOCK_BYTES

static struct http_way way_of(struct http_connection *connection)
{
	return (struct http_way){ .output = &connection->output, .fd = connection->io.fd };
}

/* ---- waiting */

static void watch(struct http_connection *connection, int events)
{
	if ((connection->io.events & (EV_READ | EV_WRITE)) == events)
		return;
	ev_io_stop(connection->server->loop, &connection->io);
	ev_io_set(&connection->io, connection->io.fd, events);
	if (events != 0)
		ev_io_start(connection->server->loop, &connection->io);
}

static bool wants_input(const struct http_connection *connection)
{
	const struct unicorn_request *request = connection->request;

	if (connection->is_end_of_input)
		return false;
	if (connection->state != HTTP_CONNECTION_HANDLING)
		return true;
	if (!request->body.is_complete)
		return request->body.is_spooled || http_body_available(&request->body) < HTTP_BODY_HIGH_BYTES;
	return connection->ahead.length < READ_AHEAD_BYTES;
}

/** There is something that the client does not take. */
static bool is_blocked(const struct http_connection *connection)
{
	return connection->output.pending > 0 && !connection->output.is_corked;
}

/** What is waited for that is the client's to do, or nothing. */
static enum http_deadline_kind deadline_wanted(const struct http_connection *connection)
{
	const struct unicorn_request *request = connection->request;

	if (is_blocked(connection))
		return HTTP_DEADLINE_WRITE;
	if (connection->state == HTTP_CONNECTION_CLOSING)
		return HTTP_DEADLINE_CLOSE;
	if (connection->state != HTTP_CONNECTION_HANDLING)
		return HTTP_DEADLINE_NONE;
	/* A client that waits for 100 Continue waits for the application. */
	if (request->expects_continue && !request->is_continue_sent)
		return HTTP_DEADLINE_NONE;
	return !request->body.is_complete && wants_input(connection) ? HTTP_DEADLINE_BODY : HTTP_DEADLINE_NONE;
}

void http_flow_watch(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	enum http_deadline_kind kind = deadline_wanted(connection);
	bool writes = is_blocked(connection);

	watch(connection, (wants_input(connection) ? EV_READ : 0) | (writes ? EV_WRITE : 0));
	if (kind == HTTP_DEADLINE_WRITE)
		http_connection_await_client(connection);
	else if (kind != HTTP_DEADLINE_NONE)
		http_server_set_deadline(server, &connection->deadline, kind);
	else if (connection->deadline.kind != HTTP_DEADLINE_NONE)
		http_server_clear_deadline(server, &connection->deadline);
}

/* ---- the end of a request */

void http_flow_end_request(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct unicorn_request *request = connection->request;

	if (request == NULL)
		return;
	connection->request = NULL;
	if (request->answer.is_begun || request->is_handled)
		http_log_request(server, connection, request);
	if (request->is_handled) {
		server->busy_count--;
		server->request_count++;
		if (server->app->closed != NULL)
			server->app->closed(server->app_state, request);
		if (server->on_request_end != NULL)
			server->on_request_end(server);
	}
	http_request_destroy(request);
}

void http_flow_begin_closing(struct http_connection *connection, bool is_clean)
{
	http_flow_end_request(connection);
	connection->state = HTTP_CONNECTION_CLOSING;
	if (connection->output.pending > 0) {
		http_flow_watch(connection);
		return;
	}
	if (is_clean || connection->is_end_of_input || shutdown(connection->io.fd, SHUT_WR) != 0)
		http_connection_destroy(connection);
	else
		http_flow_watch(connection);
}

/** What the client has sent already comes to the front. @return is there anything? */
static bool shift_input(struct http_connection *connection)
{
	struct http_buffer *input = &connection->input;
	struct http_buffer *ahead = &connection->ahead;
	size_t left = input->length - connection->input_used;

	if (left > 0 && connection->input_used > 0)
		memmove(input->bytes, input->bytes + connection->input_used, left);
	input->length = left;
	connection->input_used = 0;
	if (left == 0) {
		http_buffer_finish(input);
		*input = *ahead;
		*ahead = (struct http_buffer){ 0 };
	} else if (ahead->length > 0 && http_buffer_reserve(input, ahead->length)) {
		memcpy(input->bytes + input->length, ahead->bytes, ahead->length);
		input->length += ahead->length;
		http_buffer_finish(ahead);
	}
	return input->length > 0;
}

/** The connection is kept: for a request that has come already, or for one to come. */
static void await_next(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	connection->state = HTTP_CONNECTION_READING;
	connection->has_served = true;
	watch(connection, connection->is_end_of_input ? 0 : EV_READ);
	if (shift_input(connection)) {
		connection->is_waiting = true;
		connection->next_waiting = server->waiting;
		server->waiting = connection;
	} else if (connection->is_end_of_input) {
		http_connection_destroy(connection);
		return;
	}
	http_server_set_deadline(server, &connection->deadline,
				 server->is_draining ? HTTP_DEADLINE_LINGER : HTTP_DEADLINE_KEEP_ALIVE);
}

/** The answer is sent but the request has not been read to its end. @return must the connection end? */
static bool rest_is_too_much(const struct unicorn_request *request)
{
	int64_t length = request->head.content_length;

	if (request->expects_continue && !request->is_continue_sent)
		return true;
	return (length < 0 ? request->body.received : length - request->body.received) > REST_BYTES_MAX;
}

/** An answer that ends with the connection would look whole; a reset does not. */
static void reset_on_close(const struct http_connection *connection)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(connection->io.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void answer_is_sent(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;
	bool closes = request->answer.closes || request->answer.is_cut;

	if (request->answer.is_cut && !request->answer.is_aborted && !connection->is_broken)
		unicorn_log(UNICORN_WARNING, "%s %s: the answer is shorter than announced, the connection is cut",
			    request->head.method, request->head.target);
	if (request->answer.is_cut || connection->is_broken) {
		reset_on_close(connection);
		http_connection_destroy(connection);
	} else if (closes || (!request->body.is_complete && rest_is_too_much(request))) {
		http_flow_begin_closing(connection, request->body.is_complete && connection->ahead.length == 0 &&
							    connection->input_used == connection->input.length);
	} else if (!request->body.is_complete && !connection->is_end_of_input) {
		request->body.is_discarded = true;
		http_flow_watch(connection);
	} else {
		http_flow_end_request(connection);
		await_next(connection);
	}
}

/* ---- calling the application */

void http_connection_call(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct unicorn_request *request = connection->request;
	unsigned events = connection->events;

	connection->events = 0;
	connection->is_in_call = true;
	if (server->on_call != NULL)
		server->on_call(request);
	if (!request->is_handled) {
		request->is_handled = true;
		server->app->handle(server->app_state, request);
	} else if (server->app->resume != NULL) {
		server->app->resume(server->app_state, request, events);
	} else if (!server->settings.is_async || (events & UNICORN_GONE) != 0) {
		/* It will never go on. */
		unicorn_answer_abort(request);
	}
	if (server->on_call != NULL)
		server->on_call(NULL);
	connection->is_in_call = false;
}

/** From here on, until it comes back, the connection is not ours. */
static void hand_over(struct http_connection *connection)
{
	watch(connection, 0);
	http_server_clear_deadline(connection->server, &connection->deadline);
	http_jobs_add(connection->server->jobs, connection);
}

static void call(struct http_connection *connection, unsigned events)
{
	struct http_server *server = connection->server;

	connection->events |= events;
	if (connection->is_in_call)
		return;
	if (server->jobs != NULL) {
		hand_over(connection);
		return;
	}
	if (connection->output.pending == 0)
		connection->output.is_corked = http_turn_may_hold(server);
	http_connection_call(connection);
	http_connection_settle(connection);
	http_turn_called(server);
}

/** Nothing can be sent any more. An application that has not ended its answer is told, and then waited for (async). */
static void settle_broken(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;

	if (!request->is_handled || request->answer.is_ended) {
		http_connection_destroy(connection);
	} else if (!request->is_gone) {
		request->is_gone = true;
		call(connection, UNICORN_GONE);
	} else if (!connection->server->settings.is_async) {
		http_connection_destroy(connection);
	} else {
		watch(connection, 0);
		http_server_clear_deadline(connection->server, &connection->deadline);
	}
}

void http_connection_settle(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;

	if (connection->is_in_call)
		return;
	if (connection->output.is_corked && http_turn_takes(connection)) {
		answer_is_sent(connection);
		http_turn_hold(connection);
		return;
	}
	if (connection->output.is_corked)
		http_turn_uncork(connection);
	if (connection->state == HTTP_CONNECTION_WEBSOCKET) {
		http_websocket_settle(connection);
		return;
	}
	if (request == NULL)
		return;
	if (connection->is_broken) {
		settle_broken(connection);
	} else if (request->answer.is_ended && connection->output.pending == 0) {
		answer_is_sent(connection);
	} else if (connection->events != 0) {
		call(connection, 0);
	} else if (!connection->server->settings.is_async && !request->answer.is_ended &&
		   connection->output.pending <= OUTPUT_LOW_BYTES) {
		/* It has not said all and nothing hinders it. From the loop, so that others get their turn. */
		watch(connection, EV_WRITE);
	} else {
		http_flow_watch(connection);
	}
}

void http_flow_writable(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;

	if (http_output_flush(&connection->output, connection->io.fd) != 0) {
		connection->is_broken = true;
		http_flow_client_left(connection);
		return;
	}
	if (connection->state == HTTP_CONNECTION_READING)
		http_turn_written(connection);
	else if (connection->state == HTTP_CONNECTION_CLOSING && connection->output.pending == 0)
		http_flow_begin_closing(connection, false);
	else if (connection->state == HTTP_CONNECTION_CLOSING || (request != NULL && !request->is_handled))
		http_flow_watch(connection);
	else if (request == NULL || request->answer.is_ended || connection->output.pending > OUTPUT_LOW_BYTES ||
		 (connection->server->settings.is_async && !connection->is_congested))
		http_connection_settle(connection);
	else {
		connection->is_congested = false;
		call(connection, UNICORN_DRAINED);
	}
	/* The deadline is for progress, and there was some: settling has set it anew. */
}

/* ---- what comes in */

/** A request's head is whole. */
static void take_request(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct unicorn_request *request = connection->request;

	connection->state = HTTP_CONNECTION_HANDLING;
	request->begun_us = (int64_t)(ev_now(server->loop) * 1e6);
	if (connection->is_trusted)
		http_log_take_forwarded(connection);
	if (server->settings.is_async || request->body.is_complete) {
		http_server_clear_deadline(server, &connection->deadline);
		server->busy_count++;
		call(connection, 0);
		return;
	}
	if (request->expects_continue) {
		request->is_continue_sent = true;
		if (http_answer_interim(way_of(connection), 100, NULL, 0) != 0)
			connection->is_broken = true;
	}
	http_flow_watch(connection);
}

void http_flow_parse(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct http_buffer *input = &connection->input;
	enum http_parsed parsed;
	size_t used;

	if (connection->request == NULL) {
		connection->request = http_request_create(connection, !server->settings.is_async);
		if (connection->request == NULL) {
			http_connection_destroy(connection);
			return;
		}
		if (connection->has_served && !server->is_draining)
			http_server_set_deadline(server, &connection->deadline, HTTP_DEADLINE_HEADER);
	}
	parsed = http_parser_run(&connection->parser, connection->request, input->bytes + connection->input_used,
				 input->length - connection->input_used, &used);
	connection->input_used += used;
	if (parsed == HTTP_PARSED_BAD)
		http_connection_refuse(connection, connection->request->error_status);
	else if (connection->request->is_head_complete)
		take_request(connection);
	else if (connection->is_end_of_input)
		http_flow_begin_closing(connection, true);
	else if (server->is_draining)
		http_server_set_deadline(server, &connection->deadline, HTTP_DEADLINE_HEADER);
}

void http_flow_body_came(struct http_connection *connection)
{
	struct http_server *server = connection->server;
	struct unicorn_request *request = connection->request;

	if (request->body.is_discarded && request->answer.is_ended) {
		if (request->body.is_complete || rest_is_too_much(request))
			http_connection_settle(connection);
	} else if (!request->is_handled && !server->settings.is_async) {
		if (request->body.is_complete) {
			server->busy_count++;
			http_server_clear_deadline(server, &connection->deadline);
			call(connection, 0);
		} else {
			http_flow_watch(connection);
		}
	} else if (request->was_body_wanted) {
		request->was_body_wanted = false;
		call(connection, UNICORN_BODY);
	} else {
		http_flow_watch(connection);
	}
}

void http_flow_body_is_bad(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;
	bool was_handled = request->is_handled;

	request->is_gone = true;
	if (!was_handled || !request->answer.is_head_sent) {
		http_connection_refuse(connection, request->error_status);
		return;
	}
	connection->is_broken = true;
	call(connection, UNICORN_GONE);
}

void http_flow_client_left(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;

	if (connection->state == HTTP_CONNECTION_WEBSOCKET) {
		http_websocket_left(connection);
	} else if (request == NULL || connection->state == HTTP_CONNECTION_CLOSING || !request->is_handled ||
		   (request->answer.is_ended && connection->is_broken)) {
		http_connection_destroy(connection);
	} else if (request->is_gone || (!connection->server->settings.is_async && !connection->is_broken)) {
		/* Who has only ended its side may still want the answer. */
		http_flow_watch(connection);
	} else {
		request->is_gone = true;
		if (!request->answer.is_ended)
			call(connection, UNICORN_GONE);
		else
			http_connection_settle(connection);
	}
}
