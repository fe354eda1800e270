/*
 * supervisor.h - the site while it runs: events come in, verbs come in, effects go out.
 *
 * All state is in one struct; time is an argument; every function returns at once. An event or a verb ends in one
 * idempotent step that compares what is wanted with what is there (supervisor_settle).
 */
#ifndef DAEMON_SUPERVISOR_SUPERVISOR_H
#define DAEMON_SUPERVISOR_SUPERVISOR_H

#include "base/error.h"
#include "model/message.h"
#include "model/site.h"
#include "supervisor/effects.h"
#include "supervisor/event_journal.h"
#include "supervisor/operation.h"

#include <stdarg.h>

/** Somebody who wants to know; a NULL function is not called. They must not call verbs. */
struct observer {
	struct list link;
	void *context;
	void (*event)(void *context, const struct event *event);
	void (*output)(void *context, const struct worker *worker, const char *bytes, size_t length);
	void (*operation_finished)(void *context, const struct operation *operation);
	void (*settled)(void *context); /**< after each event or verb */
};

struct supervisor {
	struct site site;
	struct effects effects;
	struct event_journal journal;
	struct list operations; /**< oldest first */
	struct list observers;
	unsigned last_operation;
	unsigned conflict; /**< number of the operation that was in the way of the last one refused with CONFLICT */
	int64_t started_ms;
	int64_t wake_ms;   /**< what was last asked of effects.wake_at */
	bool ready_once;   /**< every pool has been ready */
	bool start_failed; /**< a listener of the first configuration could not be opened: the daemon ends */
	struct error start_error;
	bool stopping;
	bool disturbed; /**< an operation failed while settling: pools that had settled before have work again */
	bool finished;  /**< stopped and nothing is left: the daemon ends */
};

bool supervisor_init(struct supervisor *supervisor, const char *site_name, const struct effects *effects,
		     int64_t now_ms);
/** Frees everything; processes must be gone. */
void supervisor_finish(struct supervisor *supervisor);

void supervisor_observe(struct supervisor *supervisor, struct observer *observer);
void supervisor_unobserve(struct observer *observer);

/* Verbs. Those that return an operation return NULL with an error when it was refused: then nothing has changed. */

/** Starts the site. Takes over `configuration` in any case. Failures to bind: start_failed. */
struct operation *supervisor_start(struct supervisor *supervisor, struct configuration *configuration, int64_t now_ms,
				   struct error *error);

struct reload_options {
	const char *pool; /**< only this one, or NULL */
	bool only_changed;
	bool supersede; /**< end a running operation in favour of this one */
};

/** Replaces the configuration and rolls. Takes over `candidate` in any case. */
struct operation *supervisor_reload(struct supervisor *supervisor, struct configuration *candidate,
				    const struct reload_options *options, int64_t now_ms, struct error *error);

/** Changes the number of workers: "8", "+2", "-1". `pool` NULL: the only one. */
struct operation *supervisor_scale(struct supervisor *supervisor, const char *pool, const char *change, bool supersede,
				   int64_t now_ms, struct error *error);

/** Replaces workers of all pools (target NULL), of "POOL" or of "POOL/SLOT". */
struct operation *supervisor_restart(struct supervisor *supervisor, const char *target, bool supersede, int64_t now_ms,
				     struct error *error);

/** Drains (or kills) everything; supervisor->finished when nothing is left. */
struct operation *supervisor_stop(struct supervisor *supervisor, bool now, int64_t now_ms, struct error *error);

/** @return an operation by its number, or NULL when it is unknown or forgotten. */
struct operation *supervisor_find_operation(const struct supervisor *supervisor, unsigned id);
/** Splits "POOL/SLOT". @return the pool; *slot is 0 without a slot. NULL with an error when there is none such. */
struct pool *supervisor_find_target(const struct supervisor *supervisor, const char *target, int *slot,
				    struct error *error);

/* Events: what the world answers. */

/** How a worker's process ended; status is a wait status. `failure` is the reason why it never ran, or NULL. */
struct worker_exit {
	int status;
	const char *failure;
};

void supervisor_worker_spawned(struct supervisor *supervisor, struct worker *worker, pid_t pid, int64_t now_ms);
void supervisor_worker_said(struct supervisor *supervisor, struct worker *worker, const struct status_message *message,
			    int64_t now_ms);
void supervisor_worker_wrote(struct supervisor *supervisor, struct worker *worker, const char *bytes, size_t length,
			     int64_t now_ms);
void supervisor_worker_exited(struct supervisor *supervisor, struct worker *worker, const struct worker_exit *ended,
			      int64_t now_ms);
/** A process that a worker left behind outside of its process group was killed. */
void supervisor_stray_killed(struct supervisor *supervisor, pid_t pid, int64_t now_ms);
/** The listener's fd is open and belongs to the effects. */
void supervisor_listener_opened(struct supervisor *supervisor, struct listener *listener, int fd, int64_t now_ms);
void supervisor_listener_failed(struct supervisor *supervisor, struct listener *listener, const struct error *error,
				int64_t now_ms);
/** The time of effects.wake_at has come. */
void supervisor_wake(struct supervisor *supervisor, int64_t now_ms);

/* For the drivers below the verbs. */

/** Compares wanted with actual until nothing is left to do, and asks for the next wake-up. */
void supervisor_settle(struct supervisor *supervisor, int64_t now_ms);
/** Makes sure that supervisor_wake() comes at `at_ms` at the latest. */
void supervisor_wake_by(struct supervisor *supervisor, int64_t at_ms);
/** Notes an event about the site, a pool or a worker. */
void supervisor_note(struct supervisor *supervisor, int64_t now_ms, enum event_kind kind, const struct pool *pool,
		     const struct worker *worker, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/** Gives a reference to a generation back. NULL is allowed. */
void supervisor_release_generation(struct supervisor *supervisor, struct generation *generation);

#endif
