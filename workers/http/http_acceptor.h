/*
 * http_acceptor.h - takes connections from the listeners, in turn with the other processes.
 *
 * Who waits for a shared socket in epoll keeps its place in the queue, so that a few processes get nearly all
 * connections; in a loop, watched by libev, nothing can be done about it. A thread with an epoll of its own goes to the
 * end of the queue after each connection: measured, eight processes get 500 of 4,000 each. It takes the next one only
 * when the loop has taken the last and come to rest, so a process that is busy leaves connections to the others.
 */
#ifndef WORKERS_HTTP_ACCEPTOR_H
#define WORKERS_HTTP_ACCEPTOR_H

#include <stdbool.h>

struct ev_loop;
struct http_acceptor;

/**
 * Called in the loop. @param result  a connected, non-blocking descriptor, to be taken over, or a negative errno value
 */
typedef void http_accepted(void *context, int result);

/** @param listeners  non-blocking sockets @return NULL without memory, descriptors or threads */
struct http_acceptor *http_acceptor_create(struct ev_loop *loop, const int *listeners, int count,
					   http_accepted *accepted, void *context);

/** Ends the thread; a connection that it has taken is handed over first. */
void http_acceptor_destroy(struct http_acceptor *acceptor);

/** Whether connections are wanted. */
void http_acceptor_set_wanted(struct http_acceptor *acceptor, bool is_wanted);

/** The loop has nothing else to do: the next connection may come. Costs nothing when none was handed over. */
void http_acceptor_allow(struct http_acceptor *acceptor);

#endif
