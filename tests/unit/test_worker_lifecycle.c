/*
 * The life table, cell by cell, against the table of the design written out a second time.
 */
#include "unit.h"

#include "policy/worker_lifecycle.h"

#include <stdbool.h>

enum {
	ARM = WORKER_ACTION_ARM,
	READY = WORKER_ACTION_READY,
	FAULT = WORKER_ACTION_FAULT,
	DRAIN = WORKER_ACTION_DRAIN,
	ABORT = WORKER_ACTION_ABORT,
	KILL = WORKER_ACTION_KILL,
	GONE = WORKER_ACTION_GONE
};

/** A cell that does something; all others are "stay, nothing". */
struct cell {
	enum worker_state from;
	enum worker_event event;
	enum worker_state to;
	unsigned actions;
};

static const struct cell design[] = {
	{ WORKER_STARTING, WORKER_EVENT_BECAME_READY, WORKER_READY, ARM | READY },
	{ WORKER_STARTING, WORKER_EVENT_DEADLINE, WORKER_ABORTING, FAULT | ABORT | ARM },
	{ WORKER_STARTING, WORKER_EVENT_DRAIN_ORDERED, WORKER_DRAINING, DRAIN | ARM },
	{ WORKER_STARTING, WORKER_EVENT_ABORT_ORDERED, WORKER_ABORTING, ABORT | ARM },
	{ WORKER_STARTING, WORKER_EVENT_KILL_ORDERED, WORKER_KILLING, KILL | ARM },
	{ WORKER_STARTING, WORKER_EVENT_EXITED, WORKER_GONE, FAULT | GONE },

	{ WORKER_READY, WORKER_EVENT_HEARTBEAT, WORKER_READY, ARM },
	{ WORKER_READY, WORKER_EVENT_DEADLINE, WORKER_ABORTING, FAULT | ABORT | ARM },
	{ WORKER_READY, WORKER_EVENT_DRAIN_ORDERED, WORKER_DRAINING, DRAIN | ARM },
	{ WORKER_READY, WORKER_EVENT_ABORT_ORDERED, WORKER_ABORTING, ABORT | ARM },
	{ WORKER_READY, WORKER_EVENT_KILL_ORDERED, WORKER_KILLING, KILL | ARM },
	{ WORKER_READY, WORKER_EVENT_EXITED, WORKER_GONE, FAULT | GONE },

	{ WORKER_DRAINING, WORKER_EVENT_DEADLINE, WORKER_KILLING, KILL | ARM },
	{ WORKER_DRAINING, WORKER_EVENT_ABORT_ORDERED, WORKER_ABORTING, ABORT | ARM },
	{ WORKER_DRAINING, WORKER_EVENT_KILL_ORDERED, WORKER_KILLING, KILL | ARM },
	{ WORKER_DRAINING, WORKER_EVENT_EXITED, WORKER_GONE, GONE },

	{ WORKER_ABORTING, WORKER_EVENT_DEADLINE, WORKER_KILLING, KILL | ARM },
	{ WORKER_ABORTING, WORKER_EVENT_KILL_ORDERED, WORKER_KILLING, KILL | ARM },
	{ WORKER_ABORTING, WORKER_EVENT_EXITED, WORKER_GONE, GONE },

	{ WORKER_KILLING, WORKER_EVENT_DEADLINE, WORKER_KILLING, KILL | ARM },
	{ WORKER_KILLING, WORKER_EVENT_EXITED, WORKER_GONE, GONE },
};

#define CELLS ((int)WORKER_STATE_COUNT * (int)WORKER_EVENT_COUNT)

static struct cell expected_cell(enum worker_state state, enum worker_event event)
{
	for (size_t i = 0; i < sizeof(design) / sizeof(design[0]); i++) {
		if (design[i].from == state && design[i].event == event)
			return design[i];
	}
	return (struct cell){ state, event, state, WORKER_ACTION_NONE };
}

START_TEST(test_cell)
{
	enum worker_state state = (enum worker_state)(_i / (int)WORKER_EVENT_COUNT);
	enum worker_event event = (enum worker_event)(_i % (int)WORKER_EVENT_COUNT);
	const struct worker_transition *found = worker_lifecycle(state, event);
	struct cell expected = expected_cell(state, event);

	ck_assert_msg(found->written, "%s, event %d: not written out", worker_state_name(state), (int)event);
	ck_assert_msg(found->next == expected.to, "%s, event %d: goes to %s, not to %s", worker_state_name(state),
		      (int)event, worker_state_name(found->next), worker_state_name(expected.to));
	ck_assert_msg(found->actions == expected.actions, "%s, event %d: actions %#x, not %#x",
		      worker_state_name(state), (int)event, found->actions, expected.actions);
}
END_TEST

/** Marks all states that can be reached from `state`. */
static void mark_reachable(enum worker_state state, bool *reached)
{
	bool grown = true;

	reached[state] = true;
	while (grown) {
		grown = false;
		for (int cell = 0; cell < CELLS; cell++) {
			enum worker_state from = (enum worker_state)(cell / (int)WORKER_EVENT_COUNT);
			enum worker_event event = (enum worker_event)(cell % (int)WORKER_EVENT_COUNT);
			enum worker_state to = worker_lifecycle(from, event)->next;
			if (reached[from] && !reached[to])
				grown = reached[to] = true;
		}
	}
}

START_TEST(test_gone_is_reachable_from_everywhere)
{
	bool reached[WORKER_STATE_COUNT] = { false };

	mark_reachable((enum worker_state)_i, reached);
	ck_assert(reached[WORKER_GONE]);
	ck_assert_int_eq(worker_lifecycle((enum worker_state)_i, WORKER_EVENT_EXITED)->next, WORKER_GONE);
}
END_TEST

START_TEST(test_nothing_comes_back_from_gone)
{
	bool reached[WORKER_STATE_COUNT] = { false };

	mark_reachable(WORKER_GONE, reached);
	for (int state = 0; state < (int)WORKER_STATE_COUNT; state++)
		ck_assert_int_eq(reached[state], state == (int)WORKER_GONE);
}
END_TEST

START_TEST(test_a_leaving_worker_never_serves_again)
{
	static const enum worker_state leaving[] = { WORKER_DRAINING, WORKER_ABORTING, WORKER_KILLING };
	bool reached[WORKER_STATE_COUNT] = { false };

	mark_reachable(leaving[_i], reached);
	ck_assert(!reached[WORKER_STARTING]);
	ck_assert(!reached[WORKER_READY]);
}
END_TEST

START_TEST(test_silence_alone_ends_every_worker_with_kill)
{
	enum worker_state state = (enum worker_state)_i;

	for (int turn = 0; turn < (int)WORKER_STATE_COUNT && state != WORKER_GONE; turn++)
		state = worker_lifecycle(state, WORKER_EVENT_DEADLINE)->next;
	if (state != WORKER_GONE)
		ck_assert_uint_eq(worker_lifecycle(state, WORKER_EVENT_DEADLINE)->actions, KILL | ARM);
}
END_TEST

START_TEST(test_every_change_of_a_living_state_arms_its_deadline)
{
	enum worker_state state = (enum worker_state)(_i / (int)WORKER_EVENT_COUNT);
	const struct worker_transition *cell =
		worker_lifecycle(state, (enum worker_event)(_i % (int)WORKER_EVENT_COUNT));

	if (cell->next != state && cell->next != WORKER_GONE)
		ck_assert(cell->actions & ARM);
	ck_assert_int_eq((cell->actions & GONE) != 0, cell->next == WORKER_GONE && state != WORKER_GONE);
	ck_assert_int_eq((cell->actions & READY) != 0, cell->next == WORKER_READY && state != WORKER_READY);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker_lifecycle");
	TCase *cases = tcase_create("table");

	tcase_add_loop_test(cases, test_cell, 0, CELLS);
	tcase_add_loop_test(cases, test_gone_is_reachable_from_everywhere, 0, WORKER_STATE_COUNT);
	tcase_add_test(cases, test_nothing_comes_back_from_gone);
	tcase_add_loop_test(cases, test_a_leaving_worker_never_serves_again, 0, 3);
	tcase_add_loop_test(cases, test_silence_alone_ends_every_worker_with_kill, 0, WORKER_STATE_COUNT);
	tcase_add_loop_test(cases, test_every_change_of_a_living_state_arms_its_deadline, 0, CELLS);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
