#include "invariants.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Generations that one site of a test may have at a time. */
#define GENERATIONS_MAX 64
/** Of a record whose verb has not returned yet. */
#define ID_PENDING UINT_MAX

void invariant_broken(const struct stage *stage, const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	ck_abort_msg("%s:%d: %s (seed %llu, step %llu, at %lld ms; repeat with %s=%llu %s=1)", file, line, text,
		     (unsigned long long)stage->seed, (unsigned long long)stage->steps, (long long)stage->world.now_ms,
		     STAGE_SEED_VARIABLE, (unsigned long long)stage->seed, STAGE_TRACE_VARIABLE);
	abort();
}

static int wanted_of(const struct pool *pool)
{
	return pool->stopping ? 0 : pool->wanted;
}

/* ---- starts and orders to leave */

static int ceiling_of(const struct pool *pool)
{
	int ceiling = wanted_of(pool) + share_of(&pool->target->settings->surge, wanted_of(pool));
	/* A pool that is made smaller keeps all its old workers until a new one has proven itself. */
	bool keeps_more = pool->operation != NULL && !pool->proven && pool->previous_wanted > pool->wanted;

	return keeps_more ? ceiling + pool->previous_wanted - pool->wanted : ceiling;
}

static int count_live(const struct pool_counts *counts)
{
	return counts->starting + counts->ready + counts->outgoing_starting + counts->outgoing_ready;
}

void invariants_before_spawn(struct stage *stage, const struct worker *worker)
{
	const struct pool *pool = worker->pool;
	const struct slot *slot = pool_slot(pool, worker->slot);
	int ceiling = ceiling_of(pool);
	struct pool_counts counts;
	int live;

	pool_count(pool, &counts);
	live = count_live(&counts);
	invariant(stage, live <= ceiling, "%s: %d workers start or serve, the ceiling is %d", pool->name, live,
		  ceiling);
	invariant(stage, counts.starting + counts.ready <= pool->wanted, "%s: more new workers than wanted",
		  pool->name);
	invariant(stage, !pool->stopping, "%s: a start while it stops", pool->name);
	invariant(stage, worker->generation == pool->target, "%s: a start of an old generation", pool->name);
	invariant(stage, worker->slot <= pool->wanted, "%s/%d: beyond what is wanted", pool->name, worker->slot);
	invariant(stage, !slot->refused, "%s/%d: tried although it was refused", pool->name, worker->slot);
	invariant(stage, slot->next_start_ms <= stage->world.now_ms, "%s/%d: started during its pause", pool->name,
		  worker->slot);
	invariant(stage, pool->proven || counts.outgoing_ready == 0 || counts.starting + counts.ready == 1,
		  "%s: an unproven generation does not go alone", pool->name);
	list_for_each (link, &pool->workers) {
		const struct worker *other = list_entry(link, struct worker, link);
		invariant(stage,
			  other == worker || other->slot != worker->slot || !worker_is_live(other) ||
				  pool_is_outgoing(pool, other),
			  "%s/%d: two workers in one slot", pool->name, worker->slot);
	}
}

/** Notes in whose time somebody who had served before was told to leave, for want of a successor or not. */
static void touch_records(struct stage *stage, const struct worker *worker)
{
	const struct operation *operation = worker->pool->operation;

	for (int i = 0; operation != NULL && i < STAGE_RECORDS_MAX; i++) {
		struct operation_record *record = &stage->records[i];
		if (record->id != operation->id && record->id != ID_PENDING)
			continue;
		for (int row = 0; row < record->serving_count; row++)
			record->touched = record->touched || record->serving[row] == worker->pid;
	}
}

/** How many would still serve without that worker. */
static int serving_without(const struct pool *pool, const struct worker *without)
{
	int serving = 0;

	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		if (worker != without && worker->state == WORKER_READY)
			serving += worker->good || pool_is_outgoing(pool, worker);
	}
	return serving;
}

/** Who asked for a successor is told to leave when that is good, or to make room for it. */
static void check_asking(struct stage *stage, const struct worker *worker)
{
	const struct pool *pool = worker->pool;
	const struct worker *successor = pool_find_current(pool, worker->slot);
	struct pool_counts counts;

	pool_count(pool, &counts);
	invariant(stage, worker->good && worker->cause == CAUSE_RECYCLED, "%s/%d: recycled as %s", pool->name,
		  worker->slot, cause_name(worker->cause));
	invariant(stage, (successor != NULL && successor->good) || count_live(&counts) + 1 >= ceiling_of(pool),
		  "%s/%d: has asked for a successor and must leave before that is good", pool->name, worker->slot);
}

void invariants_before_signal(struct stage *stage, const struct worker *worker, int signal)
{
	const struct pool *pool = worker->pool;
	int wanted = wanted_of(pool);
	int floor = wanted - share_of(&pool->target->settings->max_unavailable, wanted);
	int serving = serving_without(pool, worker);

	invariant(stage,
		  worker->state == WORKER_DRAINING || worker->state == WORKER_ABORTING ||
			  worker->state == WORKER_KILLING,
		  "%s/%d: signal %d in state %s", pool->name, worker->slot, signal, worker_state_name(worker->state));
	if (worker->state == WORKER_DRAINING) {
		invariant(stage, pool_is_outgoing(pool, worker), "%s/%d: a wanted worker must leave", pool->name,
			  worker->slot);
		invariant(stage, !worker->was_ready || serving >= floor,
			  "%s/%d: %d would serve without it, the floor is %d", pool->name, worker->slot, serving,
			  floor);
		if (pool_is_asking(pool, worker))
			check_asking(stage, worker);
		else if (worker->was_ready && !worker->superseded)
			touch_records(stage, worker);
	}
	if (worker->ordered && worker->sent_signal == SIGKILL && signal == SIGKILL && worker->cause == CAUSE_NONE)
		invariant(stage, worker->state == WORKER_KILLING, "%s/%d: killed in state %s", pool->name, worker->slot,
			  worker_state_name(worker->state));
}

/* ---- references */

struct generation_count {
	const struct generation *generation;
	int references;
};

struct generation_counts {
	struct generation_count rows[GENERATIONS_MAX];
	int count;
};

static void count_reference(struct generation_counts *counts, const struct generation *generation)
{
	int i = 0;

	if (generation == NULL)
		return;
	while (i < counts->count && counts->rows[i].generation != generation)
		i++;
	if (i == counts->count) {
		require(i < GENERATIONS_MAX, "too many generations");
		counts->rows[counts->count++] = (struct generation_count){ .generation = generation };
	}
	counts->rows[i].references++;
}

static void count_pool(struct generation_counts *counts, const struct pool *pool)
{
	count_reference(counts, pool->target);
	count_reference(counts, pool->previous);
	list_for_each (link, &pool->workers) {
		count_reference(counts, list_entry(link, struct worker, link)->generation);
	}
}

static void count_references(const struct supervisor *supervisor, struct generation_counts *counts)
{
	list_for_each (link, &supervisor->site.pools) {
		count_pool(counts, list_entry(link, struct pool, link));
	}
	list_for_each (link, &supervisor->operations) {
		const struct operation *operation = list_entry(link, struct operation, link);
		for (size_t i = 0; i < operation->step_count; i++)
			count_reference(counts, operation->steps[i].generation);
	}
}

static int count_borrowers(const struct generation_counts *counts, const struct listener *listener)
{
	int borrowers = 0;

	for (int i = 0; i < counts->count; i++) {
		const struct generation *generation = counts->rows[i].generation;
		for (size_t l = 0; l < generation->listener_count; l++)
			borrowers += generation->listeners[l] == listener;
	}
	return borrowers;
}

static void check_references(struct stage *stage)
{
	static struct generation_counts counts;

	counts.count = 0;
	count_references(&stage->supervisor, &counts);
	for (int i = 0; i < counts.count; i++) {
		const struct generation_count *row = &counts.rows[i];
		invariant(stage, row->generation->references == row->references,
			  "generation %u of %s says %d references and has %d", row->generation->number,
			  row->generation->settings->name, row->generation->references, row->references);
	}
	invariant(stage, stage->world.launches == counts.count, "%d generations are prepared, %d are known",
		  stage->world.launches, counts.count);
	list_for_each (link, &stage->supervisor.site.listeners) {
		const struct listener *listener = list_entry(link, struct listener, link);
		int borrowers = count_borrowers(&counts, listener);
		invariant(stage, listener->generations == borrowers, "listener %s says %d generations and has %d",
			  listener->settings->name, listener->generations, borrowers);
	}
}

/* ---- processes and records */

static int count_links(const struct list *list)
{
	int count = 0;

	list_for_each (link, list) {
		(void)link;
		count++;
	}
	return count;
}

static void check_processes(struct stage *stage)
{
	int workers = 0;
	int records = 0;

	list_for_each (pool_link, &stage->supervisor.site.pools) {
		const struct pool *pool = list_entry(pool_link, struct pool, link);
		workers += count_links(&pool->workers);
		records += count_links(&pool->workers) + count_links(&pool->spare);
	}
	invariant(stage, workers == fake_world_processes(&stage->world), "%d workers, %d processes", workers,
		  fake_world_processes(&stage->world));
	invariant(stage, stage->world.releases == stage->world.exits, "%llu exits, %llu releases",
		  (unsigned long long)stage->world.exits, (unsigned long long)stage->world.releases);
	invariant(stage, stage->world.attachments <= records, "%d attachments of %d records", stage->world.attachments,
		  records);
}

/** Old generations that drain do not pile up; those that serve stay. */
void invariants_generation_came_in(struct stage *stage, const struct pool *pool)
{
	struct generation_counts counts = { .count = 0 };
	int leaving = 0;

	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		if (worker->state == WORKER_KILLING)
			continue;
		count_reference(&counts, worker->generation);
		leaving += worker_is_leaving(worker);
	}
	invariant(stage, counts.count < POOL_GENERATIONS_MAX || leaving == 0,
		  "%s: %d generations have processes and %d of them are only leaving", pool->name, counts.count,
		  leaving);
}

/* ---- time */

/** When something must be done about a worker, worked out from its settings. */
static int64_t next_of_worker(const struct worker *worker)
{
	const struct pool_settings *settings = worker->generation->settings;
	int64_t next = worker->deadline_ms;
	bool watched = settings->heartbeat == HEARTBEAT_REQUIRED ||
		       (settings->heartbeat == HEARTBEAT_OPTIONAL && worker->has_beaten);

	if (worker->state != WORKER_READY)
		return next;
	if (!worker->good && worker->ready_ms + settings->min_ready_ms < next)
		next = worker->ready_ms + settings->min_ready_ms;
	if (watched && !worker->slow && worker->beat_ms + settings->heartbeat_soft_ms < next)
		next = worker->beat_ms + settings->heartbeat_soft_ms;
	if (watched && worker->beat_ms + settings->heartbeat_hard_ms < next)
		next = worker->beat_ms + settings->heartbeat_hard_ms;
	return next;
}

static void check_wake_of(struct stage *stage, const struct pool *pool)
{
	int64_t now_ms = stage->world.now_ms;
	int64_t wake_ms = stage->world.wake_ms;
	int64_t late_ms = stage->world.lateness_ms;

	if (wake_ms != TIME_NEVER)
		wake_ms -= late_ms;
	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		int64_t next = next_of_worker(worker);
		invariant(stage, wake_ms <= next || wake_ms <= now_ms,
			  "%s/%d (%s) needs something in %lld ms, the next wake-up is in %lld", pool->name,
			  worker->slot, worker_state_name(worker->state), (long long)(next - now_ms),
			  (long long)(wake_ms - now_ms));
	}
	if (pool->stopping || pool->target == NULL || pool->operation != NULL)
		return;
	for (int slot = 1; slot <= pool->wanted; slot++) {
		int64_t start_ms = pool_slot(pool, slot)->next_start_ms;
		if (pool_slot(pool, slot)->refused || pool_find_current(pool, slot) != NULL)
			continue;
		if (start_ms < pool->next_start_ms)
			start_ms = pool->next_start_ms;
		invariant(stage, wake_ms <= start_ms || start_ms <= now_ms,
			  "%s/%d is to be started in %lld ms, the next wake-up is in %lld", pool->name, slot,
			  (long long)(start_ms - now_ms), (long long)(wake_ms - now_ms));
	}
}

/* ---- operations */

static void check_operations(struct stage *stage)
{
	int reloads = 0;

	list_for_each (link, &stage->supervisor.operations) {
		const struct operation *operation = list_entry(link, struct operation, link);
		reloads += operation_is_running(operation) && operation->verb == VERB_RELOAD;
		invariant(stage, operation_is_running(operation) || operation->outcome != OUTCOME_RUNNING,
			  "operation %u is over without an outcome", operation->id);
	}
	invariant(stage, reloads <= 1, "%d reloads run at once", reloads);
}

static bool something_runs(const struct supervisor *supervisor)
{
	list_for_each (link, &supervisor->operations) {
		if (operation_is_running(list_entry(link, struct operation, link)))
			return true;
	}
	return false;
}

static void check_resting_pool(struct stage *stage, const struct pool *pool)
{
	const struct pool_settings *settings =
		configuration_find_pool(stage->supervisor.site.configuration, pool->name);
	bool differs = true;

	invariant(stage, settings != NULL, "pool %s is not configured", pool->name);
	invariant(stage, pool->target != NULL, "pool %s has nothing to run", pool->name);
	(void)pool_settings_compare(settings, pool->target->settings, &differs);
	invariant(stage, !differs, "pool %s runs with other settings than configured", pool->name);
	invariant(stage, pool->wanted == (pool->scaled > 0 ? pool->scaled : settings->workers),
		  "pool %s wants %d workers, scaled %d, configured %d", pool->name, pool->wanted, pool->scaled,
		  settings->workers);
	invariant(stage, pool->previous == NULL && pool->previous_settings == NULL && !pool->restoring,
		  "pool %s still has something to put back", pool->name);
	invariant(stage, !pool->stopping && !pool->removed, "pool %s is on its way out", pool->name);
}

/** When no operation runs, the site is what its configuration says. */
static void check_rest(struct stage *stage)
{
	const struct supervisor *supervisor = &stage->supervisor;
	const struct configuration *configuration = supervisor->site.configuration;

	if (supervisor->stopping || configuration == NULL || something_runs(supervisor))
		return;
	invariant(stage, count_links(&supervisor->site.pools) == (int)configuration->pool_count,
		  "%d pools, %d are configured", count_links(&supervisor->site.pools), (int)configuration->pool_count);
	list_for_each (link, &supervisor->site.pools) {
		check_resting_pool(stage, list_entry(link, struct pool, link));
	}
	for (size_t i = 0; i < configuration->listener_count; i++) {
		const struct listener *listener =
			site_find_listener_at(&supervisor->site, &configuration->listeners[i]->address);
		invariant(stage, listener != NULL && listener->state == LISTENER_OPEN, "listener %s is not open",
			  configuration->listeners[i]->name);
	}
}

static void check_pool(struct stage *stage, const struct pool *pool)
{
	const struct operation *operation = pool->operation;
	struct pool_counts counts;

	pool_count(pool, &counts);
	invariant(stage, counts.starting + counts.ready <= pool->wanted, "%s: more workers than slots", pool->name);
	check_wake_of(stage, pool);
	invariant(stage, operation == NULL || operation_is_running(operation), "%s: its operation %u is over",
		  pool->name, operation->id);
	invariant(stage, pool->state != POOL_DEGRADED || pool->reason[0] != '\0', "%s: degraded without a reason",
		  pool->name);
}

void invariants_check(struct stage *stage)
{
	check_references(stage);
	check_processes(stage);
	check_operations(stage);
	list_for_each (link, &stage->supervisor.site.pools) {
		check_pool(stage, list_entry(link, struct pool, link));
	}
	check_rest(stage);
}

/* ---- what was before an operation */

static struct operation_record *find_record(struct stage *stage, unsigned id)
{
	for (int i = 0; i < STAGE_RECORDS_MAX; i++) {
		if (stage->records[i].id == id)
			return &stage->records[i];
	}
	return NULL;
}

static void forget_record(struct operation_record *record)
{
	free(record->configuration);
	*record = (struct operation_record){ 0 };
}

static const struct pool_record *find_pool_record(const struct operation_record *record, const char *name)
{
	for (int i = 0; record != NULL && i < record->pool_count; i++) {
		if (strcmp(record->pools[i].name, name) == 0)
			return &record->pools[i];
	}
	return NULL;
}

/** @return what an operation that can still fail found, NULL when there is none */
static struct operation_record *find_earlier(struct stage *stage, const struct operation *operation)
{
	if (operation == NULL || (operation->phase != OPERATION_OPENING && operation->phase != OPERATION_ROLLING))
		return NULL;
	return find_record(stage, operation->id);
}

static void record_pid(struct operation_record *record, pid_t pid)
{
	if (record->serving_count < STAGE_SERVING_MAX)
		record->serving[record->serving_count++] = pid;
}

static void record_serving(struct operation_record *record, const struct pool *pool)
{
	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		if (worker->state == WORKER_READY && !pool_is_outgoing(pool, worker))
			record_pid(record, worker->pid);
	}
}

/** A pool that another operation changes just now: what that one found is what was before. */
static void record_pool(struct stage *stage, struct operation_record *record, const struct pool *pool)
{
	const struct operation_record *earlier = find_earlier(stage, pool->operation);
	struct pool_record row = { .generation = pool->target->number, .wanted = pool->wanted, .scaled = pool->scaled };

	(void)snprintf(row.name, sizeof(row.name), "%s", pool->name);
	if (earlier != NULL) {
		const struct pool_record *found = find_pool_record(earlier, pool->name);
		if (found == NULL)
			return;
		row = *found;
	}
	record->pools[record->pool_count++] = row;
	if (earlier == NULL)
		record_serving(record, pool);
}

static bool is_target(const char *target, const struct pool *pool)
{
	size_t length = strlen(pool->name);

	return target == NULL ||
	       (strncmp(target, pool->name, length) == 0 && (target[length] == '\0' || target[length] == '/'));
}

static char *print_configuration(const struct configuration *configuration)
{
	struct text text = { 0 };

	configuration_print(configuration, &text);
	return text.data;
}

struct operation_record *invariants_begin_record(struct stage *stage, enum verb verb, const char *target)
{
	struct operation_record *record = stage->keeps_records ? find_record(stage, 0) : NULL;
	const struct supervisor *supervisor = &stage->supervisor;

	if (record == NULL)
		return NULL;
	*record = (struct operation_record){ .id = ID_PENDING, .verb = verb };
	for (int i = 0; i < STAGE_RECORDS_MAX; i++)
		stage->records[i].can_fail = false;
	list_for_each (link, &supervisor->site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		if (pool->target != NULL && !pool->stopping && is_target(target, pool))
			record_pool(stage, record, pool);
	}
	list_for_each (link, &supervisor->operations) {
		const struct operation *operation = list_entry(link, struct operation, link);
		struct operation_record *earlier = find_earlier(stage, operation);
		if (earlier == NULL)
			continue;
		earlier->can_fail = true;
		if (operation->saved != NULL)
			record->earlier = operation->id;
	}
	record->configuration = print_configuration(supervisor->site.configuration);
	return record;
}

/** A pool that a reload leaves alone may be changed by another operation meanwhile: that is not the reload's. */
static void disown_pools(struct stage *stage, const struct operation *operation)
{
	list_for_each (link, &stage->supervisor.site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		for (int i = 0; pool->operation == operation && i < STAGE_RECORDS_MAX; i++) {
			struct operation_record *record = &stage->records[i];
			for (int row = 0; record->id != operation->id && row < record->pool_count; row++) {
				if (strcmp(record->pools[row].name, pool->name) == 0)
					record->pools[row] = record->pools[--record->pool_count];
			}
		}
	}
}

/** The heir of an operation that changed the configuration puts back what that one found. */
static void inherit_configuration(struct stage *stage, struct operation_record *record)
{
	const struct operation *earlier = supervisor_find_operation(&stage->supervisor, record->earlier);
	struct operation_record *found = find_record(stage, record->earlier);

	if (record->earlier == 0 || found == NULL || (earlier != NULL && operation_is_running(earlier)))
		return;
	free(record->configuration);
	record->configuration = found->configuration;
	found->configuration = NULL;
}

/** A running operation that was superseded is none any more; its record has been handed on. */
void invariants_end_record(struct stage *stage, struct operation_record *record, const struct operation *operation)
{
	if (record == NULL)
		return;
	if (operation == NULL) {
		forget_record(record);
		return;
	}
	record->id = operation->id;
	inherit_configuration(stage, record);
	if (!operation_is_running(operation))
		invariants_operation_finished(stage, operation);
	for (int i = 0; i < STAGE_RECORDS_MAX; i++) {
		const struct operation *old = supervisor_find_operation(&stage->supervisor, stage->records[i].id);
		if (stage->records[i].id == 0 || (old != NULL && operation_is_running(old)))
			continue;
		record->touched = record->touched || (stage->records[i].can_fail && stage->records[i].touched);
		for (int row = 0; stage->records[i].can_fail && row < stage->records[i].serving_count; row++)
			record_pid(record, stage->records[i].serving[row]);
		forget_record(&stage->records[i]);
	}
	disown_pools(stage, operation);
}

static void compare_pool(struct stage *stage, const struct operation *operation, const struct pool_record *before)
{
	const struct pool *pool = site_find_pool(&stage->supervisor.site, before->name);

	invariant(stage, pool != NULL && pool->target != NULL, "operation %u failed and pool %s is gone", operation->id,
		  before->name);
	invariant(stage, pool->target->number == before->generation,
		  "operation %u failed: pool %s has generation %u, it had %u", operation->id, pool->name,
		  pool->target->number, before->generation);
	invariant(stage, pool->wanted == before->wanted && pool->scaled == before->scaled,
		  "operation %u failed: pool %s wants %d (scaled %d), it wanted %d (scaled %d)", operation->id,
		  pool->name, pool->wanted, pool->scaled, before->wanted, before->scaled);
}

static void compare(struct stage *stage, const struct operation *operation, const struct operation_record *record)
{
	char *now;

	invariant(stage, operation->outcome != OUTCOME_UNTOUCHED || !record->touched,
		  "operation %u says \"untouched\", but a worker that served was told to leave", operation->id);
	for (int i = 0; i < record->pool_count; i++)
		compare_pool(stage, operation, &record->pools[i]);
	if (record->verb != VERB_RELOAD)
		return;
	now = print_configuration(stage->supervisor.site.configuration);
	invariant(stage, strcmp(now, record->configuration) == 0, "operation %u failed: another configuration is left",
		  operation->id);
	free(now);
}

void invariants_operation_finished(struct stage *stage, const struct operation *operation)
{
	struct operation_record *record = find_record(stage, operation->id);
	bool failed = operation->outcome == OUTCOME_FAILED || operation->outcome == OUTCOME_UNTOUCHED ||
		      operation->outcome == OUTCOME_ROLLED_BACK || operation->outcome == OUTCOME_DEGRADED;

	if (record == NULL || operation->outcome == OUTCOME_SUPERSEDED)
		return;
	if (failed)
		compare(stage, operation, record);
	forget_record(record);
}
