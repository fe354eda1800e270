/*
 * http_thread.h - threads beside the loop.
 */
#ifndef WORKERS_HTTP_HTTP_THREAD_H
#define WORKERS_HTTP_HTTP_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/**
 * Starts a thread that gets no signals which are sent to the process: those are the loop's. Those of its own faults it
 * gets, so that a handler can say where it was.
 */
bool http_thread_start(pthread_t *thread, void *(*run)(void *), void *argument);

#endif
