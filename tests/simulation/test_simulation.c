/*
 * Random schedules: operations and faults in any order over sites of any shape. After every event the invariants hold;
 * after the last fault everything converges; after the stop nothing is left.
 *
 * SIMULATION_SEED=n runs one seed only, SIMULATION_SEEDS and SIMULATION_STEPS say how much, SIMULATION_TRACE=1 prints
 * what the supervisor logs.
 */
#include "../unit/unit.h"

#include "invariants.h"
#include "programs.h"
#include "stage.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define SEEDS 100
#define STEPS 10000
/** Virtual time within which a site without faults comes to rest, whatever happened before. */
#define CONVERGENCE_MS (20 * 60 * 1000)
/** Virtual time within which a stopping site is gone. */
#define STOP_MS (2 * 60 * 1000)

/** Chances, in a thousand. */
#define CHANCE_OF_OPERATION 60
#define CHANCE_OF_MURDER    10

struct schedule {
	struct stage stage;
	bool faults; /**< on until the site shall converge */
	char text[2048];
	size_t length;
};

static struct schedule schedule;

/* ---- faults */

static void behave(void *context, const char *program, struct fake_behaviour *behaviour)
{
	struct fake_world *world = &schedule.stage.world;

	(void)context;
	program_behave(program, behaviour);
	if (strcmp(program, "good") != 0)
		return;
	program_vary(world, behaviour);
	if (schedule.faults && fake_world_chance(world, 150))
		program_misbehave(world, behaviour);
	if (schedule.faults && fake_world_chance(world, 150))
		program_tire(world, behaviour);
}

static bool fails(void *context, enum fake_request request)
{
	static const unsigned chances[] = { [FAKE_PREPARE] = 30, [FAKE_SPAWN] = 10, [FAKE_OPEN_LISTENER] = 100 };

	(void)context;
	return schedule.faults && fake_world_chance(&schedule.stage.world, chances[request]);
}

static void kill_somebody(void)
{
	struct fake_world *world = &schedule.stage.world;
	static const int signals[] = { SIGKILL, SIGTERM, SIGSEGV };

	if (world->process_count == 0)
		return;
	const struct fake_process *victim = &world->processes[fake_world_random(world, (unsigned)world->process_count)];
	if (victim->state == FAKE_RUNNING)
		fake_world_end(world, victim->pid, fake_signal(signals[fake_world_random(world, 3)]));
}

/* ---- configurations */

static unsigned pick(unsigned limit)
{
	return fake_world_random(&schedule.stage.world, limit);
}

__attribute__((format(printf, 1, 2))) static void write_text(const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	schedule.length += (size_t)vsnprintf(schedule.text + schedule.length, sizeof(schedule.text) - schedule.length,
					     fmt, arguments);
	va_end(arguments);
	ck_assert_uint_lt(schedule.length, sizeof(schedule.text));
}

#define CHOOSE(...)                                                                                                    \
	choose((const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static const char *choose(const char *const *choices, size_t count)
{
	return choices[pick((unsigned)count)];
}

static const char *choose_program(bool broken)
{
	return broken ? programs_broken[pick(programs_broken_count)] : "good";
}

/** One word of a setting at a time: the order in which arguments are worked out is the compiler's choice. */
#define WRITE_CHOICE(name, ...) write_text(", " name "=%s", CHOOSE(__VA_ARGS__))

static void write_limits(void)
{
	if (pick(4) > 0) {
		WRITE_CHOICE("surge", "25%", "1", "2", "100%");
		WRITE_CHOICE("max_unavailable", "0", "0", "1");
	} else {
		write_text(", surge=0");
		WRITE_CHOICE("max_unavailable", "1", "2", "50%");
	}
	write_text(", roll_attempts=%u", 1 + pick(3));
	WRITE_CHOICE("roll_timeout", "5s", "10m");
	WRITE_CHOICE("backoff", "100ms 30s", "100ms 2s", "1ms 10ms");
	WRITE_CHOICE("give_up", "10 in 60s", "3 in 10s", "never");
}

static void write_pool(const char *name, bool broken)
{
	write_text("; pool %s: command=%s", name, choose_program(broken));
	write_text(", workers=%u", 1 + pick(5));
	WRITE_CHOICE("listeners", "web", "admin", "web admin");
	WRITE_CHOICE("min_ready", "0", "0", "500ms", "3s");
	WRITE_CHOICE("ready", "message", "message", "message", "alive 300ms");
	WRITE_CHOICE("ready_timeout", "2s", "6s", "60s");
	WRITE_CHOICE("heartbeat", "required", "optional", "none");
	WRITE_CHOICE("heartbeat_soft", "1500ms", "3s");
	WRITE_CHOICE("heartbeat_hard", "4s", "9s");
	WRITE_CHOICE("drain_timeout", "0", "300ms", "5s");
	WRITE_CHOICE("abort", "yes", "no");
	WRITE_CHOICE("abort_timeout", "0", "1s");
	write_limits();
}

/** A configuration of one to three pools; some of them are broken when `broken` is set. */
static const char *write_site(bool broken)
{
	static const char *const names[] = { "app", "api", "jobs" };

	schedule.length = 0;
	write_text("listener web: address=127.0.0.1:80%02u", pick(3));
	write_text("; listener admin: address=127.0.0.1:90%02u", pick(2));
	write_text(", backlog=%u", 1 + pick(4));
	for (int i = 0; i < 3; i++) {
		if (i == 0 || pick(3) > 0)
			write_pool(names[i], broken && pick(2) == 0);
	}
	return schedule.text;
}

/** The site as it was written last, with as little changed as a person would. */
static const char *change_site(void)
{
	char *workers = strstr(schedule.text, "workers=");

	if (schedule.length == 0 || workers == NULL)
		return write_site(false);
	workers[strlen("workers=")] = (char)('1' + pick(5));
	return schedule.text;
}

/* ---- operations */

static const char *some_pool(void)
{
	return CHOOSE("app", "api", "jobs");
}

static void reload(void)
{
	struct reload_options options = { .only_changed = pick(3) == 0 };

	options.supersede = pick(2) == 0;
	const char *text = pick(4) == 0 ? change_site() : write_site(pick(3) == 0);

	if (pick(4) == 0)
		options.pool = some_pool();
	(void)stage_reload(&schedule.stage, text, &options);
}

static void scale(void)
{
	const char *change = CHOOSE("+1", "-1", "1", "2", "5", "8", "+3", "-2");
	const char *pool = some_pool();

	(void)stage_scale(&schedule.stage, pool, change, pick(3) == 0);
}

static void restart(void)
{
	bool supersede = pick(3) == 0;
	const char *pool = some_pool();
	char target[32];

	(void)snprintf(target, sizeof(target), "%s/%u", pool, 1 + pick(4));
	switch (pick(3)) {
	case 0:
		(void)stage_restart(&schedule.stage, NULL, supersede);
		break;
	case 1:
		(void)stage_restart(&schedule.stage, pool, supersede);
		break;
	default:
		(void)stage_restart(&schedule.stage, target, supersede);
		break;
	}
}

static void operate(void)
{
	unsigned chance = pick(10);

	if (chance < 5)
		reload();
	else if (chance < 8)
		scale();
	else
		restart();
}

/* ---- a run */

static void take_step(void)
{
	struct stage *stage = &schedule.stage;

	if (fake_world_chance(&stage->world, CHANCE_OF_OPERATION)) {
		operate();
		return;
	}
	if (fake_world_chance(&stage->world, CHANCE_OF_MURDER))
		kill_somebody();
	if (!fake_world_step(&stage->world))
		operate();
}

/** A line about each pool, for the message of a failure. */
static const char *describe(struct stage *stage)
{
	static char text[1024];
	size_t length = 0;

	text[0] = '\0';
	list_for_each (link, &stage->supervisor.site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		struct pool_counts counts;
		pool_count(pool, &counts);
		length += (size_t)snprintf(
			text + length, sizeof(text) - length,
			" [%s %s wanted %d starting %d ready %d good %d outgoing %d+%d leaving %d rolling %d "
			"operation %d: %s]",
			pool->name, pool_state_name(pool->state), pool->wanted, counts.starting, counts.ready,
			counts.good, counts.outgoing_starting, counts.outgoing_ready, counts.leaving, pool->rolling,
			pool->operation != NULL, pool->reason);
		if (length >= sizeof(text) / 2)
			break;
	}
	return text;
}

static bool is_finished(void *context)
{
	(void)context;
	return schedule.stage.supervisor.finished;
}

static void run(uint64_t seed, unsigned steps)
{
	struct stage *stage = &schedule.stage;

	stage_open(stage, seed);
	schedule.faults = false;
	stage->behave = behave;
	stage->world.fails = fails;
	stage->world.lateness_ms = pick(3) == 0 ? 5 : 0;
	(void)stage_start(stage, write_site(false));
	while (stage->supervisor.site.configuration == NULL)
		invariant(stage, fake_world_step(&stage->world), "it does not start");
	schedule.faults = true;
	for (unsigned step = 0; step < steps; step++)
		take_step();
	/* Some sites are stopped while everything is on the move. */
	if (pick(4) > 0) {
		schedule.faults = false;
		invariant(stage, stage_wait_calm(stage, CONVERGENCE_MS), "does not converge:%s", describe(stage));
	}
	(void)stage_stop(stage, pick(4) == 0);
	invariant(stage, fake_world_run_until(&stage->world, is_finished, STOP_MS), "does not stop:%s",
		  describe(stage));
	stage_close(stage);
}

static unsigned number_from_environment(const char *name, unsigned otherwise)
{
	const char *value = getenv(name);

	return value != NULL ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

START_TEST(test_random_schedules)
{
	unsigned seeds = number_from_environment("SIMULATION_SEEDS", SEEDS);
	unsigned steps = number_from_environment("SIMULATION_STEPS", STEPS);
	unsigned seed = number_from_environment(STAGE_SEED_VARIABLE, 0);

	if (seed > 0) {
		run(seed, steps);
		return;
	}
	/* Each tenth of the seeds is a test of its own, so that a failure does not hide the others. */
	for (seed = (unsigned)_i + 1; seed <= seeds; seed += 10)
		run(seed, steps);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("simulation");
	TCase *cases = tcase_create("random schedules");

	tcase_set_timeout(cases, 600);
	tcase_add_loop_test(cases, test_random_schedules, 0, getenv(STAGE_SEED_VARIABLE) != NULL ? 1 : 10);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
