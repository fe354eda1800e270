/*
 * event_journal.h - what happened: a ring of the last events, each also a line of the log.
 */
#ifndef DAEMON_SUPERVISOR_EVENT_JOURNAL_H
#define DAEMON_SUPERVISOR_EVENT_JOURNAL_H

#include "model/vocabulary.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pool;
struct worker;

/** Events kept for `unicornctl events`. */
#define EVENT_JOURNAL_SIZE 512
#define EVENT_TEXT_SIZE    192
#define EVENT_POOL_SIZE    49

struct event {
	uint64_t sequence; /**< from 1, without gaps */
	int64_t at_ms;     /**< monotonic */
	enum event_kind kind;
	char pool[EVENT_POOL_SIZE]; /**< "" when it concerns no pool */
	int slot;                   /**< 0 when it concerns no worker */
	pid_t pid;
	unsigned generation;
	char text[EVENT_TEXT_SIZE];
};

struct event_journal {
	struct event *ring;
	uint64_t next; /**< sequence of the next event */
};

bool event_journal_init(struct event_journal *journal);
void event_journal_finish(struct event_journal *journal);

/** Adds an event about the site (pool and worker NULL), a pool, or a worker. @return it, valid until the next 512. */
const struct event *event_journal_add(struct event_journal *journal, int64_t now_ms, enum event_kind kind,
				      const struct pool *pool, const struct worker *worker, const char *fmt,
				      va_list arguments) __attribute__((format(printf, 6, 0)));

/** @return the event with that sequence number, or NULL when it is forgotten or has not happened. */
const struct event *event_journal_find(const struct event_journal *journal, uint64_t sequence);
/** @return the oldest sequence number that is kept; equal to `next` when there is none. */
uint64_t event_journal_oldest(const struct event_journal *journal);

#endif
