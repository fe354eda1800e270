#include "control_world.h"

#include <stdio.h>
#include <stdlib.h>

static bool prepare(void *context, struct generation *generation, struct error *error)
{
	(void)context;
	(void)generation;
	(void)error;
	return true;
}

static void forget(void *context, struct generation *generation)
{
	(void)context;
	(void)generation;
}

static void ignore_worker(void *context, struct worker *worker)
{
	(void)context;
	(void)worker;
}

static void ignore_signal(void *context, struct worker *worker, int signal)
{
	(void)context;
	(void)worker;
	(void)signal;
}

static void ignore_listener(void *context, struct listener *listener)
{
	(void)context;
	(void)listener;
}

static void ignore_wake(void *context, int64_t at_ms)
{
	(void)context;
	(void)at_ms;
}

static double no_chance(void *context)
{
	(void)context;
	return 0.5;
}

static const struct effects paper_effects = {
	.prepare = prepare,
	.forget = forget,
	.spawn = ignore_worker,
	.signal = ignore_signal,
	.release = ignore_worker,
	.discard = ignore_worker,
	.open_listener = ignore_listener,
	.adjust_listener = ignore_listener,
	.close_listener = ignore_listener,
	.wake_at = ignore_wake,
	.random = no_chance,
};

static bool move_worker(struct control_world *world, struct worker *worker)
{
	static const struct status_message ready = { .key = STATUS_READY, .number = 1 };
	static const struct worker_exit ended = { .status = 0 };

	if (worker->pid == 0)
		supervisor_worker_spawned(&world->supervisor, worker, ++world->last_pid, world->now_ms);
	else if (worker->sent_signal != 0)
		supervisor_worker_exited(&world->supervisor, worker, &ended, world->now_ms);
	else if (worker->state == WORKER_STARTING && !world->never_ready)
		supervisor_worker_said(&world->supervisor, worker, &ready, world->now_ms);
	else
		return false;
	return true;
}

/** Lets one thing happen; what it leads to may be anything, so the next one is looked for anew. */
static bool move_one(struct control_world *world)
{
	list_for_each (link, &world->supervisor.site.listeners) {
		struct listener *listener = list_entry(link, struct listener, link);

		if (listener->state == LISTENER_OPENING) {
			supervisor_listener_opened(&world->supervisor, listener, -1, world->now_ms);
			return true;
		}
	}
	list_for_each (pool_link, &world->supervisor.site.pools) {
		list_for_each (link, &list_entry(pool_link, struct pool, link)->workers) {
			if (move_worker(world, list_entry(link, struct worker, link)))
				return true;
		}
	}
	return false;
}

void control_world_run(struct control_world *world)
{
	while (move_one(world))
		continue;
}

static void require(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "control_world: %s\n", what);
		abort();
	}
}

void control_world_init(struct control_world *world, const char *workers)
{
	static const char *const binds[] = { "127.0.0.1:8000" };
	static const char *const command[] = { "/bin/true", NULL };
	struct configuration *configuration;
	struct text problems = { 0 };
	struct error error;

	*world = (struct control_world){ .now_ms = 1000000, .last_pid = 1000 };
	world->source = (struct configuration_source){
		.binds = binds, .bind_count = 1, .workers = workers, .command = command, .command_count = 1
	};
	require(supervisor_init(&world->supervisor, "site", &paper_effects, world->now_ms), "no memory");
	configuration = configuration_load(&world->source, &problems);
	require(configuration != NULL, text_string(&problems));
	require(supervisor_start(&world->supervisor, configuration, world->now_ms, &error) != NULL, "no start");
	control_world_run(world);
	text_finish(&problems);
}

void control_world_finish(struct control_world *world)
{
	struct error error;

	require(supervisor_stop(&world->supervisor, true, world->now_ms, &error) != NULL, "no stop");
	control_world_run(world);
	require(world->supervisor.finished, "processes are left");
	supervisor_finish(&world->supervisor);
}

void control_world_write(struct control_world *world, int slot, const char *bytes, size_t length)
{
	struct pool *pool = list_entry(world->supervisor.site.pools.next, struct pool, link);
	struct worker *worker = pool_find_current(pool, slot);

	require(worker != NULL, "nobody is in the slot");
	supervisor_worker_wrote(&world->supervisor, worker, bytes, length, world->now_ms);
}
