/*
 * control_report_status.c - control_report_status() of control_report.h: one row a worker.
 */
#include "control/control_json.h"
#include "control/control_report.h"
#include "control/control_roster.h"
#include "system/process.h"
#include "system/socket.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** The moment of the report and what its rows have in common. */
struct view {
	int64_t now_ms;
	const struct pool *pool;
	int64_t pool_pause_ms; /**< before that time nobody is started in this pool */
};

static json_t *make_signal(int status)
{
	char buffer[16];

	if (!WIFSIGNALED(status))
		return json_null();
	return json_string(process_signal_name(WTERMSIG(status), buffer, sizeof(buffer)));
}

static json_t *make_last_exit(const struct slot *slot)
{
	const struct last_exit *last = slot != NULL ? &slot->last_exit : NULL;

	if (last == NULL || !last->known)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:i, s:o}", "cause", cause_name(last->cause), "text",
			 control_json_string(last->text), "status",
			 WIFEXITED(last->status) ? json_integer(WEXITSTATUS(last->status)) : json_null(), "signal",
			 make_signal(last->status), "pid", (int)last->pid, "at", control_json_time(last->at_ms));
}

static json_t *make_heartbeat_age(const struct view *view, const struct worker *worker)
{
	return worker->has_beaten ? control_json_seconds(view->now_ms - worker->beat_ms) : json_null();
}

static json_t *make_worker_row(const struct view *view, const struct control_roster_slot *slot,
			       const struct worker *worker)
{
	return json_pack(
		"{s:i, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:n}", "slot", slot->number, "pid",
		control_json_number_or_null(worker->pid), "state", worker_state_name(worker->state), "generation",
		json_integer(worker->generation->number), "since", control_json_time(worker->since_ms), "restarts",
		json_integer(slot->slot != NULL ? slot->slot->restarts : 0), "last_exit", make_last_exit(slot->slot),
		"status", control_json_string(worker->status), "request", control_json_string(worker->request), "busy",
		control_json_count(worker->busy), "connections", control_json_count(worker->connections), "requests",
		control_json_count(worker->requests), "heartbeat_age", make_heartbeat_age(view, worker), "retry_in");
}

static json_t *make_retry(const struct view *view, const struct slot *slot)
{
	int64_t at_ms = view->pool_pause_ms;

	if (slot != NULL && slot->next_start_ms > at_ms)
		at_ms = slot->next_start_ms;
	if (view->pool->stopping || at_ms == TIME_NEVER || at_ms <= view->now_ms || (slot != NULL && slot->refused))
		return json_null();
	return control_json_seconds(at_ms - view->now_ms);
}

/** A wanted slot in which nobody is. */
static json_t *make_empty_row(const struct view *view, const struct control_roster_slot *slot)
{
	const struct slot *place = slot->slot;
	bool known = place != NULL && place->last_exit.known;

	return json_pack("{s:i, s:n, s:s, s:n, s:o, s:o, s:o, s:s, s:s, s:i, s:i, s:i, s:n, s:o}", "slot", slot->number,
			 "pid", "state", worker_state_name(WORKER_GONE), "generation", "since",
			 known ? control_json_time(place->last_exit.at_ms) : json_null(), "restarts",
			 json_integer(place != NULL ? place->restarts : 0), "last_exit", make_last_exit(place),
			 "status", "", "request", "", "busy", 0, "connections", 0, "requests", 0, "heartbeat_age",
			 "retry_in", make_retry(view, place));
}

static bool append_slot(json_t *rows, const struct view *view, const struct control_roster_slot *slot)
{
	if (slot->count == 0)
		return json_array_append_new(rows, make_empty_row(view, slot)) == 0;
	for (size_t i = 0; i < slot->count; i++) {
		if (json_array_append_new(rows, make_worker_row(view, slot, slot->workers[i])) != 0)
			return false;
	}
	return true;
}

static json_t *make_rows(const struct view *view)
{
	struct control_roster roster;
	struct control_roster_slot slot;
	json_t *rows = json_array();
	bool complete = control_roster_init(&roster, view->pool);

	while (complete && control_roster_next(&roster, &slot))
		complete = append_slot(rows, view, &slot);
	control_roster_finish(&roster);
	if (complete)
		return rows;
	json_decref(rows);
	return NULL;
}

static json_t *make_pool(const struct pool *pool, int64_t now_ms)
{
	struct view view = { .now_ms = now_ms, .pool = pool };
	char id[OPERATION_ID_SIZE] = "";
	struct pool_counts counts;
	int ready;

	pool_count(pool, &counts);
	ready = counts.ready + counts.outgoing_ready;
	if (ready == 0)
		view.pool_pause_ms = pool->next_start_ms;
	if (pool->operation != NULL)
		(void)operation_print_id(pool->operation, id);
	return json_pack("{s:o, s:i, s:i, s:i, s:o, s:s, s:o, s:o, s:o}", "name", control_json_string(pool->name),
			 "wanted", pool->wanted, "configured", pool_configured(pool), "ready", ready, "generation",
			 json_integer(pool->target != NULL ? pool->target->number : 0), "state",
			 pool_state_name(pool->state), "reason", control_json_string_or_null(pool->reason), "operation",
			 control_json_string_or_null(id), "slots", make_rows(&view));
}

static json_t *make_pools(const struct site *site, int64_t now_ms)
{
	json_t *pools = json_array();

	list_for_each (link, &site->pools) {
		if (json_array_append_new(pools, make_pool(list_entry(link, struct pool, link), now_ms)) != 0) {
			json_decref(pools);
			return NULL;
		}
	}
	return pools;
}

/** As configured; for port 0 what the kernel has chosen. */
static struct address find_address(const struct listener *listener)
{
	const struct address *configured = &listener->settings->address;
	bool tcp = configured->kind == ADDRESS_TCP4 || configured->kind == ADDRESS_TCP6;
	struct address bound;

	return tcp && configured->port == 0 && socket_address(listener->fd, &bound) ? bound : *configured;
}

static json_t *make_listener(const struct listener *listener)
{
	const struct address where = find_address(listener);
	char address[ADDRESS_TEXT_SIZE];
	struct socket_queue queue = { 0 };
	bool known = listener->fd >= 0 && socket_queue(listener->fd, &queue);

	return json_pack("{s:o, s:o, s:o, s:o}", "name", control_json_string(listener->settings->name), "address",
			 control_json_string(address_print(&where, address, sizeof(address))), "backlog",
			 known ? json_integer(queue.limit) : json_null(), "queue",
			 known ? json_integer(queue.waiting) : json_null());
}

static json_t *make_listeners(const struct site *site)
{
	json_t *listeners = json_array();

	list_for_each (link, &site->listeners) {
		if (json_array_append_new(listeners, make_listener(list_entry(link, struct listener, link))) != 0) {
			json_decref(listeners);
			return NULL;
		}
	}
	return listeners;
}

/** The states are in order: the worst one of any pool is the site's. */
static enum pool_state worst_state(const struct supervisor *supervisor)
{
	enum pool_state worst = supervisor->stopping ? POOL_STOPPING : POOL_STEADY;

	list_for_each (link, &supervisor->site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);

		if (pool->state > worst)
			worst = pool->state;
	}
	return worst;
}

json_t *control_report_status(const struct supervisor *supervisor, const char *configuration_name, int64_t now_ms)
{
	const struct site *site = &supervisor->site;

	return json_pack("{s:o, s:s, s:o, s:i, s:o, s:s, s:o, s:o, s:o}", "site", control_json_string(site->name),
			 "version", PACKAGE_VERSION, "generation", json_integer(site->generation), "pid", (int)getpid(),
			 "uptime", control_json_seconds(now_ms - supervisor->started_ms), "state",
			 pool_state_name(worst_state(supervisor)), "configuration",
			 control_json_string(configuration_name), "listeners", make_listeners(site), "pools",
			 make_pools(site, now_ms));
}
