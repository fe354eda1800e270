/*
 * worker_beats.h - heartbeats of the sync worker, from a thread: its loop cannot beat while it is in a call.
 *
 * It beats as long as no call has taken longer than it may, and says on the status pipe what a call that takes long is
 * about. Beyond the limit it falls silent, and unicornd's hard limit ends the worker.
 */
#ifndef WORKERS_HTTP_WORKER_BEATS_H
#define WORKERS_HTTP_WORKER_BEATS_H

#include "http_server.h"
#include "unicornd/worker.h"

/** @param limit_ms  how long a call may take; 0: for ever @return false when there is no thread to be had */
bool worker_beats_start(struct http_server *server, const struct unicorn_worker *worker, int64_t limit_ms);

/** Ends the thread, when there is one. */
void worker_beats_stop(void);

#endif
