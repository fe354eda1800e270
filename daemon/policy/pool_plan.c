#include "policy/pool_plan.h"

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

static int at_least_zero(int number)
{
	return number > 0 ? number : 0;
}

/** How many workers may still be started before the ceiling is reached. */
static int room(const struct pool_view *view)
{
	const struct pool_counts *counts = &view->counts;

	return view->ceiling - counts->starting - counts->ready - counts->outgoing_starting - counts->outgoing_ready;
}

static int plan_starts(const struct pool_view *view)
{
	const struct pool_counts *counts = &view->counts;
	int missing = view->wanted - counts->starting - counts->ready;
	int start = smaller(smaller(missing, room(view)), view->startable);

	if (!view->proven && counts->outgoing_ready > 0)
		start = smaller(start, 1 - counts->starting - counts->ready);
	if (view->probing)
		start = smaller(start, 1 - counts->starting);
	return at_least_zero(start);
}

/** Old workers that do not serve yet are worth keeping only while the new ones have proven nothing. */
static int plan_unready_drains(const struct pool_view *view)
{
	if (view->proven || view->wanted == 0)
		return view->counts.outgoing_starting;
	return smaller(view->counts.outgoing_starting, at_least_zero(1 - room(view)));
}

/** Who asked for a successor serves until that is good; where nobody can start beside them, one makes room. */
static int may_leave(const struct pool_view *view)
{
	const struct pool_counts *counts = &view->counts;
	int free_to_go = counts->outgoing_ready - view->asking;
	bool somebody_comes = counts->starting > 0 || counts->ready > counts->good;
	int missing_room = at_least_zero(1 - room(view) - counts->outgoing_starting - free_to_go);

	return somebody_comes || view->startable == 0 ? free_to_go : free_to_go + missing_room;
}

static int plan_ready_drains(const struct pool_view *view)
{
	const struct pool_counts *counts = &view->counts;
	int spare = at_least_zero(counts->good + counts->outgoing_ready - view->floor);
	int drains = smaller(smaller(counts->outgoing_ready, spare), may_leave(view));

	/* Nothing proven yet: only make room for the first start, and only where nobody unready can make it. */
	if (!view->proven && view->wanted > 0) {
		int needed = at_least_zero(1 - room(view) - counts->outgoing_starting);
		if (counts->starting + counts->ready > 0)
			needed = 0;
		drains = smaller(drains, needed);
	}
	return drains;
}

/** Those who ask for a successor are of the target: one whose workers ask for ever is rolled in all the same. */
static enum pool_verdict judge(const struct pool_view *view)
{
	const struct pool_counts *counts = &view->counts;

	if (!view->rolling)
		return POOL_VERDICT_NONE;
	if (counts->good + view->asking >= view->wanted &&
	    counts->outgoing_starting + counts->outgoing_ready == view->asking)
		return POOL_VERDICT_COMPLETE;
	if (view->abandonable && (view->hopeless || view->overdue || view->failed_starts >= view->attempts))
		return POOL_VERDICT_ABANDON;
	return POOL_VERDICT_CONTINUE;
}

struct pool_plan pool_plan(const struct pool_view *view)
{
	struct pool_plan plan = { .verdict = judge(view) };

	if (plan.verdict == POOL_VERDICT_ABANDON)
		return plan;
	plan.start = plan_starts(view);
	plan.drain_outgoing_starting = plan_unready_drains(view);
	plan.drain_outgoing_ready = plan_ready_drains(view);
	return plan;
}
