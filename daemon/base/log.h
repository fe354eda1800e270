/*
 * log.h - the daemon's log: lines to standard error, to a file or to the journal.
 *
 * One line per event, "level: text" with a time stamp. When standard error is the journal, lines go to it as entries
 * with fields (log_journal.h); while that cannot be done, to standard error with the prefix "<n>".
 *
 * All functions keep errno as it was. Never call them between fork and exec.
 */
#ifndef DAEMON_BASE_LOG_H
#define DAEMON_BASE_LOG_H

#include "base/error.h"
#include "base/log_subject.h"

#include <stdbool.h>
#include <stddef.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_COUNT
};

/** @return "error", "warning", ... */
const char *log_level_name(enum log_level level);

/**
 * Says where lines go from now on. On failure the log stays as it was.
 *
 * @param path   file to append to, created with mode 0640; NULL or "stderr" for standard error
 * @param level  lines less important than this are dropped
 */
bool log_open(const char *path, enum log_level level, struct error *error);

/** Whether log_open() would do, without doing it; the file is made. */
bool log_check(const char *path, struct error *error);

/** Opens the file again under the same name, after somebody renamed it; keeps the old one when that fails. */
bool log_reopen(struct error *error);

/** Writes one line. */
void log_write(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...)    log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

/** Writes one line about somebody. */
void log_about(const struct log_subject *subject, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Writes one line of a worker's output, marked with its origin ("app/3[1234]"). Its level is INFO, or what the syslog
 * prefix in front of it says, "<0>" to "<7>", which is taken off as systemd does it.
 */
void log_output(const struct log_subject *worker, const char *line, size_t length);

/** Says which site the journal is told of. @param site  is borrowed */
void log_name_site(const char *site);

/** For tests: the journal's socket is elsewhere. @param path  is borrowed */
void log_move_journal(const char *path);

#endif
