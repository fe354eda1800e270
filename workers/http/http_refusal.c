/*
 * http_refusal.c - the worker's own answers, to what the application is not to see.
 */
#include "http_answer.h"
#include "http_flow.h"

#include <stdio.h>

void http_connection_refuse(struct http_connection *connection, int status)
{
	static const struct unicorn_header type = UNICORN_HEADER("Content-Type", "text/plain; charset=utf-8");
	struct unicorn_request *request = connection->request;
	struct http_way way = { .output = &connection->output, .fd = connection->io.fd };
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
	if (http_answer_begin(request, status, NULL, &type, 1, true) != 0 ||
	    http_answer_write(request, way, text, (size_t)length, true) != 0) {
		http_connection_destroy(connection);
		return;
	}
	http_flow_begin_closing(connection, false);
}
