/*
 * Scenarios in plain sentences: workers that have had enough and ask for a replacement (STOPPING=1).
 */
#include "../unit/unit.h"

#include "programs.h"
#include "stage.h"

#define SITE "pool app: workers=4, "

static struct stage stage;

/** Least that served, and most that started or served, in any moment since watch(). */
static int least_serving;
static int most_live;
static void (*check_event)(void *context);

static void look(void *context)
{
	struct pool_counts counts;
	int live;

	check_event(context);
	stage_count(&stage, "app", &counts);
	live = counts.starting + counts.ready + counts.outgoing_starting + counts.outgoing_ready;
	if (counts.good + counts.outgoing_ready < least_serving)
		least_serving = counts.good + counts.outgoing_ready;
	if (live > most_live)
		most_live = live;
}

static void watch(void)
{
	least_serving = 1000;
	most_live = 0;
	stage.world.after_event = look;
}

static void set_up(void)
{
	stage_open(&stage, 1);
	check_event = stage.world.after_event;
}

static void tear_down(void)
{
	stage.world.after_event = check_event;
	stage_down(&stage);
}

static struct worker *find_worker(pid_t pid)
{
	list_for_each (link, &stage_pool(&stage, "app")->workers) {
		struct worker *worker = list_entry(link, struct worker, link);
		if (worker->pid == pid)
			return worker;
	}
	ck_abort_msg("there is no worker %d", (int)pid);
	return NULL;
}

/** As if the process had said STOPPING=1. */
static void ask_as(pid_t pid)
{
	struct status_message message = { .key = STATUS_STOPPING, .text = "" };

	supervisor_worker_said(&stage.supervisor, find_worker(pid), &message, stage.world.now_ms);
	stage.world.after_event(stage.world.context);
}

static void ask(int slot)
{
	ask_as(stage_pid(&stage, "app", slot));
}

static const struct slot *slot_of(int number)
{
	return pool_slot(stage_pool(&stage, "app"), number);
}

static void assert_no_fault(void)
{
	ck_assert_uint_eq(stage.events[EVENT_WORKER_LOST], 0);
	ck_assert_uint_eq(stage.events[EVENT_POOL_DEGRADED], 0);
	ck_assert_uint_eq(slot_of(1)->failures, 0);
	ck_assert_uint_eq(slot_of(1)->deaths.count, 0);
}

START_TEST(test_it_serves_until_its_successor_is_ready_and_is_no_fault)
{
	pid_t before;

	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	before = stage_pid(&stage, "app", 2);
	watch();
	ask(2);
	ask(3);
	fake_world_run(&stage.world, 40);
	ck_assert_int_eq(fake_world_processes(&stage.world), 5);
	ck_assert_int_eq(fake_world_process(&stage.world, before)->signals, 0);
	ck_assert(stage_wait_calm(&stage, 1000));
	ck_assert_int_ne(stage_pid(&stage, "app", 2), before);
	ck_assert_int_eq(least_serving, 4);
	ck_assert_int_eq(most_live, 5);
	ck_assert_int_eq(slot_of(2)->last_exit.cause, CAUSE_RECYCLED);
	ck_assert_uint_eq(slot_of(2)->restarts, 1);
	ck_assert_uint_eq(slot_of(1)->restarts, 0);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_ASKED], 2);
	assert_no_fault();
}
END_TEST

struct limits_case {
	const char *text;
	int serving;
	int live;
};

static const struct limits_case limits_cases[] = {
	{ SITE "command=good", 4, 5 },
	{ SITE "command=good, surge=2", 4, 6 },
	{ SITE "command=good, surge=2, max_unavailable=2", 4, 6 },
	{ SITE "command=good, surge=100%", 4, 8 },
	{ SITE "command=good, surge=0, max_unavailable=1", 3, 4 },
	{ SITE "command=good, surge=0, max_unavailable=2", 3, 4 },
};

/** The loop's number says within which limits. Without surge one goes before its successor comes, and only one. */
START_TEST(test_when_all_ask_at_once_they_are_replaced_one_after_another)
{
	const struct limits_case *limits = &limits_cases[_i];
	uint64_t spawns;

	stage_up(&stage, limits->text);
	fake_world_run(&stage.world, 5000);
	spawns = stage.world.spawns;
	watch();
	for (int slot = 1; slot <= 4; slot++)
		ask(slot);
	ck_assert(stage_wait_calm(&stage, 10000));
	ck_assert_uint_eq(stage.world.spawns - spawns, 4);
	ck_assert_int_eq(least_serving, limits->serving);
	ck_assert_int_eq(most_live, limits->live);
	assert_no_fault();
}
END_TEST

START_TEST(test_asking_again_and_again_changes_nothing)
{
	pid_t before;

	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	before = stage_pid(&stage, "app", 1);
	for (int i = 0; i < 10; i++)
		ask_as(before);
	ck_assert(stage_wait_calm(&stage, 10000));
	ck_assert_uint_eq(stage.events[EVENT_WORKER_ASKED], 1);
	ck_assert_uint_eq(stage.world.spawns, 5);
}
END_TEST

/** Starts that no longer succeed. */
static bool broken;

static void behave_as_switched(void *context, const char *program, struct fake_behaviour *behaviour)
{
	(void)context;
	program_behave(broken ? "dies-before-ready" : program, behaviour);
}

/** Starts cease to succeed, one of four workers asks, and half a minute passes. @return it */
static pid_t ask_in_vain(void)
{
	pid_t pid;

	broken = false;
	stage.behave = behave_as_switched;
	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	pid = stage_pid(&stage, "app", 1);
	watch();
	broken = true;
	ask(1);
	fake_world_run(&stage.world, 30000);
	return pid;
}

START_TEST(test_when_its_successor_does_not_start_it_serves_on_and_the_tries_pause)
{
	pid_t before = ask_in_vain();

	ck_assert_uint_ge(stage.world.spawns, 4 + 4);
	ck_assert_uint_le(stage.world.spawns, 4 + 12);
	ck_assert_int_eq(fake_world_process(&stage.world, before)->signals, 0);
	ck_assert_int_eq(least_serving, 4);
	broken = false;
	ck_assert(stage_wait_calm(&stage, 40000));
	ck_assert_ptr_null(fake_world_process(&stage.world, before));
	ck_assert_int_eq(least_serving, 4);
}
END_TEST

/** Its successor is in its pause when the one that asked ends cleanly: the pause goes on, it was the successors'. */
START_TEST(test_its_own_end_does_not_shorten_the_pause_of_its_successors)
{
	pid_t before = ask_in_vain();
	int64_t next_ms = slot_of(1)->next_start_ms;

	ck_assert_int_gt(next_ms, stage.world.now_ms);
	fake_world_end(&stage.world, before, fake_exit(0));
	(void)fake_world_step(&stage.world);
	ck_assert_ptr_null(fake_world_process(&stage.world, before));
	ck_assert_int_eq(slot_of(1)->next_start_ms, next_ms);
	ck_assert_int_eq(slot_of(1)->last_exit.cause, CAUSE_RECYCLED);
	broken = false;
}
END_TEST

START_TEST(test_one_that_asks_and_ends_by_itself_at_once_is_replaced_without_a_pause)
{
	stage_up(&stage, "pool app: workers=1, command=asks-and-ends");
	fake_world_run(&stage.world, 600000);
	ck_assert_uint_ge(stage.world.spawns, 600000 / 5100);
	ck_assert_int_eq(slot_of(1)->last_exit.cause, CAUSE_RECYCLED);
	assert_no_fault();
}
END_TEST

/** Before its successor is on its way; a later crash would meet no pause that could be made longer. */
START_TEST(test_one_that_asks_and_crashes_is_a_fault)
{
	(void)stage_start(&stage, "pool app: workers=1, command=asks-and-crashes");
	fake_world_run(&stage.world, 600000);
	ck_assert_int_eq(slot_of(1)->last_exit.cause, CAUSE_FAILED);
	ck_assert_uint_gt(stage.events[EVENT_WORKER_LOST], 3);
	ck_assert_uint_lt(stage.world.spawns, 60);
}
END_TEST

START_TEST(test_workers_that_ask_as_soon_as_they_are_ready_are_replaced_once_a_second)
{
	uint64_t spawns;

	stage_up(&stage, "pool app: workers=1, command=good");
	ck_assert_int_eq(
		stage_wait(&stage, stage_reload(&stage, "pool app: workers=1, command=asks-at-once", NULL), 10000),
		OUTCOME_DONE);
	spawns = stage.world.spawns;
	watch();
	fake_world_run(&stage.world, 60000);
	ck_assert_uint_le(stage.world.spawns - spawns, 60);
	ck_assert_uint_ge(stage.world.spawns - spawns, 50);
	ck_assert_int_eq(least_serving, 1);
	assert_no_fault();
}
END_TEST

/** Neither a new generation that asks for ever nor the old one's wishes keep a reload from its end. */
START_TEST(test_wishes_during_a_roll_do_not_disturb_it)
{
	struct operation *operation;

	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	watch();
	ask(1);
	ask(4);
	operation = stage_reload(&stage, SITE "command=asks-at-once", NULL);
	ask(1);
	ck_assert_int_eq(stage_wait(&stage, operation, 10000), OUTCOME_DONE);
	ck_assert_int_eq(least_serving, 4);
	operation = stage_reload(&stage, SITE "command=good", NULL);
	ck_assert_int_eq(stage_wait(&stage, operation, 10000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 10000));
	ck_assert_int_eq(least_serving, 4);
	assert_no_fault();
}
END_TEST

START_TEST(test_a_failed_reload_leaves_its_wish_and_is_untouched_by_it)
{
	struct operation *operation;
	pid_t before;

	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	before = stage_pid(&stage, "app", 3);
	watch();
	operation = stage_reload(&stage, SITE "command=dies-before-ready", NULL);
	ask_as(before);
	ck_assert_int_eq(stage_wait(&stage, operation, 60000), OUTCOME_UNTOUCHED);
	ck_assert(stage_wait_calm(&stage, 10000));
	ck_assert_int_ne(stage_pid(&stage, "app", 3), before);
	ck_assert_int_eq(slot_of(3)->last_exit.cause, CAUSE_RECYCLED);
	ck_assert_int_eq(least_serving, 4);
}
END_TEST

/** So many starts succeed yet. */
static int good_starts;

static void behave_as_counted(void *context, const char *program, struct fake_behaviour *behaviour)
{
	(void)context;
	program_behave(good_starts-- > 0 ? program : "dies-before-ready", behaviour);
}

/** It is replaced while the restart of another slot runs, for which no new worker starts. */
START_TEST(test_its_leaving_is_no_change_by_an_operation_that_fails)
{
	struct operation *operation;
	pid_t before;

	stage.behave = behave_as_counted;
	good_starts = 4;
	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	before = stage_pid(&stage, "app", 1);
	good_starts = 1;
	ask(1);
	operation = stage_restart(&stage, "app/2", false);
	fake_world_run(&stage.world, 100);
	ck_assert_ptr_null(fake_world_process(&stage.world, before));
	ck_assert(operation_is_running(operation));
	ck_assert_int_eq(stage_wait(&stage, operation, 10000), OUTCOME_UNTOUCHED);
	ck_assert(stage_wait_calm(&stage, 1000));
}
END_TEST

START_TEST(test_a_restart_of_its_slot_is_done_when_it_is_gone)
{
	pid_t before;

	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	before = stage_pid(&stage, "app", 2);
	watch();
	ask(2);
	ck_assert_int_eq(stage_wait(&stage, stage_restart(&stage, "app/2", false), 10000), OUTCOME_DONE);
	ck_assert_ptr_null(fake_world_process(&stage.world, before));
	ck_assert(stage_wait_calm(&stage, 0));
	ck_assert_int_eq(least_serving, 4);
}
END_TEST

/** Otherwise it would count as an old worker that serves, and let a real one go. */
START_TEST(test_a_wish_counts_only_when_its_worker_is_good)
{
	struct operation *operation;

	stage_up(&stage, "pool app: workers=1, command=good");
	fake_world_run(&stage.world, 5000);
	operation = stage_reload(&stage, "pool app: workers=1, command=asks-at-once, min_ready=3s", NULL);
	fake_world_run(&stage.world, 2000);
	ck_assert(operation_is_running(operation));
	ck_assert_int_eq(fake_world_processes(&stage.world), 2);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_ASKED], 1);
	ck_assert_int_eq(stage_wait(&stage, operation, 2000), OUTCOME_DONE);
}
END_TEST

START_TEST(test_when_the_site_stops_it_was_stopped)
{
	const struct worker *worker;

	stage_up(&stage, SITE "command=good");
	fake_world_run(&stage.world, 5000);
	worker = find_worker(stage_pid(&stage, "app", 1));
	ask(1);
	ck_assert_ptr_nonnull(stage_stop(&stage, false));
	ck_assert(worker->asked && worker->ordered);
	ck_assert_int_eq(worker->cause, CAUSE_NONE);
	fake_world_end(&stage.world, worker->pid, fake_exit(0));
	(void)fake_world_step(&stage.world);
	ck_assert_int_eq(slot_of(1)->last_exit.cause, CAUSE_STOPPED);
	ck_assert_uint_eq(stage.events[EVENT_WORKER_LOST], 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scenarios of recycling");
	TCase *cases = tcase_create("workers that ask for a replacement");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, test_it_serves_until_its_successor_is_ready_and_is_no_fault);
	tcase_add_loop_test(cases, test_when_all_ask_at_once_they_are_replaced_one_after_another, 0,
			    (int)(sizeof(limits_cases) / sizeof(limits_cases[0])));
	tcase_add_test(cases, test_asking_again_and_again_changes_nothing);
	tcase_add_test(cases, test_when_its_successor_does_not_start_it_serves_on_and_the_tries_pause);
	tcase_add_test(cases, test_its_own_end_does_not_shorten_the_pause_of_its_successors);
	tcase_add_test(cases, test_one_that_asks_and_ends_by_itself_at_once_is_replaced_without_a_pause);
	tcase_add_test(cases, test_one_that_asks_and_crashes_is_a_fault);
	tcase_add_test(cases, test_workers_that_ask_as_soon_as_they_are_ready_are_replaced_once_a_second);
	tcase_add_test(cases, test_wishes_during_a_roll_do_not_disturb_it);
	tcase_add_test(cases, test_a_failed_reload_leaves_its_wish_and_is_untouched_by_it);
	tcase_add_test(cases, test_its_leaving_is_no_change_by_an_operation_that_fails);
	tcase_add_test(cases, test_a_restart_of_its_slot_is_done_when_it_is_gone);
	tcase_add_test(cases, test_a_wish_counts_only_when_its_worker_is_good);
	tcase_add_test(cases, test_when_the_site_stops_it_was_stopped);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
