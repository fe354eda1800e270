/*
 * log_journal.h - entries with fields for systemd's journal, in its native protocol.
 *
 * One datagram is one entry: lines NAME=value (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). sd_journal_sendv(3) says
 * the same, but waits while the journal does not read, and a supervisor must not.
 */
#ifndef DAEMON_BASE_LOG_JOURNAL_H
#define DAEMON_BASE_LOG_JOURNAL_H

#include "base/log_subject.h"

#include <stdbool.h>
#include <stddef.h>

/** With `LogNamespace=` systemd mounts the sockets of the namespace there, for the unit alone. */
#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/** A connection, which is made when it is first needed. */
struct log_journal {
	const char *path; /**< of the journal's socket; borrowed */
	const char *site; /**< borrowed; NULL: not said */
	int fd;           /**< owned; -1: not connected */
};

/**
 * Sends one entry, or nothing of it; never waits. A connection that the journal has given up is made again.
 *
 * @param priority  syslog's, 0 to 7
 * @param subject   NULL: the daemon itself
 * @param text      without line breaks
 * @return 0; EAGAIN when the journal does not read, and poll(2) of `fd` for POLLOUT would tell when it does; another
 * errno value when it cannot be reached
 */
int log_journal_send(struct log_journal *journal, int priority, const struct log_subject *subject, const char *text,
		     size_t length);

void log_journal_close(struct log_journal *journal);

#endif
