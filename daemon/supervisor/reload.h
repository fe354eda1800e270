/*
 * reload.h - a new configuration: everything that can fail is prepared, then it is committed, which cannot fail.
 */
#ifndef DAEMON_SUPERVISOR_RELOAD_H
#define DAEMON_SUPERVISOR_RELOAD_H

#include "supervisor/supervisor.h"

/**
 * Prepares what an operation with a candidate needs: pools, slots, generations, listeners (asked to be opened).
 * @return false: nothing but empty pools and unused listeners came into being; reload_discard() takes them away
 */
bool reload_prepare(struct supervisor *supervisor, struct operation *operation, bool only_changed, int64_t now_ms,
		    struct error *error);
/** Puts the candidate into effect. @return true always: something changed */
bool reload_commit(struct supervisor *supervisor, struct operation *operation, int64_t now_ms);
/** Forgets what was prepared but not committed. */
void reload_discard(struct supervisor *supervisor, struct operation *operation);

/**
 * Builds the configuration for `reload POOL`: the one in effect, but that pool and the listeners it uses from
 * `candidate`.
 * @return a configuration that the caller owns, or NULL with an error
 */
struct configuration *reload_merge(const struct configuration *current, const struct configuration *candidate,
				   const char *pool, struct error *error);

/** Gives every listener the settings that the configuration in effect has for its address. */
void reload_apply_listener_settings(struct supervisor *supervisor);
/** Closes the listeners and frees the pools that nothing uses any more. @return true when something changed */
bool reload_sweep(struct supervisor *supervisor, int64_t now_ms);

/** Makes a further generation with settings the pool already has, for a restart; NULL with an error. */
struct generation *reload_prepare_generation(struct supervisor *supervisor, const struct configuration *configuration,
					     struct pool_settings *settings, unsigned number, struct error *error);

#endif
