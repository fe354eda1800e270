#include "unit.h"

#include "base/ownership.h"
#include "system/instance_lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char path[128];
static struct error error;

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/unicornd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/site.lock", folder);
}

static void teardown(void)
{
	(void)unlink(path);
	(void)rmdir(folder);
}

static int take(void)
{
	int fd = instance_lock_take(path, &error);

	ck_assert_msg(fd >= 0, "%s", error.text);
	return fd;
}

START_TEST(lock_is_a_private_file_with_our_pid)
{
	char expected[32], content[32] = "";
	struct stat status;
	mode_t umask_before = umask(0);
	owned_fd fd = take();

	(void)umask(umask_before);
	(void)snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
	ck_assert_int_gt(pread(fd, content, sizeof(content) - 1, 0), 0);
	ck_assert_str_eq(content, expected);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0600);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}
END_TEST

START_TEST(second_taker_is_told_who_has_it)
{
	char words[64];
	owned_fd fd = take();

	ck_assert_int_eq(instance_lock_take(path, &error), -1);
	ck_assert_int_eq(error.kind, ERROR_CONFLICT);
	(void)snprintf(words, sizeof(words), "process %d holds ", (int)getpid());
	ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(instance_lock_take(path, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.text, "another unicornd runs this site"));
}
END_TEST

START_TEST(lock_ends_with_its_holder)
{
	int status;
	char content[32] = "";
	owned_fd fd = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(instance_lock_take(path, &error) >= 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	fd = take();
	ck_assert_int_gt(pread(fd, content, sizeof(content) - 1, 0), 0);
	ck_assert_int_eq(strtol(content, NULL, 10), getpid());
}
END_TEST

START_TEST(longer_content_is_replaced)
{
	static const char long_content[] = "99999999999999999999\nand more\n";
	char content[64] = "", expected[32];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(write(fd, long_content, sizeof(long_content) - 1), sizeof(long_content) - 1);
	close_fd(&fd);
	fd = take();
	(void)snprintf(expected, sizeof(expected), "%d\n", (int)getpid());
	ck_assert_int_gt(pread(fd, content, sizeof(content) - 1, 0), 0);
	ck_assert_str_eq(content, expected);
	close_fd(&fd);
}
END_TEST

START_TEST(removed_file_does_not_block_a_new_one)
{
	owned_fd first = take();
	owned_fd second = -1;

	ck_assert_int_eq(unlink(path), 0);
	second = take();
	ck_assert_int_ne(first, second);
}
END_TEST

START_TEST(file_that_cannot_be_opened_is_an_error)
{
	ck_assert_int_eq(instance_lock_take("/nonexistent/site.lock", &error), -1);
	ck_assert_int_eq(error.kind, ERROR_SYSTEM);
	ck_assert_ptr_nonnull(strstr(error.text, "/nonexistent/site.lock: No such file"));
	ck_assert_int_eq(instance_lock_take(folder, &error), -1);
}
END_TEST

START_TEST(link_is_not_followed)
{
	ck_assert_int_eq(symlink("/dev/null", path), 0);
	ck_assert_int_eq(instance_lock_take(path, &error), -1);
	ck_assert_int_eq(error.kind, ERROR_SYSTEM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("instance_lock");
	TCase *tests = tcase_create("instance_lock");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, lock_is_a_private_file_with_our_pid);
	tcase_add_test(tests, second_taker_is_told_who_has_it);
	tcase_add_test(tests, lock_ends_with_its_holder);
	tcase_add_test(tests, longer_content_is_replaced);
	tcase_add_test(tests, removed_file_does_not_block_a_new_one);
	tcase_add_test(tests, file_that_cannot_be_opened_is_an_error);
	tcase_add_test(tests, link_is_not_followed);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
