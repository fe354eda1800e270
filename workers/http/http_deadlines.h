/*
 * http_deadlines.h - times at which connections have waited long enough.
 *
 * All deadlines of one kind are equally long, so a list in the order of their start is in the order of their end:
 * setting and forgetting one is a matter of a few pointers, and only the first of each list is looked at. It does not
 * know the clock.
 */
#ifndef WORKERS_HTTP_DEADLINES_H
#define WORKERS_HTTP_DEADLINES_H

#include <stdint.h>

enum http_deadline_kind {
	HTTP_DEADLINE_NONE,
	HTTP_DEADLINE_HEADER,     /**< the head of a request has begun or its first one is awaited */
	HTTP_DEADLINE_BODY,       /**< more of a body is awaited */
	HTTP_DEADLINE_KEEP_ALIVE, /**< between two requests */
	HTTP_DEADLINE_WRITE,      /**< the client is to take something */
	HTTP_DEADLINE_LINGER,     /**< draining: one more request may come */
	HTTP_DEADLINE_CLOSE,      /**< the answer is sent, what the client still sends is thrown away */
	HTTP_DEADLINE_PING,       /**< the client of a WebSocket is asked whether it is there */
	HTTP_DEADLINE_KINDS,
};

/** Embedded in what has a deadline. */
struct http_deadline {
	struct http_deadline *previous;
	struct http_deadline *next;
	int64_t at_ms;
	enum http_deadline_kind kind;
};

struct http_deadlines {
	struct http_deadline *first[HTTP_DEADLINE_KINDS];
	struct http_deadline *last[HTTP_DEADLINE_KINDS];
	int64_t after_ms[HTTP_DEADLINE_KINDS]; /**< how long each kind is; 0: for ever */
};

/** Sets or sets anew. @param now_ms  monotonic */
void http_deadlines_set(struct http_deadlines *deadlines, struct http_deadline *deadline, enum http_deadline_kind kind,
			int64_t now_ms);

void http_deadlines_clear(struct http_deadlines *deadlines, struct http_deadline *deadline);

/** @param kind  what it was @return one that is due, taken out of its list, or NULL */
struct http_deadline *http_deadlines_take_due(struct http_deadlines *deadlines, int64_t now_ms,
					      enum http_deadline_kind *kind);

/** @return the earliest one's time, or -1 when there is none */
int64_t http_deadlines_earliest(const struct http_deadlines *deadlines);

#endif
