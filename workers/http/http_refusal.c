/*
 * http_refusal.c - the worker's own answers, to what the application is not to see.
 */
#include "http_answer.h"
#include "http_flow.h"

#include <stdio.h>

/** What an answer of this status has to say of itself; 426 tells what would do (RFC 9110 15.5.22, RFC 6455 4.4). */
static const struct unicorn_header refusal_headers[] = {
	UNICORN_HEADER("Content-Type", "text/plain; charset=utf-8"),
	UNICORN_HEADER("Upgrade", "websocket"),
	UNICORN_HEADER("Sec-WebSocket-Version", "13"),
};

void http_connection_refuse(struct http_connection *connection, int status)
{
	struct unicorn_request *request = connection->request;
	struct http_way way = { .output = &connection->output, .fd = connection->io.fd };
	size_t header_count = status == 426 ? sizeof(refusal_headers) / sizeof(refusal_headers[0]) : 1;
	char text[80];
	int length;

	if (request == NULL) {
		request = connection->request = http_request_create(connection, false);
		if (request == NULL) {
			http_connection_destroy(connection);
			return;
		}
	}
	if (request->head.method == NULL)
		request->head.method = request->head.path = "";
	http_answer_reset(&request->answer);
	request->head.minor_version = 1;
	length = snprintf(text, sizeof(text), "%d %s\n", status, http_answer_reason(status));
	if (http_answer_begin(request, status, NULL, refusal_headers, header_count, true) != 0 ||
	    http_answer_write(request, way, text, (size_t)length, true) != 0) {
		http_connection_destroy(connection);
		return;
	}
	http_flow_begin_closing(connection, false);
}
