/*
 * control_path.h - where the control socket is, and the folder it is in.
 */
#ifndef DAEMON_CONTROL_CONTROL_PATH_H
#define DAEMON_CONTROL_CONTROL_PATH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/** Longest path of a socket, terminator included: what the kernel takes. */
#define CONTROL_PATH_SIZE 108

/**
 * The default path of a site: in /run/unicornd as root, otherwise in $XDG_RUNTIME_DIR/unicornd, /run/user/UID/unicornd
 * or /tmp/unicornd-UID, the first that there is.
 *
 * @return false when it does not fit; the buffer then holds what does
 */
bool control_default_path(const char *site_name, char *buffer, size_t size);

/**
 * Makes the folder of `path` when it is missing: 0755 as root, 0700 otherwise. A folder of ours below /tmp, where
 * anybody could have made it, must belong to this user and be closed to others.
 */
bool control_path_prepare(const char *path, struct error *error);

#endif
