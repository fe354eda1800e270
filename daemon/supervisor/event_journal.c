#include "supervisor/event_journal.h"

#include "base/log.h"
#include "model/pool.h"

#include <stdio.h>
#include <stdlib.h>

bool event_journal_init(struct event_journal *journal)
{
	journal->next = 1;
	journal->ring = calloc(EVENT_JOURNAL_SIZE, sizeof(*journal->ring));
	return journal->ring != NULL;
}

void event_journal_finish(struct event_journal *journal)
{
	free(journal->ring);
	journal->ring = NULL;
}

static void write_line(const struct event *event)
{
	const char *name = event_kind_name(event->kind);
	enum log_level level = event_kind_level(event->kind);
	const struct log_subject subject = {
		.event = name,
		.pool = event->pool,
		.slot = event->slot,
		.generation = event->generation,
		.pid = event->pid,
	};

	if (event->slot > 0)
		log_about(&subject, level, "%s/%d[%d] generation %u: %s: %s", event->pool, event->slot, (int)event->pid,
			  event->generation, name, event->text);
	else if (event->pool[0] != '\0')
		log_about(&subject, level, "%s: %s: %s", event->pool, name, event->text);
	else
		log_about(&subject, level, "%s: %s", name, event->text);
}

const struct event *event_journal_add(struct event_journal *journal, int64_t now_ms, enum event_kind kind,
				      const struct pool *pool, const struct worker *worker, const char *fmt,
				      va_list arguments)
{
	struct event *event = &journal->ring[journal->next % EVENT_JOURNAL_SIZE];

	*event = (struct event){ .sequence = journal->next++, .at_ms = now_ms, .kind = kind };
	if (worker != NULL) {
		pool = worker->pool;
		event->slot = worker->slot;
		event->pid = worker->pid;
		event->generation = worker->generation->number;
	}
	if (pool != NULL)
		(void)snprintf(event->pool, sizeof(event->pool), "%s", pool->name);
	(void)vsnprintf(event->text, sizeof(event->text), fmt, arguments);
	write_line(event);
	return event;
}

const struct event *event_journal_find(const struct event_journal *journal, uint64_t sequence)
{
	if (sequence < event_journal_oldest(journal) || sequence >= journal->next)
		return NULL;
	return &journal->ring[sequence % EVENT_JOURNAL_SIZE];
}

uint64_t event_journal_oldest(const struct event_journal *journal)
{
	return journal->next > EVENT_JOURNAL_SIZE ? journal->next - EVENT_JOURNAL_SIZE : 1;
}
