#include "announcer.h"

#include "base/clock.h"
#include "system/service_manager.h"

#include <stdio.h>
#include <string.h>

/** What the daemon itself needs to stop, beyond the time of its workers. */
#define STOP_MARGIN_MS 10000

static bool is_reloading(const struct supervisor *supervisor)
{
	list_for_each (link, &supervisor->operations) {
		const struct operation *operation = list_entry(link, struct operation, link);
		if (operation->verb == VERB_RELOAD && operation_is_running(operation))
			return true;
	}
	return false;
}

/**
 * Whether every pool is ready or was given up. A start that nobody can hope for any more must end too: who typed
 * `systemctl start` waits for it, and so does the boot.
 */
static bool is_start_over(const struct supervisor *supervisor)
{
	if (supervisor->ready_once)
		return true;
	list_for_each (link, &supervisor->site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		if (pool->state != POOL_STEADY && pool->state != POOL_DEGRADED)
			return false;
	}
	return !list_is_empty(&supervisor->site.pools);
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

/** Longest time that a worker of the pool may take to end, as it is configured. */
static int64_t drain_limit_ms(const struct pool *pool)
{
	int64_t longest_ms = 0;

	list_for_each (link, &pool->workers) {
		const struct worker *worker = list_entry(link, struct worker, link);
		const struct pool_settings *settings = worker->generation->settings;
		int64_t limit_ms = settings->drain_timeout_ms + settings->abort_timeout_ms;
		if (limit_ms > longest_ms)
			longest_ms = limit_ms;
	}
	return longest_ms;
}

/** The manager must not kill what has more time than the unit says. */
static void announce_stopping(const struct supervisor *supervisor)
{
	int64_t longest_ms = 0;
	char lines[80];

	list_for_each (link, &supervisor->site.pools) {
		int64_t limit_ms = drain_limit_ms(list_entry(link, struct pool, link));
		if (limit_ms > longest_ms)
			longest_ms = limit_ms;
	}
	(void)snprintf(lines, sizeof(lines), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld",
		       (long long)(longest_ms + STOP_MARGIN_MS) * 1000);
	service_manager_notify(lines);
}

static void settled(void *context)
{
	struct announcer *announcer = context;
	const struct supervisor *supervisor = announcer->supervisor;
	bool reloading = is_reloading(supervisor);

	announce_status(announcer);
	if (supervisor->stopping) {
		if (!announcer->stopping)
			announce_stopping(supervisor);
		announcer->stopping = true;
		return;
	}
	if (!announcer->ready && is_start_over(supervisor))
		announce_ready(announcer);
	if (announcer->ready && reloading && !announcer->reloading)
		announce_reloading(announcer);
	if (announcer->reloading && !reloading)
		announce_ready(announcer);
}

void announcer_reload_refused(const struct supervisor *supervisor)
{
	/* While another reload runs, or before the start is over, READY=1 is still to come. */
	if (!is_start_over(supervisor) || supervisor->stopping || is_reloading(supervisor))
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
