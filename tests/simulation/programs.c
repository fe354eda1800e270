#include "programs.h"

#include "unicornd/protocol.h"

#include <check.h>
#include <signal.h>
#include <string.h>

const char *const programs_broken[] = { "never-ready", "dies-at-once",   "dies-before-ready", "crashes-before-ready",
					"refuses",     "cannot-execute", "cannot-spawn" };
const unsigned programs_broken_count = sizeof(programs_broken) / sizeof(programs_broken[0]);

static void end(struct fake_behaviour *behaviour, int64_t after_ms, int status)
{
	behaviour->end_ms = after_ms;
	behaviour->end_status = status;
}

static void never_ready(struct fake_behaviour *behaviour)
{
	behaviour->ready_ms = TIME_NEVER;
	behaviour->output = "importing\nwaiting for the database\n";
}

static void slowly_ready(struct fake_behaviour *behaviour)
{
	behaviour->ready_ms = 5000;
}

/** Longer than heartbeat_hard, and no beat before it is ready. */
static void ready_after_40_seconds(struct fake_behaviour *behaviour)
{
	behaviour->ready_ms = 40000;
	behaviour->beat_ms = 41000;
}

static void extends(struct fake_behaviour *behaviour)
{
	behaviour->ready_ms = 90000;
	behaviour->extend_ms = 100000;
}

static void dies_at_once(struct fake_behaviour *behaviour)
{
	end(behaviour, 0, fake_exit(1));
	behaviour->output = "Traceback\nImportError: no module named app\n";
}

static void dies_before_ready(struct fake_behaviour *behaviour)
{
	end(behaviour, 40, fake_exit(1));
}

static void crashes_before_ready(struct fake_behaviour *behaviour)
{
	end(behaviour, 40, fake_signal(SIGSEGV));
}

static void refuses(struct fake_behaviour *behaviour)
{
	end(behaviour, 30, fake_exit(UNICORND_EXIT_CONFIGURATION));
}

static void dies_2_seconds_after_ready(struct fake_behaviour *behaviour)
{
	end(behaviour, 2050, fake_exit(1));
}

static void finishes(struct fake_behaviour *behaviour)
{
	end(behaviour, 5000, fake_exit(0));
}

static void silent(struct fake_behaviour *behaviour)
{
	behaviour->beat_ms = TIME_NEVER;
}

static void falls_silent(struct fake_behaviour *behaviour)
{
	behaviour->silent_ms = 5500;
}

static void falls_silent_and_hangs(struct fake_behaviour *behaviour)
{
	falls_silent(behaviour);
	behaviour->drain_ms = TIME_NEVER;
	behaviour->abort_ms = TIME_NEVER;
}

static void ignores_stop(struct fake_behaviour *behaviour)
{
	behaviour->drain_ms = TIME_NEVER;
}

static void ignores_stop_and_abort(struct fake_behaviour *behaviour)
{
	behaviour->drain_ms = TIME_NEVER;
	behaviour->abort_ms = TIME_NEVER;
}

static void dies_hard(struct fake_behaviour *behaviour)
{
	ignores_stop_and_abort(behaviour);
	behaviour->kill_ms = 3500;
}

static void says_stopping(struct fake_behaviour *behaviour)
{
	behaviour->stopping_ms = 5000;
	end(behaviour, 7000, fake_exit(0));
}

/** Has had enough, and serves until it is told to stop. */
static void asks(struct fake_behaviour *behaviour)
{
	behaviour->stopping_ms = 5000;
}

/** Has had enough from the beginning. */
static void asks_at_once(struct fake_behaviour *behaviour)
{
	behaviour->stopping_ms = behaviour->ready_ms;
}

static void asks_and_ends(struct fake_behaviour *behaviour)
{
	behaviour->stopping_ms = 5000;
	end(behaviour, 5000, fake_exit(0));
}

static void asks_and_crashes(struct fake_behaviour *behaviour)
{
	behaviour->stopping_ms = 60;
	end(behaviour, 70, fake_exit(1));
}

static void condemns_itself(struct fake_behaviour *behaviour)
{
	behaviour->trigger_ms = 5000;
}

static void cannot_execute(struct fake_behaviour *behaviour)
{
	behaviour->exec_fails = true;
}

static void cannot_spawn(struct fake_behaviour *behaviour)
{
	behaviour->spawn_fails = true;
}

static void good(struct fake_behaviour *behaviour)
{
	*behaviour = fake_good;
}

static const struct program {
	const char *name;
	void (*change)(struct fake_behaviour *behaviour);
} programs[] = {
	{ "good", good },
	{ "never-ready", never_ready },
	{ "slowly-ready", slowly_ready },
	{ "ready-after-40s", ready_after_40_seconds },
	{ "extends", extends },
	{ "dies-at-once", dies_at_once },
	{ "dies-before-ready", dies_before_ready },
	{ "crashes-before-ready", crashes_before_ready },
	{ "refuses", refuses },
	{ "dies-2s-after-ready", dies_2_seconds_after_ready },
	{ "finishes", finishes },
	{ "silent", silent },
	{ "falls-silent", falls_silent },
	{ "falls-silent-and-hangs", falls_silent_and_hangs },
	{ "ignores-stop", ignores_stop },
	{ "ignores-stop-and-abort", ignores_stop_and_abort },
	{ "dies-hard", dies_hard },
	{ "says-stopping", says_stopping },
	{ "asks", asks },
	{ "asks-at-once", asks_at_once },
	{ "asks-and-ends", asks_and_ends },
	{ "asks-and-crashes", asks_and_crashes },
	{ "condemns-itself", condemns_itself },
	{ "cannot-execute", cannot_execute },
	{ "cannot-spawn", cannot_spawn },
};

#define PROGRAMS (sizeof(programs) / sizeof(programs[0]))

void program_behave(const char *name, struct fake_behaviour *behaviour)
{
	for (size_t i = 0; i < PROGRAMS; i++) {
		if (strcmp(programs[i].name, name) == 0) {
			programs[i].change(behaviour);
			return;
		}
	}
	ck_abort_msg("there is no program %s", name);
}

static int64_t some_time(struct fake_world *world)
{
	static const unsigned limits[] = { 1, 10, 100, 1000, 20000 };

	return fake_world_random(world, limits[fake_world_random(world, 5)]);
}

void program_tire(struct fake_world *world, struct fake_behaviour *behaviour)
{
	behaviour->stopping_ms = some_time(world);
	if (fake_world_chance(world, 300))
		behaviour->end_ms = behaviour->stopping_ms + (int64_t)fake_world_random(world, 3000);
}

void program_vary(struct fake_world *world, struct fake_behaviour *behaviour)
{
	behaviour->ready_ms = fake_world_random(world, 1500);
	behaviour->drain_ms = fake_world_random(world, 500);
	behaviour->drain_status = fake_world_chance(world, 500) ? fake_exit(0) : fake_signal(SIGTERM);
	behaviour->spawn_ms = fake_world_chance(world, 200) ? fake_world_random(world, 5) : 0;
}

static void end_anyhow(struct fake_world *world, struct fake_behaviour *behaviour)
{
	static const int signals[] = { SIGSEGV, SIGTERM, SIGKILL, SIGABRT };

	behaviour->end_ms = some_time(world);
	if (fake_world_chance(world, 400))
		behaviour->end_status = fake_signal(signals[fake_world_random(world, 4)]);
	else
		behaviour->end_status = fake_exit((int)fake_world_random(world, 3));
}

/** Ends in the very tick in which it becomes ready. */
static void end_when_ready(struct fake_world *world, struct fake_behaviour *behaviour)
{
	end_anyhow(world, behaviour);
	behaviour->end_ms = behaviour->ready_ms;
}

void program_misbehave(struct fake_world *world, struct fake_behaviour *behaviour)
{
	for (unsigned faults = 1 + fake_world_random(world, 2); faults > 0; faults--) {
		switch (fake_world_random(world, 4)) {
		case 0:
			end_anyhow(world, behaviour);
			break;
		case 1:
			end_when_ready(world, behaviour);
			break;
		case 2:
			behaviour->silent_ms = some_time(world);
			break;
		default: {
			const struct program *program = &programs[fake_world_random(world, PROGRAMS)];
			if (program->change != refuses)
				program->change(behaviour);
			break;
		}
		}
	}
}
