/*
 * The pool of the model: slots, records, who counts as what.
 */
#include "unit.h"

#include "model/pool.h"

static struct pool *pool;
static struct generation current = { .references = 1, .number = 2 };
static struct generation old = { .references = 1, .number = 1 };

static void set_up(void)
{
	pool = pool_create("app");
	ck_assert_ptr_nonnull(pool);
	pool->target = &current;
	pool->wanted = 4;
	ck_assert(pool_reserve_slots(pool, 4));
}

static void tear_down(void)
{
	pool->target = NULL;
	pool_destroy(pool);
}

static struct worker *add(int slot, struct generation *generation, enum worker_state state)
{
	struct worker *worker = pool_take_record(pool);

	ck_assert_ptr_nonnull(worker);
	worker->slot = slot;
	worker->generation = generation;
	worker->state = state;
	list_append(&pool->workers, &worker->link);
	return worker;
}

START_TEST(test_slots_grow_and_never_shrink)
{
	struct slot *first = pool_slot(pool, 1);

	ck_assert(pool_reserve_slots(pool, 100));
	ck_assert_int_eq(pool->slot_count, 100);
	ck_assert(pool_reserve_slots(pool, 2));
	ck_assert_int_eq(pool->slot_count, 100);
	ck_assert_ptr_eq(pool_slot(pool, 1), first);
	for (int number = 1; number <= 100; number++)
		ck_assert_int_eq(pool_slot(pool, number)->number, number);
}
END_TEST

START_TEST(test_a_record_is_fresh_and_knows_its_pool)
{
	struct worker *worker = pool_take_record(pool);
	int attachment = 0;

	ck_assert_ptr_eq(worker->pool, pool);
	ck_assert_int_eq(worker->deadline_ms, TIME_NEVER);
	worker->attachment = &attachment;
	worker->pid = 77;
	worker->good = true;
	output_ring_append(&worker->output, "words", 5);
	list_append(&pool->spare, &worker->link);

	ck_assert_ptr_eq(pool_take_record(pool), worker);
	ck_assert(list_is_empty(&pool->spare));
	ck_assert_int_eq(worker->pid, 0);
	ck_assert(!worker->good);
	ck_assert_uint_eq(worker->output.length, 0);
	ck_assert_ptr_nonnull(worker->output.data);
	ck_assert_ptr_eq(worker->attachment, &attachment);
	list_append(&pool->spare, &worker->link);
}
END_TEST

struct count_case {
	int slot;
	bool of_target;
	bool superseded;
	bool asked;
	bool good;
	enum worker_state state;
	struct pool_counts counts;
};

static const struct count_case count_cases[] = {
	{ 1, true, false, false, false, WORKER_STARTING, { .starting = 1 } },
	{ 1, true, false, false, false, WORKER_READY, { .ready = 1 } },
	{ 1, true, false, false, true, WORKER_READY, { .ready = 1, .good = 1 } },
	{ 1, true, true, false, true, WORKER_READY, { .outgoing_ready = 1 } },
	{ 1, true, true, false, false, WORKER_STARTING, { .outgoing_starting = 1 } },
	{ 1, true, false, true, true, WORKER_READY, { .outgoing_ready = 1 } },
	{ 1, true, false, true, false, WORKER_READY, { .ready = 1 } },
	{ 1, true, false, true, false, WORKER_STARTING, { .starting = 1 } },
	{ 1, true, false, true, true, WORKER_DRAINING, { .leaving = 1 } },
	{ 1, false, false, false, true, WORKER_READY, { .outgoing_ready = 1 } },
	{ 1, false, false, false, false, WORKER_STARTING, { .outgoing_starting = 1 } },
	{ 4, true, false, false, true, WORKER_READY, { .ready = 1, .good = 1 } },
	{ 5, true, false, false, true, WORKER_READY, { .outgoing_ready = 1 } },
	{ 5, true, false, false, false, WORKER_STARTING, { .outgoing_starting = 1 } },
	{ 1, true, false, false, true, WORKER_DRAINING, { .leaving = 1 } },
	{ 1, false, false, false, true, WORKER_ABORTING, { .leaving = 1 } },
	{ 5, true, false, false, false, WORKER_KILLING, { .leaving = 1 } },
};

static void assert_counts(const struct pool_counts *found, const struct pool_counts *expected)
{
	ck_assert_int_eq(found->starting, expected->starting);
	ck_assert_int_eq(found->ready, expected->ready);
	ck_assert_int_eq(found->good, expected->good);
	ck_assert_int_eq(found->outgoing_starting, expected->outgoing_starting);
	ck_assert_int_eq(found->outgoing_ready, expected->outgoing_ready);
	ck_assert_int_eq(found->leaving, expected->leaving);
}

START_TEST(test_a_worker_counts_once)
{
	const struct count_case *one = &count_cases[_i];
	struct worker *worker = add(one->slot, one->of_target ? &current : &old, one->state);
	struct pool_counts counts;
	int live = one->counts.starting + one->counts.ready;

	worker->superseded = one->superseded;
	worker->asked = one->asked;
	worker->good = one->good;
	pool_count(pool, &counts);
	assert_counts(&counts, &one->counts);
	ck_assert_ptr_eq(pool_find_current(pool, one->slot), live > 0 ? worker : NULL);
	ck_assert_int_eq(worker_is_live(worker), one->state == WORKER_STARTING || one->state == WORKER_READY);
	ck_assert_int_eq(worker_is_leaving(worker), one->counts.leaving);
}
END_TEST

START_TEST(test_who_asks_for_a_successor_asks_as_long_as_nobody_else_wants_it_away)
{
	struct worker *worker = add(2, &current, WORKER_READY);

	worker->asked = true;
	ck_assert(!pool_is_asking(pool, worker));
	worker->good = true;
	ck_assert(pool_is_asking(pool, worker));
	worker->superseded = true;
	ck_assert(!pool_is_asking(pool, worker));
	worker->superseded = false;
	pool->wanted = 1;
	ck_assert(!pool_is_asking(pool, worker));
	pool->wanted = 4;
	worker->generation = &old;
	ck_assert(!pool_is_asking(pool, worker));
	worker->generation = &current;
	pool->stopping = true;
	ck_assert(!pool_is_asking(pool, worker));
}
END_TEST

START_TEST(test_everybody_is_outgoing_when_the_pool_stops)
{
	struct worker *worker = add(1, &current, WORKER_READY);

	ck_assert(!pool_is_outgoing(pool, worker));
	pool->stopping = true;
	ck_assert(pool_is_outgoing(pool, worker));
}
END_TEST

START_TEST(test_a_slot_holds_one_worker_of_the_target)
{
	struct worker *leaving = add(2, &current, WORKER_DRAINING);
	struct worker *outgoing = add(2, &old, WORKER_READY);
	struct worker *worker = add(2, &current, WORKER_STARTING);

	ck_assert_ptr_eq(pool_find_current(pool, 2), worker);
	worker->state = WORKER_KILLING;
	ck_assert_ptr_null(pool_find_current(pool, 2));
	ck_assert_ptr_null(pool_find_current(pool, 3));
	ck_assert(worker_is_leaving(leaving));
	ck_assert(pool_is_outgoing(pool, outgoing));
}
END_TEST

START_TEST(test_deaths_within_a_window)
{
	struct death_tally tally = { 0 };

	ck_assert_int_eq(death_tally_within(&tally, 1000, 1000), 0);
	for (int64_t now_ms = 0; now_ms < 100; now_ms += 10)
		death_tally_add(&tally, now_ms);
	ck_assert_int_eq(death_tally_within(&tally, 90, 1000), 10);
	ck_assert_int_eq(death_tally_within(&tally, 90, 45), 5);
	ck_assert_int_eq(death_tally_within(&tally, 90, 40), 5);
	ck_assert_int_eq(death_tally_within(&tally, 200, 40), 0);
}
END_TEST

START_TEST(test_the_tally_remembers_the_last_deaths)
{
	struct death_tally tally = { 0 };

	for (int64_t now_ms = 1; now_ms <= 10 * DEATHS_MAX; now_ms++) {
		int deaths = now_ms < DEATHS_MAX ? (int)now_ms : DEATHS_MAX;
		death_tally_add(&tally, now_ms);
		ck_assert_int_eq(death_tally_within(&tally, now_ms, INT64_MAX), deaths);
		ck_assert_int_eq(death_tally_within(&tally, now_ms, 3), deaths < 4 ? deaths : 4);
	}
	ck_assert_uint_eq(tally.count, 10 * DEATHS_MAX);
}
END_TEST

START_TEST(test_the_file_says_how_many_workers_unless_there_is_none)
{
	struct pool_settings settings = { .workers = 9 };

	current.settings = &settings;
	ck_assert_int_eq(pool_configured(pool), 9);
	current.settings = NULL;
	pool->target = NULL;
	ck_assert_int_eq(pool_configured(pool), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool");
	TCase *cases = tcase_create("pool");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, test_slots_grow_and_never_shrink);
	tcase_add_test(cases, test_a_record_is_fresh_and_knows_its_pool);
	tcase_add_loop_test(cases, test_a_worker_counts_once, 0, (int)(sizeof(count_cases) / sizeof(count_cases[0])));
	tcase_add_test(cases, test_who_asks_for_a_successor_asks_as_long_as_nobody_else_wants_it_away);
	tcase_add_test(cases, test_everybody_is_outgoing_when_the_pool_stops);
	tcase_add_test(cases, test_a_slot_holds_one_worker_of_the_target);
	tcase_add_test(cases, test_deaths_within_a_window);
	tcase_add_test(cases, test_the_tally_remembers_the_last_deaths);
	tcase_add_test(cases, test_the_file_says_how_many_workers_unless_there_is_none);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
