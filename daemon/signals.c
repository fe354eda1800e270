#include "signals.h"

#include "announcer.h"
#include "base/clock.h"
#include "base/log.h"
#include "control/control_reload.h"

#include <signal.h>

static void refused(const char *what, const struct error *error)
{
	log_error("%s refused: %s", what, error->text);
}

static void stop(struct signals *signals)
{
	struct error error;

	/* The second one means it. */
	if (supervisor_stop(signals->supervisor, signals->supervisor->stopping, clock_monotonic_ms(), &error) == NULL)
		refused("stop", &error);
}

static void stop_now(struct signals *signals)
{
	struct error error;

	if (supervisor_stop(signals->supervisor, true, clock_monotonic_ms(), &error) == NULL)
		refused("stop", &error);
}

static void reload(struct signals *signals)
{
	struct reload_options options = { 0 };
	struct text problems = { 0 };
	struct error error;

	if (control_load_and_reload(signals->supervisor, signals->source, &options, clock_monotonic_ms(), &error,
				    &problems) == NULL) {
		log_error("reload refused: %s", problems.length > 0 ? text_string(&problems) : error.text);
		announcer_reload_refused(signals->supervisor);
	}
	text_finish(&problems);
}

static void scale(struct signals *signals, const char *change)
{
	struct error error;

	list_for_each (link, &signals->supervisor->site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		if (supervisor_scale(signals->supervisor, pool->name, change, false, clock_monotonic_ms(), &error) ==
		    NULL)
			refused("scale", &error);
	}
}

static void scale_up(struct signals *signals)
{
	scale(signals, "+1");
}

static void scale_down(struct signals *signals)
{
	scale(signals, "-1");
}

static void reopen(struct signals *signals)
{
	struct error error;

	(void)signals;
	if (!log_reopen(&error))
		refused("reopening the log", &error);
}

/** To other supervisors it means to open logs anew or to run a new program: that habit must not end this daemon. */
static void explain(struct signals *signals)
{
	(void)signals;
	log_warning("SIGUSR2 means nothing here: SIGUSR1 opens the log anew, SIGHUP reloads, and a new version of the "
		    "daemon comes with a restart");
}

static const struct {
	int number;
	void (*act)(struct signals *signals);
} table[SIGNALS_COUNT] = {
	{ SIGTERM, stop },     { SIGINT, stop },        { SIGQUIT, stop_now }, { SIGHUP, reload },
	{ SIGTTIN, scale_up }, { SIGTTOU, scale_down }, { SIGUSR1, reopen },   { SIGUSR2, explain },
};

static void came(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop;
	(void)events;
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		if (table[i].number == watcher->signum)
			table[i].act(watcher->data);
	}
}

void signals_block(void)
{
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
}

void signals_watch(struct signals *signals, struct ev_loop *loop, struct supervisor *supervisor,
		   const struct configuration_source *source)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	*signals = (struct signals){ .loop = loop, .supervisor = supervisor, .source = source };
	(void)sigaction(SIGPIPE, &ignore, NULL);
	for (size_t i = 0; i < SIGNALS_COUNT; i++) {
		ev_signal_init(&signals->watchers[i], came, table[i].number);
		signals->watchers[i].data = signals;
		ev_signal_start(loop, &signals->watchers[i]);
	}
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_unwatch(struct signals *signals)
{
	for (size_t i = 0; i < SIGNALS_COUNT; i++)
		ev_signal_stop(signals->loop, &signals->watchers[i]);
}
