/*
 * spawn.h - start a process that is described by data.
 *
 * All signals are blocked around fork; the child resets its signal dispositions and mask and only ever ends in execve
 * or _exit. What fails in the child is written to a close-on-exec pipe as one struct spawn_failure. The parent never
 * waits for the child.
 */
#ifndef DAEMON_SYSTEM_SPAWN_H
#define DAEMON_SYSTEM_SPAWN_H

#include "base/error.h"
#include "system/privileges.h"

#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

struct spawn_limit {
	int resource; /**< RLIMIT_... */
	struct rlimit value;
};

/**
 * What to start. Strings and arrays stay the caller's.
 *
 * A variable in `environment` whose value is SPAWN_PID_RESERVED gets the decimal digits of the child's pid in its place
 * (LISTEN_PID, WATCHDOG_PID): the child's pid is known only behind the fork, where nothing may be allocated.
 */
struct spawn_request {
	const char *program;                 /**< path to execute */
	char *const *arguments;              /**< NULL-terminated */
	char *const *environment;            /**< NULL-terminated, the whole environment */
	const char *directory;               /**< NULL: the daemon's */
	const struct privileges *privileges; /**< NULL: the daemon's */
	const struct spawn_limit *limits;
	size_t limit_count;
	int umask;              /**< -1: the daemon's */
	const int *descriptors; /**< become 3, 4, ...; all others but 0-2 are closed */
	size_t descriptor_count;
	int output;       /**< becomes 1 and 2; -1: the daemon's; standard input is /dev/null */
	int death_signal; /**< sent to the child when the daemon dies; 0: none */
	int failure;      /**< write end of the failure pipe, close-on-exec */
};

/** Descriptors that one process may be given; sd_listen_fds(3) and SCM_RIGHTS know no more either. */
#define SPAWN_DESCRIPTORS_MAX 253

/** Digits reserved for a pid in an environment value. */
#define SPAWN_PID_RESERVED "0000000000"

enum spawn_stage {
	SPAWN_STAGE_DESCRIPTORS,
	SPAWN_STAGE_LIMITS,
	SPAWN_STAGE_PRIVILEGES,
	SPAWN_STAGE_DIRECTORY,
	SPAWN_STAGE_EXECUTE
};

/** What a child that could not become the program says on the failure pipe: one write, less than PIPE_BUF. */
struct spawn_failure {
	pid_t pid;
	int code; /**< errno */
	enum spawn_stage stage;
};

/** Exit status of a child that wrote a spawn_failure. */
#define SPAWN_EXIT_FAILED 127

struct spawned {
	pid_t pid; /**< also its process group and session-less: setpgid(0, 0) is done on both sides */
	int pidfd; /**< close-on-exec, owned by the caller */
};

/** Starts it. @return false when there is no child (fork or pidfd_open failed). */
bool spawn_process(const struct spawn_request *request, struct spawned *spawned, struct error *error);

/** Describes a failure in words: "cannot execute /srv/app: No such file or directory". @return buffer */
const char *spawn_failure_describe(const struct spawn_failure *failure, const char *program, const char *directory,
				   char *buffer, size_t size);

/**
 * Finds a program the way execvp would: names without a slash are looked up in $PATH, then in `fallback_directory`.
 * A name with a slash is taken as it is, relative to `directory` when that is not NULL.
 *
 * @return false when there is no executable file of that name; says where it was looked for
 */
bool spawn_find_program(const char *name, const char *directory, const char *fallback_directory, char *path,
			size_t size, struct error *error);

/** Parses "nofile=1024", "nofile=1024:4096", "core=unlimited". */
bool spawn_limit_parse(const char *string, struct spawn_limit *limit, struct error *error);

#endif
