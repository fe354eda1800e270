/*
 * http_answer.h - the answer to a request, from its status to its last byte, as HTTP/1 writes it.
 *
 * It formats and hands to the output. That the connection goes on, ends or waits for its client is decided where the
 * connection is.
 */
#ifndef WORKERS_HTTP_ANSWER_H
#define WORKERS_HTTP_ANSWER_H

#include "http_output.h"
#include "http_request.h"

/** Where an answer goes. */
struct http_way {
	struct http_output *output;
	int fd;
};

/**
 * Begins, see unicorn_answer_begin(). @param closes  the connection will end behind the answer
 * @return 0 or a negative errno value
 */
int http_answer_begin(struct unicorn_request *request, int status, const char *reason,
		      const struct unicorn_header *headers, size_t count, bool closes);

/** Sends a part of the body; `is_last`: nothing follows. @return 0 or a negative errno value, see app.h */
int http_answer_write(struct unicorn_request *request, struct http_way way, const void *bytes, size_t length,
		      bool is_last);

/** Sends a part of a file. @param file  taken over */
int http_answer_file(struct unicorn_request *request, struct http_way way, int file, int64_t offset, int64_t length);

/** Ends it; `trailers` are for chunked answers. */
int http_answer_end(struct unicorn_request *request, struct http_way way, const struct unicorn_header *trailers,
		    size_t count);

/** 100 Continue, 103 Early Hints, 101 Switching Protocols: a head alone, in front of the answer or instead of it. */
int http_answer_interim(struct http_way way, int status, const struct unicorn_header *headers, size_t count);

/** Forgets an answer that has begun. */
void http_answer_reset(struct http_answer *answer);

/** @return "Not Found", for 404; "Unknown" for what RFC 9110 and its kin do not name */
const char *http_answer_reason(int status);

#endif
