/*
 * operation_driver.h - carries operations through their phases, and puts back what was there when one fails.
 */
#ifndef DAEMON_SUPERVISOR_OPERATION_DRIVER_H
#define DAEMON_SUPERVISOR_OPERATION_DRIVER_H

#include "supervisor/supervisor.h"

/** @return a new running operation on the list, or NULL with an error. */
struct operation *operation_driver_begin(struct supervisor *supervisor, enum verb verb, int64_t now_ms,
					 struct error *error);

/**
 * Whether a new operation on `pool` (NULL: on all) may begin.
 * @return false: the site is stopping, or CONFLICT when one runs and `supersede` is not set
 */
bool operation_driver_may_begin(struct supervisor *supervisor, const struct pool *pool, bool supersede,
				struct error *error);

/** Ends the operations that stand in the way of `heir`; it inherits their pools and what they would have put back. */
void operation_driver_supersede(struct supervisor *supervisor, struct operation *heir, const struct pool *pool,
				int64_t now_ms);

/** Remembers why a worker of the operation's new generation failed, with its last lines. */
void operation_driver_blame(struct operation *operation, const struct worker *worker, const struct slot *slot);

/** It failed, its message says why: all its pools go back to what was before. */
void operation_driver_fail(struct supervisor *supervisor, struct operation *operation, int64_t now_ms);

/** Takes the next phase if the current one is over. @return true when something changed */
bool operation_driver_advance(struct supervisor *supervisor, struct operation *operation, int64_t now_ms);

/** Ends it with an outcome; its message is kept when it has one. */
void operation_driver_finish(struct supervisor *supervisor, struct operation *operation, enum outcome outcome,
			     int64_t now_ms);

#endif
