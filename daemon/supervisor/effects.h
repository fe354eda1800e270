/*
 * effects.h - the only door from decisions to the world: what the supervisor may ask for.
 *
 * Nothing here waits. What a request leads to comes back as a supervisor_* event (supervisor.h), never from within the
 * request itself. So the other side can be this process (effects_live.c), a keeper process, or a test's fake world.
 */
#ifndef DAEMON_SUPERVISOR_EFFECTS_H
#define DAEMON_SUPERVISOR_EFFECTS_H

#include "base/error.h"
#include "model/site.h"

#include <stdint.h>

struct effects {
	void *context;

	/**
	 * Checks and prepares all that starting workers of a generation needs and that can fail: the program, its
	 * words, environment, user, limits. Keeps it in generation->launch.
	 */
	bool (*prepare)(void *context, struct generation *generation, struct error *error);
	/** Frees generation->launch; the generation is about to be destroyed. */
	void (*forget)(void *context, struct generation *generation);

	/** Starts a worker. Answer: supervisor_worker_spawned, or supervisor_worker_exited with a failure text. */
	void (*spawn)(void *context, struct worker *worker);
	/** Signals the worker's whole process group. No answer; an exit is an event of its own. */
	void (*signal)(void *context, struct worker *worker, int signal);
	/** The worker is gone: closes its descriptors; memory may be kept in worker->attachment for the next use. */
	void (*release)(void *context, struct worker *worker);
	/** The record is about to be freed: frees worker->attachment. */
	void (*discard)(void *context, struct worker *worker);

	/** Opens a listener. Answer: supervisor_listener_opened or supervisor_listener_failed. */
	void (*open_listener)(void *context, struct listener *listener);
	/** Applies backlog and options again: settings changed, or a worker may have changed them on the shared socket.
	 */
	void (*adjust_listener)(void *context, struct listener *listener);
	/** Closes a listener's descriptor; the listener is about to be destroyed. No answer. */
	void (*close_listener)(void *context, struct listener *listener);

	/** Asks for supervisor_wake() at that time; replaces the last such request. TIME_NEVER: not at all. */
	void (*wake_at)(void *context, int64_t at_ms);

	/** @return a number in [0, 1). */
	double (*random)(void *context);
};

#endif
