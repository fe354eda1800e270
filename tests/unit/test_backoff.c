/*
 * Pauses between starts, and how many starts they allow.
 */
#include "unit.h"

#include "policy/backoff.h"

/** Just below 1, the upper end of a random number. */
#define ALMOST_ONE 0.999999

static const struct pauses pauses = { .first_ms = 100, .longest_ms = 30000 };

/** The defaults, as the settings table says them. */
static struct pauses default_pauses(void)
{
	struct pool_settings *settings = pool_settings_create("app", "test");
	struct pauses found;

	ck_assert_ptr_nonnull(settings);
	found = settings->backoff;
	pool_settings_release(settings);
	return found;
}

START_TEST(test_pauses_double_up_to_the_longest)
{
	static const int64_t expected[] = { 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000 };

	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ck_assert_int_eq(backoff_pause(&pauses, i + 1, false, 0.5), expected[i]);
}
END_TEST

START_TEST(test_a_worker_that_served_is_replaced_at_once_the_first_time)
{
	static const int64_t expected[] = { 0, 100, 200, 400 };

	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		ck_assert_int_eq(backoff_pause(&pauses, i + 1, true, 0.5), expected[i]);
}
END_TEST

START_TEST(test_pauses_are_spread_by_a_quarter)
{
	ck_assert_int_eq(backoff_pause(&pauses, 1, false, 0.0), 75);
	ck_assert_int_ge(backoff_pause(&pauses, 1, false, ALMOST_ONE), 124);
	ck_assert_int_le(backoff_pause(&pauses, 1, false, ALMOST_ONE), 125);
	ck_assert_int_eq(backoff_longest(&pauses, 0.0), 22500);
	ck_assert_int_eq(backoff_longest(&pauses, 0.5), 30000);
	ck_assert_int_le(backoff_longest(&pauses, ALMOST_ONE), 37500);
}
END_TEST

START_TEST(test_no_number_of_failures_overflows)
{
	static const unsigned failures[] = { 33, 34, 63, 64, 65, 66, 1000000, UINT32_MAX };
	struct pauses longest = { .first_ms = 1, .longest_ms = INT32_MAX };

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		ck_assert_int_eq(backoff_pause(&pauses, failures[i], false, 0.5), 30000);
		ck_assert_int_eq(backoff_pause(&longest, failures[i], true, 0.5), INT32_MAX);
	}
}
END_TEST

/** Starts within 30 s of a worker that dies at once; `served` and `random` say how each of them goes. */
static int count_starts(bool (*served)(int start), double (*random)(int start))
{
	struct pauses found = default_pauses();
	int64_t now_ms = 0;
	int starts = 0;

	while (now_ms <= 30000) {
		starts++;
		now_ms += backoff_pause(&found, (unsigned)starts, served(starts), random(starts));
	}
	return starts;
}

static bool never(int start)
{
	(void)start;
	return false;
}

static bool always(int start)
{
	(void)start;
	return true;
}

static bool sometimes(int start)
{
	return start % 3 == 1;
}

static double lowest(int start)
{
	(void)start;
	return 0.0;
}

static double highest(int start)
{
	(void)start;
	return ALMOST_ONE;
}

static double any(int start)
{
	(void)start;
	return (double)(rand() % 1000) / 1000.0;
}

START_TEST(test_at_most_12_starts_in_30_seconds)
{
	bool (*const served[])(int) = { never, always, sometimes };
	double (*const random[])(int) = { lowest, highest, any };

	for (int i = 0; i < 300; i++) {
		int starts = count_starts(served[i % 3], random[i / 3 % 3]);
		ck_assert_int_le(starts, 12);
		ck_assert_int_ge(starts, 7);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("backoff");
	TCase *cases = tcase_create("pauses");

	tcase_add_test(cases, test_pauses_double_up_to_the_longest);
	tcase_add_test(cases, test_a_worker_that_served_is_replaced_at_once_the_first_time);
	tcase_add_test(cases, test_pauses_are_spread_by_a_quarter);
	tcase_add_test(cases, test_no_number_of_failures_overflows);
	tcase_add_test(cases, test_at_most_12_starts_in_30_seconds);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
