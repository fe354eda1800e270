#include "control/control_hub.h"

#include "control/control_answer.h"
#include "control/control_json.h"
#include "control/control_report.h"

/** Chooses who is told. */
typedef bool session_wants_function(const struct control_session *session, const void *what);

static bool is_wanted(const struct control_hub *hub, session_wants_function *wants, const void *what)
{
	list_for_each (link, &hub->sessions) {
		if (wants(list_entry(link, struct control_session, link), what))
			return true;
	}
	return false;
}

/** Prints once, sends to all who want it. Without memory nobody is told: the next one will be in order again. */
static void broadcast(const struct control_hub *hub, session_wants_function *wants, const void *what,
		      json_t *notification)
{
	struct text line = { 0 };

	if (control_json_print(notification, &line)) {
		list_for_each (link, &hub->sessions) {
			struct control_session *session = list_entry(link, struct control_session, link);

			if (wants(session, what))
				session->send(session->context, text_string(&line), line.length);
		}
	}
	text_finish(&line);
	json_decref(notification);
}

static bool wants_events(const struct control_session *session, const void *what)
{
	(void)what;
	return session->follows_events;
}

static bool wants_progress(const struct control_session *session, const void *what)
{
	const struct operation *operation = what;

	return control_session_waits_for(session, operation->id);
}

static bool wants_output(const struct control_session *session, const void *what)
{
	const struct worker *worker = what;

	return control_session_follows_slot(session, worker->pool->name, worker->slot);
}

/** Tells those who wait for the operation that changes the event's pool. */
static void tell_progress(const struct control_hub *hub, const struct event *event)
{
	const struct pool *pool = event->pool[0] != '\0' ? site_find_pool(&hub->supervisor->site, event->pool) : NULL;

	if (pool == NULL || pool->operation == NULL || !is_wanted(hub, wants_progress, pool->operation))
		return;
	broadcast(hub, wants_progress, pool->operation,
		  control_answer_notification("progress", control_report_progress(pool->operation, pool, event)));
}

static void on_event(void *context, const struct event *event)
{
	const struct control_hub *hub = context;

	if (list_is_empty(&hub->sessions))
		return;
	if (is_wanted(hub, wants_events, NULL))
		broadcast(hub, wants_events, NULL, control_answer_notification("event", control_report_event(event)));
	tell_progress(hub, event);
}

static void on_output(void *context, const struct worker *worker, const char *bytes, size_t length)
{
	const struct control_hub *hub = context;

	if (is_wanted(hub, wants_output, worker))
		broadcast(hub, wants_output, worker,
			  control_answer_notification("output", control_report_output(worker, bytes, length)));
}

static void answer_waits(struct control_session *session, const struct operation *operation)
{
	list_for_each (link, &session->waits) {
		struct control_wait *wait = list_entry(link, struct control_wait, link);

		if (wait->operation != operation->id)
			continue;
		control_session_send(session,
				     control_answer_result(json_incref(wait->id), control_report_operation(operation)));
		control_wait_destroy(session, wait);
	}
}

static void on_operation_finished(void *context, const struct operation *operation)
{
	struct control_hub *hub = context;

	list_for_each (link, &hub->sessions) {
		answer_waits(list_entry(link, struct control_session, link), operation);
	}
}

void control_hub_init(struct control_hub *hub, struct supervisor *supervisor, const struct control_context *context)
{
	*hub = (struct control_hub){ .supervisor = supervisor, .context = *context };
	list_init(&hub->sessions);
	list_init(&hub->observer.link);
	hub->observer.context = hub;
	hub->observer.event = on_event;
	hub->observer.output = on_output;
	hub->observer.operation_finished = on_operation_finished;
	supervisor_observe(supervisor, &hub->observer);
}

void control_hub_finish(struct control_hub *hub)
{
	supervisor_unobserve(&hub->observer);
}

void control_hub_join(struct control_hub *hub, struct control_session *session)
{
	list_append(&hub->sessions, &session->link);
}
