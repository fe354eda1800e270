/*
 * Watching files: the real inotify over a temporary folder. Events of inotify wait when the system call that caused
 * them has returned, so nothing here has to wait.
 */
#include "unit.h"

#include "system/file_watch.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_FILES "/dev/shm"

static char folder[64];
static char tree[80]; /**< in the folder, so that it can be removed and moved */
static struct file_watch *watch;
static struct error error;

static bool folder_matters(const char *name)
{
	return strcmp(name, "ignored") != 0;
}

static bool file_matters(const char *name)
{
	return strcmp(name, "ignored") != 0;
}

static const struct file_watch_rules rules = { .folder_matters = folder_matters, .file_matters = file_matters };

/** @return the path of something in the folder; good for three calls */
__attribute__((format(printf, 1, 2))) static const char *in(const char *fmt, ...)
{
	static char paths[3][PATH_MAX];
	static unsigned turn;
	char *path = paths[turn++ % 3];
	int length = snprintf(path, PATH_MAX, "%s/", folder);
	va_list arguments;

	va_start(arguments, fmt);
	(void)vsnprintf(path + length, (size_t)(PATH_MAX - length), fmt, arguments);
	va_end(arguments);
	return path;
}

static void make(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	(void)close(fd);
}

static void open_watch(size_t folders_max)
{
	watch = file_watch_create(&rules, folders_max, &error);
	ck_assert_msg(watch != NULL, "%s", error.text);
	ck_assert_msg(file_watch_add(watch, tree, &error), "%s", error.text);
	ck_assert_ptr_null(file_watch_read(watch));
}

/** On a disk thousands of folders take a minute. */
static bool has_memory_files(void)
{
	return access(MEMORY_FILES, W_OK | X_OK) == 0;
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "%s/unicornd-test-XXXXXX", has_memory_files() ? MEMORY_FILES : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(tree, sizeof(tree), "%s/tree", folder);
	make(tree);
	make(in("tree/a"));
	make(in("tree/a/b"));
	make(in("tree/ignored"));
	write_file(in("tree/a/b/file"));
}

static void teardown(void)
{
	char command[128];

	file_watch_destroy(watch);
	watch = NULL;
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

/** The next reading says that this has changed (below the folder); NULL: nothing. */
static void expect(const char *changed)
{
	const char *found = file_watch_read(watch);

	if (changed == NULL)
		ck_assert_msg(found == NULL, "%s has changed", found);
	else
		ck_assert_str_eq(found != NULL ? found : "nothing", in("%s", changed));
	ck_assert_ptr_null(file_watch_read(watch));
}

START_TEST(writing_creating_and_removing_a_file_are_changes)
{
	open_watch(100);
	write_file(in("tree/a/b/file"));
	expect("tree/a/b/file");
	write_file(in("tree/new"));
	expect("tree/new");
	ck_assert_int_eq(unlink(in("tree/new")), 0);
	expect("tree/new");
}
END_TEST

START_TEST(a_file_that_is_put_in_place_of_another_is_a_change)
{
	open_watch(100);
	write_file(in("tree/ignored/file"));
	write_file(in("elsewhere"));
	expect(NULL);
	ck_assert_int_eq(rename(in("elsewhere"), in("tree/a/b/file")), 0);
	expect("tree/a/b/file");
	ck_assert_int_eq(rename(in("tree/a/b/file"), in("elsewhere")), 0);
	expect("tree/a/b/file");
}
END_TEST

START_TEST(reading_and_touching_folders_are_none)
{
	char byte;
	int fd;

	open_watch(100);
	fd = open(in("tree/a/b/file"), O_RDONLY);
	ck_assert_int_eq(read(fd, &byte, 1), 1);
	(void)close(fd);
	make(in("tree/empty"));
	ck_assert_int_eq(rmdir(in("tree/empty")), 0);
	ck_assert_int_eq(chmod(in("tree/a"), 0700), 0);
	expect(NULL);
}
END_TEST

START_TEST(a_file_that_is_being_written_is_none_until_it_is_closed)
{
	int fd;

	open_watch(100);
	fd = open(in("tree/new"), O_WRONLY | O_CREAT, 0644);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	expect(NULL);
	(void)close(fd);
	expect("tree/new");
}
END_TEST

START_TEST(links_are_changes)
{
	open_watch(100);
	ck_assert_int_eq(symlink("a", in("tree/symbolic")), 0);
	expect("tree/symbolic");
	ck_assert_int_eq(link(in("tree/a/b/file"), in("tree/hard")), 0);
	expect("tree/hard");
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
	make(in("outside"));
	ck_assert_int_eq(symlink("../outside", in("tree/link")), 0);
	open_watch(100);
	write_file(in("outside/file"));
	expect(NULL);
}
END_TEST

START_TEST(names_that_do_not_matter_are_not_told)
{
	open_watch(100);
	write_file(in("tree/ignored/file"));
	write_file(in("tree/a/ignored"));
	make(in("tree/a/b/ignored"));
	write_file(in("tree/a/b/ignored/file"));
	expect(NULL);
}
END_TEST

START_TEST(new_folders_are_watched_too)
{
	open_watch(100);
	make(in("tree/c"));
	expect(NULL);
	write_file(in("tree/c/file"));
	expect("tree/c/file");
	make(in("tree/c/d"));
	make(in("tree/c/d/e"));
	write_file(in("tree/c/d/e/file"));
	expect("tree/c/d");
	write_file(in("tree/c/d/e/file"));
	expect("tree/c/d/e/file");
}
END_TEST

START_TEST(a_folder_with_files_that_comes_or_goes_is_a_change)
{
	open_watch(100);
	make(in("outside"));
	make(in("outside/f"));
	write_file(in("outside/f/file"));
	ck_assert_int_eq(rename(in("outside"), in("tree/c")), 0);
	expect("tree/c");
	write_file(in("tree/c/f/file"));
	expect("tree/c/f/file");
	ck_assert_int_eq(rename(in("tree/c"), in("tree/a/b/c")), 0);
	expect("tree/c");
	write_file(in("tree/a/b/c/f/file"));
	expect("tree/a/b/c/f/file");
	ck_assert_int_eq(rename(in("tree/a/b/c"), in("outside")), 0);
	expect("tree/a/b/c");
	write_file(in("outside/f/file"));
	expect(NULL);
}
END_TEST

START_TEST(a_root_that_goes_is_found_when_it_comes_back)
{
	open_watch(100);
	ck_assert(!file_watch_has_lost(watch));
	ck_assert_int_eq(rename(tree, in("elsewhere")), 0);
	expect(NULL);
	ck_assert(file_watch_has_lost(watch));
	ck_assert(!file_watch_refresh(watch));
	write_file(in("elsewhere/a/b/file"));
	expect(NULL);
	make(tree);
	write_file(in("tree/file"));
	ck_assert(file_watch_refresh(watch));
	ck_assert(!file_watch_has_lost(watch));
	write_file(in("tree/file"));
	expect("tree/file");
	ck_assert_int_eq(unlink(in("tree/file")), 0);
	ck_assert_int_eq(rmdir(tree), 0);
	expect("tree/file");
	ck_assert(file_watch_has_lost(watch));
}
END_TEST

START_TEST(a_root_may_be_added_before_it_is_there)
{
	open_watch(100);
	ck_assert(!file_watch_add(watch, in("later"), &error));
	ck_assert_ptr_nonnull(strstr(error.text, "later"));
	ck_assert(file_watch_has_lost(watch));
	make(in("later"));
	ck_assert(file_watch_refresh(watch));
	write_file(in("later/file"));
	expect("later/file");
}
END_TEST

START_TEST(roots_may_be_in_one_another)
{
	open_watch(100);
	ck_assert(file_watch_add(watch, in("tree/a"), &error));
	ck_assert(file_watch_add(watch, tree, &error));
	write_file(in("tree/a/b/file"));
	expect("tree/a/b/file");
	ck_assert_int_eq(rename(in("tree/a"), in("elsewhere")), 0);
	expect("tree/a");
	ck_assert(file_watch_has_lost(watch));
}
END_TEST

START_TEST(more_folders_than_allowed_are_told_once)
{
	make(in("tree/a/c"));
	make(in("tree/a/d"));
	watch = file_watch_create(&rules, 2, &error);
	ck_assert_ptr_nonnull(watch);
	ck_assert(file_watch_add(watch, tree, &error));
	ck_assert(file_watch_is_incomplete(watch, &error));
	ck_assert_msg(strstr(error.text, "2 folders") != NULL, "%s", error.text);
	ck_assert_ptr_nonnull(strstr(error.text, "unnoticed"));
	ck_assert(!file_watch_is_incomplete(watch, &error));
	make(in("tree/a/e"));
	expect(NULL);
	ck_assert(!file_watch_is_incomplete(watch, &error));
	write_file(in("tree/a/file"));
	expect("tree/a/file");
}
END_TEST

static int limit_of(const char *name)
{
	char path[80];
	int limit = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/sys/fs/inotify/%s", name);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%d", &limit), 1);
	(void)fclose(file);
	return limit;
}

/** Causes so many events that the kernel drops some. */
static void overflow(int limit)
{
	/* One event twice in a row is one event: two files in turns. */
	for (int i = 0; i < limit / 2 + 2; i++) {
		ck_assert_int_eq(close(open(in("tree/one"), O_WRONLY | O_CREAT, 0644)), 0);
		ck_assert_int_eq(close(open(in("tree/two"), O_WRONLY | O_CREAT, 0644)), 0);
	}
}

/** Reads all that waits, which has an end. @return whether something has changed */
static bool read_all(void)
{
	struct pollfd waiting = { .fd = file_watch_fd(watch), .events = POLLIN };
	bool has_changed = false;

	for (int i = 0; poll(&waiting, 1, 0) > 0; i++) {
		ck_assert_int_lt(i, 10);
		has_changed = file_watch_read(watch) != NULL || has_changed;
	}
	return has_changed;
}

/** Everything is looked through again, new folders too. */
START_TEST(an_overflow_is_a_change_and_loses_nothing_later)
{
	int limit = limit_of("max_queued_events");

	if (limit > 1000000)
		return;
	open_watch(100);
	overflow(limit);
	make(in("tree/late"));
	ck_assert_int_eq(rename(in("tree/a/b"), in("elsewhere")), 0);
	make(in("tree/a/b"));
	ck_assert(read_all());
	write_file(in("elsewhere/file"));
	expect(NULL);
	write_file(in("tree/late/file"));
	expect("tree/late/file");
	write_file(in("tree/a/b/file"));
	expect("tree/a/b/file");
}
END_TEST

/** Looking through everything may not be what makes the next overflow. */
START_TEST(an_overflow_ends_with_more_folders_than_events_too)
{
	int limit = limit_of("max_queued_events");

	if (!has_memory_files() || limit > 50000 || limit_of("max_user_watches") < 2 * limit)
		return;
	for (int i = 0; i < limit + 10; i++)
		make(in("tree/a/%d", i));
	open_watch((size_t)limit + 100);
	overflow(limit);
	ck_assert(read_all());
	write_file(in("tree/a/0/file"));
	expect("tree/a/0/file");
}
END_TEST

START_TEST(without_inotify_there_is_a_reason)
{
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	watch = file_watch_create(&rules, 100, &error);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	ck_assert_ptr_null(watch);
	ck_assert_msg(strstr(error.text, "max_user_instances") != NULL, "%s", error.text);
}
END_TEST

START_TEST(nothing_is_left_open_for_a_worker)
{
	open_watch(100);
	ck_assert_int_ne(fcntl(file_watch_fd(watch), F_GETFD) & FD_CLOEXEC, 0);
	ck_assert_int_ne(fcntl(file_watch_fd(watch), F_GETFL) & O_NONBLOCK, 0);
	file_watch_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file_watch");
	TCase *cases = tcase_create("file_watch");

	tcase_set_timeout(cases, 60);
	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, writing_creating_and_removing_a_file_are_changes);
	tcase_add_test(cases, a_file_that_is_put_in_place_of_another_is_a_change);
	tcase_add_test(cases, reading_and_touching_folders_are_none);
	tcase_add_test(cases, a_file_that_is_being_written_is_none_until_it_is_closed);
	tcase_add_test(cases, links_are_changes);
	tcase_add_test(cases, a_symbolic_link_is_not_followed);
	tcase_add_test(cases, names_that_do_not_matter_are_not_told);
	tcase_add_test(cases, new_folders_are_watched_too);
	tcase_add_test(cases, a_folder_with_files_that_comes_or_goes_is_a_change);
	tcase_add_test(cases, a_root_that_goes_is_found_when_it_comes_back);
	tcase_add_test(cases, a_root_may_be_added_before_it_is_there);
	tcase_add_test(cases, roots_may_be_in_one_another);
	tcase_add_test(cases, more_folders_than_allowed_are_told_once);
	tcase_add_test(cases, an_overflow_is_a_change_and_loses_nothing_later);
	tcase_add_test(cases, an_overflow_ends_with_more_folders_than_events_too);
	tcase_add_test(cases, without_inotify_there_is_a_reason);
	tcase_add_test(cases, nothing_is_left_open_for_a_worker);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
