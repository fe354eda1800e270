#include "control/control_report.h"

#include "control/control_json.h"
#include "control/control_roster.h"
#include "unicornd/control.h"
#include "unicornd/protocol.h"

#include <stdio.h>

/**
 * Bytes of output in one answer, shared by all its workers. As JSON a byte can become six, and the answer must stay
 * well below UNICORND_CONTROL_BACKLOG_MAX.
 */
#define LOGS_BYTES_MAX (1024 * 1024)
/** Longest "POOL/SLOT[PID] EVENT: TEXT". */
#define EVENT_LINE_SIZE (EVENT_POOL_SIZE + EVENT_TEXT_SIZE + 64)

/* ---- operations */

static json_t *make_detail(const struct operation *operation)
{
	if (operation->detail.length == 0)
		return json_null();
	return control_json_text(text_string(&operation->detail), operation->detail.length);
}

static json_t *make_running(const char *id)
{
	return json_pack("{s:s, s:s}", "operation", id, "outcome", outcome_name(OUTCOME_RUNNING));
}

json_t *control_report_operation(const struct operation *operation)
{
	const char *message = operation->message[0] != '\0' ? operation->message : outcome_words(operation->outcome);
	char id[OPERATION_ID_SIZE];

	(void)operation_print_id(operation, id);
	if (operation_is_running(operation))
		return make_running(id);
	return json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o, s:o}", "operation", id, "verb",
			 verb_name(operation->verb), "outcome", outcome_name(operation->outcome), "exit_code",
			 outcome_exit_code(operation->outcome), "message", control_json_string(message), "generation",
			 control_json_number_or_null(operation->generation), "detail", make_detail(operation),
			 "failed_worker", control_json_string_or_null(operation->failed_worker));
}

static const char *print_event(const struct event *event, char *line, size_t size)
{
	const char *name = event_kind_name(event->kind);

	if (event->slot > 0 && event->pid > 0)
		(void)snprintf(line, size, "%s/%d[%d] %s: %s", event->pool, event->slot, (int)event->pid, name,
			       event->text);
	else if (event->slot > 0)
		(void)snprintf(line, size, "%s/%d %s: %s", event->pool, event->slot, name, event->text);
	else
		(void)snprintf(line, size, "%s %s: %s", event->pool, name, event->text);
	return line;
}

json_t *control_report_progress(const struct operation *operation, const struct pool *pool, const struct event *event)
{
	char line[EVENT_LINE_SIZE];
	char id[OPERATION_ID_SIZE];
	struct pool_counts counts;

	pool_count(pool, &counts);
	return json_pack("{s:s, s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "operation",
			 operation_print_id(operation, id), "pool", control_json_string(pool->name), "wanted",
			 pool->wanted, "ready_new", counts.ready, "starting_new", counts.starting, "ready_old",
			 counts.outgoing_ready, "leaving", counts.leaving, "failed_starts", pool->failed_starts,
			 "event", control_json_string(print_event(event, line, sizeof(line))));
}

/* ---- events */

json_t *control_report_event(const struct event *event)
{
	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "sequence",
			 control_json_count(event->sequence), "time", control_json_time(event->at_ms), "event",
			 event_kind_name(event->kind), "level", log_level_name(event_kind_level(event->kind)), "pool",
			 control_json_string_or_null(event->pool), "slot", control_json_number_or_null(event->slot),
			 "pid", control_json_number_or_null(event->pid), "generation",
			 control_json_number_or_null(event->generation), "text", control_json_string(event->text));
}

json_t *control_report_events(const struct event_journal *journal, uint64_t since)
{
	uint64_t oldest = event_journal_oldest(journal);
	json_t *events = json_array();

	for (uint64_t sequence = since < oldest ? oldest : since + 1; sequence < journal->next; sequence++) {
		const struct event *event = event_journal_find(journal, sequence);

		if (event != NULL && json_array_append_new(events, control_report_event(event)) != 0) {
			json_decref(events);
			return NULL;
		}
	}
	return json_pack("{s:o, s:o}", "events", events, "next", control_json_count(journal->next));
}

/* ---- output of workers */

static json_t *make_log(const struct pool *pool, int slot, pid_t pid, json_t *text)
{
	return json_pack("{s:o, s:i, s:o, s:o}", "pool", control_json_string(pool->name), "slot", slot, "pid",
			 control_json_number_or_null(pid), "text", text);
}

json_t *control_report_output(const struct worker *worker, const char *bytes, size_t length)
{
	return make_log(worker->pool, worker->slot, worker->pid, control_json_text(bytes, length));
}

/** The logs that are collected, and how much of each. */
struct collection {
	json_t *logs;
	size_t bytes_each;
	int slot; /**< only this one, or 0 */
};

static bool append_ring(const struct collection *collection, const struct pool *pool, int slot, pid_t pid,
			const struct output_ring *ring)
{
	struct text tail = { 0 };
	json_t *text;

	output_ring_tail(ring, 0, collection->bytes_each, &tail);
	text = tail.failed ? NULL : control_json_text(text_string(&tail), tail.length);
	text_finish(&tail);
	return json_array_append_new(collection->logs, make_log(pool, slot, pid, text)) == 0;
}

static bool append_slot(const struct collection *collection, const struct pool *pool,
			const struct control_roster_slot *slot)
{
	bool silent = true;

	for (size_t i = 0; i < slot->count; i++) {
		const struct worker *worker = slot->workers[i];

		if (worker->output.length == 0)
			continue;
		silent = false;
		if (!append_ring(collection, pool, slot->number, worker->pid, &worker->output))
			return false;
	}
	if (!silent || slot->slot == NULL || slot->slot->last_output.length == 0)
		return true;
	return append_ring(collection, pool, slot->number, slot->slot->last_pid, &slot->slot->last_output);
}

static bool append_pool(const struct collection *collection, const struct pool *pool)
{
	struct control_roster roster;
	struct control_roster_slot slot;
	bool complete = control_roster_init(&roster, pool);

	while (complete && control_roster_next(&roster, &slot)) {
		if (collection->slot == 0 || collection->slot == slot.number)
			complete = append_slot(collection, pool, &slot);
	}
	control_roster_finish(&roster);
	return complete;
}

static bool append_pools(const struct collection *collection, const struct site *site, const struct pool *only)
{
	list_for_each (link, &site->pools) {
		const struct pool *pool = list_entry(link, struct pool, link);

		if ((only == NULL || only == pool) && !append_pool(collection, pool))
			return false;
	}
	return true;
}

/** Workers, or wanted slots without one, that may have output; a bit too many does not matter. */
static size_t count_logs(const struct site *site, const struct pool *only)
{
	size_t count = 1;

	list_for_each (link, &site->pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		struct pool_counts counts;

		pool_count(pool, &counts);
		if (only == NULL || only == pool)
			count += (size_t)(pool->wanted + counts.outgoing_starting + counts.outgoing_ready +
					  counts.leaving);
	}
	return count;
}

json_t *control_report_logs(const struct site *site, const struct pool *pool, int slot)
{
	struct collection collection = { .logs = json_array(), .slot = slot, .bytes_each = OUTPUT_RING_MAX };

	if (slot == 0)
		collection.bytes_each = LOGS_BYTES_MAX / count_logs(site, pool);
	if (!append_pools(&collection, site, pool)) {
		json_decref(collection.logs);
		return NULL;
	}
	return json_pack("{s:o}", "logs", collection.logs);
}

/* ---- texts */

json_t *control_report_configuration(const struct site *site)
{
	struct text text = { 0 };
	json_t *string = NULL;

	if (site->configuration != NULL)
		configuration_print(site->configuration, &text);
	if (!text.failed)
		string = control_json_text(text_string(&text), text.length);
	text_finish(&text);
	return json_pack("{s:o}", "text", string);
}

json_t *control_report_version(void)
{
	return json_pack("{s:s, s:i, s:i}", "version", PACKAGE_VERSION, "protocol", UNICORND_PROTOCOL_VERSION,
			 "control", UNICORND_CONTROL_VERSION);
}
