/*
 * socket_path.h - which control socket is meant.
 */
#ifndef CTL_SOCKET_PATH_H
#define CTL_SOCKET_PATH_H

#include "failure.h"

/**
 * Finds the path: `path` itself when given; else the socket of `site`; else the only socket in the folder of this user.
 *
 * @param found  set to the path, to be freed by the caller; NULL on failure
 */
bool socket_path_find(char **found, const char *path, const char *site, struct failure *failure);

#endif
