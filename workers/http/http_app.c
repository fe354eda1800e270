/*
 * http_app.c - the functions of unicornd/app.h that are about requests and their answers.
 *
 * Each does its work and then, outside of a call of the application, settles the connection; within one that happens
 * when the call returns.
 */
#include "unicornd/app.h"

#include "http_answer.h"
#include "http_connection.h"
#include "http_websocket.h"
#include "unicornd/worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Above it the application is asked to wait; asyncio's transports have the same limit. */
#define OUTPUT_HIGH_BYTES 65536

static struct http_way way_of(const struct unicorn_request *request)
{
	return (struct http_way){ .output = &request->connection->output, .fd = request->connection->io.fd };
}

/** What a function returns when the socket has failed: the client is gone. */
static int settle(struct unicorn_request *request, int result)
{
	struct http_connection *connection = request->connection;

	if (result != 0 && result != -EMSGSIZE && result != -EINVAL && result != -ENOMEM) {
		connection->is_broken = true;
		result = -EPIPE;
	}
	if (!connection->is_in_call)
		http_connection_settle(connection);
	return result;
}

/* ---- the request */

const struct unicorn_head *unicorn_request_head(const struct unicorn_request *request)
{
	return &request->head;
}

const char *unicorn_request_header(const struct unicorn_request *request, const char *name)
{
	for (uint32_t i = 0; i < request->head.header_count; i++) {
		if (strcmp(request->headers[i].name, name) == 0)
			return request->headers[i].value;
	}
	return NULL;
}

void unicorn_request_client(struct unicorn_request *request, struct unicorn_address *client)
{
	struct http_connection *connection = request->connection;

	client->host = http_connection_name_client(connection) ? connection->client_host : "";
	client->port = connection->client_port;
}

void unicorn_request_server(struct unicorn_request *request, struct unicorn_address *server)
{
	struct http_connection *connection = request->connection;

	server->host = http_connection_name_server(connection) ? connection->server_host : "";
	server->port = connection->server_port;
}

void unicorn_request_set_context(struct unicorn_request *request, void *context)
{
	request->context = context;
}

void *unicorn_request_context(const struct unicorn_request *request)
{
	return request->context;
}

bool unicorn_request_is_gone(const struct unicorn_request *request)
{
	return request->is_gone || request->connection->is_broken;
}

void unicorn_request_set_user(struct unicorn_request *request, const char *user)
{
	size_t length = strnlen(user, sizeof(request->user) - 1);

	memcpy(request->user, user, length);
	request->user[length] = '\0';
}

/* ---- its body */

size_t unicorn_body_available(const struct unicorn_request *request)
{
	return (size_t)http_body_available(&request->body);
}

bool unicorn_body_is_finished(const struct unicorn_request *request)
{
	return request->body.is_complete && http_body_available(&request->body) == 0;
}

/** Nothing is there: let the client know that it is wanted. */
static int64_t body_await(struct unicorn_request *request)
{
	if (request->is_gone || request->connection->is_end_of_input || request->connection->is_broken)
		return -ECONNRESET;
	request->was_body_wanted = true;
	if (request->expects_continue && !request->is_continue_sent && !request->answer.is_begun) {
		request->is_continue_sent = true;
		(void)settle(request, http_answer_interim(way_of(request), 100, NULL, 0));
	}
	return -EAGAIN;
}

int64_t unicorn_body_read(struct unicorn_request *request, void *buffer, size_t size)
{
	bool was_full = http_body_available(&request->body) >= HTTP_BODY_HIGH_BYTES;
	int64_t count = http_body_read(&request->body, buffer, size);

	if (count == 0 && !request->body.is_complete)
		return body_await(request);
	if (was_full && !request->body.is_complete)
		(void)settle(request, 0);
	return count;
}

/* ---- the answer */

static bool must_close(const struct unicorn_request *request)
{
	/* Who was not told to send its body may send it or not: what follows could not be told apart. */
	if (request->expects_continue && !request->is_continue_sent && !request->body.is_complete)
		return true;
	/* So much that it will be cut off behind the answer, unless the application still reads it. */
	if (!request->body.is_complete && request->head.content_length - request->body.received > HTTP_BODY_HIGH_BYTES)
		return true;
	return !request->keeps_alive || request->connection->server->is_draining || unicorn_worker_is_stopping() ||
	       request->connection->is_end_of_input;
}

int unicorn_answer_begin(struct unicorn_request *request, int status, const char *reason,
			 const struct unicorn_header *headers, size_t count)
{
	return http_answer_begin(request, status, reason, headers, count, must_close(request));
}

int unicorn_answer(struct unicorn_request *request, int status, const struct unicorn_header *headers, size_t count,
		   const void *body, size_t length)
{
	int result = unicorn_answer_begin(request, status, NULL, headers, count);

	return result != 0 ? result : unicorn_answer_finish(request, body, length);
}

bool unicorn_answer_is_begun(const struct unicorn_request *request)
{
	return request->answer.is_begun;
}

bool unicorn_answer_is_sent(const struct unicorn_request *request)
{
	return request->answer.is_head_sent;
}

int unicorn_answer_withdraw(struct unicorn_request *request)
{
	if (request->answer.is_head_sent)
		return -EALREADY;
	http_answer_reset(&request->answer);
	return 0;
}

int unicorn_answer_write(struct unicorn_request *request, const void *bytes, size_t length)
{
	return settle(request, http_answer_write(request, way_of(request), bytes, length, false));
}

int unicorn_answer_finish(struct unicorn_request *request, const void *bytes, size_t length)
{
	return settle(request, http_answer_write(request, way_of(request), bytes, length, true));
}

int unicorn_answer_file(struct unicorn_request *request, int fd, int64_t offset, int64_t length)
{
	return settle(request, http_answer_file(request, way_of(request), fd, offset, length));
}

int unicorn_answer_trailers(struct unicorn_request *request, const struct unicorn_header *headers, size_t count)
{
	return settle(request, http_answer_end(request, way_of(request), headers, count));
}

int unicorn_answer_end(struct unicorn_request *request)
{
	return settle(request, http_answer_end(request, way_of(request), NULL, 0));
}

int unicorn_answer_interim(struct unicorn_request *request, int status, const struct unicorn_header *headers,
			   size_t count)
{
	if (status < 102 || status > 199 || request->answer.is_head_sent)
		return -EINVAL;
	if (request->head.minor_version == 0)
		return 0;
	return settle(request, http_answer_interim(way_of(request), status, headers, count));
}

void unicorn_answer_abort(struct unicorn_request *request)
{
	static const struct unicorn_header type = UNICORN_HEADER("Content-Type", "text/plain; charset=utf-8");
	static const char text[] = "Internal Server Error\n";
	struct http_answer *answer = &request->answer;

	if (answer->is_ended || request->connection->websocket != NULL)
		return;
	if (!answer->is_head_sent && !unicorn_request_is_gone(request)) {
		http_answer_reset(answer);
		(void)unicorn_answer(request, 500, &type, 1, text, sizeof(text) - 1);
		return;
	}
	answer->is_ended = true;
	/* A client that has all it was promised, or expects no body, is not misled. */
	answer->is_cut =
		answer->framing != HTTP_FRAMING_NONE && (answer->framing != HTTP_FRAMING_LENGTH || answer->left > 0);
	answer->is_aborted = true;
	(void)settle(request, 0);
}

bool unicorn_answer_is_congested(const struct unicorn_request *request)
{
	if (request->connection->output.pending <= OUTPUT_HIGH_BYTES)
		return false;
	request->connection->is_congested = true;
	return true;
}

/* ---- WebSocket */

int unicorn_websocket_accept(struct unicorn_request *request, const char *subprotocol,
			     const struct unicorn_header *headers, size_t count)
{
	int result = http_websocket_accept(request->connection, subprotocol, headers, count);

	return result == -EINVAL || result == -ENOMEM ? result : settle(request, result);
}

int unicorn_websocket_send(struct unicorn_request *request, enum unicorn_message_type type, const void *bytes,
			   size_t length)
{
	if (request->connection->websocket == NULL)
		return -EINVAL;
	return http_websocket_send(request->connection, type, bytes, length);
}

int unicorn_websocket_receive(struct unicorn_request *request, enum unicorn_message_type *type, const void **bytes,
			      size_t *length)
{
	if (request->connection->websocket == NULL)
		return 0;
	return http_websocket_receive(request->connection, type, bytes, length);
}

int unicorn_websocket_close(struct unicorn_request *request, int code, const char *reason)
{
	if (request->connection->websocket == NULL)
		return -EINVAL;
	return http_websocket_close(request->connection, code, reason);
}

int unicorn_websocket_close_code(const struct unicorn_request *request, const char **reason)
{
	return http_websocket_close_code(request->connection, reason);
}
