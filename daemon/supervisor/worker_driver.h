/*
 * worker_driver.h - carries one worker through its life: events in, the table decides, effects out.
 */
#ifndef DAEMON_SUPERVISOR_WORKER_DRIVER_H
#define DAEMON_SUPERVISOR_WORKER_DRIVER_H

#include "policy/worker_lifecycle.h"
#include "supervisor/supervisor.h"

/** Starts a worker of the pool's target in a slot. @return false without memory: nothing has changed. */
bool worker_driver_start(struct supervisor *supervisor, struct pool *pool, struct slot *slot, int64_t now_ms);

/** Orders it to leave: DRAIN_ORDERED or KILL_ORDERED. */
void worker_driver_order(struct supervisor *supervisor, struct worker *worker, enum worker_event order, int64_t now_ms);

void worker_driver_said(struct supervisor *supervisor, struct worker *worker, const struct status_message *message,
			int64_t now_ms);
void worker_driver_exited(struct supervisor *supervisor, struct worker *worker, const struct worker_exit *ended,
			  int64_t now_ms);
/** It serves; harmless when it is not starting. */
void worker_driver_became_ready(struct supervisor *supervisor, struct worker *worker, int64_t now_ms);
/** Its generation has other settings now: limits of its silence count from now. */
void worker_driver_settings_changed(struct worker *worker, int64_t now_ms);
/** Handles what is due at `now_ms`. */
void worker_driver_wake(struct supervisor *supervisor, struct worker *worker, int64_t now_ms);
/** @return when worker_driver_wake() has something to do next, or TIME_NEVER. */
int64_t worker_driver_next(const struct worker *worker);

#endif
