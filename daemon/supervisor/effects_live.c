#include "supervisor/effects_live.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/ownership.h"
#include "supervisor/kept_listeners.h"
#include "supervisor/launch.h"
#include "supervisor/strays.h"
#include "supervisor/worker_watch.h"
#include "system/process.h"
#include "system/socket.h"
#include "unicornd/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static bool prepare(void *context, struct generation *generation, struct error *error)
{
	struct effects_live *live = context;

	generation->launch = launch_create(generation, environ, &live->descriptor_limit, error);
	return generation->launch != NULL;
}

static void forget(void *context, struct generation *generation)
{
	(void)context;
	launch_destroy(generation->launch);
	generation->launch = NULL;
}

static bool start_process(struct effects_live *live, struct worker_watch *watch)
{
	const struct worker *worker = watch->worker;
	const struct pool_settings *settings = worker->generation->settings;
	struct launch *launch = worker->generation->launch;
	struct spawn_request request = {
		.program = launch->program,
		.arguments = launch->arguments.items,
		.environment = launch->block,
		.directory = settings->directory,
		.privileges = launch->changes_user ? &launch->privileges : NULL,
		.limits = launch->limits,
		.limit_count = launch->limit_count,
		.umask = settings->umask,
		.death_signal = settings->stop_signal,
		.failure = live->failure_writer,
	};

	(void)snprintf(launch->slot, sizeof(launch->slot), UNICORND_ENV_SLOT "=%d", worker->slot);
	return worker_watch_start(watch, &request);
}

static void spawn(void *context, struct worker *worker)
{
	struct effects_live *live = context;
	struct worker_watch *watch = worker_watch_take(live->loop, live->supervisor, worker);

	if (watch == NULL) {
		live->has_unwatched = true;
		return;
	}
	watch->answer = start_process(live, watch) ? WATCH_ANSWER_SPAWNED : WATCH_ANSWER_FAILED;
	list_append(&live->answers, &watch->link);
}

static void send_signal(void *context, struct worker *worker, int signal)
{
	struct worker_watch *watch = worker->attachment;

	(void)context;
	if (watch == NULL || watch->pidfd < 0)
		return;
	/* Once: who has taken the first as its order, and dropped its handler, would be ended by a second. */
	(void)process_signal_group(watch->pid, signal);
	if (!process_leads_group(watch->pid))
		(void)process_signal(watch->pidfd, signal);
	/* A stopped process only reacts to KILL; the abort must reach it too. */
	if (signal == SIGABRT)
		(void)process_signal_group(watch->pid, SIGCONT);
}

static void release(void *context, struct worker *worker)
{
	(void)context;
	if (worker->attachment != NULL)
		worker_watch_close(worker->attachment);
}

static void discard(void *context, struct worker *worker)
{
	(void)context;
	free(worker->attachment);
	worker->attachment = NULL;
}

static void open_listener(void *context, struct listener *listener)
{
	(void)context;
	(void)listener; /* in state OPENING now: the next answer opens it */
}

static void adjust_listener(void *context, struct listener *listener)
{
	struct error error;

	(void)context;
	if (listener->fd >= 0 && !socket_adjust(listener->fd, listener->settings, &error))
		log_warning("listener %s: %s", listener->settings->name, error.text);
}

static void close_listener(void *context, struct listener *listener)
{
	const struct effects_live *live = context;
	const struct address *address = &listener->settings->address;

	/* What stops may be about to be started again; but a Unix socket is of no use to anybody without its file. */
	if (!live->supervisor->stopping || address->kind == ADDRESS_UNIX)
		kept_listener_forget(listener->settings);
	socket_unlink(listener->fd, address);
	close_fd(&listener->fd);
}

static void wake_at(void *context, int64_t at_ms)
{
	struct effects_live *live = context;
	int64_t delay_ms;

	ev_timer_stop(live->loop, &live->wake);
	if (at_ms == TIME_NEVER)
		return;
	delay_ms = at_ms - clock_monotonic_ms();
	ev_now_update(live->loop);
	/* One millisecond more: a wake-up before its time would only be asked for again. */
	ev_timer_set(&live->wake, delay_ms > 0 ? (double)(delay_ms + 1) / 1000.0 : 0.0, 0.0);
	ev_timer_start(live->loop, &live->wake);
}

static double draw(void *context)
{
	(void)context;
	return drand48();
}

static void wake(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct effects_live *live = timer->data;

	(void)loop;
	(void)events;
	supervisor_wake(live->supervisor, clock_monotonic_ms());
}

static int take_inherited(struct effects_live *live, const char *name)
{
	for (size_t i = 0; i < live->inherited_count; i++) {
		struct inherited_socket *inherited = &live->inherited[i];
		if (inherited->fd >= 0 && strcmp(inherited->name, name) == 0)
			return take_fd(&inherited->fd);
	}
	return -1;
}

/** Takes the socket of the daemon's last life if there is one, else binds; either way it is kept for the next. */
static int open_or_take_kept(struct effects_live *live, const struct listener_settings *settings, struct error *error)
{
	int fd = kept_listener_take(live->inherited, live->inherited_count, settings);

	if (fd >= 0)
		return fd;
	fd = socket_open(settings, error);
	if (fd >= 0)
		kept_listener_store(fd, settings);
	return fd;
}

static int open_or_adopt(struct effects_live *live, const struct listener_settings *settings, struct error *error)
{
	int fd;

	if (settings->address.kind != ADDRESS_SYSTEMD)
		return open_or_take_kept(live, settings, error);
	fd = take_inherited(live, settings->address.path);
	if (fd < 0) {
		error_set(error, ERROR_ADDRESS,
			  "%s: listener %s: systemd passed no socket named %s (FileDescriptorName= of the socket unit)",
			  settings->origin, settings->name, settings->address.path);
		return -1;
	}
	if (socket_adopt(fd, settings, error))
		return fd;
	(void)close(fd);
	return -1;
}

static void answer_listener(struct effects_live *live, struct listener *listener)
{
	struct error error;
	int fd = open_or_adopt(live, listener->settings, &error);

	if (fd >= 0)
		supervisor_listener_opened(live->supervisor, listener, fd, clock_monotonic_ms());
	else
		supervisor_listener_failed(live->supervisor, listener, &error, clock_monotonic_ms());
}

static struct listener *next_opening(const struct effects_live *live)
{
	list_for_each (link, &live->supervisor->site.listeners) {
		struct listener *listener = list_entry(link, struct listener, link);
		if (listener->state == LISTENER_OPENING)
			return listener;
	}
	return NULL;
}

static void answer_failed(struct effects_live *live, struct worker *worker, const char *failure)
{
	struct worker_exit ended = { .status = SPAWN_EXIT_FAILED << 8, .failure = failure };

	supervisor_worker_exited(live->supervisor, worker, &ended, clock_monotonic_ms());
}

static void answer_start(struct effects_live *live, struct worker_watch *watch)
{
	enum watch_answer answer = watch->answer;

	list_remove(&watch->link);
	watch->answer = WATCH_ANSWER_NONE;
	if (answer == WATCH_ANSWER_SPAWNED)
		supervisor_worker_spawned(live->supervisor, watch->worker, watch->pid, clock_monotonic_ms());
	else
		answer_failed(live, watch->worker, watch->failure);
}

static struct worker *next_unwatched(const struct effects_live *live)
{
	list_for_each (pool_link, &live->supervisor->site.pools) {
		struct pool *pool = list_entry(pool_link, struct pool, link);
		list_for_each (link, &pool->workers) {
			struct worker *worker = list_entry(link, struct worker, link);
			if (worker->attachment == NULL)
				return worker;
		}
	}
	return NULL;
}

/** Gives the answers that requests may not give themselves. */
static void give_answers(struct effects_live *live)
{
	struct listener *listener;
	struct worker *worker;

	kept_listeners_drop(live->inherited, live->inherited_count, &live->supervisor->site.listeners);
	while ((listener = next_opening(live)) != NULL)
		answer_listener(live, listener);
	while (!list_is_empty(&live->answers))
		answer_start(live, list_entry(live->answers.next, struct worker_watch, link));
	while (live->has_unwatched && (worker = next_unwatched(live)) != NULL)
		answer_failed(live, worker, "no memory to start it");
	live->has_unwatched = false;
}

static void before_waiting(struct ev_loop *loop, ev_prepare *prepare, int events)
{
	(void)loop;
	(void)events;
	give_answers(prepare->data);
}

static void read_failures(struct effects_live *live)
{
	struct spawn_failure failure;

	while (read(live->failures.fd, &failure, sizeof(failure)) == (ssize_t)sizeof(failure)) {
		struct worker *worker = site_find_worker(&live->supervisor->site, failure.pid);
		if (worker == NULL)
			continue;
		const struct launch *launch = worker->generation->launch;
		spawn_failure_describe(&failure, launch->program, worker->generation->settings->directory,
				       worker->failure, sizeof(worker->failure));
	}
}

static void failures_readable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	give_answers(io->data);
	read_failures(io->data);
}

/** The worker's process has ended and is not reaped yet: its group's number is still safe to use. */
static void end_worker(struct effects_live *live, struct worker *worker, pid_t pid)
{
	struct process_exit ended = { .pid = pid };
	struct worker_exit report = { 0 };

	worker_watch_drain(worker->attachment);
	(void)process_signal_group(pid, SIGKILL);
	(void)process_reap(pid, &ended);
	report.status = ended.status;
	supervisor_worker_exited(live->supervisor, worker, &report, clock_monotonic_ms());
}

static void reap(struct effects_live *live)
{
	bool somebody_ended = false;
	pid_t pid;

	give_answers(live);
	read_failures(live);
	while ((pid = process_next_exit()) > 0) {
		struct worker *worker = site_find_worker(&live->supervisor->site, pid);
		struct process_exit ended;
		if (worker != NULL) {
			end_worker(live, worker, pid);
		} else if (!process_reap(pid, &ended)) {
			break;
		}
		/* Whose parent was no worker but one that a worker left behind comes to us only now. */
		somebody_ended = true;
		give_answers(live);
	}
	if (somebody_ended)
		strays_kill(live->supervisor);
}

static void child_ended(struct ev_loop *loop, ev_signal *signal, int events)
{
	(void)loop;
	(void)events;
	reap(signal->data);
}

static void start_watchers(struct effects_live *live, int failure_reader)
{
	ev_timer_init(&live->wake, wake, 0.0, 0.0);
	ev_signal_init(&live->child, child_ended, SIGCHLD);
	ev_prepare_init(&live->answer, before_waiting);
	ev_io_init(&live->failures, failures_readable, failure_reader, EV_READ);
	live->wake.data = live;
	live->child.data = live;
	live->answer.data = live;
	live->failures.data = live;
	/* Within one turn of the loop: first what workers say, then who ended, then what is overdue. */
	ev_set_priority(&live->child, EV_MINPRI + 1);
	ev_set_priority(&live->wake, EV_MINPRI);
	ev_signal_start(live->loop, &live->child);
	ev_prepare_start(live->loop, &live->answer);
	ev_io_start(live->loop, &live->failures);
}

/** All of them: one that is left with the manager keeps its address from being bound. */
static bool take_inherited_sockets(struct effects_live *live, struct error *error)
{
	size_t count = service_manager_socket_count();

	live->inherited = calloc(count + 1, sizeof(*live->inherited));
	if (live->inherited == NULL)
		return error_set(error, ERROR_MEMORY, "no memory for the sockets of the service manager");
	live->inherited_count = service_manager_sockets(live->inherited, count);
	return true;
}

bool effects_live_init(struct effects_live *live, struct ev_loop *loop, struct supervisor *supervisor,
		       struct error *error)
{
	int fds[2];
	int code;

	*live = (struct effects_live){ .loop = loop, .supervisor = supervisor };
	list_init(&live->answers);
	code = process_become_subreaper();
	if (code != 0)
		log_warning("cannot adopt processes that workers leave behind: %s", strerror(code));
	live->descriptor_limit = process_raise_descriptor_limit();
	if (!take_inherited_sockets(live, error))
		return false;
	if (pipe2(fds, O_CLOEXEC) != 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
		return error_set_errno(error, ERROR_SYSTEM, errno, "cannot make a pipe");
	live->failure_writer = fds[1];
	srand48(clock_wall_ms() ^ getpid());
	start_watchers(live, fds[0]);
	return true;
}

struct effects effects_live_table(struct effects_live *live)
{
	return (struct effects){
		.context = live,
		.prepare = prepare,
		.forget = forget,
		.spawn = spawn,
		.signal = send_signal,
		.release = release,
		.discard = discard,
		.open_listener = open_listener,
		.adjust_listener = adjust_listener,
		.close_listener = close_listener,
		.wake_at = wake_at,
		.random = draw,
	};
}

void effects_live_finish(struct effects_live *live)
{
	ev_timer_stop(live->loop, &live->wake);
	ev_signal_stop(live->loop, &live->child);
	ev_prepare_stop(live->loop, &live->answer);
	ev_io_stop(live->loop, &live->failures);
	close_fd(&live->failure_writer);
	(void)close(live->failures.fd);
	for (size_t i = 0; i < live->inherited_count; i++)
		close_fd(&live->inherited[i].fd);
	free(live->inherited);
}
