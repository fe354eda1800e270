#include "system/process.h"

#include "base/ownership.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int process_signal(int pidfd, int signal)
{
	/* Not the C library's wrapper: it came with glibc 2.36 only. */
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0U) < 0 ? errno : 0;
}

int process_signal_group(pid_t leader, int signal)
{
	/* Group 0 is our own and -1 is everybody. */
	if (leader <= 1)
		return EINVAL;
	return kill(-leader, signal) < 0 ? errno : 0;
}

bool process_leads_group(pid_t pid)
{
	return pid > 1 && getpgid(pid) == pid;
}

pid_t process_next_exit(void)
{
	siginfo_t info;
	int result;

	do {
		memset(&info, 0, sizeof(info));
		result = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
	} while (result < 0 && errno == EINTR);
	return result < 0 ? 0 : info.si_pid;
}

bool process_reap(pid_t pid, struct process_exit *exit)
{
	pid_t result;

	do {
		result = wait4(pid, &exit->status, WNOHANG, &exit->usage);
	} while (result < 0 && errno == EINTR);
	if (result <= 0)
		return false;
	exit->pid = result;
	return true;
}

const char *process_signal_name(int signal, char *buffer, size_t size)
{
	const char *name = sigabbrev_np(signal);

	if (name != NULL)
		return name;
	(void)snprintf(buffer, size, "%d", signal);
	return buffer;
}

static void describe_signal(int status, char *buffer, size_t size)
{
	int signal = WTERMSIG(status);
	const char *name = sigabbrev_np(signal);
	const char *core = WCOREDUMP(status) ? " (core dumped)" : "";

	if (name != NULL)
		(void)snprintf(buffer, size, "killed by SIG%s%s", name, core);
	else
		(void)snprintf(buffer, size, "killed by signal %d%s", signal, core);
}

const char *process_describe_exit(int status, char *buffer, size_t size)
{
	if (WIFSIGNALED(status))
		describe_signal(status, buffer, size);
	else if (WIFEXITED(status))
		(void)snprintf(buffer, size, "exit status %d", WEXITSTATUS(status));
	else
		(void)snprintf(buffer, size, "wait status 0x%x", (unsigned)status);
	return buffer;
}

int process_become_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) < 0 ? errno : 0;
}

/** Numbers separated by blanks, arriving in pieces. */
struct pid_reader {
	pid_t *pids;
	size_t size;
	size_t count;
	pid_t current; /**< digits read so far, 0 between two numbers */
};

static void pid_reader_feed(struct pid_reader *reader, char byte)
{
	if (byte >= '0' && byte <= '9') {
		reader->current = reader->current * 10 + (byte - '0');
		return;
	}
	if (reader->current > 0 && reader->count < reader->size)
		reader->pids[reader->count++] = reader->current;
	reader->current = 0;
}

size_t process_list_children(pid_t *pids, size_t size)
{
	struct pid_reader reader = { .pids = pids, .size = size };
	char buffer[2048];
	ssize_t length;
	owned_fd fd = -1;

	/* The file lists the children of one thread; the daemon has one. */
	(void)snprintf(buffer, sizeof(buffer), "/proc/self/task/%d/children", (int)getpid());
	fd = open(buffer, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < length; i++)
			pid_reader_feed(&reader, buffer[i]);
	pid_reader_feed(&reader, ' ');
	return reader.count;
}

struct rlimit process_raise_descriptor_limit(void)
{
	struct rlimit before = { 0 };
	struct rlimit raised;

	if (getrlimit(RLIMIT_NOFILE, &before) < 0)
		return before;
	raised = before;
	raised.rlim_cur = raised.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &raised);
	return before;
}
