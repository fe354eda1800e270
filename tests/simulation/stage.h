/*
 * stage.h - a supervisor on a fake world, with sites written as one line of text and the invariants checked after
 * every event.
 *
 *   "listener web: address=127.0.0.1:8000; pool app: command=good, workers=4, listeners=web"
 *
 * Settings have the names and values of the configuration file; `command` is a program of programs.h and `ready` is
 * "message" unless it is given. Several listeners of a pool are written with blanks.
 */
#ifndef TESTS_SIMULATION_STAGE_H
#define TESTS_SIMULATION_STAGE_H

#include "fake_world.h"

/** Where failures of the random schedules can be repeated from. */
#define STAGE_SEED_VARIABLE "SIMULATION_SEED"
/** Set to print the supervisor's log to standard error. */
#define STAGE_TRACE_VARIABLE "SIMULATION_TRACE"

#define STAGE_POOLS_MAX   8
#define STAGE_RECORDS_MAX 16
#define STAGE_SERVING_MAX 128

/** What a pool looked like before an operation. */
struct pool_record {
	char name[32];
	unsigned generation;
	int wanted;
	int scaled;
};

/** What the site looked like before an operation. */
struct operation_record {
	unsigned id; /**< 0: free */
	enum verb verb;
	struct pool_record pools[STAGE_POOLS_MAX];
	int pool_count;
	pid_t serving[STAGE_SERVING_MAX]; /**< who served */
	int serving_count;
	bool touched;        /**< one of them was told to leave */
	bool can_fail;       /**< when another operation was asked for: it has something to hand on */
	char *configuration; /**< in effect before, printed */
	unsigned earlier;    /**< a running operation that will put back another configuration */
};

struct stage {
	struct fake_world world;
	struct supervisor supervisor;
	struct observer observer;
	struct error error;
	uint64_t seed;
	uint64_t steps;
	bool keeps_records; /**< whether failed operations are compared with what was before */
	struct operation_record records[STAGE_RECORDS_MAX];
	unsigned events[EVENT_KIND_COUNT]; /**< how often each happened */
	void *context;
	void (*behave)(void *context, const char *program, struct fake_behaviour *behaviour);
};

/** Opens a stage with an empty site. */
void stage_open(struct stage *stage, uint64_t seed);
/** Frees everything; nothing may be left over. */
void stage_close(struct stage *stage);

/** Builds a configuration from its text. */
struct configuration *stage_configuration(const char *text);

/* The verbs, with the text of a configuration; NULL when refused, the reason is in stage->error. */

struct operation *stage_start(struct stage *stage, const char *text);
struct operation *stage_reload(struct stage *stage, const char *text, const struct reload_options *options);
struct operation *stage_scale(struct stage *stage, const char *pool, const char *change, bool supersede);
struct operation *stage_restart(struct stage *stage, const char *target, bool supersede);
struct operation *stage_stop(struct stage *stage, bool now);

/** Starts a site and waits until every pool is ready. */
void stage_up(struct stage *stage, const char *text);
/** Waits until an operation is over. @return its outcome, RUNNING when it is not over within the time */
enum outcome stage_wait(struct stage *stage, const struct operation *operation, int64_t ms);
/** Stops the site, waits for its end, closes the stage. */
void stage_down(struct stage *stage);

struct pool *stage_pool(struct stage *stage, const char *name);
/** @return the live worker of the target in a slot, or NULL */
struct worker *stage_worker(struct stage *stage, const char *pool, int slot);
pid_t stage_pid(struct stage *stage, const char *pool, int slot);
void stage_count(struct stage *stage, const char *pool, struct pool_counts *counts);
/** @return true when every pool has all its workers, good, and nobody else. */
bool stage_is_calm(struct stage *stage);
/** Waits until the site is calm. @return whether it is */
bool stage_wait_calm(struct stage *stage, int64_t ms);

#endif
