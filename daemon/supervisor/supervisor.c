#include "supervisor/supervisor.h"

#include "supervisor/operation_driver.h"
#include "supervisor/pool_driver.h"
#include "supervisor/reload.h"
#include "supervisor/worker_driver.h"
#include "supervisor/worker_output.h"

#include <stdio.h>

/** Rounds of one settling; each takes every operation at most one phase further, and there are few phases. */
#define SETTLE_ROUNDS_MAX 16

bool supervisor_init(struct supervisor *supervisor, const char *site_name, const struct effects *effects,
		     int64_t now_ms)
{
	*supervisor = (struct supervisor){ .effects = *effects, .started_ms = now_ms, .wake_ms = TIME_NEVER };
	site_init(&supervisor->site, site_name);
	list_init(&supervisor->operations);
	list_init(&supervisor->observers);
	return event_journal_init(&supervisor->journal);
}

void supervisor_finish(struct supervisor *supervisor)
{
	list_for_each (operation_link, &supervisor->operations) {
		struct operation *operation = list_entry(operation_link, struct operation, link);
		reload_discard(supervisor, operation);
		operation_destroy(operation);
	}
	list_for_each (pool_link, &supervisor->site.pools) {
		pool_driver_destroy(supervisor, list_entry(pool_link, struct pool, link));
	}
	list_for_each (link, &supervisor->site.listeners) {
		struct listener *listener = list_entry(link, struct listener, link);
		if (listener->state == LISTENER_OPEN)
			supervisor->effects.close_listener(supervisor->effects.context, listener);
		listener_destroy(listener);
	}
	configuration_destroy(supervisor->site.configuration);
	supervisor->site.configuration = NULL;
	event_journal_finish(&supervisor->journal);
}

void supervisor_observe(struct supervisor *supervisor, struct observer *observer)
{
	list_append(&supervisor->observers, &observer->link);
}

void supervisor_unobserve(struct observer *observer)
{
	list_remove(&observer->link);
}

void supervisor_note(struct supervisor *supervisor, int64_t now_ms, enum event_kind kind, const struct pool *pool,
		     const struct worker *worker, const char *fmt, ...)
{
	const struct event *event;
	va_list arguments;

	va_start(arguments, fmt);
	event = event_journal_add(&supervisor->journal, now_ms, kind, pool, worker, fmt, arguments);
	va_end(arguments);
	list_for_each (link, &supervisor->observers) {
		struct observer *observer = list_entry(link, struct observer, link);
		if (observer->event != NULL)
			observer->event(observer->context, event);
	}
}

void supervisor_release_generation(struct supervisor *supervisor, struct generation *generation)
{
	if (generation == NULL || !generation_release(generation))
		return;
	supervisor->effects.forget(supervisor->effects.context, generation);
	generation_destroy(generation);
}

void supervisor_wake_by(struct supervisor *supervisor, int64_t at_ms)
{
	if (at_ms >= supervisor->wake_ms)
		return;
	supervisor->wake_ms = at_ms;
	supervisor->effects.wake_at(supervisor->effects.context, at_ms);
}

static int64_t find_next_wake(const struct supervisor *supervisor, int64_t now_ms)
{
	int64_t next = TIME_NEVER;

	list_for_each (pool_link, &supervisor->site.pools) {
		const struct pool *pool = list_entry(pool_link, struct pool, link);
		int64_t at = pool_driver_next(pool, now_ms);
		if (at < next)
			next = at;
		list_for_each (link, &pool->workers) {
			at = worker_driver_next(list_entry(link, struct worker, link));
			if (at < next)
				next = at;
		}
	}
	return next;
}

static void ask_for_wake(struct supervisor *supervisor, int64_t now_ms)
{
	int64_t next = find_next_wake(supervisor, now_ms);

	if (next == supervisor->wake_ms)
		return;
	supervisor->wake_ms = next;
	supervisor->effects.wake_at(supervisor->effects.context, next);
}

static bool settle_once(struct supervisor *supervisor, int64_t now_ms)
{
	bool changed = false;

	supervisor->disturbed = false;
	list_for_each (pool_link, &supervisor->site.pools) {
		pool_driver_settle(supervisor, list_entry(pool_link, struct pool, link), now_ms);
	}
	list_for_each (link, &supervisor->operations) {
		if (operation_driver_advance(supervisor, list_entry(link, struct operation, link), now_ms))
			changed = true;
	}
	return reload_sweep(supervisor, now_ms) || changed || supervisor->disturbed;
}

static bool is_settled(const struct supervisor *supervisor)
{
	list_for_each (link, &supervisor->site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		if (pool->target == NULL || pool->rolling)
			return false;
	}
	return !list_is_empty(&supervisor->site.pools);
}

static void look_at_site(struct supervisor *supervisor, int64_t now_ms)
{
	if (!supervisor->ready_once && !supervisor->stopping && is_settled(supervisor)) {
		supervisor->ready_once = true;
		supervisor_note(supervisor, now_ms, EVENT_SITE_READY, NULL, NULL, "every pool is ready after %.3f s",
				(double)(now_ms - supervisor->started_ms) / 1000.0);
	}
	if (supervisor->stopping && site_is_empty(&supervisor->site))
		supervisor->finished = true;
}

void supervisor_settle(struct supervisor *supervisor, int64_t now_ms)
{
	for (int round = 0; round < SETTLE_ROUNDS_MAX; round++) {
		if (!settle_once(supervisor, now_ms))
			break;
	}
	look_at_site(supervisor, now_ms);
	ask_for_wake(supervisor, now_ms);
	list_for_each (link, &supervisor->observers) {
		struct observer *observer = list_entry(link, struct observer, link);
		if (observer->settled != NULL)
			observer->settled(observer->context);
	}
}

void supervisor_worker_spawned(struct supervisor *supervisor, struct worker *worker, pid_t pid, int64_t now_ms)
{
	worker->pid = pid;
	supervisor_note(supervisor, now_ms, EVENT_WORKER_STARTED, NULL, worker, "started");
}

/** Figures and heartbeats change no plan; a thousand beating workers must not cost a thousand plans a second. */
static bool needs_plan(enum status_key key)
{
	return key == STATUS_READY || key == STATUS_TRIGGER || key == STATUS_STOPPING || key == STATUS_EXTEND;
}

void supervisor_worker_said(struct supervisor *supervisor, struct worker *worker, const struct status_message *message,
			    int64_t now_ms)
{
	worker_driver_said(supervisor, worker, message, now_ms);
	if (needs_plan(message->key))
		supervisor_settle(supervisor, now_ms);
}

void supervisor_worker_wrote(struct supervisor *supervisor, struct worker *worker, const char *bytes, size_t length,
			     int64_t now_ms)
{
	if (!worker_output_take(supervisor, worker, bytes, length))
		return;
	worker_driver_became_ready(supervisor, worker, now_ms);
	supervisor_settle(supervisor, now_ms);
}

void supervisor_worker_exited(struct supervisor *supervisor, struct worker *worker, const struct worker_exit *ended,
			      int64_t now_ms)
{
	worker_output_end(worker);
	worker_driver_exited(supervisor, worker, ended, now_ms);
	supervisor_settle(supervisor, now_ms);
}

void supervisor_stray_killed(struct supervisor *supervisor, pid_t pid, int64_t now_ms)
{
	supervisor_note(supervisor, now_ms, EVENT_STRAY_KILLED, NULL, NULL,
			"process %d, left behind by a worker that is gone", (int)pid);
}

static bool waits_for(const struct operation *operation, const struct listener *listener)
{
	const struct configuration *candidate = operation->candidate;

	if (operation->phase != OPERATION_OPENING || candidate == NULL)
		return false;
	for (size_t i = 0; i < candidate->listener_count; i++) {
		if (address_equal(&candidate->listeners[i]->address, &listener->settings->address))
			return true;
	}
	return false;
}

void supervisor_listener_opened(struct supervisor *supervisor, struct listener *listener, int fd, int64_t now_ms)
{
	char address[ADDRESS_TEXT_SIZE];

	listener->fd = fd;
	listener->state = LISTENER_OPEN;
	supervisor_note(supervisor, now_ms, EVENT_LISTENER_OPENED, NULL, NULL, "%s (%s)", listener->settings->name,
			address_print(&listener->settings->address, address, sizeof(address)));
	list_for_each (link, &supervisor->operations) {
		struct operation *operation = list_entry(link, struct operation, link);
		if (waits_for(operation, listener))
			operation->opening--;
	}
	supervisor_settle(supervisor, now_ms);
}

void supervisor_listener_failed(struct supervisor *supervisor, struct listener *listener, const struct error *error,
				int64_t now_ms)
{
	listener->state = LISTENER_FAILED;
	supervisor_note(supervisor, now_ms, EVENT_LISTENER_FAILED, NULL, NULL, "%s", error->text);
	list_for_each (link, &supervisor->operations) {
		struct operation *operation = list_entry(link, struct operation, link);
		if (!waits_for(operation, listener))
			continue;
		(void)snprintf(operation->message, sizeof(operation->message), "%s", error->text);
		if (operation->verb == VERB_START) {
			supervisor->start_failed = true;
			supervisor->start_error = *error;
		}
		operation_driver_fail(supervisor, operation, now_ms);
	}
	supervisor_settle(supervisor, now_ms);
}

void supervisor_wake(struct supervisor *supervisor, int64_t now_ms)
{
	supervisor->wake_ms = TIME_NEVER;
	list_for_each (pool_link, &supervisor->site.pools) {
		struct pool *pool = list_entry(pool_link, struct pool, link);
		list_for_each (link, &pool->workers) {
			struct worker *worker = list_entry(link, struct worker, link);
			if (worker_driver_next(worker) <= now_ms)
				worker_driver_wake(supervisor, worker, now_ms);
		}
	}
	supervisor_settle(supervisor, now_ms);
}
