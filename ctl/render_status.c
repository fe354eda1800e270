/*
 * render_status.c - the site at a glance: listeners, pools, workers.
 */
#include "render.h"

#include "duration.h"
#include "member.h"
#include "table.h"
#include "words.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char *const listener_heads[] = { "LISTENER", "ADDRESS", "QUEUE", "BACKLOG" };
static const char *const slot_heads[] = { "SLOT", "PID",  "STATE", "GEN",       "FOR",  "RESTARTS",
					  "BUSY", "CONN", "REQS",  "HEARTBEAT", "NOTES" };

#define LISTENER_COLUMNS (sizeof(listener_heads) / sizeof(listener_heads[0]))
#define SLOT_COLUMNS     (sizeof(slot_heads) / sizeof(slot_heads[0]))
/** Longest note of a slot; the rest is cut. */
#define NOTE_SIZE 512

static void heads_add(struct table *table, const char *const *heads)
{
	for (size_t i = 0; i < table->columns; i++)
		table_add(table, STYLE_FAINT, "%s", heads[i]);
}

static void integer_add(struct table *table, const json_t *object, const char *name)
{
	if (member_is_null(object, name))
		table_add(table, STYLE_FAINT, "-");
	else
		table_add(table, STYLE_PLAIN, "%lld", member_integer(object, name));
}

static void duration_add(struct table *table, bool known, double seconds)
{
	char text[DURATION_TEXT_SIZE];

	if (known)
		table_add(table, STYLE_PLAIN, "%s", duration_format(text, sizeof(text), seconds));
	else
		table_add(table, STYLE_FAINT, "-");
}

static void site_print(struct output *output, const json_t *result)
{
	const char *state = member_string(result, "state");
	char uptime[DURATION_TEXT_SIZE];

	output_inline(output, STYLE_STRONG, member_string(result, "site"));
	output_print(output, STYLE_PLAIN, ": ");
	output_inline(output, words_pool_state_style(state), state);
	output_line(output, STYLE_PLAIN, ", up %s, pid %lld, unicornd %s",
		    duration_format(uptime, sizeof(uptime), member_number(result, "uptime")),
		    member_integer(result, "pid"), member_string(result, "version"));
	output_line(output, STYLE_FAINT, "%s", member_string(result, "configuration"));
}

static void listeners_print(struct output *output, const json_t *listeners)
{
	struct table table = { .columns = LISTENER_COLUMNS };

	if (json_array_size(listeners) == 0)
		return;
	heads_add(&table, listener_heads);
	for (size_t i = 0; i < json_array_size(listeners); i++) {
		const json_t *listener = json_array_get(listeners, i);

		table_add(&table, STYLE_STRONG, "%s", member_string(listener, "name"));
		table_add(&table, STYLE_PLAIN, "%s", member_string(listener, "address"));
		integer_add(&table, listener, "queue");
		integer_add(&table, listener, "backlog");
	}
	output_print(output, STYLE_PLAIN, "\n");
	table_print(&table, output, 0);
	table_finish(&table);
}

/** Remarks about a slot, separated by "; ". */
struct note {
	char text[NOTE_SIZE];
	enum style style;
};

static void note_append(struct note *note, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note_append(struct note *note, const char *fmt, ...)
{
	size_t used = strlen(note->text);
	va_list arguments;

	snprintf(note->text + used, sizeof(note->text) - used, "%s", used > 0 ? "; " : "");
	used = strlen(note->text);
	va_start(arguments, fmt);
	vsnprintf(note->text + used, sizeof(note->text) - used, fmt, arguments);
	va_end(arguments);
}

static void note_last_exit(struct note *note, const json_t *last_exit, double now)
{
	const char *cause = member_string(last_exit, "cause");
	char age[DURATION_TEXT_SIZE];

	if (!json_is_object(last_exit))
		return;
	duration_format(age, sizeof(age), now - member_number(last_exit, "at"));
	note_append(note, "last exit %s ago: %s (%s)", age, member_string(last_exit, "text"), cause);
	if (words_cause_is_fault(cause))
		note->style = STYLE_CHANGING;
}

static void note_make(struct note *note, const json_t *slot, double now)
{
	char pause[DURATION_TEXT_SIZE];

	*note = (struct note){ .style = STYLE_PLAIN };
	if (!member_is_null(slot, "retry_in"))
		note_append(note, "next start in %s",
			    duration_format(pause, sizeof(pause), member_number(slot, "retry_in")));
	if (member_string(slot, "request")[0] != '\0')
		note_append(note, "%s", member_string(slot, "request"));
	if (member_string(slot, "status")[0] != '\0')
		note_append(note, "%s", member_string(slot, "status"));
	note_last_exit(note, json_object_get(slot, "last_exit"), now);
}

static void slot_add(struct table *table, const json_t *slot, double now)
{
	const char *state = member_string(slot, "state");
	struct note note;

	note_make(&note, slot, now);
	integer_add(table, slot, "slot");
	integer_add(table, slot, "pid");
	table_add(table, words_worker_state_style(state), "%s", state);
	integer_add(table, slot, "generation");
	duration_add(table, !member_is_null(slot, "since"), now - member_number(slot, "since"));
	integer_add(table, slot, "restarts");
	integer_add(table, slot, "busy");
	integer_add(table, slot, "connections");
	integer_add(table, slot, "requests");
	duration_add(table, !member_is_null(slot, "heartbeat_age"), member_number(slot, "heartbeat_age"));
	table_add(table, note.style, "%s", note.text);
}

static void pool_print_head(struct output *output, const json_t *pool)
{
	const char *state = member_string(pool, "state");
	const long long wanted = member_integer(pool, "wanted");
	const long long configured = member_integer(pool, "configured");

	output_inline(output, STYLE_STRONG, member_string(pool, "name"));
	output_print(output, STYLE_PLAIN, ": ");
	output_inline(output, words_pool_state_style(state), state);
	output_print(output, STYLE_PLAIN, ", %lld of %lld ready", member_integer(pool, "ready"), wanted);
	if (wanted != configured)
		output_print(output, STYLE_PLAIN, " (configured: %lld)", configured);
	output_print(output, STYLE_PLAIN, ", generation %lld", member_integer(pool, "generation"));
	if (member_string(pool, "operation")[0] != '\0')
		output_print(output, STYLE_PLAIN, ", operation ");
	output_inline(output, STYLE_PLAIN, member_string(pool, "operation"));
	output_print(output, STYLE_PLAIN, "\n");
	if (member_string(pool, "reason")[0] != '\0')
		output_line(output, words_pool_state_style(state), "  %s", member_string(pool, "reason"));
}

static void pool_print(struct output *output, const json_t *pool, double now)
{
	const json_t *slots = json_object_get(pool, "slots");
	struct table table = { .columns = SLOT_COLUMNS };

	output_print(output, STYLE_PLAIN, "\n");
	pool_print_head(output, pool);
	if (json_array_size(slots) == 0)
		return;
	heads_add(&table, slot_heads);
	for (size_t i = 0; i < json_array_size(slots); i++)
		slot_add(&table, json_array_get(slots, i), now);
	table_print(&table, output, 2);
	table_finish(&table);
}

void render_status(struct output *output, const json_t *result, double now)
{
	const json_t *pools = json_object_get(result, "pools");

	site_print(output, result);
	listeners_print(output, json_object_get(result, "listeners"));
	for (size_t i = 0; i < json_array_size(pools); i++)
		pool_print(output, json_array_get(pools, i), now);
}
