/*
 * worker_beats.h - what unicornd is told while the application has the worker's only thread: from a thread of its own.
 *
 * A call that lasts is told by its request, and with it the figures, which the loop cannot tell meanwhile. In the sync
 * worker this thread also beats, as long as no call has taken longer than it may; beyond the limit it falls silent, and
 * unicornd's hard limit ends the worker. The async worker beats from its loop, so that a loop that is blocked is seen;
 * there this thread only tells what it is blocked in, and rests while nothing is called.
 */
#ifndef WORKERS_HTTP_WORKER_BEATS_H
#define WORKERS_HTTP_WORKER_BEATS_H

#include "http_server.h"
#include "unicornd/worker.h"

/** @param limit_ms  how long a call may take (sync); 0: for ever @return false when there is no thread to be had */
bool worker_beats_start(struct http_server *server, const struct unicorn_worker *worker, int64_t limit_ms);

/** Tells the figures when they have changed; called in the loop, in which they are those of now. */
void worker_beats_say_figures(void);

/** Ends the thread, when there is one. */
void worker_beats_stop(void);

#endif
