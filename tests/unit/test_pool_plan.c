/*
 * What a pool does next: cases in words, the guarantees over every small view, and convergence of every toy world.
 */
#include "unit.h"

#include "policy/pool_plan.h"

#include <stdio.h>
#include <string.h>

/* ---- cases in words */

struct plan_case {
	const char *words;
	struct pool_view view;
	struct pool_plan plan;
};

static const struct plan_case cases[] = {
	{ "an empty pool starts all its workers at once",
	  { .wanted = 4, .floor = 4, .ceiling = 5, .startable = 4 },
	  { .start = 4 } },
	{ "a full pool rests",
	  { .counts = { .ready = 4, .good = 4 }, .wanted = 4, .floor = 4, .ceiling = 5, .proven = true },
	  { 0 } },
	{ "a dead worker is replaced",
	  { .counts = { .ready = 3, .good = 3 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 1,
	    .proven = true },
	  { .start = 1 } },
	{ "no start before its pause is over",
	  { .counts = { .ready = 3, .good = 3 }, .wanted = 4, .floor = 4, .ceiling = 5, .proven = true },
	  { 0 } },
	{ "while nobody serves and starts fail, one tries",
	  { .wanted = 4, .floor = 4, .ceiling = 5, .startable = 4, .probing = true },
	  { .start = 1 } },
	{ "and only one",
	  { .counts = { .starting = 1 }, .wanted = 4, .floor = 4, .ceiling = 5, .startable = 3, .probing = true },
	  { 0 } },
	{ "the first worker of an unproven generation goes alone, whatever the surge",
	  { .counts = { .outgoing_ready = 4 }, .wanted = 4, .floor = 4, .ceiling = 8, .startable = 4, .rolling = true },
	  { .start = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "nothing happens while it proves itself",
	  { .counts = { .ready = 1, .outgoing_ready = 4 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 8,
	    .startable = 3,
	    .rolling = true },
	  { .verdict = POOL_VERDICT_CONTINUE } },
	{ "then the surge is used and as many old ones leave",
	  { .counts = { .ready = 1, .good = 1, .outgoing_ready = 4 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 6,
	    .startable = 3,
	    .proven = true,
	    .rolling = true },
	  { .start = 1, .drain_outgoing_ready = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "a ready worker that is not good yet replaces nobody",
	  { .counts = { .ready = 2, .good = 1, .outgoing_ready = 3 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 2,
	    .proven = true,
	    .rolling = true },
	  { .verdict = POOL_VERDICT_CONTINUE } },
	{ "old workers that are not ready leave first",
	  { .counts = { .ready = 1, .good = 1, .outgoing_starting = 1, .outgoing_ready = 3 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 3,
	    .proven = true,
	    .rolling = true },
	  { .drain_outgoing_starting = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "unready old workers make room for an unproven generation",
	  { .counts = { .outgoing_starting = 2, .outgoing_ready = 3 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 4,
	    .rolling = true },
	  { .drain_outgoing_starting = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "without surge one old worker makes room",
	  { .counts = { .outgoing_ready = 4 }, .wanted = 4, .floor = 3, .ceiling = 4, .startable = 4, .rolling = true },
	  { .drain_outgoing_ready = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "the last old one leaves when all successors are good",
	  { .counts = { .ready = 4, .good = 4, .outgoing_ready = 1 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .proven = true,
	    .rolling = true },
	  { .drain_outgoing_ready = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "who asks for a successor gets one within the surge and stays",
	  { .counts = { .ready = 2, .good = 2, .outgoing_ready = 2 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 2,
	    .asking = 2,
	    .proven = true },
	  { .start = 1 } },
	{ "and stays while the successor starts, whatever may be unavailable",
	  { .counts = { .starting = 1, .ready = 2, .good = 2, .outgoing_ready = 2 },
	    .wanted = 4,
	    .floor = 2,
	    .ceiling = 5,
	    .startable = 1,
	    .asking = 2,
	    .proven = true },
	  { 0 } },
	{ "and leaves when the successor is good",
	  { .counts = { .ready = 3, .good = 3, .outgoing_ready = 2 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 1,
	    .asking = 1,
	    .proven = true },
	  { .drain_outgoing_ready = 1 } },
	{ "without surge one who asks makes room",
	  { .counts = { .ready = 1, .good = 1, .outgoing_ready = 3 },
	    .wanted = 4,
	    .floor = 2,
	    .ceiling = 4,
	    .startable = 3,
	    .asking = 3,
	    .proven = true },
	  { .drain_outgoing_ready = 1 } },
	{ "but not before its successor may start",
	  { .counts = { .ready = 3, .good = 3, .outgoing_ready = 1 },
	    .wanted = 4,
	    .floor = 3,
	    .ceiling = 4,
	    .asking = 1,
	    .proven = true },
	  { 0 } },
	{ "who asks does not keep a roll from its end",
	  { .counts = { .ready = 2, .good = 2, .outgoing_ready = 2 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .asking = 2,
	    .proven = true,
	    .rolling = true },
	  { .verdict = POOL_VERDICT_COMPLETE } },
	{ "an old worker does, whoever asks",
	  { .counts = { .ready = 2, .good = 2, .outgoing_ready = 2 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .asking = 1,
	    .proven = true,
	    .rolling = true },
	  { .verdict = POOL_VERDICT_CONTINUE } },
	{ "a roll is complete when the target serves alone, whoever is still leaving",
	  { .counts = { .ready = 4, .good = 4, .leaving = 3 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .proven = true,
	    .rolling = true },
	  { .verdict = POOL_VERDICT_COMPLETE } },
	{ "a removed pool drains at once, proven or not",
	  { .counts = { .outgoing_starting = 1, .outgoing_ready = 3 },
	    .wanted = 0,
	    .floor = 0,
	    .ceiling = 1,
	    .rolling = true },
	  { .drain_outgoing_starting = 1, .drain_outgoing_ready = 3, .verdict = POOL_VERDICT_CONTINUE } },
	{ "failed starts end a roll",
	  { .counts = { .outgoing_ready = 4 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 4,
	    .rolling = true,
	    .abandonable = true,
	    .failed_starts = 2,
	    .attempts = 2 },
	  { .verdict = POOL_VERDICT_ABANDON } },
	{ "one failed start less does not",
	  { .counts = { .outgoing_ready = 4 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 4,
	    .rolling = true,
	    .abandonable = true,
	    .failed_starts = 1,
	    .attempts = 2 },
	  { .start = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "a hopeless one is given up at once",
	  { .counts = { .outgoing_ready = 4 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 4,
	    .rolling = true,
	    .abandonable = true,
	    .hopeless = true,
	    .attempts = 2 },
	  { .verdict = POOL_VERDICT_ABANDON } },
	{ "an overdue one too",
	  { .counts = { .starting = 1, .outgoing_ready = 4 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 3,
	    .rolling = true,
	    .abandonable = true,
	    .overdue = true,
	    .attempts = 2 },
	  { .verdict = POOL_VERDICT_ABANDON } },
	{ "what cannot be put back goes on",
	  { .counts = { .outgoing_ready = 4 },
	    .wanted = 4,
	    .floor = 4,
	    .ceiling = 5,
	    .startable = 4,
	    .rolling = true,
	    .hopeless = true,
	    .overdue = true,
	    .failed_starts = 9,
	    .attempts = 2 },
	  { .start = 1, .verdict = POOL_VERDICT_CONTINUE } },
	{ "what is complete is not abandoned any more",
	  { .counts = { .ready = 2, .good = 2 },
	    .wanted = 2,
	    .floor = 2,
	    .ceiling = 3,
	    .proven = true,
	    .rolling = true,
	    .abandonable = true,
	    .overdue = true,
	    .failed_starts = 5,
	    .attempts = 2 },
	  { .verdict = POOL_VERDICT_COMPLETE } },
};

START_TEST(test_case)
{
	const struct plan_case *one = &cases[_i];
	struct pool_plan plan = pool_plan(&one->view);

	ck_assert_msg(plan.start == one->plan.start, "%s: starts %d", one->words, plan.start);
	ck_assert_msg(plan.drain_outgoing_starting == one->plan.drain_outgoing_starting, "%s: drains %d unready",
		      one->words, plan.drain_outgoing_starting);
	ck_assert_msg(plan.drain_outgoing_ready == one->plan.drain_outgoing_ready, "%s: drains %d ready", one->words,
		      plan.drain_outgoing_ready);
	ck_assert_msg(plan.verdict == one->plan.verdict, "%s: verdict %d", one->words, (int)plan.verdict);
}
END_TEST

/* ---- guarantees, over every small view */

/** Takes one digit of base `base` off the number. */
static int digit(unsigned *number, unsigned base)
{
	int value = (int)(*number % base);

	*number /= base;
	return value;
}

#define VIEWS (4u * 4 * 4 * 4 * 4 * 4 * 3 * 3 * 4 * 4 * 2 * 2)

/** Unpacks the view with that number. */
static struct pool_view view_number(unsigned number)
{
	struct pool_view view = { 0 };

	view.counts.starting = digit(&number, 4);
	view.counts.ready = digit(&number, 4);
	view.counts.good = digit(&number, 4);
	view.counts.outgoing_starting = digit(&number, 4);
	view.counts.outgoing_ready = digit(&number, 4);
	view.wanted = digit(&number, 4);
	view.floor = view.wanted - digit(&number, 3);
	view.ceiling = view.wanted + digit(&number, 3);
	view.startable = digit(&number, 4);
	view.asking = digit(&number, 4);
	view.proven = digit(&number, 2) == 1;
	view.probing = digit(&number, 2) == 1;
	if (view.floor < 0)
		view.floor = 0;
	view.rolling = view.counts.outgoing_starting + view.counts.outgoing_ready > 0;
	return view;
}

static bool view_can_be(const struct pool_view *view)
{
	const struct pool_counts *counts = &view->counts;

	/* Who asks is good itself, and in a slot of which nobody else is. */
	if (view->asking > counts->outgoing_ready || view->asking + counts->good > view->wanted ||
	    (view->asking > 0 && !view->proven))
		return false;
	return counts->good <= counts->ready && view->floor < view->ceiling;
}

/** @return what is wrong with the plan, or NULL */
static const char *find_fault(const struct pool_view *view, const struct pool_plan *plan)
{
	const struct pool_counts *counts = &view->counts;
	int live = counts->starting + counts->ready + counts->outgoing_starting + counts->outgoing_ready;
	int serving = counts->good + counts->outgoing_ready;

	if (plan->start < 0 || plan->drain_outgoing_starting < 0 || plan->drain_outgoing_ready < 0)
		return "a negative number";
	if (plan->drain_outgoing_starting > counts->outgoing_starting)
		return "drains more unready workers than there are";
	if (plan->drain_outgoing_ready > counts->outgoing_ready)
		return "drains more ready workers than there are";
	if (plan->start > view->startable)
		return "starts more than may start";
	if (plan->start > 0 && counts->starting + counts->ready + plan->start > view->wanted)
		return "starts more than wanted";
	if (plan->start > 0 && live + plan->start > view->ceiling)
		return "goes over the ceiling";
	if (plan->drain_outgoing_ready > 0 && serving - plan->drain_outgoing_ready < view->floor)
		return "goes below the floor";
	if (plan->drain_outgoing_ready > counts->outgoing_ready - view->asking &&
	    (counts->starting > 0 || counts->ready > counts->good || live < view->ceiling || view->startable == 0))
		return "drains one that asked for a successor that could come first";
	if (plan->drain_outgoing_ready > counts->outgoing_ready - view->asking + 1)
		return "drains several that asked for a successor at once";
	if (plan->drain_outgoing_ready > 0 && !view->proven && view->wanted > 0 &&
	    plan->drain_outgoing_starting < counts->outgoing_starting)
		return "drains a serving worker for an unproven generation while an unready one could leave";
	if (!view->proven && counts->outgoing_ready > 0 && plan->start > 0 &&
	    counts->starting + counts->ready + plan->start > 1)
		return "an unproven generation does not go alone";
	if (view->probing && plan->start > 0 && counts->starting + plan->start > 1)
		return "more than one probes";
	return NULL;
}

static void assert_no_fault(const struct pool_view *view)
{
	struct pool_plan plan = pool_plan(view);
	const char *fault = find_fault(view, &plan);

	ck_assert_msg(fault == NULL,
		      "%s: starting %d ready %d good %d outgoing %d+%d wanted %d floor %d ceiling %d startable %d "
		      "asking %d proven %d probing %d: start %d drain %d+%d",
		      fault, view->counts.starting, view->counts.ready, view->counts.good,
		      view->counts.outgoing_starting, view->counts.outgoing_ready, view->wanted, view->floor,
		      view->ceiling, view->startable, view->asking, view->proven, view->probing, plan.start,
		      plan.drain_outgoing_starting, plan.drain_outgoing_ready);
}

START_TEST(test_guarantees_hold_for_every_small_view)
{
	int views = 0;

	for (unsigned number = 0; number < VIEWS; number++) {
		struct pool_view view = view_number(number);
		if (!view_can_be(&view))
			continue;
		assert_no_fault(&view);
		views++;
	}
	ck_assert_int_gt(views, 100000);
}
END_TEST

/* ---- convergence: every order of things in every small toy world leads to the target alone */

/** A world without faults. The events are: somebody becomes ready, becomes good, or a start is asked for. */
struct toy {
	int starting;
	int ready; /**< those who are good included */
	int good;
	int outgoing_starting;
	int outgoing_ready;
	int asking; /**< of these */
	bool proven;
};

struct limits {
	int wanted;
	int floor;
	int ceiling;
};

/** Values of one count of a toy; bounds how far the worlds may go. */
#define TOY_BASE 7
#define TOYS     (TOY_BASE * TOY_BASE * TOY_BASE * TOY_BASE * TOY_BASE * TOY_BASE * 2)

static char visited[TOYS];

static size_t toy_index(const struct toy *toy)
{
	int index = toy->starting;

	index = index * TOY_BASE + toy->ready;
	index = index * TOY_BASE + toy->good;
	index = index * TOY_BASE + toy->outgoing_starting;
	index = index * TOY_BASE + toy->outgoing_ready;
	index = index * TOY_BASE + toy->asking;
	return (size_t)(index * 2 + toy->proven);
}

static struct pool_view look(const struct toy *toy, const struct limits *limits)
{
	struct pool_view view = { .wanted = limits->wanted, .floor = limits->floor, .ceiling = limits->ceiling };

	view.counts.starting = toy->starting;
	view.counts.ready = toy->ready;
	view.counts.good = toy->good;
	view.counts.outgoing_starting = toy->outgoing_starting;
	view.counts.outgoing_ready = toy->outgoing_ready;
	view.startable = limits->wanted - toy->starting - toy->ready;
	view.asking = toy->asking;
	view.proven = toy->proven;
	view.rolling = true;
	return view;
}

/** Carries plans out until one asks for nothing. @return the verdict of the last */
static enum pool_verdict settle(struct toy *toy, const struct limits *limits)
{
	for (int turn = 0; turn < 100; turn++) {
		struct pool_view view = look(toy, limits);
		struct pool_plan plan = pool_plan(&view);
		assert_no_fault(&view);
		if (plan.start + plan.drain_outgoing_starting + plan.drain_outgoing_ready == 0)
			return plan.verdict;
		toy->starting += plan.start;
		toy->outgoing_starting -= plan.drain_outgoing_starting;
		toy->outgoing_ready -= plan.drain_outgoing_ready;
		if (toy->asking > toy->outgoing_ready)
			toy->asking = toy->outgoing_ready;
	}
	ck_abort_msg("plans never come to rest");
	return POOL_VERDICT_NONE;
}

/** Worlds still to be looked at. Each is put here once, so there is room for all. */
static struct toy waiting[TOYS];
static size_t waiting_count;

static void visit(const struct toy *toy)
{
	size_t index = toy_index(toy);

	if (visited[index])
		return;
	visited[index] = 1;
	waiting[waiting_count++] = *toy;
}

/** Settles a world and puts all that can happen next on the heap. */
static void explore(struct toy toy, const struct limits *limits)
{
	enum pool_verdict verdict = settle(&toy, limits);
	struct toy next;

	if (toy.starting + (toy.ready - toy.good) + toy.outgoing_starting == 0) {
		ck_assert_msg(verdict == POOL_VERDICT_COMPLETE && toy.good == limits->wanted && toy.outgoing_ready == 0,
			      "stuck: good %d of %d (floor %d, ceiling %d), outgoing %d", toy.good, limits->wanted,
			      limits->floor, limits->ceiling, toy.outgoing_ready);
		return;
	}
	if (toy.starting > 0) {
		next = toy;
		next.starting--;
		next.ready++;
		visit(&next);
	}
	if (toy.good < toy.ready) {
		next = toy;
		next.good++;
		next.proven = true;
		/* The slots of those who ask are filled last. */
		if (next.asking > limits->wanted - next.good)
			next.asking = limits->wanted - next.good;
		visit(&next);
	}
	if (toy.outgoing_starting > 0) {
		next = toy;
		next.outgoing_starting--;
		next.outgoing_ready++;
		visit(&next);
	}
}

static void explore_all(const struct limits *limits, int outgoing_starting, int outgoing_ready, int asking)
{
	struct toy toy = { .outgoing_starting = outgoing_starting,
			   .outgoing_ready = outgoing_ready,
			   .asking = asking,
			   .proven = asking > 0 };

	if (asking > outgoing_ready || asking > limits->wanted)
		return;
	memset(visited, 0, sizeof(visited));
	waiting_count = 0;
	visit(&toy);
	while (waiting_count > 0)
		explore(waiting[--waiting_count], limits);
}

/** The loop's number is what is wanted. */
START_TEST(test_every_toy_world_converges)
{
	for (int below = 0; below <= _i; below++) {
		for (int surge = 0; surge <= 2; surge++) {
			struct limits limits = { _i, _i - below, _i + surge };
			if (limits.floor >= limits.ceiling)
				continue;
			for (int outgoing = 0; outgoing < 3 * 5 * 5; outgoing++)
				explore_all(&limits, outgoing % 3, outgoing / 3 % 5, outgoing / 15);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pool_plan");
	TCase *group = tcase_create("plan");

	tcase_set_timeout(group, 60);
	tcase_add_loop_test(group, test_case, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(group, test_guarantees_hold_for_every_small_view);
	tcase_add_loop_test(group, test_every_toy_world_converges, 0, 5);
	suite_add_tcase(suite, group);
	return unit_run(suite);
}
