/*
 * http_request.h - reads the head of one HTTP/1 request: pure, no I/O, strict where leniency lets two parsers disagree.
 *
 * Knows GET and HEAD without a body, which is all that the example answers; the rest is refused with a status.
 */
#ifndef EXAMPLES_HTTP_REQUEST_H
#define EXAMPLES_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/** Longest head of a request, blank line included. */
#define HTTP_REQUEST_MAX 8192

enum http_request_result {
	HTTP_REQUEST_INCOMPLETE, /**< more bytes are needed */
	HTTP_REQUEST_COMPLETE,
	HTTP_REQUEST_REFUSED /**< answer `status` and close: where the next request begins is not known */
};

struct http_request {
	size_t length;   /**< bytes of this request; what follows belongs to the next one */
	int status;      /**< 200, or why it is refused */
	bool is_head;    /**< HEAD: the answer has no body */
	bool keep_alive; /**< the client wants to send more on this connection */
};

/** Parses the bytes received so far. *request is filled unless the result is HTTP_REQUEST_INCOMPLETE. */
enum http_request_result http_request_parse(const char *bytes, size_t length, struct http_request *request);

#endif
