#include "announcer.h"

#include "base/clock.h"
#include "system/service_manager.h"

#include <stdio.h>
#include <string.h>

static bool is_reloading(const struct supervisor *supervisor)
{
	list_for_each (link, &supervisor->operations) {
		const struct operation *operation = list_entry(link, struct operation, link);
		if (operation->verb == VERB_RELOAD && operation_is_running(operation))
			return true;
	}
	return false;
}

static void describe(const struct supervisor *supervisor, char *text, size_t size)
{
	enum pool_state worst = POOL_STEADY;
	int ready = 0;
	int wanted = 0;

	list_for_each (link, &supervisor->site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		struct pool_counts counts;
		pool_count(pool, &counts);
		ready += counts.ready + counts.outgoing_ready;
		wanted += pool->wanted;
		if (pool->state > worst)
			worst = pool->state;
	}
	(void)snprintf(text, size, "STATUS=%s: %d of %d workers ready, generation %u", pool_state_name(worst), ready,
		       wanted, supervisor->site.generation);
}

static void announce_status(struct announcer *announcer)
{
	char status[sizeof(announcer->status)];

	describe(announcer->supervisor, status, sizeof(status));
	if (strcmp(status, announcer->status) == 0)
		return;
	memcpy(announcer->status, status, sizeof(status));
	service_manager_notify(status);
}

static void tell_reloading(void)
{
	char lines[96];

	(void)snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)clock_monotonic_ms() * 1000);
	service_manager_notify(lines);
}

static void announce_reloading(struct announcer *announcer)
{
	announcer->reloading = true;
	tell_reloading();
}

static void announce_ready(struct announcer *announcer)
{
	announcer->ready = true;
	announcer->reloading = false;
	service_manager_notify("READY=1");
}

static void settled(void *context)
{
	struct announcer *announcer = context;
	const struct supervisor *supervisor = announcer->supervisor;
	bool reloading = is_reloading(supervisor);

	announce_status(announcer);
	if (supervisor->stopping) {
		if (!announcer->stopping)
			service_manager_notify("STOPPING=1");
		announcer->stopping = true;
		return;
	}
	if (!announcer->ready && supervisor->ready_once)
		announce_ready(announcer);
	if (announcer->ready && reloading && !announcer->reloading)
		announce_reloading(announcer);
	if (announcer->reloading && !reloading)
		announce_ready(announcer);
}

void announcer_reload_refused(const struct supervisor *supervisor)
{
	/* While another reload runs, or before the start is over, READY=1 is still to come. */
	if (!supervisor->ready_once || supervisor->stopping || is_reloading(supervisor))
		return;
	tell_reloading();
	service_manager_notify("READY=1");
}

static void beat(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	service_manager_notify("WATCHDOG=1");
}

void announcer_start(struct announcer *announcer, struct ev_loop *loop, struct supervisor *supervisor)
{
	double period =
		(double)service_manager_watchdog_ms() / 2000.0; /* at half of it, as sd_watchdog_enabled(3) says */

	*announcer = (struct announcer){ .loop = loop, .supervisor = supervisor };
	list_init(&announcer->observer.link);
	ev_timer_init(&announcer->watchdog, beat, period, period);
	if (!service_manager_is_there())
		return;
	announcer->observer.context = announcer;
	announcer->observer.settled = settled;
	supervisor_observe(supervisor, &announcer->observer);
	if (period > 0.0)
		ev_timer_start(loop, &announcer->watchdog);
}

void announcer_stop(struct announcer *announcer)
{
	ev_timer_stop(announcer->loop, &announcer->watchdog);
	supervisor_unobserve(&announcer->observer);
}
