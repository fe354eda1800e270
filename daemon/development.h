/*
 * development.h - development mode (--reload): watches the source of the site and rolls when it changes.
 *
 * A change is a reload like any other; what it needs besides is that somebody who edits does not wait. Changes that
 * come together are one. While something runs the next reload waits for its end, but not for long: then it takes over.
 */
#ifndef DAEMON_DEVELOPMENT_H
#define DAEMON_DEVELOPMENT_H

#include "base/text.h"
#include "options.h"
#include "supervisor/supervisor.h"

#include <ev.h>

struct file_watch;

struct development {
	struct observer observer;
	struct supervisor *supervisor;
	struct ev_loop *loop;
	const struct options *options;
	struct file_watch *watch;   /**< NULL: nothing is watched */
	struct string_list folders; /**< that are watched, or were to be */
	ev_io readable;
	ev_timer due;       /**< the next reload, or the next look whether it may begin */
	ev_timer search;    /**< for folders that are not there */
	bool wanted;        /**< something has changed since the last reload began */
	int64_t changed_ms; /**< when, the first time */
	char changed[256];  /**< and what */
	unsigned operation; /**< the last reload from here */
};

/**
 * Begins to watch, when the options ask for it; that it cannot is a warning.
 * @param configuration  the first one, which is not in effect yet
 */
void development_start(struct development *development, struct ev_loop *loop, struct supervisor *supervisor,
		       const struct options *options, const struct configuration *configuration);
void development_stop(struct development *development);

#endif
