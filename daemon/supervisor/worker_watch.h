/*
 * worker_watch.h - the descriptors of one worker and the libev watchers on them (worker->attachment).
 */
#ifndef DAEMON_SUPERVISOR_WORKER_WATCH_H
#define DAEMON_SUPERVISOR_WORKER_WATCH_H

#include "supervisor/supervisor.h"
#include "system/spawn.h"
#include "system/status_pipe.h"

#include <ev.h>

/** What the supervisor has yet to be told of a start. */
enum watch_answer { WATCH_ANSWER_NONE, WATCH_ANSWER_SPAWNED, WATCH_ANSWER_FAILED };

struct worker_watch {
	struct list link; /**< in the list of those with an answer to give */
	struct ev_loop *loop;
	struct supervisor *supervisor;
	struct worker *worker;
	enum watch_answer answer;
	pid_t pid;
	int pidfd;
	ev_io status;
	ev_io notify;
	ev_io output;
	struct status_parser parser;
	uid_t uid;         /**< that the worker runs as */
	char failure[256]; /**< why it never ran */
};

/** @return the worker's watch, made or taken from the last use of the record; NULL without memory. */
struct worker_watch *worker_watch_take(struct ev_loop *loop, struct supervisor *supervisor, struct worker *worker);

/**
 * Starts the process and watches it.
 * @param request  filled but for descriptors and output, which come from here
 * @return false with watch->failure: there is no process
 */
bool worker_watch_start(struct worker_watch *watch, struct spawn_request *request);

/** Reads what is left in its pipes: the last words count. */
void worker_watch_drain(struct worker_watch *watch);
/** Stops watching and closes everything. */
void worker_watch_close(struct worker_watch *watch);

#endif
