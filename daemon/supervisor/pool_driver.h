/*
 * pool_driver.h - keeps a pool on its way from what is there to what is wanted.
 */
#ifndef DAEMON_SUPERVISOR_POOL_DRIVER_H
#define DAEMON_SUPERVISOR_POOL_DRIVER_H

#include "supervisor/supervisor.h"

/** Asks pool_plan and does what it says. */
void pool_driver_settle(struct supervisor *supervisor, struct pool *pool, int64_t now_ms);
/** @return how many workers may be starting or ready at a time. */
int pool_driver_ceiling(const struct pool *pool);
/** @return when the pool itself has something to do next (a pause is over, a roll is overdue), or TIME_NEVER. */
int64_t pool_driver_next(const struct pool *pool, int64_t now_ms);

/**
 * Puts a pool under an operation and remembers what to put back. An operation that is superseded hands on what *it*
 * would have put back.
 */
void pool_driver_begin(struct supervisor *supervisor, struct pool *pool, struct operation *operation, int64_t now_ms);
/** Makes a generation the target; takes over the caller's reference. */
void pool_driver_roll_to(struct supervisor *supervisor, struct pool *pool, struct generation *generation,
			 int64_t now_ms);
/** Gives the target settings that apply in place. */
void pool_driver_replace_settings(struct pool *pool, struct pool_settings *settings, int64_t now_ms);
/** Puts back what pool_driver_begin() remembered. */
void pool_driver_restore(struct supervisor *supervisor, struct pool *pool, int64_t now_ms);
/** The operation is over: forgets what it remembered. */
void pool_driver_end(struct supervisor *supervisor, struct pool *pool);
/** Says how many workers are wanted. @return false without memory: nothing has changed. */
bool pool_driver_want(struct supervisor *supervisor, struct pool *pool, int wanted, int64_t now_ms);
/** All workers shall leave: drained, or killed when `now` is set. */
void pool_driver_stop(struct supervisor *supervisor, struct pool *pool, bool now, int64_t now_ms);
/** Frees a pool without workers. */
void pool_driver_destroy(struct supervisor *supervisor, struct pool *pool);

/* What worker_driver tells. */

void pool_driver_worker_ready(struct supervisor *supervisor, struct worker *worker, int64_t now_ms);
/** It has been ready for min_ready. */
void pool_driver_worker_good(struct supervisor *supervisor, struct worker *worker, int64_t now_ms);
/** It said STOPPING=1 for the first time. */
void pool_driver_worker_asked(struct supervisor *supervisor, struct worker *worker, int64_t now_ms);
void pool_driver_worker_gone(struct supervisor *supervisor, struct worker *worker, int64_t now_ms);

#endif
