#include "unit.h"

#include "system/spawn.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/unicornd-test-XXXXXX";

static void make_file(const char *name, mode_t mode)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

static void make_folder(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

/** bin/app and other/app are programs, other/tool too; bin/tool is a plain file, bin/folder a folder. */
static void setup(void)
{
	(void)snprintf(root, sizeof(root), "/tmp/unicornd-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	make_folder("bin");
	make_folder("other");
	make_folder("bin/folder");
	make_file("bin/app", 0755);
	make_file("bin/tool", 0644);
	make_file("other/app", 0755);
	make_file("other/tool", 0755);
	make_file("other/extra", 0755);
	ck_assert_int_eq(chdir(root), 0);
}

static void teardown(void)
{
	static const char *const names[] = { "bin/app", "bin/tool", "other/app", "other/tool", "other/extra" };
	static const char *const folders[] = { "bin/folder", "bin", "other" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(names[i]);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		(void)rmdir(folders[i]);
	ck_assert_int_eq(chdir("/"), 0);
	(void)rmdir(root);
}

/** "%" at the start stands for the test's folder. */
static const char *expand(const char *string, char *buffer, size_t size)
{
	if (string == NULL || string[0] != '%')
		return string;
	(void)snprintf(buffer, size, "%s%s", root, string + 1);
	return buffer;
}

static const struct lookup {
	const char *name;
	const char *directory;
	const char *fallback;
	const char *found; /**< or NULL */
	const char *words; /**< of the error */
} lookups[] = {
	{ "app", NULL, NULL, "%/bin/app", NULL },
	{ "app", "%/other", NULL, "%/bin/app", NULL },
	{ "extra", NULL, "%/other", "%/other/extra", NULL },
	{ "extra", NULL, NULL, NULL, "cannot find a program extra in " },
	{ "extra", NULL, "/nonexistent", NULL, " nor in /nonexistent" },
	{ "tool", NULL, NULL, NULL, "cannot find an executable program tool in " },
	{ "tool", NULL, "%/other", "%/other/tool", NULL },
	{ "folder", NULL, NULL, NULL, "cannot find an executable" },
	{ "%/bin/app", NULL, NULL, "%/bin/app", NULL },
	{ "%/bin/app", "/nonexistent", NULL, "%/bin/app", NULL },
	{ "%/bin/tool", NULL, NULL, NULL, "is not an executable file" },
	{ "%/bin/none", NULL, NULL, NULL, "No such file or directory" },
	{ "./app", "%/bin", NULL, "%/bin/./app", NULL },
	{ "bin/app", "%", NULL, "%/bin/app", NULL },
	{ "./app", "other", NULL, "%/other/./app", NULL }, /* the child will be in it: must be absolute */
	{ "bin/app", NULL, NULL, "bin/app", NULL },
	{ "bin/none", NULL, NULL, NULL, "cannot find the program bin/none: No such file" },
	{ "", NULL, NULL, NULL, "empty" },
};

START_TEST(program_is_found_or_the_words_say_where_it_is_not)
{
	const struct lookup *row = &lookups[_i];
	char name[256], directory[256], fallback[256], expected[256], path[256];
	struct error error = { 0 };
	bool found;

	(void)snprintf(path, sizeof(path), "/nonexistent:%s/bin", root);
	(void)setenv("PATH", path, 1);
	found = spawn_find_program(expand(row->name, name, sizeof(name)),
				   expand(row->directory, directory, sizeof(directory)),
				   expand(row->fallback, fallback, sizeof(fallback)), path, sizeof(path), &error);
	ck_assert_msg(found == (row->found != NULL), "%s: %s", row->name, found ? path : error.text);
	if (found) {
		ck_assert_str_eq(path, expand(row->found, expected, sizeof(expected)));
	} else {
		ck_assert_int_eq(error.kind, ERROR_CONFIGURATION);
		ck_assert_msg(strstr(error.text, row->words) != NULL, "%s", error.text);
	}
}
END_TEST

START_TEST(relative_and_empty_parts_of_path_become_absolute)
{
	char path[256], expected[256];
	struct error error;

	(void)setenv("PATH", "bin", 1);
	ck_assert(spawn_find_program("app", "/", NULL, path, sizeof(path), &error));
	ck_assert_str_eq(path, expand("%/bin/app", expected, sizeof(expected)));
	(void)setenv("PATH", "/nonexistent:", 1);
	ck_assert_int_eq(chdir("other"), 0);
	ck_assert(spawn_find_program("app", "/", NULL, path, sizeof(path), &error));
	ck_assert_int_eq(chdir(".."), 0);
	ck_assert_str_eq(path, expand("%/other/app", expected, sizeof(expected)));
}
END_TEST

START_TEST(program_is_looked_up_without_path_too)
{
	char path[256];
	struct error error;

	(void)unsetenv("PATH");
	ck_assert(spawn_find_program("sh", NULL, NULL, path, sizeof(path), &error));
}
END_TEST

START_TEST(short_buffer_is_an_error)
{
	char path[8];
	struct error error;

	(void)setenv("PATH", root, 1);
	ck_assert(!spawn_find_program("app", NULL, root, path, sizeof(path), &error));
	ck_assert(!spawn_find_program("/bin/quite/long", NULL, NULL, path, sizeof(path), &error));
	ck_assert(!spawn_find_program("./a", "sub", NULL, path, sizeof(path), &error));
}
END_TEST

static const struct {
	const char *string;
	bool valid;
	int resource;
	rlim_t soft, hard;
} limits[] = {
	{ "nofile=1024", true, RLIMIT_NOFILE, 1024, 1024 },
	{ "nofile=1024:4096", true, RLIMIT_NOFILE, 1024, 4096 },
	{ "core=unlimited", true, RLIMIT_CORE, RLIM_INFINITY, RLIM_INFINITY },
	{ "core=0:unlimited", true, RLIMIT_CORE, 0, RLIM_INFINITY },
	{ "as=2g", true, RLIMIT_AS, (rlim_t)2 << 30, (rlim_t)2 << 30 },
	{ "stack=64k:1m", true, RLIMIT_STACK, 64 << 10, 1 << 20 },
	{ "nofile=4096:1024", false, 0, 0, 0 },
	{ "nofile=unlimited:1024", false, 0, 0, 0 },
	{ "nofile", false, 0, 0, 0 },
	{ "nofile=", false, 0, 0, 0 },
	{ "nofile=:", false, 0, 0, 0 },
	{ "nofile=1:", false, 0, 0, 0 },
	{ "nofile=1:2:3", false, 0, 0, 0 },
	{ "nofile=-1", false, 0, 0, 0 },
	{ "nofile=many", false, 0, 0, 0 },
	{ "nofile=00000000000000000000000000000000000000001", false, 0, 0, 0 },
	{ "NOFILE=1", false, 0, 0, 0 },
	{ "files=1", false, 0, 0, 0 },
	{ "=1", false, 0, 0, 0 },
	{ "", false, 0, 0, 0 },
};

START_TEST(limits_are_parsed)
{
	struct spawn_limit limit = { .resource = -1 };
	struct error error = { 0 };

	ck_assert_msg(spawn_limit_parse(limits[_i].string, &limit, &error) == limits[_i].valid, "%s",
		      limits[_i].string);
	if (limits[_i].valid) {
		ck_assert_int_eq(limit.resource, limits[_i].resource);
		ck_assert(limit.value.rlim_cur == limits[_i].soft && limit.value.rlim_max == limits[_i].hard);
	} else {
		ck_assert_int_eq(limit.resource, -1);
		ck_assert_int_eq(error.kind, ERROR_CONFIGURATION);
		ck_assert_str_ne(error.text, "");
	}
}
END_TEST

START_TEST(unknown_limit_is_told_the_names)
{
	struct spawn_limit limit;
	struct error error;

	ck_assert(!spawn_limit_parse("files=1", &limit, &error));
	ck_assert_ptr_nonnull(strstr(error.text, " nofile "));
	ck_assert_ptr_nonnull(strstr(error.text, " stack"));
}
END_TEST

START_TEST(every_stage_has_words)
{
	for (enum spawn_stage stage = SPAWN_STAGE_DESCRIPTORS; stage <= SPAWN_STAGE_EXECUTE; stage++) {
		struct spawn_failure failure = { .pid = 1, .code = 8 /* ENOEXEC */, .stage = stage };
		char words[256], tiny[4];

		ck_assert_ptr_eq(spawn_failure_describe(&failure, "/app", NULL, words, sizeof(words)), words);
		ck_assert_ptr_nonnull(strstr(words, "Exec format error"));
		ck_assert_str_eq(spawn_failure_describe(&failure, "/app", NULL, tiny, sizeof(tiny)), "can");
	}
}
END_TEST

static Suite *spawn_program_suite(void)
{
	Suite *suite = suite_create("spawn_program");
	TCase *tests = tcase_create("spawn_program");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, program_is_found_or_the_words_say_where_it_is_not, 0,
			    (int)(sizeof(lookups) / sizeof(lookups[0])));
	tcase_add_test(tests, relative_and_empty_parts_of_path_become_absolute);
	tcase_add_test(tests, program_is_looked_up_without_path_too);
	tcase_add_test(tests, short_buffer_is_an_error);
	tcase_add_loop_test(tests, limits_are_parsed, 0, (int)(sizeof(limits) / sizeof(limits[0])));
	tcase_add_test(tests, unknown_limit_is_told_the_names);
	tcase_add_test(tests, every_stage_has_words);
	suite_add_tcase(suite, tests);
	return suite;
}

int main(void)
{
	return unit_run(spawn_program_suite());
}
