/*
 * pool_failures.h - what deaths mean for a pool: pauses, giving up, recovering, and the state that people see.
 */
#ifndef DAEMON_SUPERVISOR_POOL_FAILURES_H
#define DAEMON_SUPERVISOR_POOL_FAILURES_H

#include "supervisor/supervisor.h"

/** A worker ended without being told to: sets the pause before the next start in its slot. */
void pool_failures_note(struct supervisor *supervisor, const struct worker *worker, struct slot *slot, int64_t now_ms);
/** A worker asked for its successor: that comes no sooner than a second behind the worker's own readiness. */
void pool_failures_pace(const struct worker *worker);
/** A worker became ready: whatever kept all of them from starting is over. Those that failed later still wait. */
void pool_failures_forget_pauses(struct pool *pool);
/** A worker is good: its slot is no longer given up. */
void pool_failures_recovered(struct pool *pool, const struct worker *worker);
/** The whole pool is degraded, for a reason that no slot shows. */
void pool_failures_give_up(struct supervisor *supervisor, struct pool *pool, const char *why, int64_t now_ms);
/** Works out the pool's state and notes a change of it. */
void pool_failures_publish(struct supervisor *supervisor, struct pool *pool, int64_t now_ms);

#endif
