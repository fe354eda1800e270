/*
 * http_parser.h - bytes become a request: the only file that knows llhttp.
 *
 * The parser of a connection goes on where it stopped, at any byte. It stops behind each request, so that pipelined
 * ones are answered in order.
 */
#ifndef WORKERS_HTTP_PARSER_H
#define WORKERS_HTTP_PARSER_H

#include "http_limits.h"
#include "http_request.h"

#include <llhttp.h>

enum http_parsed {
	HTTP_PARSED_MORE,  /**< all bytes are used up, the request is not whole */
	HTTP_PARSED_WHOLE, /**< the request is whole; what follows is the next one's */
	HTTP_PARSED_BAD,   /**< request->error_status says how to refuse it; the connection is of no further use */
};

struct http_parser {
	llhttp_t llhttp;
	const struct http_limits *limits;
	struct unicorn_request *request;
	const char *end;       /* of the bytes that are looked at */
	int64_t trailer_bytes; /* of trailers and chunk extensions, which are not kept */
	bool is_in_name;
	bool takes_websockets;
};

/** @param limits  must live as long as the parser */
void http_parser_init(struct http_parser *parser, const struct http_limits *limits, bool takes_websockets);

/**
 * Reads on in a request.
 *
 * @param request  what has been found so far, and what is found now; its strings point into `bytes`, and must be moved
 *                 with http_request_rebase() when the bytes of an unfinished head are moved
 * @param used     bytes that were used up
 */
enum http_parsed http_parser_run(struct http_parser *parser, struct unicorn_request *request, const char *bytes,
				 size_t length, size_t *used);

#endif
