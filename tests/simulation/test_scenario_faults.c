/*
 * Scenarios in plain sentences: workers that die, hang, fall silent or do not leave; pauses; memory in the long run.
 */
#include "../unit/unit.h"

#include "allocation.h"
#include "programs.h"
#include "stage.h"

#include <signal.h>
#include <string.h>

#define HOUR_MS (60 * 60 * 1000)

static struct stage stage;

/** Signals that were sent, with their times. */
static struct {
	int signal;
	int64_t at_ms;
} signals[64];
static int signal_count;
static void (*check_signal)(void *context, const struct worker *worker, int signal);

static void note_signal(void *context, const struct worker *worker, int signal)
{
	check_signal(context, worker, signal);
	ck_assert_int_lt(signal_count, 64);
	signals[signal_count].signal = signal;
	signals[signal_count++].at_ms = stage.world.now_ms;
}

static void set_up(void)
{
	stage_open(&stage, 1);
	check_signal = stage.world.before_signal;
	stage.world.before_signal = note_signal;
	signal_count = 0;
}

static void tear_down(void)
{
	stage.world.before_signal = check_signal;
	stage_down(&stage);
}

/** The signal with that number (from 0) was sent so many milliseconds after a time. */
static void assert_signal(int number, int signal, int64_t since_ms, int64_t after_ms)
{
	ck_assert_int_lt(number, signal_count);
	ck_assert_int_eq(signals[number].signal, signal);
	ck_assert_int_eq(signals[number].at_ms - since_ms, after_ms);
}

/* ---- pauses */

static const char *const flapping[] = {
	"pool app: workers=1, command=dies-at-once",      "pool app: workers=4, command=dies-at-once",
	"pool app: workers=4, command=dies-before-ready", "pool app: workers=1, command=cannot-spawn",
	"pool app: workers=4, command=cannot-execute",
};

/** 4 workers may start at once; after that they try one at a time. */
START_TEST(test_a_worker_that_dies_at_once_is_started_at_most_12_times_in_30_s)
{
	uint64_t before = 0;

	(void)stage_start(&stage, flapping[_i]);
	for (int half_minute = 0; half_minute < 20; half_minute++) {
		fake_world_run(&stage.world, 30000);
		ck_assert_uint_le(stage.world.spawns - before, 12);
		ck_assert_uint_ge(stage.world.spawns, 3);
		before = stage.world.spawns;
	}
}
END_TEST

static void die_when_ready(void *context, const char *program, struct fake_behaviour *behaviour)
{
	(void)context;
	(void)program;
	behaviour->ready_ms = 10;
	behaviour->end_ms = 10;
	behaviour->end_status = fake_exit(1);
}

/** Each of four is replaced at once the first time; after that all of them pause. */
START_TEST(test_one_that_dies_as_soon_as_it_is_ready_too)
{
	static const char *const sites[] = { "pool app: workers=1, command=dies", "pool app: workers=4, command=dies" };

	stage.behave = die_when_ready;
	(void)stage_start(&stage, sites[_i]);
	fake_world_run(&stage.world, 30000);
	ck_assert_uint_le(stage.world.spawns, _i == 0 ? 12 : 4 * 12);
}
END_TEST

START_TEST(test_a_worker_that_served_for_long_is_replaced_at_once)
{
	pid_t pid;

	stage_up(&stage, "pool app: workers=2, command=good");
	fake_world_run(&stage.world, HOUR_MS);
	pid = stage_pid(&stage, "app", 1);
	fake_world_end(&stage.world, pid, fake_signal(SIGSEGV));
	fake_world_run(&stage.world, 1);
	ck_assert_int_ne(stage_pid(&stage, "app", 1), 0);
	ck_assert_int_ne(stage_pid(&stage, "app", 1), pid);
}
END_TEST

START_TEST(test_one_that_finishes_by_itself_is_no_fault)
{
	stage_up(&stage, "pool app: workers=1, command=finishes");
	fake_world_run(&stage.world, HOUR_MS);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_LOST], 0);
	ck_assert_uint_eq(stage.events[EVENT_POOL_DEGRADED], 0);
	ck_assert_uint_gt(stage.world.spawns, HOUR_MS / 5100);
}
END_TEST

/** "broken" is a switch. */
static bool broken;

static void behave_as_switched(void *context, const char *program, struct fake_behaviour *behaviour)
{
	(void)context;
	program_behave(broken ? program : "good", behaviour);
}

/** The loop's number says with how many workers. */
START_TEST(test_a_pool_that_gives_up_says_why_and_recovers)
{
	static const char *const sites[] = { "pool app: workers=1, command=dies-before-ready",
					     "pool app: workers=4, command=dies-before-ready" };
	const struct pool *pool;

	broken = false;
	stage.behave = behave_as_switched;
	stage_up(&stage, sites[_i]);
	pool = stage_pool(&stage, "app");
	broken = true;
	for (int slot = 1; slot <= pool->wanted; slot++)
		fake_world_end(&stage.world, stage_pid(&stage, "app", slot), fake_exit(1));
	fake_world_run(&stage.world, 120000);
	ck_assert_int_eq(pool->state, POOL_DEGRADED);
	ck_assert_ptr_nonnull(strstr(pool->reason, "exit status 1"));
	ck_assert_uint_eq(stage.events[EVENT_POOL_DEGRADED], 1);
	broken = false;
	ck_assert(stage_wait_calm(&stage, 200000));
	ck_assert_int_eq(pool->state, POOL_STEADY);
	ck_assert_str_eq(pool->reason, "");
}
END_TEST

START_TEST(test_a_worker_that_refuses_its_configuration_waits_for_a_reload)
{
	uint64_t spawns;

	broken = false;
	stage.behave = behave_as_switched;
	stage_up(&stage, "pool app: workers=2, command=refuses");
	broken = true;
	fake_world_end(&stage.world, stage_pid(&stage, "app", 1), fake_exit(78));
	fake_world_run(&stage.world, 10);
	spawns = stage.world.spawns;
	fake_world_run(&stage.world, HOUR_MS);
	ck_assert_uint_eq(stage.world.spawns, spawns);
	ck_assert_int_eq(stage_pool(&stage, "app")->state, POOL_DEGRADED);
	broken = false;
	ck_assert_int_eq(stage_wait(&stage, stage_reload(&stage, "pool app: workers=2, command=good", NULL), 10000),
			 OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 0));
}
END_TEST

/* ---- readiness */

START_TEST(test_a_start_that_takes_longer_than_the_heartbeat_limit_is_fine)
{
	stage_up(&stage, "pool app: workers=1, command=ready-after-40s, heartbeat=required, heartbeat_hard=30s");
	fake_world_run(&stage.world, 20000);
	ck_assert_uint_eq(stage.world.exits, 0);
}
END_TEST

START_TEST(test_a_worker_may_ask_for_more_time_to_start)
{
	(void)stage_start(&stage, "pool app: workers=1, command=extends, ready_timeout=60s");
	ck_assert(stage_wait_calm(&stage, 95000));
	ck_assert_uint_eq(stage.world.exits, 0);
}
END_TEST

START_TEST(test_ready_means_having_lived_for_a_time)
{
	(void)stage_start(&stage, "pool app: workers=1, command=never-ready, ready=alive 3s");
	fake_world_run(&stage.world, 2999);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_READY], 0);
	fake_world_run(&stage.world, 1);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_READY], 1);
}
END_TEST

START_TEST(test_ready_means_a_line_of_output)
{
	(void)stage_start(&stage, "pool app: workers=1, command=never-ready, ready=output ^waiting for");
	fake_world_run(&stage.world, 10);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_READY], 1);
}
END_TEST

/* ---- heartbeats */

#define WATCHED "heartbeat_soft=10s, heartbeat_hard=30s, workers=1"

START_TEST(test_silence_is_reported_then_aborted_then_killed)
{
	int64_t beat_ms;

	stage_up(&stage, "pool app: command=falls-silent-and-hangs, heartbeat=required, " WATCHED);
	fake_world_run(&stage.world, 6000);
	beat_ms = stage_worker(&stage, "app", 1)->beat_ms;
	fake_world_run(&stage.world, beat_ms + 9999 - stage.world.now_ms);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_SLOW], 0);
	fake_world_run(&stage.world, 1);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_SLOW], 1);
	fake_world_run(&stage.world, 19999);
	ck_assert_int_eq(signal_count, 0);
	fake_world_run(&stage.world, 5000);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_SLOW], 1);
	ck_assert_int_eq(signal_count, 2);
	assert_signal(0, SIGABRT, beat_ms, 30000);
	assert_signal(1, SIGKILL, beat_ms, 30500);
	ck_assert_int_eq(pool_slot(stage_pool(&stage, "app"), 1)->last_exit.cause, CAUSE_SILENT);
}
END_TEST

START_TEST(test_an_optional_heartbeat_counts_only_once_it_has_beaten)
{
	stage_up(&stage, "pool app: command=silent, heartbeat=optional, " WATCHED "; "
			 "pool api: command=falls-silent, heartbeat=optional, " WATCHED);
	fake_world_run(&stage.world, 60000);
	ck_assert_uint_ge(stage.events[EVENT_WORKER_LOST], 1);
	ck_assert_int_ne(stage_pid(&stage, "app", 1), 0);
	ck_assert(!pool_slot(stage_pool(&stage, "app"), 1)->last_exit.known);
	ck_assert_int_eq(pool_slot(stage_pool(&stage, "api"), 1)->last_exit.cause, CAUSE_SILENT);
}
END_TEST

START_TEST(test_a_required_heartbeat_counts_from_readiness)
{
	int64_t ready_ms;

	stage_up(&stage, "pool app: command=silent, heartbeat=required, " WATCHED);
	ready_ms = stage_worker(&stage, "app", 1)->ready_ms;
	fake_world_run(&stage.world, 31000);
	assert_signal(0, SIGABRT, ready_ms, 30000);
}
END_TEST

START_TEST(test_no_heartbeat_is_expected_where_none_is_configured)
{
	stage_up(&stage, "pool app: command=falls-silent, heartbeat=none, " WATCHED);
	fake_world_run(&stage.world, HOUR_MS);
	ck_assert_uint_eq(stage.world.exits, 0);
	ck_assert_int_eq(stage.world.wake_ms, TIME_NEVER);
}
END_TEST

START_TEST(test_a_worker_that_condemns_itself_is_replaced)
{
	int64_t started_ms = stage.world.now_ms;

	stage_up(&stage, "pool app: command=condemns-itself, workers=1");
	fake_world_run(&stage.world, 5100);
	assert_signal(0, SIGABRT, started_ms, 5000);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_LOST], 1);
}
END_TEST

/* ---- leaving */

static int64_t restart(const char *site)
{
	stage_up(&stage, site);
	ck_assert_ptr_nonnull(stage_restart(&stage, "app/1", false));
	while (signal_count == 0)
		ck_assert(fake_world_step(&stage.world));
	fake_world_run(&stage.world, 60000);
	return signals[0].at_ms;
}

START_TEST(test_a_drain_that_takes_too_long_ends_with_kill)
{
	int64_t order_ms = restart("pool app: command=ignores-stop-and-abort, workers=1, drain_timeout=7s");

	ck_assert_int_eq(signal_count, 2);
	assert_signal(0, SIGTERM, order_ms, 0);
	assert_signal(1, SIGKILL, order_ms, 7000);
}
END_TEST

START_TEST(test_where_a_core_is_wanted_abrt_comes_before_kill)
{
	int64_t order_ms = restart("pool app: command=ignores-stop-and-abort, workers=1, drain_timeout=7s, abort=yes, "
				   "abort_timeout=2s");

	ck_assert_int_eq(signal_count, 3);
	assert_signal(0, SIGTERM, order_ms, 0);
	assert_signal(1, SIGABRT, order_ms, 7000);
	assert_signal(2, SIGKILL, order_ms, 9000);
}
END_TEST

START_TEST(test_abrt_is_enough_for_one_that_only_ignores_the_stop_signal)
{
	int64_t order_ms = restart("pool app: command=ignores-stop, workers=1, drain_timeout=7s, abort=yes");

	ck_assert_int_eq(signal_count, 2);
	assert_signal(1, SIGABRT, order_ms, 7000);
}
END_TEST

START_TEST(test_the_stop_signal_is_the_pools)
{
	int64_t order_ms = restart("pool app: command=good, workers=1, stop_signal=QUIT");

	ck_assert_int_eq(signal_count, 1);
	assert_signal(0, SIGQUIT, order_ms, 0);
}
END_TEST

START_TEST(test_kill_is_repeated_until_the_process_is_gone)
{
	int64_t order_ms = restart("pool app: command=dies-hard, workers=1, drain_timeout=1s");

	ck_assert_int_eq(signal_count, 5);
	assert_signal(1, SIGKILL, order_ms, 1000);
	assert_signal(4, SIGKILL, order_ms, 4000);
}
END_TEST

static void answer_late(void *context, const char *program, struct fake_behaviour *behaviour)
{
	(void)context;
	program_behave(program, behaviour);
	behaviour->spawn_ms = 500;
}

START_TEST(test_a_stop_reaches_a_worker_whose_start_is_not_answered_yet)
{
	stage.behave = answer_late;
	(void)stage_start(&stage, "pool app: command=good, workers=3");
	fake_world_run(&stage.world, 100);
	ck_assert_ptr_nonnull(stage_stop(&stage, false));
	fake_world_run(&stage.world, 1000);
	ck_assert(stage.supervisor.finished);
	ck_assert_int_eq(signal_count, 3);
}
END_TEST

/* ---- memory */

static void flap(void *context, const char *program, struct fake_behaviour *behaviour)
{
	struct fake_world *world = &stage.world;

	(void)context;
	(void)program;
	program_vary(world, behaviour);
	behaviour->end_ms = fake_world_random(world, 120000);
	behaviour->end_status = fake_exit((int)fake_world_random(world, 2));
	behaviour->output = "hello\nworld\n";
	if (fake_world_chance(world, 100))
		program_misbehave(world, behaviour);
}

START_TEST(test_an_hour_of_flapping_allocates_nothing)
{
	uint64_t exits;

	stage.world.before_signal = check_signal;
	stage.behave = flap;
	(void)stage_start(&stage,
			  "listener web: address=127.0.0.1:8000; "
			  "pool app: command=flaps, workers=8, listeners=web, heartbeat_hard=15s, give_up=never; "
			  "pool api: command=flaps, workers=2, listeners=web, drain_timeout=2s, ready_timeout=9s");
	fake_world_run(&stage.world, HOUR_MS);
	exits = stage.world.exits;
	allocation_count_from_now(0);
	fake_world_run(&stage.world, HOUR_MS);
	ck_assert_uint_eq(allocation_counted(), 0);
	ck_assert_uint_gt(stage.world.exits - exits, 200);
}
END_TEST

static void add(Suite *suite, TCase *cases)
{
	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, set_up, tear_down);
	suite_add_tcase(suite, cases);
}

static TCase *pauses(void)
{
	TCase *cases = tcase_create("pauses");

	tcase_add_loop_test(cases, test_a_worker_that_dies_at_once_is_started_at_most_12_times_in_30_s, 0,
			    (int)(sizeof(flapping) / sizeof(flapping[0])));
	tcase_add_loop_test(cases, test_one_that_dies_as_soon_as_it_is_ready_too, 0, 2);
	tcase_add_test(cases, test_a_worker_that_served_for_long_is_replaced_at_once);
	tcase_add_test(cases, test_one_that_finishes_by_itself_is_no_fault);
	tcase_add_loop_test(cases, test_a_pool_that_gives_up_says_why_and_recovers, 0, 2);
	tcase_add_test(cases, test_a_worker_that_refuses_its_configuration_waits_for_a_reload);
	return cases;
}

static TCase *watching(void)
{
	TCase *cases = tcase_create("watching");

	tcase_add_test(cases, test_a_start_that_takes_longer_than_the_heartbeat_limit_is_fine);
	tcase_add_test(cases, test_a_worker_may_ask_for_more_time_to_start);
	tcase_add_test(cases, test_ready_means_having_lived_for_a_time);
	tcase_add_test(cases, test_ready_means_a_line_of_output);
	tcase_add_test(cases, test_silence_is_reported_then_aborted_then_killed);
	tcase_add_test(cases, test_an_optional_heartbeat_counts_only_once_it_has_beaten);
	tcase_add_test(cases, test_a_required_heartbeat_counts_from_readiness);
	tcase_add_test(cases, test_no_heartbeat_is_expected_where_none_is_configured);
	tcase_add_test(cases, test_a_worker_that_condemns_itself_is_replaced);
	return cases;
}

static TCase *leaving(void)
{
	TCase *cases = tcase_create("leaving");

	tcase_add_test(cases, test_a_drain_that_takes_too_long_ends_with_kill);
	tcase_add_test(cases, test_where_a_core_is_wanted_abrt_comes_before_kill);
	tcase_add_test(cases, test_abrt_is_enough_for_one_that_only_ignores_the_stop_signal);
	tcase_add_test(cases, test_the_stop_signal_is_the_pools);
	tcase_add_test(cases, test_kill_is_repeated_until_the_process_is_gone);
	tcase_add_test(cases, test_a_stop_reaches_a_worker_whose_start_is_not_answered_yet);
	tcase_add_test(cases, test_an_hour_of_flapping_allocates_nothing);
	return cases;
}

int main(void)
{
	Suite *suite = suite_create("scenario_faults");

	add(suite, pauses());
	add(suite, watching());
	add(suite, leaving());
	return unit_run(suite);
}
