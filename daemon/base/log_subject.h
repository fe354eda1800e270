/*
 * log_subject.h - whom a line of the log is about.
 */
#ifndef DAEMON_BASE_LOG_SUBJECT_H
#define DAEMON_BASE_LOG_SUBJECT_H

#include <sys/types.h>

/** What is NULL or 0 is not said. */
struct log_subject {
	const char *event; /**< name of the event that the line tells */
	const char *pool;
	int slot;
	unsigned generation;
	pid_t pid; /**< the worker's */
};

#endif
