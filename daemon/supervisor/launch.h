/*
 * launch.h - all that starting the workers of one generation needs, worked out once.
 */
#ifndef DAEMON_SUPERVISOR_LAUNCH_H
#define DAEMON_SUPERVISOR_LAUNCH_H

#include "base/error.h"
#include "model/generation.h"
#include "system/spawn.h"

#include <limits.h>

/** Bound of the value of NOTIFY_SOCKET. */
#define LAUNCH_NOTIFY_SIZE 96
#define LAUNCH_LIMITS_MAX  20

struct launch {
	char program[PATH_MAX];
	struct string_list arguments;         /**< {fd} replaced */
	struct string_list environment;       /**< without the two below */
	char **block;                         /**< the environment as execve takes it */
	char slot[48];                        /**< "UNICORND_SLOT=3", written before each start */
	char notify[LAUNCH_NOTIFY_SIZE + 16]; /**< "NOTIFY_SOCKET=@..." */
	struct privileges privileges;
	bool changes_user;
	struct spawn_limit limits[LAUNCH_LIMITS_MAX];
	size_t limit_count;
};

/**
 * @param environment        of the daemon, NULL-terminated
 * @param descriptor_limit   RLIMIT_NOFILE that workers get unless the pool says otherwise
 * @return NULL with an error: the program or the user does not exist, no memory
 */
struct launch *launch_create(const struct generation *generation, char *const *environment,
			     const struct rlimit *descriptor_limit, struct error *error);
void launch_destroy(struct launch *launch);

/** Descriptor number that the status pipe has in a worker of this generation. */
int launch_status_fd(const struct generation *generation);

/** Appends `word` with {fd} and {fd:NAME} replaced by descriptor numbers. @return false without memory */
bool launch_expand(const struct pool_settings *settings, const char *word, struct text *text);

#endif
