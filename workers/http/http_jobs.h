/*
 * http_jobs.h - threads that call the application for the sync worker (--threads N).
 *
 * A connection that is added belongs to the thread that takes it until it comes back, through the loop, to
 * http_connection_settle(); see http_connection.h. The mutex is what hands it over, there and back.
 */
#ifndef WORKERS_HTTP_JOBS_H
#define WORKERS_HTTP_JOBS_H

#include "http_connection.h"

/** @return NULL without memory or threads */
struct http_jobs *http_jobs_create(struct ev_loop *loop, int threads);

int http_jobs_threads(const struct http_jobs *jobs);

/** Waits for the calls that run. */
void http_jobs_destroy(struct http_jobs *jobs);

/** Hands a connection over, which the loop must not watch any more. */
void http_jobs_add(struct http_jobs *jobs, struct http_connection *connection);

#endif
