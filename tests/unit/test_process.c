#include "unit.h"

#include "base/ownership.h"
#include "system/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** Starts a child in a group of its own that waits for a signal. */
static pid_t start_waiter(void)
{
	struct sigaction action = { .sa_handler = SIG_DFL }, before;
	pid_t pid;

	/* libcheck has a handler that would end the test from within the child. */
	(void)sigaction(SIGTERM, &action, &before);
	pid = fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		for (;;)
			(void)pause();
	}
	(void)sigaction(SIGTERM, &before, NULL);
	ck_assert_int_gt(pid, 0);
	(void)setpgid(pid, pid);
	return pid;
}

static pid_t start_exit(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	ck_assert_int_gt(pid, 0);
	return pid;
}

/** Waits until a child has ended, without reaping it. */
static void await_end(pid_t pid)
{
	siginfo_t info;

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0U);
}

START_TEST(signal_reaches_the_process)
{
	struct process_exit end;
	pid_t pid = start_waiter();
	owned_fd pidfd = open_pidfd(pid);

	ck_assert_int_eq(process_signal(pidfd, 0), 0);
	ck_assert_int_eq(process_signal(pidfd, SIGTERM), 0);
	await_end(pid);
	ck_assert(process_reap(pid, &end));
	ck_assert_int_eq(WTERMSIG(end.status), SIGTERM);
	ck_assert_int_eq(process_signal(pidfd, SIGTERM), ESRCH);
}
END_TEST

START_TEST(signal_through_something_else_is_an_error)
{
	ck_assert_int_eq(process_signal(-1, SIGTERM), EBADF);
	ck_assert_int_eq(process_signal(STDIN_FILENO, 0), EBADF);
}
END_TEST

START_TEST(signal_reaches_the_group)
{
	struct process_exit end;
	pid_t leader = start_waiter();

	ck_assert(process_leads_group(leader));
	ck_assert_int_eq(process_signal_group(leader, SIGKILL), 0);
	await_end(leader);
	/* The zombie still holds the number of the group. */
	ck_assert_int_eq(process_signal_group(leader, SIGKILL), 0);
	ck_assert(process_reap(leader, &end));
	ck_assert_int_eq(WTERMSIG(end.status), SIGKILL);
	ck_assert_int_eq(process_signal_group(leader, SIGKILL), ESRCH);
}
END_TEST

START_TEST(signal_to_everybody_is_refused)
{
	ck_assert_int_eq(process_signal_group(1, 0), EINVAL);
	ck_assert_int_eq(process_signal_group(0, 0), EINVAL);
	ck_assert_int_eq(process_signal_group(-1, 0), EINVAL);
	ck_assert(!process_leads_group(0) && !process_leads_group(1));
}
END_TEST

START_TEST(exits_are_seen_before_they_are_reaped)
{
	struct process_exit end;
	pid_t pid;

	ck_assert_int_eq(process_next_exit(), 0);
	pid = start_exit(3);
	await_end(pid);
	ck_assert_int_eq(process_next_exit(), pid);
	ck_assert_int_eq(process_next_exit(), pid);
	ck_assert(process_reap(pid, &end));
	ck_assert_int_eq(end.pid, pid);
	ck_assert_int_eq(WEXITSTATUS(end.status), 3);
	ck_assert_int_gt(end.usage.ru_maxrss, 0);
	ck_assert_int_eq(process_next_exit(), 0);
	ck_assert(!process_reap(pid, &end));
}
END_TEST

START_TEST(living_child_is_neither_seen_nor_reaped)
{
	struct process_exit end;
	pid_t pid = start_waiter();

	ck_assert_int_eq(process_next_exit(), 0);
	ck_assert(!process_reap(pid, &end));
	ck_assert_int_eq(process_signal_group(pid, SIGKILL), 0);
	await_end(pid);
	ck_assert(process_reap(pid, &end));
}
END_TEST

static const struct {
	int status;
	const char *words;
} endings[] = {
	{ 0, "exit status 0" },           { 3 << 8, "exit status 3" },
	{ 255 << 8, "exit status 255" },  { SIGSEGV | 0x80, "killed by SIGSEGV (core dumped)" },
	{ SIGTERM, "killed by SIGTERM" }, { SIGKILL, "killed by SIGKILL" },
	{ 42, "killed by signal 42" },    { 42 | 0x80, "killed by signal 42 (core dumped)" },
	{ 0x137f, "wait status 0x137f" },
};

START_TEST(endings_have_words)
{
	char words[64], tiny[5];

	ck_assert_str_eq(process_describe_exit(endings[_i].status, words, sizeof(words)), endings[_i].words);
	(void)process_describe_exit(endings[_i].status, tiny, sizeof(tiny));
	ck_assert_int_eq(strncmp(tiny, endings[_i].words, 4), 0);
	ck_assert_uint_eq(strlen(tiny), 4);
}
END_TEST

START_TEST(signals_have_names)
{
	char name[8];

	ck_assert_str_eq(process_signal_name(SIGTERM, name, sizeof(name)), "TERM");
	ck_assert_str_eq(process_signal_name(SIGUSR2, name, sizeof(name)), "USR2");
	ck_assert_str_eq(process_signal_name(42, name, sizeof(name)), "42");
	ck_assert_str_eq(process_signal_name(-5, name, sizeof(name)), "-5");
}
END_TEST

static bool is_listed(pid_t pid)
{
	pid_t pids[64];
	size_t count = process_list_children(pids, 64);

	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

START_TEST(children_are_listed)
{
	enum { CHILDREN = 20 };
	pid_t started[CHILDREN], few[3];
	struct process_exit end;
	size_t before = process_list_children(few, 0);

	ck_assert_uint_eq(before, 0);
	for (size_t i = 0; i < CHILDREN; i++)
		started[i] = start_waiter();
	for (size_t i = 0; i < CHILDREN; i++)
		ck_assert(is_listed(started[i]));
	ck_assert(!is_listed(getpid()));
	ck_assert_uint_eq(process_list_children(few, 3), 3);
	for (size_t i = 0; i < CHILDREN; i++) {
		ck_assert_int_eq(process_signal_group(started[i], SIGKILL), 0);
		await_end(started[i]);
		ck_assert(process_reap(started[i], &end));
		ck_assert(!is_listed(started[i]));
	}
}
END_TEST

START_TEST(orphans_are_adopted)
{
	struct process_exit end;
	pid_t parent, orphan;
	int ends[2];

	ck_assert_int_eq(process_become_subreaper(), 0);
	ck_assert_int_eq(pipe(ends), 0);
	parent = fork();
	if (parent == 0) {
		orphan = start_waiter();
		_exit(write(ends[1], &orphan, sizeof(orphan)) == (ssize_t)sizeof(orphan) ? 0 : 1);
	}
	ck_assert_int_eq(read(ends[0], &orphan, sizeof(orphan)), sizeof(orphan));
	await_end(parent);
	ck_assert(is_listed(orphan));
	ck_assert(process_reap(parent, &end));
	ck_assert_int_eq(process_signal_group(orphan, SIGKILL), 0);
	await_end(orphan);
	ck_assert(process_reap(orphan, &end));
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0UL, 0UL, 0UL, 0UL);
	(void)close(ends[0]);
	(void)close(ends[1]);
}
END_TEST

START_TEST(descriptor_limit_is_raised)
{
	struct rlimit original, low, before, after;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &original), 0);
	low = original;
	low.rlim_cur = original.rlim_max < 256 ? original.rlim_max : 256;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	before = process_raise_descriptor_limit();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &after), 0);
	ck_assert(before.rlim_cur == low.rlim_cur && before.rlim_max == original.rlim_max);
	ck_assert(after.rlim_cur == original.rlim_max && after.rlim_max == original.rlim_max);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &original), 0);
}
END_TEST

/** Some checkers of memory do not know the call. */
static bool has_pidfd(void)
{
	owned_fd pidfd = open_pidfd(getpid());

	return pidfd >= 0;
}

int main(void)
{
	Suite *suite = suite_create("process");
	TCase *tests = tcase_create("process");

	tcase_set_timeout(tests, 60);
	if (has_pidfd()) {
		tcase_add_test(tests, signal_reaches_the_process);
		tcase_add_test(tests, signal_through_something_else_is_an_error);
	}
	tcase_add_test(tests, signal_reaches_the_group);
	tcase_add_test(tests, signal_to_everybody_is_refused);
	tcase_add_test(tests, exits_are_seen_before_they_are_reaped);
	tcase_add_test(tests, living_child_is_neither_seen_nor_reaped);
	tcase_add_loop_test(tests, endings_have_words, 0, (int)(sizeof(endings) / sizeof(endings[0])));
	tcase_add_test(tests, signals_have_names);
	tcase_add_test(tests, children_are_listed);
	tcase_add_test(tests, orphans_are_adopted);
	tcase_add_test(tests, descriptor_limit_is_raised);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
