/*
 * worker_main.h - both workers, from their command line to their exit status.
 */
#ifndef WORKERS_HTTP_WORKER_MAIN_H
#define WORKERS_HTTP_WORKER_MAIN_H

#include <stdbool.h>

/** @return the exit status */
int worker_main(int argc, char **argv, bool is_async);

#endif
