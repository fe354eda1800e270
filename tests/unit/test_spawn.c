/*
 * Real processes. This program is also the one that is started: with the argument "report" it says what it was given,
 * with "pause" it lives until a signal ends it.
 */
#include "unit.h"

#include "base/ownership.h"
#include "system/spawn.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/** User and group that own nothing. */
#define NOBODY 65534

/* The started side. */

static void report_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		char target[256];
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target));

		if (length > 0 && (int)strtol(entry->d_name, NULL, 10) != dirfd(folder))
			printf("fd %s=%.*s\n", entry->d_name, (int)length, target);
	}
	(void)closedir(folder);
}

/** Masks of signals, as the kernel has them; the C library would hide some. */
static void report_signals(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "SigBlk:", 7) == 0 || strncmp(line, "SigIgn:", 7) == 0)
			(void)fputs(line, stdout);
	if (file != NULL)
		(void)fclose(file);
}

static int report(void)
{
	char directory[256];
	struct rlimit limit;
	mode_t mask = umask(0);

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	report_descriptors();
	report_signals();
	printf("pid=%d\ngroup=%d\n", (int)getpid(), (int)getpgrp());
	printf("directory=%s\numask=%o\n", getcwd(directory, sizeof(directory)), (unsigned)mask);
	printf("uid=%u\ngid=%u\ngroups=%d\n", getuid(), getgid(), getgroups(0, NULL));
	printf("nofile=%llu:%llu\n", (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
	for (char **variable = environ; *variable != NULL; variable++)
		printf("env %s\n", *variable);
	printf("end\n");
	return EXIT_SUCCESS;
}

/* The starting side. */

static char self[] = "/proc/self/exe";
static char report_word[] = "report";
static char pause_word[] = "pause";
static char *const report_arguments[] = { self, report_word, NULL };
static char *const pause_arguments[] = { self, pause_word, NULL };
static char *const no_environment[] = { NULL };

static struct spawn_request request;
static int output_reader, output_writer, failure_reader, failure_writer;

static void open_pipe(int *reader, int *writer)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	*reader = ends[0];
	*writer = ends[1];
}

static void setup(void)
{
	open_pipe(&output_reader, &output_writer);
	open_pipe(&failure_reader, &failure_writer);
	request = (struct spawn_request){
		.program = self,
		.arguments = report_arguments,
		.environment = no_environment,
		.umask = -1,
		.output = output_writer,
		.failure = failure_writer,
	};
}

static void teardown(void)
{
	close_fd(&output_reader);
	close_fd(&output_writer);
	close_fd(&failure_reader);
	close_fd(&failure_writer);
}

static struct spawned start(void)
{
	struct spawned spawned;
	struct error error;
	bool started = spawn_process(&request, &spawned, &error);

	ck_assert_msg(started, "%s", started ? "" : error.text);
	close_fd(&output_writer);
	close_fd(&failure_writer);
	return spawned;
}

static int wait_for(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static const char *read_all(int fd)
{
	static char buffer[16384];
	size_t used = 0;
	ssize_t length;

	while ((length = read(fd, buffer + used, sizeof(buffer) - 1 - used)) > 0)
		used += (size_t)length;
	buffer[used] = '\0';
	return buffer;
}

/** Starts the reporter, waits for its end and returns what it said; `*spawned` is for questions about its number. */
static const char *start_and_read(struct spawned *spawned)
{
	const char *said;

	*spawned = start();
	said = read_all(output_reader);
	ck_assert_int_eq(wait_for(spawned->pid), 0);
	(void)close(spawned->pidfd);
	ck_assert_msg(strstr(said, "\nend\n") != NULL, "%s", said);
	return said;
}

static void assert_says(const char *said, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** One whole line of the report. */
static void assert_says(const char *said, const char *fmt, ...)
{
	char line[512] = "\n";
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = vsnprintf(line + 1, sizeof(line) - 2, fmt, arguments);
	va_end(arguments);
	ck_assert(length >= 0 && (size_t)length < sizeof(line) - 2);
	line[length + 1] = '\n';
	line[length + 2] = '\0';
	ck_assert_msg(strncmp(said, line + 1, strlen(line + 1)) == 0 || strstr(said, line) != NULL,
		      "missing '%s' in\n%s", line + 1, said);
}

static size_t count_lines(const char *said, const char *start_of_line)
{
	size_t count = 0;

	for (const char *at = said; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		count += strncmp(at, start_of_line, strlen(start_of_line)) == 0;
	}
	return count;
}

START_TEST(child_has_only_the_promised_descriptors)
{
	int first = memfd_create("first", MFD_CLOEXEC);
	int second = memfd_create("second", 0);
	int leak = memfd_create("leak", 0);
	int high = fcntl(leak, F_DUPFD, 700);
	int descriptors[] = { first, second };
	struct spawned spawned;
	const char *said;

	request.descriptors = descriptors;
	request.descriptor_count = 2;
	said = start_and_read(&spawned);
	ck_assert_uint_eq(count_lines(said, "fd "), 5);
	assert_says(said, "fd 0=/dev/null");
	ck_assert_uint_eq(count_lines(said, "fd 1=pipe:"), 1);
	ck_assert_uint_eq(count_lines(said, "fd 2=pipe:"), 1);
	assert_says(said, "fd 3=/memfd:first (deleted)");
	assert_says(said, "fd 4=/memfd:second (deleted)");
	ck_assert_int_eq(fcntl(first, F_GETFD), FD_CLOEXEC);
	(void)close(first);
	(void)close(second);
	(void)close(leak);
	(void)close(high);
}
END_TEST

START_TEST(child_without_descriptors_has_three)
{
	struct spawned spawned;

	ck_assert_uint_eq(count_lines(start_and_read(&spawned), "fd "), 3);
}
END_TEST

/** Numbers that the sources have before the start; sources and targets overlap in every way. */
static const struct layout {
	int sources[3];
	int failure;
	int output;
} layouts[] = {
	{ { 3, 4, 5 }, 6, 7 },    { { 5, 4, 3 }, 6, 7 },  { { 4, 5, 3 }, 6, 7 }, { { 5, 3, 4 }, 7, 6 },
	{ { 4, 3, 5 }, 6, 7 },    { { 7, 6, 5 }, 3, 4 },  { { 6, 7, 8 }, 4, 3 }, { { 5, 6, 7 }, 3, 4 },
	{ { 40, 41, 42 }, 5, 3 }, { { 3, 41, 4 }, 5, 6 }, { { 8, 3, 4 }, 6, 5 },
};

/** Moves everything to its number and starts: in a process of its own, where no number is taken by the test. */
static int start_in_layout(const struct layout *layout)
{
	static const char *const names[] = { "a", "b", "c" };
	int away[3];
	int output = fcntl(output_writer, F_DUPFD, 100);
	int failure = fcntl(failure_writer, F_DUPFD, 100);
	struct spawned spawned;
	struct error error;
	int status = -1;

	for (size_t i = 0; i < 3; i++)
		away[i] = fcntl(memfd_create(names[i], 0), F_DUPFD, 100);
	for (size_t i = 0; i < 3; i++)
		(void)dup2(away[i], layout->sources[i]);
	request.output = dup2(output, layout->output);
	request.failure = dup2(failure, layout->failure);
	request.descriptors = layout->sources;
	request.descriptor_count = 3;
	if (!spawn_process(&request, &spawned, &error) || waitpid(spawned.pid, &status, 0) < 0)
		return 99;
	return WEXITSTATUS(status);
}

START_TEST(overlapping_descriptors_arrive_in_order)
{
	const char *said;
	pid_t pid = fork();

	if (pid == 0)
		_exit(start_in_layout(&layouts[_i]));
	close_fd(&output_writer);
	said = read_all(output_reader);
	ck_assert_int_eq(wait_for(pid), 0);
	ck_assert_uint_eq(count_lines(said, "fd "), 6);
	assert_says(said, "fd 0=/dev/null");
	ck_assert_uint_eq(count_lines(said, "fd 1=pipe:"), 1);
	assert_says(said, "fd 3=/memfd:a (deleted)");
	assert_says(said, "fd 4=/memfd:b (deleted)");
	assert_says(said, "fd 5=/memfd:c (deleted)");
}
END_TEST

START_TEST(same_descriptor_may_be_passed_twice)
{
	int file = memfd_create("same", MFD_CLOEXEC);
	int descriptors[] = { file, file, file };
	struct spawned spawned;
	const char *said;

	request.descriptors = descriptors;
	request.descriptor_count = 3;
	said = start_and_read(&spawned);
	assert_says(said, "fd 3=/memfd:same (deleted)");
	assert_says(said, "fd 5=/memfd:same (deleted)");
	(void)close(file);
}
END_TEST

static void ignore_signal(int signal)
{
	(void)signal;
}

START_TEST(child_has_default_signals_and_its_own_group)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, handle = { .sa_handler = ignore_signal };
	struct sigaction before[3];
	sigset_t blocked, mask_before, mask_after;
	struct spawned spawned;
	const char *said;

	(void)sigaction(SIGPIPE, &ignore, &before[0]);
	(void)sigaction(SIGRTMIN + 3, &ignore, &before[1]);
	(void)sigaction(SIGUSR1, &handle, &before[2]);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGTERM);
	(void)sigaddset(&blocked, SIGCHLD);
	(void)sigprocmask(SIG_SETMASK, &blocked, &mask_before);
	said = start_and_read(&spawned);
	(void)sigprocmask(SIG_SETMASK, &mask_before, &mask_after);
	(void)sigaction(SIGPIPE, &before[0], NULL);
	(void)sigaction(SIGRTMIN + 3, &before[1], NULL);
	(void)sigaction(SIGUSR1, &before[2], NULL);
	assert_says(said, "SigBlk:\t0000000000000000");
	assert_says(said, "SigIgn:\t0000000000000000");
	assert_says(said, "group=%d", (int)spawned.pid);
	/* The parent's own mask is as it was. */
	ck_assert_int_eq(sigismember(&mask_after, SIGTERM), 1);
	ck_assert_int_eq(sigismember(&mask_after, SIGUSR2), 0);
}
END_TEST

START_TEST(group_exists_as_soon_as_the_parent_knows_the_child)
{
	struct spawned spawned;

	request.arguments = pause_arguments;
	spawned = start();
	ck_assert_int_eq(getpgid(spawned.pid), spawned.pid);
	ck_assert_int_eq(fcntl(spawned.pidfd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(kill(-spawned.pid, SIGKILL), 0);
	ck_assert_int_eq(WTERMSIG(wait_for(spawned.pid)), SIGKILL);
	(void)close(spawned.pidfd);
}
END_TEST

START_TEST(reserved_values_become_the_pid)
{
	char listen_pid[] = "LISTEN_PID=" SPAWN_PID_RESERVED;
	char watchdog_pid[] = "WATCHDOG_PID=" SPAWN_PID_RESERVED;
	char plain[] = "PLAIN=00";
	char odd[] = "ODD";
	char *const environment[] = { listen_pid, plain, odd, watchdog_pid, NULL };
	struct spawned spawned;
	const char *said;

	request.environment = environment;
	said = start_and_read(&spawned);
	assert_says(said, "env LISTEN_PID=%d", (int)spawned.pid);
	assert_says(said, "env WATCHDOG_PID=%d", (int)spawned.pid);
	assert_says(said, "env PLAIN=00");
	ck_assert_uint_eq(count_lines(said, "env "), 4);
	ck_assert_str_eq(listen_pid, "LISTEN_PID=" SPAWN_PID_RESERVED);
}
END_TEST

START_TEST(directory_umask_and_limits_are_set)
{
	struct spawn_limit limit = { .resource = RLIMIT_NOFILE, .value = { .rlim_cur = 77, .rlim_max = 99 } };
	struct spawned spawned;
	const char *said;

	request.directory = "/proc";
	request.umask = 027;
	request.limits = &limit;
	request.limit_count = 1;
	said = start_and_read(&spawned);
	assert_says(said, "directory=/proc");
	assert_says(said, "umask=27");
	assert_says(said, "nofile=77:99");
}
END_TEST

static const struct privileges nobody = { .uid = NOBODY, .gid = NOBODY, .groups = { NOBODY, 7 }, .group_count = 2 };

START_TEST(privileges_are_dropped)
{
	struct spawned spawned;
	const char *said;

	if (geteuid() != 0)
		return;
	request.privileges = &nobody;
	said = start_and_read(&spawned);
	assert_says(said, "uid=%d", NOBODY);
	assert_says(said, "gid=%d", NOBODY);
	assert_says(said, "groups=2");
}
END_TEST

/** Spawns a child that pauses, says its pid, and dies: what a crashing daemon does. */
static int die_after_start(int pid_writer)
{
	struct spawned spawned;
	struct error error;

	request.arguments = pause_arguments;
	request.death_signal = SIGUSR2;
	request.privileges = geteuid() == 0 ? &nobody : NULL;
	if (!spawn_process(&request, &spawned, &error) ||
	    write(pid_writer, &spawned.pid, sizeof(spawned.pid)) != (ssize_t)sizeof(spawned.pid))
		return EXIT_FAILURE;
	/* Its first byte: it runs, so the death signal is set. */
	return read(output_reader, &spawned, 1) == 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}

START_TEST(death_signal_survives_the_change_of_user)
{
	int pid_reader, pid_writer;
	pid_t daemon, child;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL), 0);
	open_pipe(&pid_reader, &pid_writer);
	daemon = fork();
	if (daemon == 0)
		_exit(die_after_start(pid_writer));
	close_fd(&pid_writer);
	ck_assert_int_eq(read(pid_reader, &child, sizeof(child)), sizeof(child));
	ck_assert_int_eq(wait_for(daemon), EXIT_SUCCESS);
	ck_assert_int_eq(WTERMSIG(wait_for(child)), SIGUSR2);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0UL, 0UL, 0UL, 0UL);
	(void)close(pid_reader);
}
END_TEST

/** Starts what cannot start, and checks the record that arrives. */
static struct spawn_failure start_and_fail(enum spawn_stage stage, int code)
{
	struct spawned spawned = start();
	struct spawn_failure failure;

	ck_assert_int_eq(read(failure_reader, &failure, sizeof(failure)), sizeof(failure));
	ck_assert_int_eq(WEXITSTATUS(wait_for(spawned.pid)), SPAWN_EXIT_FAILED);
	ck_assert_int_eq(failure.pid, spawned.pid);
	ck_assert_int_eq(failure.stage, stage);
	ck_assert_int_eq(failure.code, code);
	ck_assert_int_eq(read(failure_reader, &failure, sizeof(failure)), 0);
	(void)close(spawned.pidfd);
	return failure;
}

START_TEST(missing_program_is_reported)
{
	struct spawn_failure failure;
	char words[256];

	request.program = "/nonexistent/app";
	failure = start_and_fail(SPAWN_STAGE_EXECUTE, ENOENT);
	(void)spawn_failure_describe(&failure, request.program, NULL, words, sizeof(words));
	ck_assert_str_eq(words, "cannot execute /nonexistent/app: No such file or directory");
}
END_TEST

START_TEST(missing_directory_is_reported)
{
	struct spawn_failure failure;
	char words[256];

	request.directory = "/nonexistent/directory";
	failure = start_and_fail(SPAWN_STAGE_DIRECTORY, ENOENT);
	(void)spawn_failure_describe(&failure, request.program, request.directory, words, sizeof(words));
	ck_assert_str_eq(words, "cannot enter directory /nonexistent/directory: No such file or directory");
}
END_TEST

START_TEST(unusable_program_is_reported)
{
	request.program = "/etc/passwd";
	(void)start_and_fail(SPAWN_STAGE_EXECUTE, EACCES);
}
END_TEST

START_TEST(bad_descriptor_is_reported)
{
	int descriptor = 9999;

	request.descriptors = &descriptor;
	request.descriptor_count = 1;
	(void)start_and_fail(SPAWN_STAGE_DESCRIPTORS, EBADF);
}
END_TEST

START_TEST(refused_limit_is_reported)
{
	struct spawn_limit limit = { .resource = RLIMIT_NOFILE,
				     .value = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY } };

	request.limits = &limit;
	request.limit_count = 1;
	(void)start_and_fail(SPAWN_STAGE_LIMITS, EPERM);
}
END_TEST

START_TEST(refused_privileges_are_reported)
{
	static const struct privileges impossible = {
		.uid = (uid_t)-2, .gid = (gid_t)-2, .groups = { (gid_t)-1 }, .group_count = 1
	};

	request.privileges = &impossible;
	(void)start_and_fail(SPAWN_STAGE_PRIVILEGES, geteuid() == 0 ? EINVAL : EPERM);
}
END_TEST

START_TEST(script_without_interpreter_gets_a_hint)
{
	char path[] = "/tmp/unicornd-test-XXXXXX";
	static const char script[] = "#!/nonexistent/interpreter\n";
	struct spawn_failure failure;
	char words[512];
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, script, sizeof(script) - 1), sizeof(script) - 1);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	close_fd(&fd);
	request.program = path;
	failure = start_and_fail(SPAWN_STAGE_EXECUTE, ENOENT);
	(void)spawn_failure_describe(&failure, path, NULL, words, sizeof(words));
	ck_assert_ptr_nonnull(strstr(words, "interpreter"));
	(void)unlink(path);
}
END_TEST

START_TEST(too_many_descriptors_are_refused)
{
	static const int descriptors[SPAWN_DESCRIPTORS_MAX + 1];
	struct spawned spawned;
	struct error error;

	request.descriptors = descriptors;
	request.descriptor_count = SPAWN_DESCRIPTORS_MAX + 1;
	ck_assert(!spawn_process(&request, &spawned, &error));
	ck_assert_int_eq(error.kind, ERROR_SYSTEM);
}
END_TEST

static Suite *spawn_suite(void)
{
	Suite *suite = suite_create("spawn");
	TCase *tests = tcase_create("spawn");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, child_has_only_the_promised_descriptors);
	tcase_add_test(tests, child_without_descriptors_has_three);
	tcase_add_loop_test(tests, overlapping_descriptors_arrive_in_order, 0,
			    (int)(sizeof(layouts) / sizeof(layouts[0])));
	tcase_add_test(tests, same_descriptor_may_be_passed_twice);
	tcase_add_test(tests, child_has_default_signals_and_its_own_group);
	tcase_add_test(tests, group_exists_as_soon_as_the_parent_knows_the_child);
	tcase_add_test(tests, reserved_values_become_the_pid);
	tcase_add_test(tests, directory_umask_and_limits_are_set);
	tcase_add_test(tests, privileges_are_dropped);
	tcase_add_test(tests, death_signal_survives_the_change_of_user);
	tcase_add_test(tests, missing_program_is_reported);
	tcase_add_test(tests, missing_directory_is_reported);
	tcase_add_test(tests, unusable_program_is_reported);
	tcase_add_test(tests, bad_descriptor_is_reported);
	tcase_add_test(tests, refused_limit_is_reported);
	tcase_add_test(tests, refused_privileges_are_reported);
	tcase_add_test(tests, script_without_interpreter_gets_a_hint);
	tcase_add_test(tests, too_many_descriptors_are_refused);
	suite_add_tcase(suite, tests);
	return suite;
}

/** Some checkers of memory do not know the call. */
static bool has_pidfd(void)
{
	owned_fd pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0U);

	return pidfd >= 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], report_word) == 0)
		return report();
	if (argc > 1 && strcmp(argv[1], pause_word) == 0)
		return write(STDOUT_FILENO, "p", 1) == 1 ? pause() : EXIT_FAILURE;
	if (!has_pidfd()) {
		printf("1..0 # SKIP pidfd_open is not known here\n");
		return EXIT_SUCCESS;
	}
	return unit_run(spawn_suite());
}
