/*
 * fake_world.h - the other side of supervisor/effects.h for tests: a virtual clock, and a process table in which each
 * process ends exactly once.
 *
 * Faults that this world knows (a test is as good as this list):
 *
 *   of a process   never ready; slowly ready; ready late but with EXTEND_TIMEOUT_USEC; ends before it is ready, with
 *                  any status or signal; ends after it was ready; exits 0 by itself; says STOPPING=1 and serves on, or
 *                  goes; says WATCHDOG=trigger; never beats; stops beating; beats late; drains slowly; ignores the stop
 *                  signal; ignores ABRT too; dies of KILL only after a while (uninterruptible sleep); says READY=1
 *                  twice or while it drains; ends in the very tick in which it says something
 *   of a start     no process comes into being (spawn fails, with or without a pid); the command cannot be executed;
 *                  the answer comes late, so that signals arrive before it
 *   of requests    a generation cannot be prepared; a listener cannot be opened, or its answer is late
 *   of time        timers fire late; everything that happens in one tick comes in random order
 *
 * Answers are queued and delivered as events, never from within a request. Only what a process says comes before its
 * own exit, as the real loop guarantees it. Nothing here allocates once the world is made, so that tests can count the
 * supervisor's allocations.
 */
#ifndef TESTS_SIMULATION_FAKE_WORLD_H
#define TESTS_SIMULATION_FAKE_WORLD_H

#include "supervisor/supervisor.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

/** As ck_assert_msg(), which allocates and writes even when all is well: too much for something done so often. */
#define require(holds, ...)                                                                                            \
	do {                                                                                                           \
		if (!(holds))                                                                                          \
			ck_abort_msg(__VA_ARGS__);                                                                     \
	} while (0)

#define FAKE_PROCESSES_MAX 2048
#define FAKE_EVENTS_MAX    16384
#define FAKE_LAUNCHES_MAX  1024
#define FAKE_LISTENERS_MAX 256

/** What a process will do. Times count from its start, those of the answers to signals from the signal. */
struct fake_behaviour {
	int64_t ready_ms;    /**< TIME_NEVER: never */
	int64_t end_ms;      /**< ends by itself; TIME_NEVER: does not */
	int end_status;      /**< wait status of that */
	int64_t beat_ms;     /**< pause between heartbeats, TIME_NEVER: none */
	int64_t silent_ms;   /**< no heartbeat any more from then on */
	int64_t stopping_ms; /**< says STOPPING=1 */
	int64_t trigger_ms;  /**< says WATCHDOG=trigger */
	int64_t extend_ms;   /**< says EXTEND_TIMEOUT_USEC at once, for so long; TIME_NEVER: does not */
	int64_t drain_ms;    /**< from the stop signal to the exit, TIME_NEVER: ignores it */
	int drain_status;
	int64_t abort_ms;   /**< from ABRT to death, TIME_NEVER: ignores it */
	int64_t kill_ms;    /**< from KILL to death */
	int64_t spawn_ms;   /**< from the request to the answer */
	bool spawn_fails;   /**< there is never a process */
	bool exec_fails;    /**< there is one, but it only says why it cannot become the command */
	const char *output; /**< written at once, NULL: nothing */
};

/** Ready soon, beats every second, leaves when it is asked to. */
extern const struct fake_behaviour fake_good;

/** Wait statuses. */
int fake_exit(int status);
int fake_signal(int signal);

enum fake_request { FAKE_PREPARE, FAKE_SPAWN, FAKE_OPEN_LISTENER };

enum fake_process_state {
	FAKE_FREE,
	FAKE_ASKED,  /**< spawn was asked for */
	FAKE_RUNNING /**< until its exit was delivered */
};

struct fake_process {
	enum fake_process_state state;
	pid_t pid;
	struct worker *worker;
	struct fake_behaviour behaviour;
	int64_t started_ms;
	int64_t end_at_ms; /**< the end that is planned, TIME_NEVER: none */
	int end_status;
	unsigned end_number; /**< only the exit event with this number counts */
	int early_signal;    /**< came before there was a process */
	int signals;         /**< stop signals, ABRT and KILL it got */
};

enum fake_event_kind {
	FAKE_EVENT_SPAWNED,
	FAKE_EVENT_SAYS,
	FAKE_EVENT_BEATS,
	FAKE_EVENT_WRITES,
	FAKE_EVENT_ENDS,
	FAKE_EVENT_LISTENER
};

struct fake_event {
	int64_t at_ms;
	uint32_t order; /**< random: among those of one tick */
	enum fake_event_kind kind;
	struct fake_process *process;
	pid_t pid;       /**< of the process when it was queued: it may be another's record now */
	unsigned number; /**< end_number, or fd of a listener */
	enum status_key key;
	uint64_t value;
	struct listener *listener;
};

/** One listener the world knows; it may have been given up before the answer comes. */
struct fake_listener {
	struct listener *listener; /**< NULL: free */
	int fd;
	bool open;
};

struct fake_world {
	struct supervisor *supervisor;
	int64_t now_ms;
	int64_t wake_ms; /**< as asked for; TIME_NEVER: not at all */
	uint64_t random;
	int64_t lateness_ms; /**< timers fire up to so much late */

	/* What a test may set. */
	void *context;
	void (*behave)(void *context, const struct worker *worker, struct fake_behaviour *behaviour);
	bool (*fails)(void *context, enum fake_request request);
	void (*before_spawn)(void *context, const struct worker *worker);
	void (*before_signal)(void *context, const struct worker *worker, int signal);
	void (*after_event)(void *context);

	/* What happened. */
	uint64_t events_delivered;
	uint64_t spawns;
	uint64_t exits;
	uint64_t releases;
	int launches;    /**< generations prepared and not forgotten */
	int attachments; /**< worker records that have one */
	int listeners_open;
	unsigned adjustments;

	pid_t last_pid;
	int last_fd;
	unsigned last_number;
	int wakes_in_a_row;
	struct fake_process *processes; /**< FAKE_PROCESSES_MAX */
	int process_count;              /**< records that were ever used */
	struct fake_event *events;      /**< a heap */
	size_t event_count;
	char launch_used[FAKE_LAUNCHES_MAX];
	char *attachment_used; /**< FAKE_PROCESSES_MAX */
	struct fake_listener listeners[FAKE_LISTENERS_MAX];
};

void fake_world_init(struct fake_world *world, struct supervisor *supervisor, uint64_t seed);
void fake_world_finish(struct fake_world *world);
struct effects fake_world_effects(struct fake_world *world);

/** @return the time of the next event, TIME_NEVER when nothing is going to happen. */
int64_t fake_world_next(struct fake_world *world);
/** Lets the next event happen. @return false when there is none */
bool fake_world_step(struct fake_world *world);
/** Lets all happen that happens within that time. */
void fake_world_run(struct fake_world *world, int64_t ms);
/** Lets things happen until the condition holds, at most for that time. @return whether it holds */
bool fake_world_run_until(struct fake_world *world, bool (*holds)(void *context), int64_t ms);

/** @return a random number from 0 to limit - 1. */
unsigned fake_world_random(struct fake_world *world, unsigned limit);
/** @return true in so many of a thousand cases. */
bool fake_world_chance(struct fake_world *world, unsigned in_thousand);

/** @return the process of a worker, or NULL. */
struct fake_process *fake_world_process(const struct fake_world *world, pid_t pid);
/** @return how many processes are not reaped, those asked for included. */
int fake_world_processes(const struct fake_world *world);
/** Ends a process from outside, now. */
void fake_world_end(struct fake_world *world, pid_t pid, int status);

#endif
