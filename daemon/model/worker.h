/*
 * worker.h - one process.
 *
 * When the process is gone, so is its worker; the record goes back to the pool's spare list, so that a flapping site
 * allocates nothing.
 */
#ifndef DAEMON_MODEL_WORKER_H
#define DAEMON_MODEL_WORKER_H

#include "base/list.h"
#include "model/output_ring.h"
#include "model/vocabulary.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct generation;
struct pool;

/** Longest STATUS and REQUEST text kept, terminator included. */
#define WORKER_TEXT_SIZE 128

/** No deadline, no time. */
#define TIME_NEVER INT64_MAX

struct worker {
	struct list link; /**< in pool->workers or pool->spare */
	struct pool *pool;
	struct generation *generation; /**< a reference */
	int slot;                      /**< from 1 */
	pid_t pid;                     /**< 0 until it was spawned */

	enum worker_state state;
	enum cause cause; /**< known before the exit when the supervisor ended it for a fault */
	bool ordered;     /**< it was told to leave */
	bool superseded;  /**< an operation wants a successor in its slot */
	bool asked;       /**< it said STOPPING=1: it wants a successor itself, from when it is good */
	bool was_ready;
	bool good; /**< has been ready for min_ready */
	bool has_beaten;
	bool slow;       /**< the soft limit was reported for the current silence */
	int sent_signal; /**< last signal sent by us, 0: none */

	int64_t started_ms;
	int64_t since_ms; /**< when it entered its state */
	int64_t ready_ms;
	int64_t beat_ms;     /**< last heartbeat */
	int64_t deadline_ms; /**< of the state; TIME_NEVER: none */

	uint64_t busy;
	uint64_t connections;
	uint64_t requests;
	char status[WORKER_TEXT_SIZE];
	char request[WORKER_TEXT_SIZE];
	char failure[WORKER_TEXT_SIZE * 2]; /**< why the command could not be executed */
	struct output_ring output;
	size_t line_length; /**< bytes at the ring's end that are no complete line yet */
	void *attachment;   /**< descriptors and watchers; the effects' own, kept with the record */
};

/** Makes a recycled record fresh; keeps attachment and the memory of the ring. */
void worker_reset(struct worker *worker);

/** @return true while it starts or serves: it counts towards the pool's size. */
bool worker_is_live(const struct worker *worker);
/** @return true when it is on its way out. */
bool worker_is_leaving(const struct worker *worker);

#endif
