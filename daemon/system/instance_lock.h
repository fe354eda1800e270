/*
 * instance_lock.h - one daemon a site.
 */
#ifndef DAEMON_SYSTEM_INSTANCE_LOCK_H
#define DAEMON_SYSTEM_INSTANCE_LOCK_H

#include "base/error.h"

/**
 * Takes the lock file `path` (created 0600, close-on-exec, kept for the daemon's life, flock released by the kernel).
 * @return the descriptor, or -1: somebody else holds it (the text names the pid written in it) or it cannot be opened
 */
int instance_lock_take(const char *path, struct error *error);

#endif
