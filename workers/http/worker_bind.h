/*
 * worker_bind.h - listening sockets of a worker that runs alone.
 */
#ifndef WORKERS_HTTP_WORKER_BIND_H
#define WORKERS_HTTP_WORKER_BIND_H

#include "option_values.h"

/** @return a listening descriptor, or -1 after logging why not */
int worker_bind(const struct option_address *address, const char *text);

#endif
