/*
 * operation.h - a change somebody asked for: an id, a progress, an outcome.
 *
 * An operation goes through phases: listeners are opened, pools roll, and then either what is no longer wanted is
 * cleaned away, or what was before is restored. It keeps all that is needed to put everything back until it is over.
 */
#ifndef DAEMON_SUPERVISOR_OPERATION_H
#define DAEMON_SUPERVISOR_OPERATION_H

#include "base/error.h"
#include "base/list.h"
#include "base/text.h"
#include "model/site.h"
#include "policy/reload_plan.h"

#include <stddef.h>
#include <stdint.h>

/** Finished operations that `wait` can still ask for. */
#define OPERATIONS_KEPT 32
/** Bytes of the failed worker's output that an answer carries. */
#define OPERATION_DETAIL_MAX 8192
#define OPERATION_ID_SIZE    16
/** Longest POOL/SLOT, terminator included. */
#define OPERATION_WORKER_SIZE 64

enum operation_phase {
	OPERATION_OPENING,   /**< new listeners are being bound; nothing has changed yet */
	OPERATION_ROLLING,   /**< pools change */
	OPERATION_RESTORING, /**< it failed; pools go back to what was before */
	OPERATION_CLEANING,  /**< pools that are no longer wanted drain */
	OPERATION_OVER
};

/** What an operation does to one pool; prepared before the first change. */
struct operation_step {
	struct pool *pool;              /**< borrowed */
	struct pool_settings *settings; /**< a reference */
	enum pool_change change;
	struct generation *generation; /**< a reference until the commit takes it; NULL unless the pool rolls */
};

struct operation {
	struct list link;
	unsigned id;
	enum verb verb;
	enum operation_phase phase;
	enum outcome outcome;
	int64_t started_ms;
	int64_t finished_ms;
	unsigned generation;           /**< number of the generation it brings, 0: none */
	bool changed;                  /**< a worker that served was told to leave */
	bool cleans;                   /**< it changed the configuration: pools that are not in it must leave */
	bool degraded;                 /**< not even the old state came back */
	char message[ERROR_TEXT_SIZE]; /**< why it failed, or what it did */
	char failed_worker[OPERATION_WORKER_SIZE];
	struct text detail; /**< the failed worker's last lines */

	struct configuration *candidate; /**< to be committed; owned until then */
	struct configuration *saved;     /**< to be put back; owned */
	struct operation_step *steps;
	size_t step_count;
	int opening; /**< listeners without an answer */
};

/** @return an operation with that id in phase ROLLING, on no list, or NULL without memory. */
struct operation *operation_create(unsigned id, enum verb verb, int64_t now_ms);
/** Frees; the generations of its steps must have been given back. NULL is allowed. */
void operation_destroy(struct operation *operation);

bool operation_is_running(const struct operation *operation);

/** Prints the id, "r-17". @return buffer */
const char *operation_print_id(const struct operation *operation, char buffer[OPERATION_ID_SIZE]);
/** @return the number of an id, or 0 when it is none. */
unsigned operation_parse_id(const char *id);

#endif
