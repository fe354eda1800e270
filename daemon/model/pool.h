/*
 * pool.h - identical workers that serve the same listeners, and the numbered slots they live in.
 *
 * Slots are numbered 1..wanted. In each lives at most one worker of the target generation; while the pool rolls, its
 * predecessor is still there, "outgoing", and leaves when the successor is good.
 */
#ifndef DAEMON_MODEL_POOL_H
#define DAEMON_MODEL_POOL_H

#include "base/list.h"
#include "model/generation.h"
#include "model/worker.h"

#include <stdbool.h>
#include <stdint.h>

/** Deaths remembered for each slot and each pool; give_up cannot count further. */
#define DEATHS_MAX 16
/** Longest text that says why a pool is degraded. */
#define POOL_REASON_SIZE 256
/** Generations of one pool that may have processes at a time; when one more comes, the oldest is killed. */
#define POOL_GENERATIONS_MAX 3

/** Times of the last deaths, for "so many within a window". */
struct death_tally {
	int64_t at_ms[DEATHS_MAX];
	unsigned count; /**< of all deaths; the last DEATHS_MAX are stored */
};

/** How the last worker of a slot ended. */
struct last_exit {
	bool known;
	enum cause cause;
	int status; /**< wait status */
	pid_t pid;
	int64_t at_ms;
	char text[WORKER_TEXT_SIZE * 2];
};

struct slot {
	int number;
	unsigned restarts; /**< starts after the first that no operation asked for */
	unsigned failures; /**< in a row */
	int64_t next_start_ms;
	bool given_up;     /**< too many deaths: tried at the longest pause only */
	bool failed_start; /**< its last worker ended before it was ready */
	bool refused;      /**< the worker refuses its configuration: not tried again */
	struct death_tally deaths;
	struct last_exit last_exit;
	struct output_ring last_output; /**< of the worker that ended last */
	pid_t last_pid;
};

/**
 * Scratch of the pool's driver, written at each step. Not in the slots: a page that is written between two forks is
 * copied, and a thousand slots have many pages.
 */
struct slot_mark {
	bool occupied; /**< a live worker of the target is in it */
	bool served;   /**< and that worker is good */
};

struct operation;

struct pool {
	struct list link; /**< in site->pools */
	char *name;
	struct list workers;
	struct list spare;
	struct slot **slots;     /**< slot n is slots[n - 1] */
	struct slot_mark *marks; /**< one for each slot */
	int slot_count;          /**< allocated; may be more than wanted */

	int wanted;                  /**< workers */
	int scaled;                  /**< what `scale` asked for, 0: nothing, the file counts */
	struct generation *target;   /**< what shall run; a reference */
	struct generation *previous; /**< what to put back if the operation fails; a reference or NULL */

	/* What a failed operation puts back besides `previous`. */
	struct pool_settings *previous_settings; /**< of a target that was changed in place; a reference or NULL */
	int previous_wanted;
	int previous_scaled;

	struct operation *operation; /**< that changes this pool now, or NULL; borrowed */
	bool rolling;                /**< not settled since the last change */
	bool restoring;              /**< the operation failed, the old state comes back */
	bool proven;                 /**< a worker of the target has been good */
	bool stopping;               /**< all workers shall leave */
	bool removed;                /**< goes away when its last worker is gone */
	int failed_starts;           /**< of the target since the roll began */
	bool hopeless;               /**< a start failed in a way that another try cannot cure */
	int64_t progress_ms;         /**< when the roll last got on */

	unsigned failures;     /**< unordered ends in a row while nobody was ready */
	int64_t next_start_ms; /**< while nobody is ready, one worker at a time tries, not before */
	bool given_up;
	struct death_tally deaths;
	char reason[POOL_REASON_SIZE]; /**< why degraded, "" otherwise */
	enum pool_state state;         /**< as last published */
};

/** What of a pool is counted. */
struct pool_counts {
	int starting; /**< target generation, in a wanted slot */
	int ready;
	int good;
	int outgoing_starting; /**< live, but of another generation, to be replaced or in a slot beyond wanted */
	int outgoing_ready;
	int leaving;
};

/** @return a pool without slots and workers, on no list, or NULL without memory. */
struct pool *pool_create(const char *name);
/** Frees records, slots and texts; the attachments and generations must be given back before. NULL is allowed. */
void pool_destroy(struct pool *pool);

/** Makes room for `wanted` slots. @return false without memory: nothing has changed. */
bool pool_reserve_slots(struct pool *pool, int wanted);

/** @return a fresh record, recycled or new, on no list, or NULL without memory. */
struct worker *pool_take_record(struct pool *pool);

struct slot *pool_slot(const struct pool *pool, int number);

/** @return true when the worker shall leave as soon as that is allowed. */
bool pool_is_outgoing(const struct pool *pool, const struct worker *worker);

/** @return true when nothing makes it outgoing but its own wish for a successor. */
bool pool_is_asking(const struct pool *pool, const struct worker *worker);

/** @return the live worker of the target that occupies a slot, or NULL. */
struct worker *pool_find_current(const struct pool *pool, int slot);

void pool_count(const struct pool *pool, struct pool_counts *counts);

/** Workers as the file says, whatever `scale` said. */
int pool_configured(const struct pool *pool);

/** Notes a death. */
void death_tally_add(struct death_tally *tally, int64_t now_ms);
/** @return how many of the stored deaths were within `window_ms`. */
int death_tally_within(const struct death_tally *tally, int64_t now_ms, int64_t window_ms);

#endif
