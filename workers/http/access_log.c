#include "access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/** Where lines begin in the buffer: the byte in front of them is kept for the end of a torn line. */
#define LINES_START 1

/** No second has it, so the first line makes its date. */
#define NO_SECOND INT64_MIN

/* ---- opening */

static int file_open(const char *path)
{
	/* O_NONBLOCK is for pipes with a name, which would wait for a reader here. */
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

static void descriptor_set(struct access_log *log, int fd)
{
	struct stat status = { 0 };

	log->fd = fd;
	log->is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	log->device = status.st_dev;
	log->inode = status.st_ino;
}

/** An application may go to another folder, and the log must not follow it there. @return NULL without memory */
static char *path_copy(const char *path)
{
	char *folder = path[0] == '/' ? NULL : getcwd(NULL, 0);
	char *copy = NULL;

	if (folder == NULL)
		return strdup(path);
	if (asprintf(&copy, "%s/%s", folder, path) < 0)
		copy = NULL;
	free(folder);
	return copy;
}

static bool memory_get(struct access_log *log, const char *path)
{
	log->buffer = malloc(LINES_START + ACCESS_BUFFER_BYTES);
	if (log->buffer == NULL)
		return false;
	if (strcmp(path, "-") == 0)
		return true;
	log->path = path_copy(path);
	return log->path != NULL;
}

static void memory_free(struct access_log *log)
{
	free(log->path);
	free(log->buffer);
	*log = (struct access_log)ACCESS_LOG_OFF;
}

bool access_log_open(struct access_log *log, const char *path, enum access_format format, char *error,
		     size_t error_size)
{
	int fd = STDOUT_FILENO;

	*log = (struct access_log){ .fd = -1, .format = format, .length = LINES_START, .date_s = NO_SECOND };
	if (!memory_get(log, path)) {
		(void)snprintf(error, error_size, "there is no memory for the access log");
		memory_free(log);
		return false;
	}
	if (log->path != NULL)
		fd = file_open(log->path);
	if (fd < 0) {
		(void)snprintf(error, error_size, "%s cannot be opened: %s", path, strerror(errno));
		memory_free(log);
		return false;
	}
	tzset();
	descriptor_set(log, fd);
	return true;
}

/* ---- writing */

/** Would a piece of at most PIPE_BUF bytes be taken at once? Files are always written to. */
static bool can_write(const struct access_log *log)
{
	struct pollfd poll_fd = { .fd = log->fd, .events = POLLOUT };

	return log->is_file || poll(&poll_fd, 1, 0) == 1;
}

/** @return length of the whole lines in the first `limit` bytes; all of them when that is all there is */
static size_t whole_lines(const char *bytes, size_t length, size_t limit)
{
	const char *end;

	if (length <= limit)
		return length;
	/* A line is never longer than the limit, so there is an end of one. */
	end = memrchr(bytes, '\n', limit);
	return end != NULL ? (size_t)(end - bytes) + 1 : limit;
}

static uint64_t count_lines(const char *bytes, size_t length)
{
	uint64_t count = 0;

	for (size_t i = 0; i < length; i++)
		count += bytes[i] == '\n';
	return count;
}

/** Counts lines that are gone. */
static void lines_lose(struct access_log *log, uint64_t count, int code)
{
	log->lost_lines += count;
	if (!log->is_failing)
		log->problem = code;
	log->is_failing = true;
}

/** @return bytes taken, or a negative errno value; -EAGAIN: later */
static ssize_t piece_write(const struct access_log *log, const char *bytes, size_t length)
{
	ssize_t taken;

	if (!can_write(log))
		return -EAGAIN;
	do {
		taken = write(log->fd, bytes, length);
	} while (taken < 0 && errno == EINTR);
	if (taken < 0)
		return -errno;
	return taken > 0 ? taken : -EIO;
}

/** Writes what is taken. @param at  moves on @return 0 when all of it has been taken, else a negative errno value */
static int pieces_write(const struct access_log *log, size_t *at)
{
	while (*at < log->length) {
		const char *bytes = log->buffer + *at;
		const size_t left = log->length - *at;
		const ssize_t taken =
			piece_write(log, bytes, log->is_file ? left : whole_lines(bytes, left, ACCESS_LINE_BYTES_MAX));

		if (taken < 0)
			return (int)taken;
		*at += (size_t)taken;
	}
	return 0;
}

/** Moves what has not been written to the front. */
static void lines_keep(struct access_log *log, size_t at)
{
	memmove(log->buffer + LINES_START, log->buffer + at, log->length - at);
	log->length = LINES_START + log->length - at;
}

/** Writes the lines and makes room, unless they have to wait for the reader of a pipe. */
static void lines_write(struct access_log *log)
{
	/* A torn line whose rest is gone is ended first, so that the next one stands alone. */
	const size_t start = log->is_torn && !log->is_rest_kept ? 0 : LINES_START;
	size_t at = start;
	int result;

	if (log->length == LINES_START)
		return;
	log->buffer[0] = '\n';
	result = pieces_write(log, &at);
	if (at > start) {
		log->is_torn = log->buffer[at - 1] != '\n';
		log->is_rest_kept = log->is_torn;
	}
	if (at < LINES_START)
		at = LINES_START;
	if (result == -EAGAIN) {
		log->is_waiting = true;
		lines_keep(log, at);
		return;
	}
	if (result < 0)
		lines_lose(log, count_lines(log->buffer + at, log->length - at), -result);
	else
		log->is_failing = false;
	log->is_rest_kept = false;
	log->length = LINES_START;
}

static bool has_room(const struct access_log *log)
{
	return LINES_START + ACCESS_BUFFER_BYTES - log->length >= ACCESS_LINE_BYTES_MAX;
}

void access_log_write(struct access_log *log, const struct access_record *record)
{
	if (log->fd < 0)
		return;
	if (!has_room(log) && !log->is_waiting)
		lines_write(log);
	if (!has_room(log)) {
		lines_lose(log, 1, EAGAIN);
		return;
	}
	if (record->time_s != log->date_s) {
		access_date_format(log->format, record->time_s, log->date);
		log->date_s = record->time_s;
	}
	log->length += access_line_format(log->format, record, log->date, log->buffer + log->length);
}

int access_log_flush(struct access_log *log)
{
	int problem;

	if (log->fd < 0)
		return 0;
	log->is_waiting = false;
	lines_write(log);
	problem = log->problem;
	log->problem = 0;
	return -problem;
}

/* ---- reopening and closing */

/** @return 0 or a negative errno value: the old file stays */
static int file_switch(struct access_log *log)
{
	int fd = file_open(log->path);

	if (fd < 0)
		return -errno;
	(void)close(log->fd);
	descriptor_set(log, fd);
	log->is_torn = false;
	log->is_rest_kept = false;
	return 0;
}

int access_log_reopen(struct access_log *log)
{
	if (log->fd < 0 || log->path == NULL)
		return 0;
	log->is_waiting = false;
	lines_write(log);
	return file_switch(log);
}

static bool is_at_its_path(const struct access_log *log)
{
	struct stat status;

	return stat(log->path, &status) == 0 && status.st_dev == log->device && status.st_ino == log->inode;
}

int access_log_follow(struct access_log *log)
{
	bool was_told = log->is_astray;
	int result = 0;

	if (log->fd < 0 || log->path == NULL || !log->is_file || log->length == LINES_START)
		return 0;
	/* What has been gathered is for the new file: the old one may be on its way into an archive. */
	if (!is_at_its_path(log))
		result = file_switch(log);
	log->is_astray = result != 0;
	return was_told ? 0 : result;
}

void access_log_close(struct access_log *log)
{
	if (log == NULL || log->fd < 0)
		return;
	lines_write(log);
	if (log->path != NULL)
		(void)close(log->fd);
	memory_free(log);
}
