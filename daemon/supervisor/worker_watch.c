#include "supervisor/worker_watch.h"

#include "base/clock.h"
#include "base/ownership.h"
#include "supervisor/launch.h"
#include "unicornd/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Bytes of output read at a time: one chatty worker must not hold the loop. */
#define OUTPUT_READ_SIZE 2048
/** Reads of output left behind by a worker that is gone; a pipe holds 64 KiB unless somebody made it larger. */
#define OUTPUT_DRAIN_READS 512

static void said(void *context, const struct status_message *message)
{
	struct worker_watch *watch = context;

	supervisor_worker_said(watch->supervisor, watch->worker, message, clock_monotonic_ms());
}

static void unwatch(struct ev_loop *loop, ev_io *io)
{
	int fd = io->fd;

	if (fd < 0)
		return;
	ev_io_stop(loop, io);
	ev_io_set(io, -1, EV_READ);
	(void)close(fd);
}

static void status_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct worker_watch *watch = io->data;

	(void)events;
	if (status_pipe_read(io->fd, &watch->parser, said, watch) == 0)
		unwatch(loop, io); /* not an event: an exit follows, or its heartbeat will be missed */
}

static void notify_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct worker_watch *watch = io->data;

	(void)loop;
	(void)events;
	notify_socket_read(io->fd, watch->uid, said, watch);
}

/** @return bytes read; 0 at the end; -1 when there is nothing now */
static ssize_t read_output(struct worker_watch *watch)
{
	char bytes[OUTPUT_READ_SIZE];
	ssize_t count = read(watch->output.fd, bytes, sizeof(bytes));

	if (count > 0)
		supervisor_worker_wrote(watch->supervisor, watch->worker, bytes, (size_t)count, clock_monotonic_ms());
	return count;
}

static void output_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct worker_watch *watch = io->data;
	ssize_t count = read_output(watch);

	(void)events;
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
		unwatch(loop, io);
}

struct worker_watch *worker_watch_take(struct ev_loop *loop, struct supervisor *supervisor, struct worker *worker)
{
	struct worker_watch *watch = worker->attachment;

	if (watch == NULL) {
		watch = calloc(1, sizeof(*watch));
		if (watch == NULL)
			return NULL;
		worker->attachment = watch;
	}
	*watch = (struct worker_watch){ .loop = loop, .supervisor = supervisor, .worker = worker, .pidfd = -1 };
	list_init(&watch->link);
	ev_io_init(&watch->status, status_readable, -1, EV_READ);
	ev_io_init(&watch->notify, notify_readable, -1, EV_READ);
	ev_io_init(&watch->output, output_readable, -1, EV_READ);
	watch->status.data = watch;
	watch->notify.data = watch;
	watch->output.data = watch;
	return watch;
}

static bool fail(struct worker_watch *watch, const char *what, int code)
{
	(void)snprintf(watch->failure, sizeof(watch->failure), "%s: %s", what, strerror(code));
	worker_watch_close(watch);
	return false;
}

static void watch_fd(struct worker_watch *watch, ev_io *io, int fd)
{
	ev_io_set(io, fd, EV_READ);
	ev_io_start(watch->loop, io);
}

/** Opens what the worker will write to. *writer is what it gets as standard output, -1: the daemon's own. */
static int open_output(struct worker_watch *watch, int *writer)
{
	int mode = watch->worker->generation->settings->output;
	int fds[2];

	*writer = -1;
	if (mode == OUTPUT_INHERIT)
		return 0;
	if (mode == OUTPUT_NULL) {
		*writer = open("/dev/null", O_WRONLY | O_CLOEXEC);
		return *writer >= 0 ? 0 : errno;
	}
	if (pipe2(fds, O_CLOEXEC) != 0)
		return errno;
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	watch_fd(watch, &watch->output, fds[0]);
	*writer = fds[1];
	return 0;
}

static int open_notify(struct worker_watch *watch)
{
	struct launch *launch = watch->worker->generation->launch;
	char name[LAUNCH_NOTIFY_SIZE];
	int fd = notify_socket_open(name, sizeof(name));

	if (fd < 0)
		return -fd;
	(void)snprintf(launch->notify, sizeof(launch->notify), UNICORND_ENV_NOTIFY_SOCKET "=%s", name);
	watch_fd(watch, &watch->notify, fd);
	return 0;
}

static size_t list_descriptors(const struct generation *generation, int status_writer, int *fds)
{
	size_t count = 0;

	for (; count < generation->listener_count; count++)
		fds[count] = generation->listeners[count]->fd;
	fds[count++] = status_writer;
	return count;
}

bool worker_watch_start(struct worker_watch *watch, struct spawn_request *request)
{
	int fds[GENERATION_LISTENERS_MAX + 1];
	struct spawned spawned;
	struct error error;
	int status_reader;
	owned_fd status_writer = -1;
	owned_fd output_writer = -1;
	int code = status_pipe_open(&status_reader, &status_writer);

	if (code != 0)
		return fail(watch, "status pipe", code);
	watch_fd(watch, &watch->status, status_reader);
	code = open_output(watch, &output_writer);
	if (code != 0)
		return fail(watch, "output pipe", code);
	code = open_notify(watch);
	if (code != 0)
		return fail(watch, "notify socket", code);
	request->descriptors = fds;
	request->descriptor_count = list_descriptors(watch->worker->generation, status_writer, fds);
	request->output = output_writer;
	watch->uid = request->privileges != NULL ? request->privileges->uid : geteuid();
	if (!spawn_process(request, &spawned, &error)) {
		(void)snprintf(watch->failure, sizeof(watch->failure), "%.250s", error.text);
		worker_watch_close(watch);
		return false;
	}
	watch->pid = spawned.pid;
	watch->pidfd = spawned.pidfd;
	return true;
}

void worker_watch_drain(struct worker_watch *watch)
{
	if (watch->status.fd >= 0)
		(void)status_pipe_read(watch->status.fd, &watch->parser, said, watch);
	if (watch->notify.fd >= 0)
		notify_socket_read(watch->notify.fd, watch->uid, said, watch);
	for (int i = 0; i < OUTPUT_DRAIN_READS && watch->output.fd >= 0; i++) {
		if (read_output(watch) <= 0)
			break;
	}
}

void worker_watch_close(struct worker_watch *watch)
{
	list_remove(&watch->link);
	unwatch(watch->loop, &watch->status);
	unwatch(watch->loop, &watch->notify);
	unwatch(watch->loop, &watch->output);
	close_fd(&watch->pidfd);
	status_parser_finish(&watch->parser);
}
