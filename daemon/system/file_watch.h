/*
 * file_watch.h - tells that something changed below some folders (inotify(7)).
 *
 * It watches folders and what is below them, also what comes into being later. Which names matter is the caller's. It
 * follows no symbolic links below the folders it was given, and it does not say how a file has changed.
 */
#ifndef DAEMON_SYSTEM_FILE_WATCH_H
#define DAEMON_SYSTEM_FILE_WATCH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/** Names that matter; of others, and of what is below such folders, nothing is heard. */
struct file_watch_rules {
	bool (*folder_matters)(const char *name);
	bool (*file_matters)(const char *name);
};

struct file_watch;

/**
 * @param folders_max  most folders that are watched; each costs the kernel about a kilobyte
 * @return NULL with an error when inotify is not to be had
 */
struct file_watch *file_watch_create(const struct file_watch_rules *rules, size_t folders_max, struct error *error);
/** NULL is allowed. */
void file_watch_destroy(struct file_watch *watch);

/** @return the descriptor that is readable when file_watch_read() has something to read. */
int file_watch_fd(const struct file_watch *watch);

/**
 * Watches a folder and all below it. One that is not there is looked for again by file_watch_refresh().
 * @return false with an error without memory, or when the folder cannot be watched now
 */
bool file_watch_add(struct file_watch *watch, const char *folder, struct error *error);

/**
 * Reads what waits.
 * @return the name of something that changed, valid until the next call; NULL when nothing did that matters
 */
const char *file_watch_read(struct file_watch *watch);

/** @return true while a folder that was added is not there. */
bool file_watch_has_lost(const struct file_watch *watch);
/** Looks for lost folders again. @return true when one of them was found: it has changed */
bool file_watch_refresh(struct file_watch *watch);

/** @return true, once a reason, when changes go unnoticed from now on; the error says which and why. */
bool file_watch_is_incomplete(struct file_watch *watch, struct error *error);

#endif
