#include "base/log.h"

#include "base/clock.h"
#include "base/log_journal.h"
#include "base/ownership.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

/** Longest line, newline included: what a pipe takes as a whole. */
#define LINE_SIZE PIPE_BUF
/** How long a write waits for a reader that has fallen behind, once; after that lines are dropped until it reads. */
#define PATIENCE_MS 100

/** A line, in the form that a descriptor gets; the journal's native protocol leaves the prefix out. */
struct line {
	enum log_level level;
	const struct log_subject *subject; /**< NULL: the daemon */
	char *bytes;                       /**< with room for a newline */
	size_t prefix;                     /**< bytes of it */
	size_t length;                     /**< of the text behind it */
};

/** The one log of this process. */
static struct {
	char *path; /**< NULL: standard error */
	int fd;     /**< owned, unless it is STDERR_FILENO itself */
	enum log_level level;
	bool journal;       /**< standard error is a stream to the journal */
	bool socket;        /**< only send(2) can be told not to wait */
	bool stuck;         /**< the last line was dropped */
	unsigned long lost; /**< lines dropped since the last one that was written */
} sink = { .path = NULL, .fd = STDERR_FILENO, .level = LOG_LEVEL_INFO };

/** Used while standard error is the journal. */
static struct log_journal journal = { .path = LOG_JOURNAL_SOCKET, .fd = -1 };

static const struct {
	const char *name;
	int priority; /**< syslog's, for the journal */
} levels[LOG_LEVEL_COUNT] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },   [LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_NOTICE] = { "notice", 5 }, [LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

const char *log_level_name(enum log_level level)
{
	return (unsigned)level < LOG_LEVEL_COUNT ? levels[level].name : "unknown";
}

/** systemd says in JOURNAL_STREAM which file is its stream, because standard error may have been redirected since. */
static bool is_journal(const struct stat *status)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device;
	uintmax_t inode;
	char *end;

	if (stream == NULL)
		return false;
	device = strtoumax(stream, &end, 10);
	if (end == stream || *end != ':')
		return false;
	stream = end + 1;
	inode = strtoumax(stream, &end, 10);
	return end != stream && *end == '\0' && device == status->st_dev && inode == status->st_ino;
}

/**
 * Chooses the descriptor for standard error. O_NONBLOCK belongs to the open file, which workers may share with us, so
 * a pipe or terminal is opened once more; where that is not allowed, poll(2) before each write has to do.
 */
static void use_stderr(enum log_level level)
{
	struct stat status = { 0 };
	int fd = -1;

	if (fstat(STDERR_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
		fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (sink.fd != STDERR_FILENO)
		close_fd(&sink.fd);
	free(sink.path);
	sink.path = NULL;
	sink.fd = fd >= 0 ? fd : STDERR_FILENO;
	sink.level = level;
	sink.socket = S_ISSOCK(status.st_mode);
	sink.journal = is_journal(&status);
	if (!sink.journal)
		log_journal_close(&journal);
	sink.stuck = false;
}

static int open_file(const char *path, struct error *error)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);

	if (fd < 0)
		(void)error_set_errno(error, ERROR_SYSTEM, errno, "cannot open the log %s", path);
	return fd;
}

/** Takes over `fd` and, when it is not NULL, the allocated `path`. */
static void use_file(int fd, char *path)
{
	if (sink.fd != STDERR_FILENO)
		close_fd(&sink.fd);
	if (path != NULL) {
		free(sink.path);
		sink.path = path;
	}
	sink.fd = fd;
	sink.socket = false;
	sink.journal = false;
	log_journal_close(&journal);
	sink.stuck = false;
}

static bool is_stderr(const char *path)
{
	return path == NULL || strcmp(path, "stderr") == 0;
}

bool log_check(const char *path, struct error *error)
{
	owned_fd fd = -1;

	if (is_stderr(path))
		return true;
	fd = open_file(path, error);
	return fd >= 0;
}

bool log_open(const char *path, enum log_level level, struct error *error)
{
	int saved = errno;
	char *copy;
	int fd;

	if (is_stderr(path)) {
		use_stderr(level);
		errno = saved;
		return true;
	}
	copy = strdup(path);
	if (copy == NULL)
		return error_set(error, ERROR_MEMORY, "no memory for the name of the log");
	fd = open_file(path, error);
	if (fd < 0) {
		free(copy);
		errno = saved;
		return false;
	}
	use_file(fd, copy);
	sink.level = level;
	errno = saved;
	return true;
}

bool log_reopen(struct error *error)
{
	int saved = errno;
	int fd;

	if (sink.path == NULL)
		return true;
	fd = open_file(sink.path, error);
	if (fd >= 0)
		use_file(fd, NULL);
	errno = saved;
	return fd >= 0;
}

static ssize_t write_now(const char *line, size_t length)
{
	struct pollfd ready = { .fd = sink.fd, .events = POLLOUT };

	if (sink.socket)
		return send(sink.fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(sink.fd, line, length);
}

/** Writes the whole line or gives up: a reader that does not read must not stop the supervisor. */
static bool write_all(const char *line, size_t length)
{
	bool waited = sink.stuck;

	while (length > 0) {
		ssize_t written = write_now(line, length);
		struct pollfd ready = { .fd = sink.fd, .events = POLLOUT };

		if (written > 0) {
			line += written;
			length -= (size_t)written;
		} else if (written < 0 && errno == EAGAIN && !waited) {
			(void)poll(&ready, 1, PATIENCE_MS);
			waited = true;
		} else if (written == 0 || errno != EINTR) {
			return false;
		}
	}
	return true;
}

static size_t write_prefix(char *line, size_t size, enum log_level level)
{
	int64_t now = clock_wall_ms();
	time_t seconds = (time_t)(now / 1000);
	struct tm utc = { 0 };
	char stamp[32];
	int length;

	if (sink.journal) {
		length = snprintf(line, size, "<%d>", levels[level].priority);
	} else {
		(void)gmtime_r(&seconds, &utc);
		(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
		length = snprintf(line, size, "%s.%03dZ %s: ", stamp, (int)(now % 1000), levels[level].name);
	}
	return length > 0 ? (size_t)length : 0;
}

/** A line break or an escape sequence in a text must not look like a line of ours. */
static void make_printable(char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			bytes[i] = '?';
	}
}

/** @return 0, EAGAIN when the journal does not read, another errno value when it cannot be reached */
static int tell_journal(const struct line *line)
{
	const char *text = line->bytes + line->prefix;
	int priority = levels[line->level].priority;
	int result = log_journal_send(&journal, priority, line->subject, text, line->length);
	struct pollfd ready = { .fd = journal.fd, .events = POLLOUT };

	if (result != EAGAIN || sink.stuck)
		return result;
	(void)poll(&ready, 1, PATIENCE_MS);
	return log_journal_send(&journal, priority, line->subject, text, line->length);
}

/** Standard error takes what the journal has no socket for: it is down, or out of sight of this process's root. */
static bool deliver(const struct line *line)
{
	int result = sink.journal ? tell_journal(line) : ENOTCONN;

	if (result == 0 || result == EAGAIN)
		return result == 0;
	return write_all(line->bytes, line->prefix + line->length + 1);
}

static void finish_line(const struct line *line)
{
	char *text = line->bytes + line->prefix;

	make_printable(text, line->length);
	text[line->length] = '\n';
	if (deliver(line)) {
		sink.stuck = false;
	} else {
		sink.stuck = true;
		sink.lost++;
	}
}

static void say_lost(void)
{
	char bytes[160];
	struct line line = { .level = LOG_LEVEL_WARNING, .bytes = bytes };
	unsigned long lost = sink.lost;

	if (lost == 0 || sink.stuck)
		return;
	sink.lost = 0;
	line.prefix = write_prefix(bytes, sizeof(bytes), line.level);
	line.length = (size_t)snprintf(bytes + line.prefix, sizeof(bytes) - line.prefix - 1,
				       "%lu lines of this log could not be written", lost);
	finish_line(&line);
}

/** @return how much of a text of `length` bytes, or less than 0, fits into `room` */
static size_t fitting(int length, size_t room)
{
	if (length < 0)
		return 0;
	return (size_t)length < room ? (size_t)length : room - 1;
}

static void write_line(const struct log_subject *subject, enum log_level level, const char *fmt, va_list arguments)
{
	static char bytes[LINE_SIZE];
	struct line line = { .level = level, .subject = subject, .bytes = bytes };
	int saved = errno;
	int length;

	if (level > sink.level)
		return;
	line.prefix = write_prefix(bytes, sizeof(bytes), level);
	length = vsnprintf(bytes + line.prefix, sizeof(bytes) - line.prefix, fmt, arguments);
	line.length = fitting(length, sizeof(bytes) - line.prefix);
	finish_line(&line);
	say_lost();
	errno = saved;
}

void log_write(enum log_level level, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	write_line(NULL, level, fmt, arguments);
	va_end(arguments);
}

void log_about(const struct log_subject *subject, enum log_level level, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	write_line(subject, level, fmt, arguments);
	va_end(arguments);
}

/** @return level of a line of output; a prefix that says it is stepped over */
static enum log_level take_level(const char **line, size_t *length)
{
	const char *prefix = *line;
	enum log_level level = LOG_LEVEL_ERROR;
	int priority;

	if (*length < 3 || prefix[0] != '<' || prefix[1] < '0' || prefix[1] > '7' || prefix[2] != '>')
		return LOG_LEVEL_INFO;
	priority = prefix[1] - '0';
	*line += 3;
	*length -= 3;
	while (levels[level].priority < priority)
		level++;
	return level;
}

void log_output(const struct log_subject *worker, const char *line, size_t length)
{
	enum log_level level = take_level(&line, &length);
	int shown = length < LINE_SIZE ? (int)length : LINE_SIZE;

	log_about(worker, level, "%s/%d[%d]: %.*s", worker->pool, worker->slot, (int)worker->pid, shown, line);
}

void log_name_site(const char *site)
{
	journal.site = site;
}

void log_move_journal(const char *path)
{
	journal.path = path;
	log_journal_close(&journal);
}
