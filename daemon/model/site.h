/*
 * site.h - what one configuration describes and the daemon runs: the root of the model.
 */
#ifndef DAEMON_MODEL_SITE_H
#define DAEMON_MODEL_SITE_H

#include "base/list.h"
#include "model/pool.h"
#include "model/settings.h"

struct site {
	const char *name;                    /**< borrowed for the daemon's life */
	struct configuration *configuration; /**< in effect; owned */
	struct list listeners;
	struct list pools;
	unsigned generation; /**< number of the newest generation */
};

void site_init(struct site *site, const char *name);

struct listener *site_find_listener_at(const struct site *site, const struct address *address);
struct pool *site_find_pool(const struct site *site, const char *name);
/** @return the worker that is the process `pid`, or NULL. */
struct worker *site_find_worker(const struct site *site, pid_t pid);
/** @return true when no pool has a process. */
bool site_is_empty(const struct site *site);

#endif
