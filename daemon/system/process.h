/*
 * process.h - signals to processes that cannot hit a stranger, and the words for how a process ended.
 */
#ifndef DAEMON_SYSTEM_PROCESS_H
#define DAEMON_SYSTEM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/** Signals one process through its pidfd. @return 0 or an errno value */
int process_signal(int pidfd, int signal);

/** Signals a process group whose leader is our child and not yet reaped, so that its number cannot be somebody else. */
int process_signal_group(pid_t leader, int signal);

/** Does this child, which is not reaped yet, lead a group of its own, so that a signal to the group reaches it? */
bool process_leads_group(pid_t pid);

/** How a process ended. */
struct process_exit {
	pid_t pid;
	int status; /**< wait status */
	struct rusage usage;
};

/**
 * Looks for a child that ended, without reaping it (WNOWAIT), so that its group can still be signalled safely.
 * @return its pid, or 0 when there is none
 */
pid_t process_next_exit(void);

/** Reaps one child that ended. @return false when it cannot be reaped */
bool process_reap(pid_t pid, struct process_exit *exit);

/** Words: "exit status 3", "killed by SIGSEGV (core dumped)". @return buffer */
const char *process_describe_exit(int status, char *buffer, size_t size);

/** Name of a signal without "SIG", or "42". @return static text or buffer */
const char *process_signal_name(int signal, char *buffer, size_t size);

/** Makes this process adopt orphans of its workers. @return 0 or an errno value */
int process_become_subreaper(void);

/** Children of this process, as the kernel lists them. @return how many were stored, at most `size` */
size_t process_list_children(pid_t *pids, size_t size);

/** Raises RLIMIT_NOFILE to its hard limit for this process. @return the soft limit that was in force before */
struct rlimit process_raise_descriptor_limit(void);

#endif
