#include "stage.h"

#include "allocation.h"
#include "base/log.h"
#include "invariants.h"
#include "programs.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- configurations from text */

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " ");
}

/** Copies up to one of the characters of `end`, without blanks at the end. @return behind that character */
static const char *copy_until(const char *text, const char *end, char *target, size_t size)
{
	size_t length = strcspn(text, end);
	size_t kept = length;

	while (kept > 0 && text[kept - 1] == ' ')
		kept--;
	ck_assert_uint_lt(kept, size);
	memcpy(target, text, kept);
	target[kept] = '\0';
	return text[length] != '\0' ? text + length + 1 : text + length;
}

static void assign(enum setting_scope scope, void *settings, const char *name, const char *value)
{
	const struct setting *setting = setting_find(scope, name);
	struct string_list words = { 0 };
	struct error error;

	ck_assert_msg(setting != NULL, "there is no setting %s", name);
	if (setting->kind == SETTING_STRINGS)
		ck_assert(text_split_words(value, &words, &error));
	else
		ck_assert(string_list_append(&words, value));
	ck_assert_msg(setting_assign(setting, settings, (const char *const *)words.items, words.count, &error),
		      "%s=%s: %s", name, value, error.text);
	string_list_finish(&words);
}

/** Reads "name=value, name=value" up to a semicolon. */
static const char *read_settings(const char *text, enum setting_scope scope, void *settings)
{
	char block[512];
	char name[64];
	char value[256];
	const char *rest = block;

	text = copy_until(text, ";", block, sizeof(block));
	while (*rest != '\0') {
		rest = copy_until(skip_blanks(rest), "=", name, sizeof(name));
		rest = copy_until(skip_blanks(rest), ",", value, sizeof(value));
		assign(scope, settings, name, value);
	}
	return text;
}

static const char *read_listener(const char *text, struct configuration *configuration, const char *name)
{
	struct listener_settings *settings = listener_settings_create(name, "test");

	ck_assert_ptr_nonnull(settings);
	ck_assert(configuration_add_listener(configuration, settings));
	return read_settings(text, SETTING_LISTENER, settings);
}

static const char *read_pool(const char *text, struct configuration *configuration, const char *name)
{
	struct pool_settings *settings = pool_settings_create(name, "test");

	ck_assert_ptr_nonnull(settings);
	ck_assert(configuration_add_pool(configuration, settings));
	text = read_settings(text, SETTING_POOL, settings);
	if (settings->ready.kind == READINESS_AUTO)
		settings->ready.kind = READINESS_MESSAGE;
	return text;
}

struct configuration *stage_configuration(const char *text)
{
	bool paused = allocation_pause(true);
	struct configuration *configuration = configuration_create();
	char kind[16];
	char name[64];

	ck_assert_ptr_nonnull(configuration);
	while (*(text = skip_blanks(text)) != '\0') {
		text = copy_until(text, " ", kind, sizeof(kind));
		text = copy_until(skip_blanks(text), ":", name, sizeof(name));
		if (strcmp(kind, "listener") == 0)
			text = read_listener(text, configuration, name);
		else
			text = read_pool(text, configuration, name);
	}
	(void)allocation_pause(paused);
	return configuration;
}

/* ---- what happens */

static void behave(void *context, const struct worker *worker, struct fake_behaviour *behaviour)
{
	struct stage *stage = context;
	const char *program = worker->generation->settings->command.items[0];

	if (stage->behave != NULL)
		stage->behave(stage->context, program, behaviour);
	else
		program_behave(program, behaviour);
}

static void event_happened(void *context, const struct event *event)
{
	struct stage *stage = context;

	stage->events[event->kind]++;
	if (event->kind == EVENT_POOL_ROLLING)
		invariants_generation_came_in(stage, site_find_pool(&stage->supervisor.site, event->pool));
}

static void operation_finished(void *context, const struct operation *operation)
{
	bool paused = allocation_pause(true);

	invariants_operation_finished(context, operation);
	(void)allocation_pause(paused);
}

static void before_spawn(void *context, const struct worker *worker)
{
	invariants_before_spawn(context, worker);
}

static void before_signal(void *context, const struct worker *worker, int signal)
{
	invariants_before_signal(context, worker, signal);
}

static void after_event(void *context)
{
	struct stage *stage = context;
	bool paused = allocation_pause(true);

	stage->steps++;
	invariants_check(stage);
	(void)allocation_pause(paused);
}

void stage_open(struct stage *stage, uint64_t seed)
{
	bool trace = getenv(STAGE_TRACE_VARIABLE) != NULL;
	struct effects effects;

	*stage = (struct stage){ .seed = seed, .keeps_records = true };
	ck_assert(log_open(trace ? "stderr" : "/dev/null", trace ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, &stage->error));
	fake_world_init(&stage->world, &stage->supervisor, seed);
	stage->world.context = stage;
	stage->world.behave = behave;
	stage->world.before_spawn = before_spawn;
	stage->world.before_signal = before_signal;
	stage->world.after_event = after_event;
	effects = fake_world_effects(&stage->world);
	ck_assert(supervisor_init(&stage->supervisor, "test", &effects, stage->world.now_ms));
	stage->observer.context = stage;
	stage->observer.event = event_happened;
	stage->observer.operation_finished = operation_finished;
	supervisor_observe(&stage->supervisor, &stage->observer);
}

void stage_close(struct stage *stage)
{
	struct fake_world *world = &stage->world;

	ck_assert_int_eq(fake_world_processes(world), 0);
	supervisor_finish(&stage->supervisor);
	ck_assert_int_eq(world->launches, 0);
	ck_assert_int_eq(world->attachments, 0);
	ck_assert_int_eq(world->listeners_open, 0);
	ck_assert_uint_eq(world->spawns, world->exits);
	ck_assert_uint_eq(world->releases, world->exits);
	for (int i = 0; i < STAGE_RECORDS_MAX; i++)
		free(stage->records[i].configuration);
	fake_world_finish(world);
}

/* ---- verbs */

/* Every verb goes through these: what was there before is noted, and the invariants hold afterwards. */

static struct operation_record *before_verb(struct stage *stage, enum verb verb, const char *target)
{
	bool paused = allocation_pause(true);
	struct operation_record *record = invariants_begin_record(stage, verb, target);

	(void)allocation_pause(paused);
	return record;
}

static struct operation *after_verb(struct stage *stage, struct operation_record *record, struct operation *operation)
{
	bool paused = allocation_pause(true);

	invariants_end_record(stage, record, operation);
	(void)allocation_pause(paused);
	after_event(stage);
	return operation;
}

struct operation *stage_start(struct stage *stage, const char *text)
{
	struct operation *operation =
		supervisor_start(&stage->supervisor, stage_configuration(text), stage->world.now_ms, &stage->error);

	after_event(stage);
	return operation;
}

struct operation *stage_reload(struct stage *stage, const char *text, const struct reload_options *options)
{
	static const struct reload_options plain = { 0 };
	struct configuration *candidate = stage_configuration(text);
	struct operation_record *record = before_verb(stage, VERB_RELOAD, NULL);

	return after_verb(stage, record,
			  supervisor_reload(&stage->supervisor, candidate, options != NULL ? options : &plain,
					    stage->world.now_ms, &stage->error));
}

struct operation *stage_scale(struct stage *stage, const char *pool, const char *change, bool supersede)
{
	struct operation_record *record = before_verb(stage, VERB_SCALE, pool);

	return after_verb(
		stage, record,
		supervisor_scale(&stage->supervisor, pool, change, supersede, stage->world.now_ms, &stage->error));
}

struct operation *stage_restart(struct stage *stage, const char *target, bool supersede)
{
	struct operation_record *record = before_verb(stage, VERB_RESTART, target);

	return after_verb(
		stage, record,
		supervisor_restart(&stage->supervisor, target, supersede, stage->world.now_ms, &stage->error));
}

struct operation *stage_stop(struct stage *stage, bool now)
{
	struct operation *operation = supervisor_stop(&stage->supervisor, now, stage->world.now_ms, &stage->error);

	after_event(stage);
	return operation;
}

/* ---- waiting and looking */

bool stage_is_calm(struct stage *stage)
{
	list_for_each (link, &stage->supervisor.operations) {
		if (operation_is_running(list_entry(link, struct operation, link)))
			return false;
	}
	list_for_each (link, &stage->supervisor.site.pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		struct pool_counts counts;
		pool_count(pool, &counts);
		if (pool->state != POOL_STEADY || counts.good != pool->wanted || counts.ready != pool->wanted ||
		    counts.starting + counts.outgoing_starting + counts.outgoing_ready + counts.leaving != 0)
			return false;
	}
	return true;
}

static bool calm(void *context)
{
	return stage_is_calm(context);
}

bool stage_wait_calm(struct stage *stage, int64_t ms)
{
	return fake_world_run_until(&stage->world, calm, ms);
}

enum outcome stage_wait(struct stage *stage, const struct operation *operation, int64_t ms)
{
	int64_t until = stage->world.now_ms + ms;

	require(operation != NULL, "refused: %s", stage->error.text);
	while (operation_is_running(operation) && fake_world_next(&stage->world) <= until)
		(void)fake_world_step(&stage->world);
	return operation_is_running(operation) ? OUTCOME_RUNNING : operation->outcome;
}

void stage_up(struct stage *stage, const char *text)
{
	struct operation *operation = stage_start(stage, text);

	ck_assert_int_eq(stage_wait(stage, operation, 100000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(stage, 100000));
	ck_assert(stage->supervisor.ready_once);
}

static bool finished(void *context)
{
	const struct stage *stage = context;

	return stage->supervisor.finished;
}

void stage_down(struct stage *stage)
{
	ck_assert_ptr_nonnull(stage_stop(stage, false));
	ck_assert(fake_world_run_until(&stage->world, finished, 100000));
	stage_close(stage);
}

struct pool *stage_pool(struct stage *stage, const char *name)
{
	return site_find_pool(&stage->supervisor.site, name);
}

struct worker *stage_worker(struct stage *stage, const char *pool, int slot)
{
	const struct pool *found = stage_pool(stage, pool);

	require(found != NULL, "there is no pool %s", pool);
	return pool_find_current(found, slot);
}

pid_t stage_pid(struct stage *stage, const char *pool, int slot)
{
	const struct worker *worker = stage_worker(stage, pool, slot);

	return worker != NULL ? worker->pid : 0;
}

void stage_count(struct stage *stage, const char *pool, struct pool_counts *counts)
{
	const struct pool *found = stage_pool(stage, pool);

	require(found != NULL, "there is no pool %s", pool);
	pool_count(found, counts);
}
