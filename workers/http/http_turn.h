/*
 * http_turn.h - the small answers of one turn of the loop leave together, at its end.
 *
 * A packet wakes up who waits for it. With many clients behind one socket's other end - a proxy, or a load generator on
 * the same machine - waking it for each answer costs the worker more than the answer: of FastAPI's first page with 32
 * connections, a sixth of the processor time. So an answer waits while other connections have their requests handled
 * in the same turn, for a fraction of a millisecond.
 *
 * No answer may wait for an application that takes its time: nothing is held while calls are slow.
 */
#ifndef WORKERS_HTTP_TURN_H
#define WORKERS_HTTP_TURN_H

#include <ev.h>
#include <stdbool.h>

struct http_connection;
struct http_server;

struct http_turn {
	struct http_connection *first; /**< of those whose answers are held */
	ev_check end;                  /**< becomes pending with the first that is held */
	double held_s;                 /**< since when, if any is; 0: since the call that runs */
	double called_s;               /**< when the last call returned */
	double average_s;              /**< that calls have taken lately */
};

void http_turn_init(struct http_server *server);
void http_turn_finish(struct http_server *server);

/** May the answer of the call that begins now be held? Not when there is nothing else to do in this turn. */
bool http_turn_may_hold(const struct http_server *server);

/** Is the answer whole and small, and does the connection go on behind it as if it were sent? */
bool http_turn_takes(const struct http_connection *connection);

/** What was kept back of an answer that is not held is sent now. */
void http_turn_uncork(struct http_connection *connection);

/** Holds an answer that is complete, in a corked output. */
void http_turn_hold(struct http_connection *connection);

/** The application has returned from a call. What is held for long enough is sent; connections may end by that. */
void http_turn_called(struct http_server *server);

/** An answer that was held is sent, or more of it; the connection is between two requests or in the head of one. */
void http_turn_written(struct http_connection *connection);

/** Sends what is held. */
void http_turn_end(struct http_server *server);

/** The connection ends; what is held for it is dropped. */
void http_turn_forget(struct http_connection *connection);

#endif
