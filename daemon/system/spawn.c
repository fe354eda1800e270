#include "system/spawn.h"

#include "unicornd/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * From here to child_run(): code of the child. It runs in a copy of the daemon's memory: no allocation, no log, no
 * return. A step is 0 or an errno value.
 */

struct child {
	const struct spawn_request *request;
	pid_t parent;
	int failure; /**< where the failure pipe is now */
};

/** Nothing of the daemon's handling of signals may reach the program, nor run in this process. */
static void child_reset_signals(void)
{
	/* The kernel's struct sigaction, all zeros: SIG_DFL. The C library refuses to touch its own two signals, which
	 * somebody may nevertheless have left ignored; KILL and STOP are refused by the kernel. */
	static const unsigned long default_action[8];
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		(void)syscall(SYS_rt_sigaction, signal, default_action, NULL, (size_t)(NSIG - 1) / 8);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int child_open_input(void)
{
	int fd = open("/dev/null", O_RDONLY);

	if (fd < 0)
		return errno;
	if (fd == STDIN_FILENO)
		return 0;
	if (dup2(fd, STDIN_FILENO) < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static int child_place_output(int output)
{
	if (output < 0)
		return 0;
	return dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 ? errno : 0;
}

/** Closes all descriptors from `first` on. */
static int child_close_from(int first)
{
	struct rlimit limit;

	if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) == 0)
		return 0;
	if (errno != ENOSYS && errno != EPERM)
		return errno;
	/* Some sandboxes do not know the call yet: slow, but nothing leaks. */
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return errno;
	for (int fd = first; (rlim_t)fd < limit.rlim_cur && fd < (1 << 20); fd++)
		(void)close(fd);
	return 0;
}

/** Moves a descriptor behind all numbers that the program will get, so that no target can hit a source. */
static int child_move_away(int fd, const struct spawn_request *request)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, UNICORND_FIRST_FD + (int)request->descriptor_count + 1);
}

/** Puts the descriptors to 3, 4, ... and the failure pipe right behind them; dup2 clears close-on-exec on its way. */
static int child_place_descriptors(struct child *child, const int *moved)
{
	int next = UNICORND_FIRST_FD;

	for (size_t i = 0; i < child->request->descriptor_count; i++)
		if (dup2(moved[i], next++) < 0)
			return errno;
	if (dup3(child->failure, next, O_CLOEXEC) < 0)
		return errno;
	child->failure = next;
	return child_close_from(next + 1);
}

static int child_arrange_descriptors(struct child *child)
{
	const struct spawn_request *request = child->request;
	int moved[SPAWN_DESCRIPTORS_MAX];
	int failure = child_move_away(child->failure, request);
	int output = request->output < 0 ? -1 : child_move_away(request->output, request);
	int code;

	if (failure < 0 || (request->output >= 0 && output < 0))
		return errno;
	child->failure = failure;
	for (size_t i = 0; i < request->descriptor_count; i++) {
		moved[i] = child_move_away(request->descriptors[i], request);
		if (moved[i] < 0)
			return errno;
	}
	code = child_open_input();
	if (code == 0)
		code = child_place_output(output);
	return code != 0 ? code : child_place_descriptors(child, moved);
}

/** Before the privileges go: a hard limit may be above the daemon's own. */
static int child_set_limits(struct child *child)
{
	const struct spawn_request *request = child->request;

	for (size_t i = 0; i < request->limit_count; i++) {
		const struct spawn_limit *limit = &request->limits[i];

		if (setrlimit((__rlimit_resource_t)limit->resource, &limit->value) < 0)
			return errno;
	}
	return 0;
}

static int child_drop_privileges(struct child *child)
{
	const struct spawn_request *request = child->request;
	int code = request->privileges != NULL ? privileges_apply(request->privileges) : 0;

	if (code != 0 || request->death_signal == 0)
		return code;
	/* Only now: a change of user takes the death signal away. The daemon may have died before it was set. */
	if (prctl(PR_SET_PDEATHSIG, (unsigned long)request->death_signal, 0UL, 0UL, 0UL) < 0)
		return errno;
	if (getppid() != child->parent)
		_exit(SPAWN_EXIT_FAILED);
	return 0;
}

static int child_enter_directory(struct child *child)
{
	const struct spawn_request *request = child->request;

	if (request->umask >= 0)
		(void)umask((mode_t)request->umask);
	return request->directory != NULL && chdir(request->directory) < 0 ? errno : 0;
}

/** Overwrites the value with decimal digits. No leading zeros: readers take "010" for octal. */
static void child_write_pid(char *value, pid_t pid)
{
	char digits[sizeof(SPAWN_PID_RESERVED)];
	size_t count = 0;

	for (; pid > 0 && count < sizeof(digits) - 1; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count > 0)
		*value++ = digits[--count];
	*value = '\0';
}

static int child_execute(struct child *child)
{
	const struct spawn_request *request = child->request;
	pid_t pid = getpid();

	for (char *const *variable = request->environment; *variable != NULL; variable++) {
		char *value = strchr(*variable, '=');

		if (value != NULL && strcmp(value + 1, SPAWN_PID_RESERVED) == 0)
			child_write_pid(value + 1, pid);
	}
	(void)execve(request->program, request->arguments, request->environment);
	return errno;
}

static const struct {
	enum spawn_stage stage;
	int (*run)(struct child *child);
} child_steps[] = {
	{ SPAWN_STAGE_DESCRIPTORS, child_arrange_descriptors },
	{ SPAWN_STAGE_LIMITS, child_set_limits },
	{ SPAWN_STAGE_PRIVILEGES, child_drop_privileges },
	{ SPAWN_STAGE_DIRECTORY, child_enter_directory },
	{ SPAWN_STAGE_EXECUTE, child_execute },
};

static void child_fail(const struct child *child, enum spawn_stage stage, int code)
{
	struct spawn_failure failure;
	ssize_t written;

	memset(&failure, 0, sizeof(failure)); /* the padding travels too */
	failure.pid = getpid();
	failure.code = code;
	failure.stage = stage;
	do {
		written = write(child->failure, &failure, sizeof(failure));
	} while (written < 0 && errno == EINTR);
	_exit(SPAWN_EXIT_FAILED);
}

static void __attribute__((noreturn)) child_run(const struct spawn_request *request, pid_t parent)
{
	struct child child = { .request = request, .parent = parent, .failure = request->failure };

	(void)setpgid(0, 0);
	child_reset_signals();
	for (size_t i = 0; i < sizeof(child_steps) / sizeof(child_steps[0]); i++) {
		int code = child_steps[i].run(&child);

		if (code != 0)
			child_fail(&child, child_steps[i].stage, code);
	}
	_exit(SPAWN_EXIT_FAILED);
}

/* The parent's side. */

/** A child that cannot be watched must not live: nobody would know its end from a stranger's. */
static bool spawn_give_up(pid_t pid, int code, struct error *error)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return error_set_errno(error, ERROR_SYSTEM, code, "cannot watch a new process (pidfd_open)");
}

static bool spawn_fork_failed(int code, struct error *error)
{
	if (code == EAGAIN)
		return error_set(error, ERROR_SYSTEM,
				 "cannot start a process: no more processes allowed here (RLIMIT_NPROC, TasksMax= of "
				 "systemd, pids.max of the container)");
	return error_set_errno(error, ERROR_SYSTEM, code, "cannot start a process");
}

bool spawn_process(const struct spawn_request *request, struct spawned *spawned, struct error *error)
{
	pid_t parent = getpid();
	sigset_t all, previous;
	pid_t pid;
	int code;

	if (request->descriptor_count > SPAWN_DESCRIPTORS_MAX)
		return error_set(error, ERROR_SYSTEM, "a process can be given %d descriptors, not %zu",
				 SPAWN_DESCRIPTORS_MAX, request->descriptor_count);
	/* A signal between fork and exec would run the daemon's handler in the child, on the daemon's wake-up pipe. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &previous);
	pid = fork();
	if (pid == 0)
		child_run(request, parent);
	code = errno;
	(void)sigprocmask(SIG_SETMASK, &previous, NULL);
	if (pid < 0)
		return spawn_fork_failed(code, error);
	(void)setpgid(pid, pid); /* on both sides, so that the group exists for whoever runs first */
	spawned->pid = pid;
	spawned->pidfd = (int)syscall(SYS_pidfd_open, pid, 0U);
	return spawned->pidfd >= 0 || spawn_give_up(pid, errno, error);
}

/** Words behind the errno text that say what it means for a program that is there. */
static const char *execute_hint(int code, const char *program)
{
	if (code == ENOEXEC)
		return " (a script needs a first line such as #!/bin/sh)";
	if (code == ENOENT && access(program, F_OK) == 0)
		return " (the program is there: the interpreter named in its first line, or its loader, is missing)";
	if (code == EACCES)
		return " (may the worker's user read and execute it, in all folders above it?)";
	return "";
}

const char *spawn_failure_describe(const struct spawn_failure *failure, const char *program, const char *directory,
				   char *buffer, size_t size)
{
	const char *words = strerror(failure->code);

	switch (failure->stage) {
	case SPAWN_STAGE_DESCRIPTORS:
		(void)snprintf(buffer, size, "cannot pass descriptors on: %s", words);
		break;
	case SPAWN_STAGE_LIMITS:
		(void)snprintf(buffer, size, "cannot set resource limits: %s", words);
		break;
	case SPAWN_STAGE_PRIVILEGES:
		(void)snprintf(buffer, size, "cannot change user and groups: %s", words);
		break;
	case SPAWN_STAGE_DIRECTORY:
		(void)snprintf(buffer, size, "cannot enter directory %s: %s", directory != NULL ? directory : "",
			       words);
		break;
	case SPAWN_STAGE_EXECUTE:
	default:
		(void)snprintf(buffer, size, "cannot execute %s: %s%s", program, words,
			       execute_hint(failure->code, program));
		break;
	}
	return buffer;
}
