/*
 * http_behaviours.h - between the files of the fuzzer's application: one request under way, and the ways to answer it.
 */
#ifndef HTTP_BEHAVIOURS_H
#define HTTP_BEHAVIOURS_H

#include "http_application.h"

enum behaviour {
	ANSWER_FIXED,
	ANSWER_CHUNKED,
	ANSWER_BIG,
	ANSWER_EARLY,  /* without reading the body */
	ANSWER_STREAM, /* a part for each part of the body */
	ANSWER_ABORT,
	ANSWER_ABORT_AFTER,
	ANSWER_SHORT,
	ANSWER_LONG,
	ANSWER_TRAILERS,
	ANSWER_INTERIM,
	ANSWER_WITHDRAWN,
	ANSWER_EMPTY,
	ANSWER_CLOSE,
	ANSWER_FILE,
	ANSWER_UPGRADE,
};

struct exchange {
	struct exchange *next;
	struct application *application;
	struct unicorn_request *request;
	enum behaviour behaviour;
	size_t number;
	uint64_t sum;
	size_t left; /* of a big answer */
	bool is_big;
	bool is_deferred;
	bool is_put_off; /* once is enough */
	bool is_whole;
};

/** What becomes of this request and of those behind it may depend on how the bytes were cut. */
void exchange_loosen(const struct exchange *exchange);

struct seen_request *exchange_seen(const struct exchange *exchange);

/** Begins an answer that bears the number of its request. @param length  Content-Length, or NULL */
void behaviour_begin(struct exchange *exchange, int status, const char *length, bool closes);

/**
 * Goes on until the client has to take something; in the sync worker, which calls again, piece by piece. The last call
 * may end the request, and the exchange with it.
 */
void behaviour_write_big(struct exchange *exchange);

/** The body has been read: answers. The request may be over on return. */
void behaviour_answer(struct exchange *exchange);

#endif
