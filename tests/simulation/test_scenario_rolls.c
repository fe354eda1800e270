/*
 * Scenarios in plain sentences: reloads, restarts and scaling, good and broken ones.
 */
#include "../unit/unit.h"

#include "programs.h"
#include "stage.h"

#include <stdio.h>
#include <string.h>

#define SITE "listener web: address=127.0.0.1:8000; pool app: listeners=web, workers=4, "

static struct stage stage;

static void set_up(void)
{
	stage_open(&stage, 1);
}

/** Ends every scenario: the site still stops and leaves nothing. */
static void tear_down(void)
{
	stage_down(&stage);
}

/** The pids of a pool's workers, by slot. */
struct pids {
	pid_t of_slot[16];
};

static struct pids remember(const char *pool, int workers)
{
	struct pids pids = { { 0 } };

	for (int slot = 1; slot <= workers; slot++)
		pids.of_slot[slot] = stage_pid(&stage, pool, slot);
	return pids;
}

static int count_same(const char *pool, const struct pids *before, int workers)
{
	int same = 0;

	for (int slot = 1; slot <= workers; slot++)
		same += stage_pid(&stage, pool, slot) == before->of_slot[slot];
	return same;
}

/* ---- broken deploys */

/** The loop's number is a program that never becomes good. */
START_TEST(test_a_broken_deploy_costs_one_process_at_a_time_and_leaves_the_old_pids)
{
	struct pids before;
	uint64_t spawns;
	char text[256];

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	spawns = stage.world.spawns;
	(void)snprintf(text, sizeof(text), SITE "command=%s, roll_attempts=3", programs_broken[_i]);
	ck_assert_int_eq(stage_wait(&stage, stage_reload(&stage, text, NULL), 120000), OUTCOME_UNTOUCHED);
	ck_assert_int_eq(count_same("app", &before, 4), 4);
	ck_assert_uint_le(stage.world.spawns - spawns, 3);
	ck_assert(stage_wait_calm(&stage, 1000));
}
END_TEST

START_TEST(test_one_that_dies_2_s_after_readiness_is_abandoned_when_min_ready_is_3_s)
{
	struct pids before;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	ck_assert_int_eq(
		stage_wait(&stage, stage_reload(&stage, SITE "command=dies-2s-after-ready, min_ready=3s", NULL), 60000),
		OUTCOME_UNTOUCHED);
	ck_assert_int_eq(count_same("app", &before, 4), 4);
}
END_TEST

START_TEST(test_a_hang_at_import_is_abandoned_after_ready_timeout_and_shows_the_last_lines)
{
	const struct operation *operation;
	int64_t began_ms;
	struct pids before;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	began_ms = stage.world.now_ms;
	operation = stage_reload(&stage, SITE "command=never-ready, ready_timeout=10s", NULL);
	ck_assert_int_eq(stage_wait(&stage, operation, 60000), OUTCOME_UNTOUCHED);
	ck_assert_int_ge(stage.world.now_ms - began_ms, 10000);
	ck_assert_int_le(stage.world.now_ms - began_ms, 12000);
	ck_assert_int_eq(count_same("app", &before, 4), 4);
	ck_assert_str_eq(operation->failed_worker, "app/1");
	ck_assert_ptr_nonnull(strstr(text_string(&operation->detail), "waiting for the database"));
	ck_assert_ptr_nonnull(strstr(operation->message, "ready_timeout"));
}
END_TEST

START_TEST(test_exit_78_is_not_tried_again)
{
	uint64_t spawns;

	stage_up(&stage, SITE "command=good");
	spawns = stage.world.spawns;
	ck_assert_int_eq(
		stage_wait(&stage, stage_reload(&stage, SITE "command=refuses, roll_attempts=10", NULL), 60000),
		OUTCOME_UNTOUCHED);
	ck_assert_uint_eq(stage.world.spawns - spawns, 1);
}
END_TEST

/** Good twice, then broken: the third new worker fails. */
static void fail_from_third(void *context, const char *program, struct fake_behaviour *behaviour)
{
	static int starts;

	(void)context;
	program_behave("good", behaviour);
	if (strcmp(program, "fails-from-third") == 0 && ++starts > 2)
		program_behave("dies-before-ready", behaviour);
}

START_TEST(test_workers_that_were_replaced_already_are_rolled_back)
{
	struct pids before;
	struct pool_counts counts;

	stage.behave = fail_from_third;
	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	ck_assert_int_eq(stage_wait(&stage, stage_reload(&stage, SITE "command=fails-from-third", NULL), 60000),
			 OUTCOME_ROLLED_BACK);
	ck_assert(stage_is_calm(&stage));
	stage_count(&stage, "app", &counts);
	ck_assert_int_eq(counts.good, 4);
	ck_assert_uint_eq(stage_pool(&stage, "app")->target->number, 1);
	ck_assert_int_ge(count_same("app", &before, 4), 2);
	ck_assert_int_lt(count_same("app", &before, 4), 4);
}
END_TEST

#define TWO_POOLS(first, second) "pool app: workers=2, command=" first "; pool api: workers=2, command=" second

START_TEST(test_when_the_second_pool_fails_the_first_is_rolled_back_as_well)
{
	stage_up(&stage, TWO_POOLS("good", "good"));
	ck_assert_int_eq(stage_wait(&stage,
				    stage_reload(&stage, TWO_POOLS("good", "never-ready, ready_timeout=20s"), NULL),
				    60000),
			 OUTCOME_ROLLED_BACK);
	ck_assert_uint_eq(stage_pool(&stage, "app")->target->number, 1);
	ck_assert_uint_eq(stage_pool(&stage, "api")->target->number, 1);
	ck_assert(stage_wait_calm(&stage, 1000));
}
END_TEST

START_TEST(test_a_new_pool_that_fails_goes_away_again)
{
	stage_up(&stage, "pool app: command=good");
	ck_assert_int_eq(stage_wait(&stage,
				    stage_reload(&stage, "pool app: command=good; pool api: command=dies-at-once",
						 &(struct reload_options){ .only_changed = true }),
				    60000),
			 OUTCOME_UNTOUCHED);
	ck_assert_ptr_null(stage_pool(&stage, "api"));
	ck_assert_uint_eq(stage.supervisor.site.configuration->pool_count, 1);
}
END_TEST

START_TEST(test_a_broken_deploy_that_also_makes_the_pool_smaller_takes_nobody_away)
{
	struct pids before;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	ck_assert_int_eq(
		stage_wait(&stage, stage_reload(&stage, "pool app: workers=1, command=dies-at-once", NULL), 120000),
		OUTCOME_UNTOUCHED);
	ck_assert_int_eq(count_same("app", &before, 4), 4);
	ck_assert(stage_wait_calm(&stage, 1000));
}
END_TEST

static bool listener_fails(void *context, enum fake_request request)
{
	(void)context;
	return request == FAKE_OPEN_LISTENER;
}

START_TEST(test_an_address_in_use_leaves_everything_as_it_was)
{
	struct pids before;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	stage.world.fails = listener_fails;
	ck_assert_int_eq(stage_wait(&stage,
				    stage_reload(&stage,
						 "listener web: address=127.0.0.1:8001; pool app: listeners=web, "
						 "workers=2, command=good",
						 NULL),
				    10000),
			 OUTCOME_UNTOUCHED);
	ck_assert_int_eq(count_same("app", &before, 4), 4);
	ck_assert_int_eq(stage.world.listeners_open, 1);
	ck_assert_int_eq(stage_pool(&stage, "app")->wanted, 4);
}
END_TEST

/* ---- good deploys */

START_TEST(test_a_good_reload_replaces_everybody_and_closes_the_old_listener)
{
	struct pids before;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	ck_assert_int_eq(stage_wait(&stage,
				    stage_reload(&stage,
						 "listener web: address=127.0.0.1:8001; pool app: listeners=web, "
						 "workers=4, command=good",
						 NULL),
				    10000),
			 OUTCOME_DONE);
	ck_assert_int_eq(count_same("app", &before, 4), 0);
	ck_assert(stage_wait_calm(&stage, 1000));
	ck_assert_int_eq(stage.world.listeners_open, 1);
	ck_assert_uint_eq(stage.world.spawns, 8);
}
END_TEST

START_TEST(test_without_surge_one_worker_leaves_first)
{
	stage_up(&stage, SITE "command=good, surge=0, max_unavailable=1");
	ck_assert_int_eq(
		stage_wait(&stage, stage_reload(&stage, SITE "command=good, surge=0, max_unavailable=1", NULL), 10000),
		OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 1000));
}
END_TEST

START_TEST(test_only_what_changed_is_rolled)
{
	struct pids app, api;

	stage_up(&stage, TWO_POOLS("good", "good"));
	app = remember("app", 2);
	api = remember("api", 2);
	ck_assert_int_eq(stage_wait(&stage,
				    stage_reload(&stage, TWO_POOLS("good, umask=077", "good, drain_timeout=3s"),
						 &(struct reload_options){ .only_changed = true }),
				    10000),
			 OUTCOME_DONE);
	ck_assert_int_eq(count_same("app", &app, 2), 0);
	ck_assert_int_eq(count_same("api", &api, 2), 2);
	ck_assert_int_eq(stage_pool(&stage, "api")->target->settings->drain_timeout_ms, 3000);
}
END_TEST

START_TEST(test_one_pool_alone_can_be_reloaded)
{
	struct pids app, api;

	stage_up(&stage, TWO_POOLS("good", "good"));
	app = remember("app", 2);
	api = remember("api", 2);
	ck_assert_int_eq(stage_wait(&stage,
				    stage_reload(&stage, TWO_POOLS("dies-at-once", "good"),
						 &(struct reload_options){ .pool = "api" }),
				    10000),
			 OUTCOME_DONE);
	ck_assert_int_eq(count_same("app", &app, 2), 2);
	ck_assert_int_eq(count_same("api", &api, 2), 0);
}
END_TEST

START_TEST(test_a_pool_that_is_no_longer_configured_drains)
{
	stage_up(&stage, TWO_POOLS("good", "good"));
	ck_assert_int_eq(stage_wait(&stage, stage_reload(&stage, "pool app: workers=2, command=good", NULL), 10000),
			 OUTCOME_DONE);
	ck_assert_ptr_null(stage_pool(&stage, "api"));
	ck_assert(stage_wait_calm(&stage, 1000));
}
END_TEST

START_TEST(test_a_restart_of_a_slot_replaces_one_worker_after_its_successor_is_ready)
{
	struct pids before;
	const struct operation *operation;
	struct pool_counts counts;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	operation = stage_restart(&stage, "app/2", false);
	ck_assert_ptr_nonnull(operation);
	stage_count(&stage, "app", &counts);
	ck_assert_int_eq(counts.good + counts.outgoing_ready, 4);
	ck_assert_int_eq(stage_wait(&stage, operation, 10000), OUTCOME_DONE);
	ck_assert_int_eq(count_same("app", &before, 4), 3);
	ck_assert_int_ne(stage_pid(&stage, "app", 2), before.of_slot[2]);
}
END_TEST

START_TEST(test_a_restart_of_a_pool_replaces_all)
{
	struct pids before;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	ck_assert_int_eq(stage_wait(&stage, stage_restart(&stage, "app", false), 10000), OUTCOME_DONE);
	ck_assert_int_eq(count_same("app", &before, 4), 0);
}
END_TEST

START_TEST(test_a_worker_that_says_stopping_goes_when_its_successor_is_there)
{
	stage_up(&stage, "pool app: command=says-stopping, workers=1");
	for (int second = 0; second < 60; second++) {
		struct pool_counts counts;
		fake_world_run(&stage.world, 1000);
		stage_count(&stage, "app", &counts);
		ck_assert_int_ge(counts.good + counts.outgoing_ready, 1);
		ck_assert_int_eq(stage_pool(&stage, "app")->state == POOL_DEGRADED, false);
	}
	ck_assert_uint_ge(stage.world.spawns, 8);
}
END_TEST

/* ---- scale */

START_TEST(test_scaling_up_and_down)
{
	stage_up(&stage, SITE "command=good");
	ck_assert_int_eq(stage_wait(&stage, stage_scale(&stage, NULL, "+3", false), 10000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 0));
	ck_assert_int_eq(stage_pool(&stage, "app")->wanted, 7);
	ck_assert_int_eq(stage_wait(&stage, stage_scale(&stage, "app", "1", false), 10000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 0));
	ck_assert_int_eq(fake_world_processes(&stage.world), 1);
	ck_assert_ptr_null(stage_scale(&stage, "app", "0", false));
	ck_assert_ptr_null(stage_scale(&stage, "app", "many", false));
	ck_assert_ptr_null(stage_scale(&stage, "web", "2", false));
}
END_TEST

START_TEST(test_a_crash_of_an_old_worker_does_not_end_a_scale)
{
	const struct operation *operation;

	stage_up(&stage, "pool app: command=slowly-ready, workers=2, roll_attempts=1");
	operation = stage_scale(&stage, "app", "3", false);
	fake_world_run(&stage.world, 1000);
	fake_world_end(&stage.world, stage_pid(&stage, "app", 1), fake_exit(1));
	ck_assert_int_eq(stage_wait(&stage, operation, 60000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 10000));
}
END_TEST

START_TEST(test_scale_holds_over_reloads_until_the_file_says_another_number)
{
	stage_up(&stage, SITE "command=good");
	ck_assert_int_eq(stage_wait(&stage, stage_scale(&stage, "app", "6", false), 10000), OUTCOME_DONE);
	ck_assert_int_eq(stage_wait(&stage, stage_reload(&stage, SITE "command=good, umask=022", NULL), 10000),
			 OUTCOME_DONE);
	ck_assert_int_eq(stage_pool(&stage, "app")->wanted, 6);
	ck_assert_int_eq(stage_wait(&stage,
				    stage_reload(&stage, "pool app: workers=5, command=good",
						 &(struct reload_options){ .only_changed = true }),
				    10000),
			 OUTCOME_DONE);
	ck_assert_int_eq(stage_pool(&stage, "app")->wanted, 5);
	ck_assert_int_eq(stage_pool(&stage, "app")->scaled, 0);
}
END_TEST

/* ---- one after the other */

START_TEST(test_a_second_operation_on_the_same_pool_is_a_conflict)
{
	const struct operation *operation;

	stage_up(&stage, TWO_POOLS("good", "good"));
	operation = stage_restart(&stage, "app", false);
	ck_assert_ptr_nonnull(operation);
	ck_assert_ptr_null(stage_scale(&stage, "app", "5", false));
	ck_assert_int_eq(stage.error.kind, ERROR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(stage.error.text, "r-2"));
	ck_assert_ptr_null(stage_reload(&stage, TWO_POOLS("good", "good"), NULL));
	ck_assert_int_eq(stage.error.kind, ERROR_CONFLICT);
	ck_assert_ptr_nonnull(stage_scale(&stage, "api", "3", false));
	ck_assert_int_eq(stage_wait(&stage, operation, 10000), OUTCOME_DONE);
}
END_TEST

START_TEST(test_a_superseded_broken_reload_leaves_no_trace)
{
	const struct operation *broken, *good;

	stage_up(&stage, SITE "command=good");
	broken = stage_reload(&stage, SITE "command=never-ready", NULL);
	fake_world_run(&stage.world, 5000);
	good = stage_reload(&stage, SITE "command=good", &(struct reload_options){ .supersede = true });
	ck_assert_int_eq(broken->outcome, OUTCOME_SUPERSEDED);
	ck_assert_int_eq(stage_wait(&stage, good, 10000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 0));
}
END_TEST

START_TEST(test_when_the_heir_fails_too_what_was_before_both_comes_back)
{
	const struct operation *heir;
	struct pids before;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	(void)stage_reload(&stage, "pool app: command=never-ready, workers=6", NULL);
	fake_world_run(&stage.world, 5000);
	heir = stage_reload(&stage, "pool app: command=dies-at-once, workers=9",
			    &(struct reload_options){ .supersede = true });
	ck_assert_int_eq(stage_wait(&stage, heir, 60000), OUTCOME_UNTOUCHED);
	ck_assert_int_eq(count_same("app", &before, 4), 4);
	ck_assert_int_eq(stage_pool(&stage, "app")->wanted, 4);
}
END_TEST

/** The predecessor is putting its old generation back just now. */
START_TEST(test_superseding_a_reload_that_restores_keeps_the_old_generation)
{
	const struct operation *broken, *heir;

	stage.behave = fail_from_third;
	stage_up(&stage, SITE "command=good");
	broken = stage_reload(&stage, SITE "command=fails-from-third", NULL);
	while (broken->phase != OPERATION_RESTORING)
		ck_assert(fake_world_step(&stage.world));
	stage.world.fails = listener_fails;
	heir = stage_reload(&stage, "listener web: address=127.0.0.1:8001; pool app: listeners=web, command=good",
			    &(struct reload_options){ .supersede = true });
	ck_assert_int_eq(broken->outcome, OUTCOME_SUPERSEDED);
	ck_assert_int_ne(stage_wait(&stage, heir, 60000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 10000));
	ck_assert_int_eq(stage_pool(&stage, "app")->wanted, 4);
}
END_TEST

START_TEST(test_a_restart_whose_heir_fails_leaves_the_old_worker_alone_in_its_slot)
{
	struct pids before;
	struct pool_counts counts;

	stage_up(&stage, SITE "command=good");
	before = remember("app", 4);
	ck_assert_ptr_nonnull(stage_restart(&stage, "app/2", false));
	stage.world.fails = listener_fails;
	ck_assert_int_eq(
		stage_wait(&stage,
			   stage_reload(&stage,
					"listener web: address=127.0.0.1:8001; pool app: listeners=web, command=good",
					&(struct reload_options){ .supersede = true }),
			   10000),
		OUTCOME_UNTOUCHED);
	fake_world_run(&stage.world, 1000);
	stage_count(&stage, "app", &counts);
	ck_assert_int_eq(counts.good, 4);
	ck_assert_int_eq(count_same("app", &before, 4), 4);
}
END_TEST

START_TEST(test_superseding_a_scale_finishes_the_cleaning_of_a_reload)
{
	stage_up(&stage, TWO_POOLS("good", "good"));
	(void)stage_reload(&stage, "pool app: workers=2, command=slowly-ready", NULL);
	fake_world_run(&stage.world, 100);
	ck_assert_int_eq(stage_wait(&stage, stage_scale(&stage, "app", "3", true), 60000), OUTCOME_DONE);
	ck_assert(stage_wait_calm(&stage, 10000));
	ck_assert_ptr_null(stage_pool(&stage, "api"));
}
END_TEST

/* ---- stop */

START_TEST(test_a_stop_ends_everything_also_what_just_starts)
{
	const struct operation *reload;

	stage_up(&stage, SITE "command=good");
	reload = stage_reload(&stage, SITE "command=slowly-ready", NULL);
	ck_assert_ptr_nonnull(stage_stop(&stage, false));
	ck_assert_int_eq(reload->outcome, OUTCOME_SUPERSEDED);
	ck_assert_ptr_null(stage_reload(&stage, SITE "command=good", NULL));
	ck_assert_int_eq(stage.error.kind, ERROR_STOPPING);
}
END_TEST

START_TEST(test_a_stop_at_once_kills)
{
	stage_up(&stage, SITE "command=ignores-stop-and-abort");
	ck_assert_ptr_nonnull(stage_stop(&stage, true));
	fake_world_run(&stage.world, 10);
	ck_assert(stage.supervisor.finished);
	ck_assert_int_eq(fake_world_processes(&stage.world), 0);
}
END_TEST

START_TEST(test_a_start_that_cannot_bind_fails)
{
	stage.world.fails = listener_fails;
	ck_assert_ptr_nonnull(stage_start(&stage, SITE "command=good"));
	fake_world_run(&stage.world, 1000);
	ck_assert(stage.supervisor.start_failed);
	ck_assert_int_eq(stage.supervisor.start_error.kind, ERROR_ADDRESS);
	ck_assert_uint_eq(stage.world.spawns, 0);
}
END_TEST

static void add_deploys(Suite *suite)
{
	TCase *cases = tcase_create("deploys");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_loop_test(cases, test_a_broken_deploy_costs_one_process_at_a_time_and_leaves_the_old_pids, 0,
			    (int)programs_broken_count);
	tcase_add_test(cases, test_one_that_dies_2_s_after_readiness_is_abandoned_when_min_ready_is_3_s);
	tcase_add_test(cases, test_a_hang_at_import_is_abandoned_after_ready_timeout_and_shows_the_last_lines);
	tcase_add_test(cases, test_exit_78_is_not_tried_again);
	tcase_add_test(cases, test_workers_that_were_replaced_already_are_rolled_back);
	tcase_add_test(cases, test_when_the_second_pool_fails_the_first_is_rolled_back_as_well);
	tcase_add_test(cases, test_a_new_pool_that_fails_goes_away_again);
	tcase_add_test(cases, test_a_broken_deploy_that_also_makes_the_pool_smaller_takes_nobody_away);
	tcase_add_test(cases, test_an_address_in_use_leaves_everything_as_it_was);
	tcase_add_test(cases, test_a_good_reload_replaces_everybody_and_closes_the_old_listener);
	tcase_add_test(cases, test_without_surge_one_worker_leaves_first);
	tcase_add_test(cases, test_only_what_changed_is_rolled);
	tcase_add_test(cases, test_one_pool_alone_can_be_reloaded);
	tcase_add_test(cases, test_a_pool_that_is_no_longer_configured_drains);
	suite_add_tcase(suite, cases);
}

static void add_others(Suite *suite)
{
	TCase *cases = tcase_create("operations");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, test_a_restart_of_a_slot_replaces_one_worker_after_its_successor_is_ready);
	tcase_add_test(cases, test_a_restart_of_a_pool_replaces_all);
	tcase_add_test(cases, test_a_worker_that_says_stopping_goes_when_its_successor_is_there);
	tcase_add_test(cases, test_scaling_up_and_down);
	tcase_add_test(cases, test_a_crash_of_an_old_worker_does_not_end_a_scale);
	tcase_add_test(cases, test_scale_holds_over_reloads_until_the_file_says_another_number);
	tcase_add_test(cases, test_a_second_operation_on_the_same_pool_is_a_conflict);
	tcase_add_test(cases, test_a_superseded_broken_reload_leaves_no_trace);
	tcase_add_test(cases, test_when_the_heir_fails_too_what_was_before_both_comes_back);
	tcase_add_test(cases, test_superseding_a_reload_that_restores_keeps_the_old_generation);
	tcase_add_test(cases, test_a_restart_whose_heir_fails_leaves_the_old_worker_alone_in_its_slot);
	tcase_add_test(cases, test_superseding_a_scale_finishes_the_cleaning_of_a_reload);
	tcase_add_test(cases, test_a_stop_ends_everything_also_what_just_starts);
	tcase_add_test(cases, test_a_stop_at_once_kills);
	tcase_add_test(cases, test_a_start_that_cannot_bind_fails);
	suite_add_tcase(suite, cases);
}

int main(void)
{
	Suite *suite = suite_create("scenario_rolls");

	add_deploys(suite);
	add_others(suite);
	return unit_run(suite);
}
