/*
 * worker_stop.h - between the files of libunicornworker: the order to stop, and the descriptor that tells of it.
 */
#ifndef WORKERS_WORKER_STOP_H
#define WORKERS_WORKER_STOP_H

#include "unicornd/worker.h"

/** Most listeners that one worker can inherit. */
#define UNICORN_WORKER_LISTENERS_MAX 254

/** Forgets an earlier order, opens the descriptor, installs the handler of SIGTERM. @return 0 or a negative errno value
 */
int unicorn_worker_stop_prepare(void) __attribute__((visibility("hidden")));

#endif
