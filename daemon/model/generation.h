/*
 * generation.h - the workers of a pool that were started from one configuration.
 *
 * Shared by reference: each of its workers holds one, so do the pool's `target` and `previous`.
 */
#ifndef DAEMON_MODEL_GENERATION_H
#define DAEMON_MODEL_GENERATION_H

#include "base/error.h"
#include "model/listener.h"
#include "model/settings.h"

#include <regex.h>
#include <stddef.h>

/** Listeners that one pool may serve. */
#define GENERATION_LISTENERS_MAX 64

struct generation {
	int references;
	unsigned number;
	struct pool_settings *settings;                       /**< a reference */
	struct listener *listeners[GENERATION_LISTENERS_MAX]; /**< borrowed, counted in listener->generations */
	size_t listener_count;
	bool has_pattern;
	regex_t pattern; /**< of `ready = "output REGEX"` */
	void *launch;    /**< what the effects prepared to start its workers; theirs */
};

/** @return a generation with one reference, or NULL: an expression that does not compile, no memory. */
struct generation *generation_create(unsigned number, struct pool_settings *settings, struct error *error);

/** Borrows a listener. @return false when there are too many. */
bool generation_add_listener(struct generation *generation, struct listener *listener);

struct generation *generation_reference(struct generation *generation);

/** @return true when that was the last reference: the caller lets the effects forget it, then destroys it. */
bool generation_release(struct generation *generation);
void generation_destroy(struct generation *generation);

/** Takes settings whose differences apply in place. */
void generation_replace_settings(struct generation *generation, struct pool_settings *settings);

#endif
