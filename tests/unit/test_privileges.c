#include "unit.h"

#include "system/privileges.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** User and group that own nothing; "nobody" has this number everywhere. */
#define NOBODY 65534

static struct privileges found;
static struct error error;

static void assert_found(const char *user, const char *group)
{
	ck_assert_msg(privileges_resolve(user, group, &found, &error), "%s", error.text);
}

static void assert_refused(const char *user, const char *group, const char *words)
{
	ck_assert(!privileges_resolve(user, group, &found, &error));
	ck_assert_int_eq(error.kind, ERROR_CONFIGURATION);
	ck_assert_msg(strstr(error.text, words) != NULL, "%s", error.text);
}

START_TEST(nothing_given_is_this_process)
{
	assert_found(NULL, NULL);
	ck_assert_uint_eq(found.uid, geteuid());
	ck_assert_uint_eq(found.gid, getegid());
	ck_assert_uint_eq(found.group_count, (size_t)getgroups(0, NULL));
	ck_assert(privileges_are_current(&found));
}
END_TEST

START_TEST(names_and_numbers_are_the_same)
{
	struct privileges by_number;

	assert_found("65534", NULL);
	by_number = found;
	assert_found("nobody", NULL);
	ck_assert_uint_eq(found.uid, NOBODY);
	ck_assert_uint_eq(found.uid, by_number.uid);
	ck_assert_uint_eq(found.gid, by_number.gid);
	ck_assert_uint_ge(found.group_count, 1);
	assert_found("nobody", "0");
	ck_assert_uint_eq(found.gid, 0);
	assert_found("0", NULL);
	ck_assert_uint_eq(found.uid, 0);
}
END_TEST

START_TEST(number_without_an_entry_needs_a_group)
{
	assert_refused("3999999999", NULL, "set a group too");
	assert_found("3999999999", "3888888888");
	ck_assert_uint_eq(found.uid, 3999999999);
	ck_assert_uint_eq(found.gid, 3888888888);
	ck_assert_uint_eq(found.group_count, 1);
	ck_assert_uint_eq(found.groups[0], 3888888888);
}
END_TEST

START_TEST(unknown_names_are_refused)
{
	static const char *const wrong[] = { "no-such-user", "", "-1", "4294967295", "99999999999", "0x10" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_refused(wrong[i], NULL, "no user '");
		assert_refused(NULL, wrong[i], "no group '");
	}
}
END_TEST

START_TEST(groups_are_found)
{
	gid_t gid = 1;

	ck_assert(privileges_find_group("root", &gid, &error));
	ck_assert_uint_eq(gid, 0);
	ck_assert(privileges_find_group("3888888888", &gid, &error));
	ck_assert_uint_eq(gid, 3888888888);
	ck_assert(!privileges_find_group("no-such-group", &gid, &error));
}
END_TEST

START_TEST(membership_is_found)
{
	ck_assert(privileges_user_in_group(3999999999, 7, 7));
	ck_assert(!privileges_user_in_group(3999999999, 7, 8));
	ck_assert(privileges_user_in_group(0, 0, 0));
	ck_assert(!privileges_user_in_group(NOBODY, NOBODY, 0));
	/* The primary group of the process counts as well as the database. */
	ck_assert(privileges_user_in_group(NOBODY, 0, 0));
}
END_TEST

/** What a process is after it applied them; the exit status is the number of the check that failed. */
static int apply_and_check(const struct privileges *wanted, bool current_before)
{
	uid_t uid[3];
	gid_t gid[3];

	if (privileges_are_current(wanted) != current_before)
		return 1;
	if (privileges_apply(wanted) != 0)
		return 2;
	if (!privileges_are_current(wanted) || privileges_apply(wanted) != 0)
		return 3;
	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return 4;
	for (size_t i = 0; i < 3; i++)
		if (uid[i] != wanted->uid || gid[i] != wanted->gid)
			return 5;
	if (getgroups(0, NULL) != (int)wanted->group_count)
		return 6;
	return wanted->uid != 0 && setuid(0) == 0 ? 7 : 0;
}

static int in_another_process(const struct privileges *wanted, bool current_before)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(apply_and_check(wanted, current_before));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

START_TEST(change_is_for_good)
{
	static const struct privileges wanted = {
		.uid = NOBODY, .gid = NOBODY, .groups = { NOBODY, 7, 8 }, .group_count = 3
	};

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(in_another_process(&wanted, false), 0);
}
END_TEST

START_TEST(no_change_is_allowed_to_everybody)
{
	assert_found(NULL, NULL);
	ck_assert_int_eq(in_another_process(&found, true), 0);
}
END_TEST

/** Nobody wants to become root. */
static int climb(void)
{
	struct privileges root = { .uid = 0, .gid = 0 };

	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 1;
	if (privileges_apply(&root) != EPERM)
		return 2;
	root.uid = NOBODY;
	return privileges_apply(&root) == EPERM ? 0 : 3;
}

START_TEST(refusal_of_the_kernel_is_returned)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	pid = fork();
	if (pid == 0)
		_exit(climb());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("privileges");
	TCase *tests = tcase_create("privileges");

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, nothing_given_is_this_process);
	tcase_add_test(tests, names_and_numbers_are_the_same);
	tcase_add_test(tests, number_without_an_entry_needs_a_group);
	tcase_add_test(tests, unknown_names_are_refused);
	tcase_add_test(tests, groups_are_found);
	tcase_add_test(tests, membership_is_found);
	tcase_add_test(tests, change_is_for_good);
	tcase_add_test(tests, no_change_is_allowed_to_everybody);
	tcase_add_test(tests, refusal_of_the_kernel_is_returned);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
