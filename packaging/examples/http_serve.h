/*
 * http_serve.h - the loop of an HTTP worker: accepts, serves, beats, and drains without losing a request.
 */
#ifndef EXAMPLES_HTTP_SERVE_H
#define EXAMPLES_HTTP_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <unicornd/worker.h>

/** How long a connection may wait for its next request. */
#define HTTP_SERVE_IDLE_TIMEOUT_MS 75000
/** The same once the end was ordered. */
#define HTTP_SERVE_LINGER_MS 5000

/** How to serve; http_serve_options_init() gives the defaults. */
struct http_serve_options {
	const char *body;         /**< of every answer; NULL: pid and generation */
	int64_t linger_ms;        /**< while draining, an idle connection is closed after this time */
	int64_t beat_limit;       /**< beats, then falls silent; -1: beats for ever */
	bool ignore_stop;         /**< goes on when the end is ordered (but not when the daemon is gone) */
	int turn_ms;              /**< longest wait between two calls of on_turn; -1: as long as it takes */
	void (*on_ready)(void *); /**< after READY=1; these may be NULL and get `context` */
	void (*on_turn)(void *);
	void (*on_answer)(void *); /**< after each turn in which answers were sent */
	void *context;
};

void http_serve_options_init(struct http_serve_options *options);

/**
 * Serves on all listeners of the worker until the end was ordered and the last connection is over.
 * @return 0, or a negative errno value when serving is impossible
 */
int http_serve(const struct unicorn_worker *worker, const struct http_serve_options *options);

#endif
