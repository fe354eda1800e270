/*
 * worker_life.h - how a worker lives with unicornd: ready, heartbeats, figures, asking for a replacement, the end.
 *
 * The async worker beats from its loop, so that a loop which is blocked is seen. The sync worker's loop stands still in
 * a call, so a thread of its own beats, as long as no call takes longer than it may.
 */
#ifndef WORKERS_HTTP_WORKER_LIFE_H
#define WORKERS_HTTP_WORKER_LIFE_H

#include "http_server.h"
#include "worker_options.h"

/** Reads what unicornd says, takes the signals. @return false after logging why not */
bool worker_life_begin(struct http_server *server, const struct worker_options *options);

/** @return how many listening sockets unicornd gave; the first is *first */
int worker_life_listeners(int *first);

/** Does unicornd watch this process? */
bool worker_life_is_supervised(void);

/** Everything is there: READY. @return false without memory */
bool worker_life_ready(void);

void worker_life_end(void);

#endif
