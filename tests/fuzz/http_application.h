/*
 * http_application.h - the application of fuzz_http: looks hard at each request and answers in the way that its path,
 * or the input's options, ask for.
 *
 * It remembers what a reader of the answers has to know: how many requests there were, in which order, and which of
 * their answers may end early. From `loose_from` on, what it did depended on how the bytes were cut, as it may when an
 * application answers before it has read a body.
 */
#ifndef HTTP_APPLICATION_H
#define HTTP_APPLICATION_H

#include "unicornd/app.h"

/** No input has room for more requests. */
#define REQUESTS_MAX 2400

enum application_option {
	APPLICATION_IS_ASYNC = 1,
	APPLICATION_DEFERS = 2, /**< answers from outside of the call (async) */
	APPLICATION_SHIFT = 4,  /**< above it: what is done for paths that ask for nothing */
};

/** One request and what became of it. */
struct seen_request {
	bool is_head;
	bool is_cut;     /**< its answer does not come to its end */
	bool is_aborted; /**< its answer may be the worker's own */
	bool is_upgraded;
	bool is_last; /**< its client has said that none follows */
};

struct exchange;

struct application {
	unsigned options;
	uint64_t sum; /**< of all requests whose bodies came to their end */
	size_t handled_count;
	size_t closed_count;
	size_t whole_count; /**< bodies that came to their end */
	size_t loose_from;  /**< number of the first request that the cutting may change */
	struct exchange *deferred;
	struct seen_request seen[REQUESTS_MAX];
};

extern const struct unicorn_app fuzz_application;

void require(bool condition);

/** Goes on with one of the requests that were put off. @return false when there is none */
bool application_run_deferred(struct application *application);

uint64_t sum_bytes(uint64_t sum, const void *bytes, size_t length);

#endif
