/*
 * worker_library.c - libunicornworker: what the environment says, and the words on the status pipe.
 */
#include "unicornd/worker.h"

#include "unicornd/protocol.h"
#include "worker_stop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Far beyond any sensible time in microseconds, far below the point where sums overflow. */
#define MICROSECONDS_MAX INT64_C(1000000000000000)

static bool number_parse(const char *string, int64_t maximum, int64_t *number)
{
	int64_t sum = 0;

	if (*string == '\0')
		return false;
	for (; *string != '\0'; string++) {
		if (*string < '0' || *string > '9')
			return false;
		sum = sum * 10 + (*string - '0');
		if (sum > maximum)
			return false;
	}
	*number = sum;
	return true;
}

/** Leaves *number alone when the variable is not set. */
static int environment_number(const char *name, int64_t maximum, int64_t *number)
{
	const char *value = getenv(name);

	if (value == NULL || number_parse(value, maximum, number))
		return 0;
	return -EINVAL;
}

/** A process that inherited the variables of a worker without being one must not act on them. */
static bool environment_is_meant_for_us(const char *pid_name, bool when_unset)
{
	const char *value = getenv(pid_name);
	int64_t pid = 0;

	if (value == NULL)
		return when_unset;
	return number_parse(value, INT_MAX, &pid) && pid == (int64_t)getpid();
}

static int descriptor_set_close_on_exec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -EINVAL;
	return fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0 ? -errno : 0;
}

static int listener_names_count(const char *names)
{
	int count = 1;

	for (; *names != '\0'; names++)
		count += *names == ':';
	return count;
}

static int listeners_take(struct unicorn_worker *worker)
{
	const char *names = getenv(UNICORND_ENV_LISTEN_FDNAMES);
	int64_t count = 0;
	int result;

	if (!environment_is_meant_for_us(UNICORND_ENV_LISTEN_PID, false))
		return 0;
	result = environment_number(UNICORND_ENV_LISTEN_FDS, UNICORN_WORKER_LISTENERS_MAX, &count);
	if (result != 0)
		return result;
	if (count > 0 && names != NULL && listener_names_count(names) != count)
		return -EINVAL;
	for (int i = 0; i < (int)count; i++) {
		result = descriptor_set_close_on_exec(UNICORND_FIRST_FD + i);
		if (result != 0)
			return result;
	}
	worker->listener_count = (int)count;
	return 0;
}

/** The daemon may be slow to read, but a worker that serves must never wait for it: a full pipe loses the message. */
static int status_pipe_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static int status_pipe_take(struct unicorn_worker *worker)
{
	struct stat status;
	int64_t fd = -1;
	int result = environment_number(UNICORND_ENV_STATUS_FD, INT_MAX, &fd);

	if (result != 0 || fd < 0)
		return result;
	/* A helper that a worker started has the variable but not the pipe; its number may be anything's by now. */
	if (fstat((int)fd, &status) != 0 || !S_ISFIFO(status.st_mode))
		return environment_is_meant_for_us(UNICORND_ENV_LISTEN_PID, false) ? -EINVAL : 0;
	result = descriptor_set_close_on_exec((int)fd);
	if (result == 0)
		result = status_pipe_set_nonblocking((int)fd);
	if (result == 0)
		worker->status_fd = (int)fd;
	return result;
}

static int identity_take(struct unicorn_worker *worker)
{
	const char *pool = getenv(UNICORND_ENV_POOL);
	int64_t slot = 0;
	int64_t generation = 0;
	int result = environment_number(UNICORND_ENV_SLOT, INT_MAX, &slot);

	if (result == 0)
		result = environment_number(UNICORND_ENV_GENERATION, INT_MAX, &generation);
	if (result != 0)
		return result;
	worker->slot = (int)slot;
	worker->generation = (int)generation;
	if (pool != NULL)
		memcpy(worker->pool, pool, strnlen(pool, sizeof(worker->pool) - 1));
	return 0;
}

static int heartbeat_take(struct unicorn_worker *worker)
{
	int64_t microseconds = 0;
	int result = environment_number(UNICORND_ENV_WATCHDOG_USEC, MICROSECONDS_MAX, &microseconds);

	if (result != 0)
		return result;
	if (worker->status_fd < 0 || microseconds == 0 || !environment_is_meant_for_us(UNICORND_ENV_WATCHDOG_PID, true))
		return 0;
	worker->heartbeat_ms = microseconds < 4000 ? 1 : microseconds / 2000;
	return 0;
}

int unicorn_worker_init(struct unicorn_worker *worker)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int result;

	*worker = (struct unicorn_worker){ .first_listener = UNICORND_FIRST_FD, .status_fd = -1 };
	result = listeners_take(worker);
	if (result == 0)
		result = status_pipe_take(worker);
	if (result == 0)
		result = identity_take(worker);
	if (result == 0)
		result = heartbeat_take(worker);
	if (result == 0 && sigaction(SIGPIPE, &ignore, NULL) != 0)
		result = -errno;
	if (result == 0)
		result = unicorn_worker_stop_prepare();
	return result;
}

int unicorn_worker_listener(const struct unicorn_worker *worker, const char *name)
{
	const char *names = getenv(UNICORND_ENV_LISTEN_FDNAMES);

	if (name == NULL)
		return worker->listener_count > 0 ? worker->first_listener : -1;
	for (int i = 0; names != NULL && i < worker->listener_count; i++) {
		size_t length = strcspn(names, ":");

		if (strlen(name) == length && memcmp(names, name, length) == 0)
			return worker->first_listener + i;
		names += length;
		if (*names == ':')
			names++;
	}
	return -1;
}

/** One write of at most PIPE_BUF bytes: the kernel takes it whole or, when the pipe is full, not at all. */
static int say(const struct unicorn_worker *worker, const struct iovec *parts, int count)
{
	ssize_t written;

	if (worker->status_fd < 0)
		return 0;
	do {
		written = writev(worker->status_fd, parts, count);
	} while (written < 0 && errno == EINTR);
	return written < 0 ? -errno : 0;
}

/** writev(2) only reads, but its structure has no const. */
static struct iovec part(const char *bytes, size_t length)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
}

static int say_line(const struct unicorn_worker *worker, const char *line)
{
	struct iovec whole = part(line, strlen(line));

	return say(worker, &whole, 1);
}

/** Length of the text that fits into `limit` bytes without cutting a UTF-8 sequence, and without a second line. */
static size_t text_fitting_length(const char *text, size_t limit)
{
	size_t length = strcspn(text, "\n");

	if (length <= limit)
		return length;
	length = limit;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

static int say_text(const struct unicorn_worker *worker, const char *prefix, const char *text)
{
	size_t prefix_length = strlen(prefix);
	size_t length = text_fitting_length(text, UNICORND_STATUS_LINE_MAX - prefix_length - 1);
	struct iovec parts[] = { part(prefix, prefix_length), part(text, length), part("\n", 1) };

	return say(worker, parts, (int)(sizeof(parts) / sizeof(parts[0])));
}

int unicorn_worker_ready(const struct unicorn_worker *worker)
{
	return say_line(worker, UNICORND_KEY_READY "=1\n");
}

int unicorn_worker_beat(const struct unicorn_worker *worker)
{
	return say_line(worker, UNICORND_KEY_WATCHDOG "=1\n");
}

int unicorn_worker_stopping(const struct unicorn_worker *worker)
{
	return say_line(worker, UNICORND_KEY_STOPPING "=1\n");
}

int unicorn_worker_status(const struct unicorn_worker *worker, const char *text)
{
	return say_text(worker, UNICORND_KEY_STATUS "=", text);
}

int unicorn_worker_request(const struct unicorn_worker *worker, const char *text)
{
	return say_text(worker, UNICORND_KEY_REQUEST "=", text);
}

int unicorn_worker_figures(const struct unicorn_worker *worker, uint64_t busy, uint64_t connections, uint64_t requests)
{
	char lines[160];

	(void)snprintf(lines, sizeof(lines),
		       UNICORND_KEY_BUSY "=%" PRIu64 "\n" UNICORND_KEY_CONNECTIONS "=%" PRIu64
					 "\n" UNICORND_KEY_REQUESTS "=%" PRIu64 "\n",
		       busy, connections, requests);
	return say_line(worker, lines);
}

int unicorn_worker_extend(const struct unicorn_worker *worker, int64_t milliseconds)
{
	char line[64];

	if (milliseconds < 0 || milliseconds > MICROSECONDS_MAX / 1000)
		return -EINVAL;
	(void)snprintf(line, sizeof(line), UNICORND_KEY_EXTEND_TIMEOUT "=%" PRId64 "\n", milliseconds * 1000);
	return say_line(worker, line);
}
