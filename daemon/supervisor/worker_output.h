/*
 * worker_output.h - what a worker writes: kept for reports, passed on line by line, and read for its readiness.
 */
#ifndef DAEMON_SUPERVISOR_WORKER_OUTPUT_H
#define DAEMON_SUPERVISOR_WORKER_OUTPUT_H

#include "supervisor/supervisor.h"

/** @return true when a line said that the worker is ready (`ready = "output REGEX"`). */
bool worker_output_take(struct supervisor *supervisor, struct worker *worker, const char *bytes, size_t length);
/** The worker is gone: its last line may have no newline. */
void worker_output_end(struct worker *worker);

#endif
