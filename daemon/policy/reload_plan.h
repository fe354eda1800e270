/*
 * reload_plan.h - what a new configuration means for a pool or a listener that exists. Pure.
 */
#ifndef DAEMON_POLICY_RELOAD_PLAN_H
#define DAEMON_POLICY_RELOAD_PLAN_H

#include "base/error.h"
#include "model/settings.h"

#include <stdbool.h>

enum pool_change {
	POOL_CHANGE_NONE,     /**< nothing differs, nothing to do */
	POOL_CHANGE_IN_PLACE, /**< new values count from now, workers stay */
	POOL_CHANGE_ROLL      /**< workers are replaced */
};

/**
 * @param before         settings the pool runs with
 * @param after          settings of the new configuration
 * @param only_changed   `reload --changed`: workers whose settings did not change stay
 */
enum pool_change reload_plan_pool(const struct pool_settings *before, const struct pool_settings *after,
				  bool only_changed);

/**
 * A listener whose address stays keeps its socket; this says whether its other settings may change on that socket.
 * @return false with the reason when only a restart could do it
 */
bool reload_plan_listener(const struct listener_settings *before, const struct listener_settings *after,
			  struct error *error);

/** The name of the first setting of control or log that only a restart takes over and that differs, or NULL. */
const char *reload_plan_needs_restart(const struct configuration *before, const struct configuration *after);

#endif
