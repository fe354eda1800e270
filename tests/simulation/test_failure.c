/*
 * The n-th allocation, or the n-th request to the world, fails; for every n, until the whole scenario runs without a
 * failure. Whatever fails: the supervisor survives, answers, converges, stops and leaves nothing.
 */
#include "../unit/unit.h"

#include "allocation.h"
#include "programs.h"
#include "stage.h"

/** More than the scenario asks for; a scenario that never gets through would run for ever. */
#define FAILURES_MAX 20000
#define CALM_MS      (10 * 60 * 1000)

#define SITE(listener, workers, command)                                                                               \
	"listener web: address=127.0.0.1:" listener "; pool app: listeners=web, workers=" workers ", command=" command
#define MORE "; pool api: listeners=web, workers=1, command=good"

static struct stage stage;

/* ---- which request fails */

static unsigned requests;
static unsigned failing_request;

static bool fails(void *context, enum fake_request request)
{
	(void)context;
	(void)request;
	return ++requests == failing_request;
}

/* ---- the scenario */

/** Waits for the end of an operation that may have been refused, and for rest. */
static void expect_calm(const char *what, const struct operation *operation)
{
	if (operation != NULL)
		require(stage_wait(&stage, operation, CALM_MS) != OUTCOME_RUNNING, "%s: is never over", what);
	require(stage_wait_calm(&stage, CALM_MS), "%s: the site does not come to rest", what);
}

/** @return false when the start failed: the daemon would end */
static bool start(void)
{
	const struct operation *operation = stage_start(&stage, SITE("8000", "2", "good"));

	if (operation == NULL)
		return false;
	while (stage.supervisor.site.configuration == NULL && !stage.supervisor.start_failed)
		require(fake_world_step(&stage.world), "it neither starts nor fails");
	if (stage.supervisor.start_failed)
		return false;
	expect_calm("start", operation);
	return true;
}

static void reload(const char *what, const char *text, const struct reload_options *options)
{
	expect_calm(what, stage_reload(&stage, text, options));
}

static void operate(void)
{
	reload("reload", SITE("8001", "3", "good") MORE, NULL);
	expect_calm("scale", stage_scale(&stage, "app", "+2", false));
	expect_calm("restart of a pool", stage_restart(&stage, "app", false));
	expect_calm("restart of a slot", stage_restart(&stage, "app/1", false));
	expect_calm("restart of all", stage_restart(&stage, NULL, false));
	reload("broken reload", SITE("8002", "4", "dies-before-ready") MORE, NULL);
	reload("reload of what changed", SITE("8001", "4", "good, drain_timeout=9s") MORE,
	       &(struct reload_options){ .only_changed = true });
	reload("reload of a pool", SITE("8003", "1", "good") MORE, &(struct reload_options){ .pool = "api" });
	(void)stage_reload(&stage, SITE("8001", "2", "never-ready") MORE, NULL);
	reload("reload that supersedes", SITE("8004", "2", "good"), &(struct reload_options){ .supersede = true });
}

static bool is_finished(void *context)
{
	(void)context;
	return stage.supervisor.finished;
}

/** A stop for which there is no memory is asked for again. */
static void stop(void)
{
	while (stage_stop(&stage, false) == NULL)
		require(stage.error.kind == ERROR_MEMORY, "a stop is refused: %s", stage.error.text);
	require(fake_world_run_until(&stage.world, is_finished, CALM_MS), "it does not stop");
}

static void talk(void *context, const char *program, struct fake_behaviour *behaviour)
{
	(void)context;
	program_behave(program, behaviour);
	behaviour->output = "a line\nanother line\n";
}

/** @return how many allocations were asked for */
static unsigned play(unsigned failing_allocation, unsigned in_a_row)
{
	unsigned allocations;

	allocation_pause(true);
	stage_open(&stage, 1);
	stage.behave = talk;
	stage.world.fails = fails;
	requests = 0;
	allocation_fail_in_a_row(failing_allocation, in_a_row);
	if (start())
		operate();
	stop();
	allocations = allocation_counted();
	allocation_pause(true);
	stage_close(&stage);
	return allocations;
}

START_TEST(test_without_a_failure_all_goes_well)
{
	failing_request = 0;
	ck_assert_uint_gt(play(0, 0), 100);
	ck_assert_uint_gt(requests, 20);
}
END_TEST

/** The loop's number says how many fail in a row. */
START_TEST(test_the_nth_allocation_fails)
{
	static const unsigned in_a_row[] = { 1, 2, 5, 50 };
	unsigned number = 0;

	failing_request = 0;
	do {
		require(++number < FAILURES_MAX, "there is always one more allocation");
	} while (play(number, in_a_row[_i]) >= number);
}
END_TEST

START_TEST(test_the_nth_request_fails)
{
	failing_request = 0;
	do {
		require(++failing_request < FAILURES_MAX, "there is always one more request");
		(void)play(0, 0);
	} while (requests >= failing_request);
}
END_TEST

/** Not even the supervisor itself comes into being. */
START_TEST(test_no_memory_for_the_supervisor)
{
	static struct supervisor supervisor;
	static struct fake_world world;
	struct effects effects;

	fake_world_init(&world, &supervisor, 1);
	effects = fake_world_effects(&world);
	allocation_count_from_now(1);
	bool made = supervisor_init(&supervisor, "test", &effects, 0);
	allocation_pause(true);
	ck_assert(!made);
	supervisor_finish(&supervisor);
	fake_world_finish(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failure");
	TCase *cases = tcase_create("failure");

	tcase_set_timeout(cases, 300);
	tcase_add_test(cases, test_without_a_failure_all_goes_well);
	tcase_add_loop_test(cases, test_the_nth_allocation_fails, 0, 4);
	tcase_add_test(cases, test_the_nth_request_fails);
	tcase_add_test(cases, test_no_memory_for_the_supervisor);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
