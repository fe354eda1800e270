#include "worker_life.h"

#include "unicornd/worker.h"
#include "worker_beats.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How often the log is flushed and the memory looked at. */
#define TICK_S 1.0

static struct unicorn_worker worker;
static struct http_server *server;
static const struct worker_options *options;
static int stop_event = -1; /* an eventfd: libev's own signals stay silent while its loop is a guest of another one */
static ev_io stop_watcher;
static ev_signal reopen_signal;
static ev_io lifeline;
static ev_timer beat_timer;
static ev_timer tick_timer;
static int64_t requests_allowed; /* 0: any number */
static bool has_asked;           /* for a replacement */

/** Ends a watcher that does not keep the loop running: its reference has been given back when it was started. */
static void stop_unreferenced(struct ev_loop *loop, ev_io *watcher)
{
	ev_ref(loop);
	ev_io_stop(loop, watcher);
}

static void on_stop(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)events;
	stop_unreferenced(loop, watcher);
	http_server_drain(server);
}

static void say_log_stays(int result)
{
	if (result != 0)
		unicorn_log(UNICORN_WARNING, "the access log cannot be opened anew: %s; the old file goes on",
			    strerror(-result));
}

static void on_reopen_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
	(void)loop;
	(void)watcher;
	(void)events;
	if (server->settings.log != NULL)
		say_log_stays(access_log_reopen(server->settings.log));
}

/** Whoever renames the file need not tell anybody: what comes is written to the new one. */
static void flush_log(void)
{
	int result;

	if (server->settings.log == NULL)
		return;
	say_log_stays(access_log_follow(server->settings.log));
	result = access_log_flush(server->settings.log);
	if (result != 0)
		unicorn_log(UNICORN_WARNING, "access log: %s; lines are lost", strerror(-result));
}

/** The other end of the status pipe is closed: unicornd is gone, and with it whoever would end us. */
static void on_lifeline(struct ev_loop *loop, ev_io *watcher, int events)
{
	(void)events;
	stop_unreferenced(loop, watcher);
	http_server_drain(server);
}

static void on_beat(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	if (server->settings.is_async)
		(void)unicorn_worker_beat(&worker);
	worker_beats_say_figures();
}

/** Serving goes on: the successor is to be ready before the stop signal comes. Without unicornd the end is now. */
static void ask_for_replacement(const char *option, int64_t figure, const char *unit)
{
	if (has_asked)
		return;
	has_asked = true;
	unicorn_log(UNICORN_INFO, "--%s: %lld %s, asking for a replacement", option, (long long)figure, unit);
	if (worker_life_is_supervised())
		(void)unicorn_worker_stopping(&worker);
	else
		http_server_drain(server);
}

static void on_request_end(struct http_server *unused)
{
	(void)unused;
	if (requests_allowed > 0 && server->request_count >= requests_allowed)
		ask_for_replacement("max-requests", server->request_count, "requests");
}

static int64_t memory_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long long pages = 0;

	if (file == NULL)
		return 0;
	if (fscanf(file, "%*d %lld", &pages) != 1)
		pages = 0;
	(void)fclose(file);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void look_at_memory(void)
{
	int64_t bytes;

	if (options->max_memory_bytes == 0 || has_asked)
		return;
	bytes = memory_bytes();
	if (bytes > options->max_memory_bytes)
		ask_for_replacement("max-memory", bytes / 1024, "KiB in use");
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	flush_log();
	look_at_memory();
}

static int64_t choose_requests(void)
{
	int64_t jitter = options->max_requests_jitter;

	if (options->max_requests == 0)
		return 0;
	srandom((unsigned)getpid());
	return options->max_requests + (jitter > 0 ? random() % (jitter + 1) : 0);
}

/** The loop may stand still in a call, whose answer must say already that the connection ends. */
static void note_stop_signal(int number)
{
	uint64_t one = 1;
	int error = errno;

	(void)number;
	unicorn_worker_order_stop();
	/* It fails when the counter is full: then it has been said. */
	(void)!write(stop_event, &one, sizeof(one));
	errno = error;
}

/** @param before  what was there */
static bool take_stop_signal(int number, struct sigaction *before)
{
	struct sigaction action = { .sa_handler = note_stop_signal, .sa_flags = SA_RESTART };

	return sigaction(number, &action, before) == 0;
}

/** An application may have brought handlers from where it was the whole program; with them the worker would not end. */
static void take_stop_signals_back(void)
{
	static const struct {
		int number;
		const char *name;
	} signals[] = { { SIGTERM, "SIGTERM" }, { SIGINT, "SIGINT" } };
	struct sigaction before;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (take_stop_signal(signals[i].number, &before) && before.sa_handler != note_stop_signal)
			unicorn_log(UNICORN_WARNING, "the application's handler of %s is not used: the worker needs it",
				    signals[i].name);
	}
}

static bool start_signals(void)
{
	stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_event < 0)
		return false;
	ev_io_init(&stop_watcher, on_stop, stop_event, EV_READ);
	ev_io_start(server->loop, &stop_watcher);
	ev_unref(server->loop);
	ev_signal_init(&reopen_signal, on_reopen_signal, SIGUSR1);
	ev_signal_start(server->loop, &reopen_signal);
	ev_unref(server->loop);
	return take_stop_signal(SIGTERM, NULL) && take_stop_signal(SIGINT, NULL);
}

bool worker_life_begin(struct http_server *the_server, const struct worker_options *the_options)
{
	int result = unicorn_worker_init(&worker);

	server = the_server;
	options = the_options;
	if (result != 0) {
		unicorn_log(UNICORN_ERROR, "the environment of this worker contradicts itself: %s", strerror(-result));
		return false;
	}
	requests_allowed = choose_requests();
	server->on_request_end = on_request_end;
	return start_signals();
}

int worker_life_listeners(int *first)
{
	*first = worker.first_listener;
	return worker.listener_count;
}

bool worker_life_is_supervised(void)
{
	return worker.status_fd >= 0;
}

bool worker_life_ready(void)
{
	double beat_s = (double)worker.heartbeat_ms / 1000;

	take_stop_signals_back();
	if (worker.status_fd >= 0) {
		ev_io_init(&lifeline, on_lifeline, worker.status_fd, EV_READ);
		ev_io_start(server->loop, &lifeline);
		ev_unref(server->loop);
	}
	if (beat_s > 0) {
		if (!worker_beats_start(server, &worker, options->request_timeout_ms))
			return false;
		/* Who has beaten is watched: also a loop that is blocked before its first turn. */
		if (server->settings.is_async)
			(void)unicorn_worker_beat(&worker);
		ev_timer_init(&beat_timer, on_beat, 0, beat_s);
		ev_timer_start(server->loop, &beat_timer);
		ev_unref(server->loop);
	}
	if (server->settings.log != NULL || options->max_memory_bytes > 0) {
		ev_timer_init(&tick_timer, on_tick, TICK_S, TICK_S);
		ev_timer_start(server->loop, &tick_timer);
		ev_unref(server->loop);
	}
	(void)unicorn_worker_ready(&worker);
	return true;
}

void worker_life_end(void)
{
	worker_beats_stop();
	if (worker.heartbeat_ms > 0)
		worker_beats_say_figures();
	flush_log();
}
