/*
 * access_log.h - a line for each answer, in a file or on standard output.
 *
 * Lines are gathered and written when the buffer is full or access_log_flush() is called, always whole ones, appended
 * in one system call, so that processes can share a file. No line is longer than ACCESS_LINE_BYTES_MAX: what a client
 * sent is cut where it is too long (then it ends with "...") and escaped, so that nobody can forge a line or steer a
 * terminal.
 *
 * A log that can not be written, or a pipe that nobody empties, costs lines, never requests: writing to anything but a
 * file on a disk does not wait.
 *
 * The log belongs to one thread. It neither reads the clock nor speaks of its problems: access_log_flush() returns
 * them.
 */
#ifndef WORKERS_HTTP_ACCESS_LOG_H
#define WORKERS_HTTP_ACCESS_LOG_H

#include "access_line.h"

#include <sys/types.h>

/** Lines are written when less than one line's room is left of this. */
#define ACCESS_BUFFER_BYTES 32768

struct access_log {
	int fd; /**< -1 when there is no log */
	enum access_format format;
	bool is_file;        /**< on a disk; anything else is written piece by piece and not waited for */
	bool is_torn;        /**< what has been written ends within a line */
	bool is_rest_kept;   /**< and the lines below begin with the rest of it */
	bool is_waiting;     /**< nobody empties the pipe; it is tried again by access_log_flush() */
	bool is_failing;     /**< nothing has been written since a problem was met */
	bool is_astray;      /**< the path names another file, which cannot be opened; that has been told */
	int problem;         /**< an errno value that has not been told, or 0 */
	uint64_t lost_lines; /**< in all, since it was opened */
	char *path;          /**< absolute; NULL for standard output */
	dev_t device;        /**< with the inode: which file is open */
	ino_t inode;
	char *buffer;   /**< lines; its first byte is kept for the end of a torn one */
	size_t length;  /**< bytes in use, the first one included */
	int64_t date_s; /**< of the date below */
	char date[ACCESS_DATE_BYTES];
};

/** A log that is off. */
#define ACCESS_LOG_OFF                                                                                                 \
	{                                                                                                              \
		.fd = -1                                                                                               \
	}

/**
 * Opens, appends.
 *
 * @param path   "-" is standard output
 * @param error  why not, in words
 */
bool access_log_open(struct access_log *log, const char *path, enum access_format format, char *error,
		     size_t error_size);

/** Adds a line; writes when the buffer is full. Nothing happens when the log is off. */
void access_log_write(struct access_log *log, const struct access_record *record);

/**
 * Writes what has been gathered; to be called once a second and at the end.
 *
 * @return 0, or a negative errno value when lines have been lost since it went well the last time; each problem is told
 *         once
 */
int access_log_flush(struct access_log *log);

/**
 * Opens the path anew when it no longer names the file that is open, and there are lines to be written; to be called
 * before access_log_flush(). Nothing happens to a log that is no file on a disk.
 *
 * @return 0 or a negative errno value: the old file goes on; it is told once until it goes well
 */
int access_log_follow(struct access_log *log);

/** Flushes and opens the path anew, after a rotation. @return 0 or a negative errno value: the old file stays */
int access_log_reopen(struct access_log *log);

/** Flushes and closes. Does nothing with NULL or a log that is off. */
void access_log_close(struct access_log *log);

#endif
