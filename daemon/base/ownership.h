/*
 * ownership.h - scope-bound owners for descriptors and heap memory.
 */
#ifndef DAEMON_BASE_OWNERSHIP_H
#define DAEMON_BASE_OWNERSHIP_H

#include <stdlib.h>
#include <unistd.h>

static inline void ownership_close(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void ownership_free(void *pointer)
{
	free(*(void **)pointer);
}

/** The descriptor is closed when the variable leaves its scope; -1 is nothing. */
#define owned_fd __attribute__((cleanup(ownership_close))) int
/** The memory is freed when the variable leaves its scope. Use: owned_memory char *name = ... */
#define owned_memory __attribute__((cleanup(ownership_free)))

/** Moves a descriptor out of its owner. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/** Closes a descriptor and marks it closed; harmless on -1. */
static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(take_fd(fd));
}

#endif
