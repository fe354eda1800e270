/*
 * listener.h - one bound and listening socket. It outlives workers and reloads: it is closed when no generation and
 * no configuration uses it any more.
 */
#ifndef DAEMON_MODEL_LISTENER_H
#define DAEMON_MODEL_LISTENER_H

#include "base/list.h"
#include "model/settings.h"

#include <stdbool.h>

enum listener_state {
	LISTENER_NEW,     /**< not asked for yet */
	LISTENER_OPENING, /**< asked for, no answer yet */
	LISTENER_OPEN,
	LISTENER_FAILED
};

struct listener {
	struct list link;                   /**< in site->listeners */
	struct listener_settings *settings; /**< a reference; the address never changes */
	enum listener_state state;
	int fd;          /**< -1 unless open; owned by the effects */
	int generations; /**< how many generations borrow it */
};

/** @return a listener in state NEW that is on no list, or NULL without memory; takes its own reference. */
struct listener *listener_create(struct listener_settings *settings);
/** Frees; the descriptor must be closed and the link off its list. NULL is allowed. */
void listener_destroy(struct listener *listener);
/** Replaces the settings by others of the same address. */
void listener_replace_settings(struct listener *listener, struct listener_settings *settings);

#endif
