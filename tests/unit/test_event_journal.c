/*
 * The journal: sequence numbers without gaps, a window of the last events, texts that fit.
 */
#include "unit.h"

#include "base/log.h"
#include "model/pool.h"
#include "supervisor/event_journal.h"

#include <string.h>

static struct event_journal journal;
static struct error error;

static void set_up(void)
{
	ck_assert(log_open("/dev/null", LOG_LEVEL_DEBUG, &error));
	ck_assert(event_journal_init(&journal));
}

static void tear_down(void)
{
	event_journal_finish(&journal);
}

__attribute__((format(printf, 5, 6))) static const struct event *
add(int64_t now_ms, enum event_kind kind, const struct pool *pool, const struct worker *worker, const char *fmt, ...)
{
	const struct event *event;
	va_list arguments;

	va_start(arguments, fmt);
	event = event_journal_add(&journal, now_ms, kind, pool, worker, fmt, arguments);
	va_end(arguments);
	return event;
}

START_TEST(test_an_empty_journal_knows_nothing)
{
	ck_assert_uint_eq(event_journal_oldest(&journal), journal.next);
	ck_assert_ptr_null(event_journal_find(&journal, 0));
	ck_assert_ptr_null(event_journal_find(&journal, 1));
}
END_TEST

START_TEST(test_events_are_numbered_from_one)
{
	const struct event *event = add(5, EVENT_SITE_STARTED, NULL, NULL, "%s", "hello");

	ck_assert_uint_eq(event->sequence, 1);
	ck_assert_int_eq(event->at_ms, 5);
	ck_assert_str_eq(event->text, "hello");
	ck_assert_str_eq(event->pool, "");
	ck_assert_ptr_eq(event_journal_find(&journal, 1), event);
	ck_assert_uint_eq(add(6, EVENT_SITE_READY, NULL, NULL, "ready")->sequence, 2);
}
END_TEST

START_TEST(test_the_last_512_are_kept)
{
	for (uint64_t number = 1; number <= 3 * EVENT_JOURNAL_SIZE; number++) {
		uint64_t oldest = number > EVENT_JOURNAL_SIZE ? number - EVENT_JOURNAL_SIZE + 1 : 1;
		ck_assert_uint_eq(add((int64_t)number, EVENT_SITE_STARTED, NULL, NULL, "%d", (int)number)->sequence,
				  number);
		ck_assert_uint_eq(event_journal_oldest(&journal), oldest);
		ck_assert_int_eq(event_journal_find(&journal, oldest)->at_ms, (int64_t)oldest);
		ck_assert_int_eq(event_journal_find(&journal, number)->at_ms, (int64_t)number);
		ck_assert_ptr_null(event_journal_find(&journal, oldest - 1));
		ck_assert_ptr_null(event_journal_find(&journal, number + 1));
	}
}
END_TEST

START_TEST(test_an_event_of_a_worker_says_whose)
{
	struct pool *pool = pool_create("app");
	struct generation generation = { .number = 7 };
	struct worker worker = { .pool = pool, .generation = &generation, .slot = 3, .pid = 1234 };
	const struct event *event;

	ck_assert_ptr_nonnull(pool);
	event = add(1, EVENT_WORKER_READY, NULL, &worker, "ready");
	ck_assert_str_eq(event->pool, "app");
	ck_assert_int_eq(event->slot, 3);
	ck_assert_int_eq(event->pid, 1234);
	ck_assert_uint_eq(event->generation, 7);
	event = add(1, EVENT_POOL_STEADY, pool, NULL, "steady");
	ck_assert_str_eq(event->pool, "app");
	ck_assert_int_eq(event->slot, 0);
	pool_destroy(pool);
}
END_TEST

START_TEST(test_long_texts_are_cut)
{
	char name[200];
	struct pool *pool;
	const struct event *event;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	pool = pool_create(name);
	ck_assert_ptr_nonnull(pool);
	event = add(1, EVENT_POOL_STEADY, pool, NULL, "%s%s", name, name);
	ck_assert_uint_eq(strlen(event->pool), EVENT_POOL_SIZE - 1);
	ck_assert_uint_eq(strlen(event->text), EVENT_TEXT_SIZE - 1);
	pool_destroy(pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event_journal");
	TCase *cases = tcase_create("journal");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, test_an_empty_journal_knows_nothing);
	tcase_add_test(cases, test_events_are_numbered_from_one);
	tcase_add_test(cases, test_the_last_512_are_kept);
	tcase_add_test(cases, test_an_event_of_a_worker_says_whose);
	tcase_add_test(cases, test_long_texts_are_cut);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
