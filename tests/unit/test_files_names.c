/*
 * test_files_names.c - static files: paths and what they name, redirects, types, and a folder that nothing leaves.
 */
#include "unit.h"

#include "files_path.h"
#include "files_root.h"
#include "files_type.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

static const struct {
	const char *path;
	int status;
	const char *name;
} paths[] = {
	{ "/", 0, "index.html" },
	{ "//", 0, "index.html" },
	{ "/a", 0, "a" },
	{ "/a/", 0, "a/index.html" },
	{ "/a/b.css", 0, "a/b.css" },
	{ "//a///b.css", 0, "a/b.css" },
	{ "/a%20b%c3%A9", 0, "a b\xc3\xa9" },
	{ "/a%25b", 0, "a%b" },
	{ "/%61", 0, "a" },
	{ "/a..", 0, "a.." },
	{ "/a\\b", 0, "a\\b" },
	{ "/.well-known/acme", 0, ".well-known/acme" },
	{ "/%2ewell-known/x", 0, ".well-known/x" },
	{ "/a/.well-known", 404, NULL },
	{ "/.well-knownx", 404, NULL },
	{ "/.well-known/.x", 404, NULL },
	{ "/.git/config", 404, NULL },
	{ "/a/.htaccess", 404, NULL },
	{ "/.", 404, NULL },
	{ "/..", 404, NULL },
	{ "/../etc/passwd", 404, NULL },
	{ "/a/../b", 404, NULL },
	{ "/a/./b", 404, NULL },
	{ "/%2e%2E/b", 404, NULL },
	{ "/.%2e/b", 404, NULL },
	{ "/a%2fb", 404, NULL },
	{ "/..%2f..%2fetc%2fpasswd", 404, NULL },
	{ "/%2e%2e%2f", 404, NULL },
	{ "/%252e%252e/x", 0, "%2e%2e/x" },
	{ "/a%00", 400, NULL },
	{ "/a%00.css", 400, NULL },
	{ "/..%00", 400, NULL },
	{ "/%", 400, NULL },
	{ "/%4", 400, NULL },
	{ "/%zz", 400, NULL },
	{ "/%4/a", 400, NULL },
	{ "*", 404, NULL },
	{ "", 404, NULL },
	{ "a", 404, NULL },
};

START_TEST(test_paths)
{
	const size_t length = strlen(paths[_i].path);
	/* As large as promised and no larger, so that a sanitizer sees a byte too many. */
	char *name = malloc(length + FILES_NAME_ROOM);

	ck_assert_ptr_nonnull(name);
	ck_assert_int_eq(files_path_decode(paths[_i].path, length, name), paths[_i].status);
	if (paths[_i].name != NULL)
		ck_assert_str_eq(name, paths[_i].name);
	free(name);
}
END_TEST

static const struct {
	const char *name;
	const char *query;
	const char *location;
} redirects[] = {
	{ "a", "", "./a/" },
	{ "a/b", "x=1&y=%20", "./b/?x=1&y=%20" },
	{ "evil.com", "", "./evil.com/" },
	{ "javascript:alert(1)", "", "./javascript%3Aalert%281%29/" },
	{ "a b\r\nX: y", "", "./a%20b%0D%0AX%3A%20y/" },
	{ "\xc3\xa9", "", "./%C3%A9/" },
	{ "a?b#c%d\\", "", "./a%3Fb%23c%25d%5C/" },
};

START_TEST(test_redirects)
{
	const size_t size = files_path_redirect_bytes(redirects[_i].name, strlen(redirects[_i].query));
	char *location = malloc(size);

	ck_assert_ptr_nonnull(location);
	ck_assert_uint_eq(files_path_redirect(redirects[_i].name, redirects[_i].query, location),
			  strlen(redirects[_i].location));
	ck_assert_str_eq(location, redirects[_i].location);
	free(location);
}
END_TEST

static const struct {
	const char *name;
	const char *type;
	bool is_compressible;
} types[] = {
	{ "index.html", "text/html; charset=utf-8", true },
	{ "a/b/APP.JS", "text/javascript; charset=utf-8", true },
	{ "a.min.css", "text/css; charset=utf-8", true },
	{ "x.json", "application/json", true },
	{ "x.7z", "application/x-7z-compressed", false },
	{ "x.zst", "application/zstd", false },
	{ "x.woff2", "font/woff2", false },
	{ "x.wasm", "application/wasm", true },
	{ "x.svg", "image/svg+xml", true },
	{ "x.png", "image/png", false },
	{ "x.unknown", "application/octet-stream", true },
	{ "x.", "application/octet-stream", true },
	{ "README", "application/octet-stream", true },
	{ "a.html/README", "application/octet-stream", true },
	{ "html", "application/octet-stream", true },
};

START_TEST(test_types)
{
	const struct files_type *type = files_type_find(types[_i].name);

	ck_assert_str_eq(type->name, types[_i].type);
	ck_assert_int_eq(type->is_compressible, types[_i].is_compressible);
}
END_TEST

START_TEST(test_each_type_is_found)
{
	static const char *const endings[] = { "7z",  "aac", "bmp", "br",   "csv", "gz",  "htm",  "ico",  "jpg", "json",
					       "map", "md",  "mp4", "opus", "pdf", "svg", "tiff", "toml", "vtt", "xml",
					       "xsl", "xz",  "yml", "zip",  "zst", "mjs", "webp", "txt" };
	char name[16];

	/* A row out of order would not be found. */
	for (int i = 0; i < LENGTH(endings); i++) {
		(void)snprintf(name, sizeof(name), "x.%s", endings[i]);
		ck_assert_str_eq(files_type_find(name)->ending, endings[i]);
	}
}
END_TEST

/* ---- a folder on the disk: `in` is served, `out` lies beside it */

static char folder[] = "/tmp/unicornd-files-XXXXXX";
static char top[sizeof(folder)];

static void make_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, name, strlen(name)), (ssize_t)strlen(name));
	close(fd);
}

static void make_folder(void)
{
	memcpy(top, folder, sizeof(folder));
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chdir(top), 0);
	ck_assert_int_eq(mkdir("in", 0755), 0);
	ck_assert_int_eq(mkdir("in/sub", 0755), 0);
	make_file("in/a");
	make_file("in/sub/b");
	make_file("out");
	ck_assert_int_eq(symlink("a", "in/near"), 0);
	ck_assert_int_eq(symlink("../a", "in/sub/up"), 0);
	ck_assert_int_eq(symlink("sub", "in/sub_link"), 0);
	ck_assert_int_eq(symlink("../out", "in/escape"), 0);
	ck_assert_int_eq(symlink("/etc/passwd", "in/absolute"), 0);
	ck_assert_int_eq(symlink("..", "in/parent"), 0);
	ck_assert_int_eq(symlink("/proc/self/root", "in/magic"), 0);
	ck_assert_int_eq(symlink("circle", "in/circle"), 0);
	ck_assert_int_eq(mkfifo("in/fifo", 0644), 0);
}

static void remove_folder(void)
{
	static const char *const names[] = { "in/fifo",   "in/circle",   "in/magic",  "in/parent", "in/absolute",
					     "in/escape", "in/sub_link", "in/sub/up", "in/near",   "out",
					     "in/sub/b",  "in/a",        "in/sub",    "in" };

	for (int i = 0; i < LENGTH(names); i++)
		(void)remove(names[i]);
	ck_assert_int_eq(chdir("/"), 0);
	(void)rmdir(top);
}

/** @return 0 when it was opened, or the errno value */
static int try_open(const struct files_root *root, const char *name)
{
	int fd = files_root_find(root, name);

	if (fd < 0)
		return -fd;
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	return 0;
}

static const struct {
	const char *name;
	int beneath; /* what openat2 says; 0: opened */
	int walked;  /* and what the walk says */
} finds[] = {
	{ "a", 0, 0 },
	{ "sub", 0, 0 },
	{ "sub/b", 0, 0 },
	{ "fifo", 0, 0 },
	{ "near", 0, ELOOP },
	{ "sub/up", 0, ELOOP },
	{ "sub_link/b", 0, ENOTDIR },
	{ "missing", ENOENT, ENOENT },
	{ "missing/b", ENOENT, ENOENT },
	{ "a/b", ENOTDIR, ENOTDIR },
	{ "escape", EXDEV, ELOOP },
	{ "absolute", EXDEV, ELOOP },
	{ "parent/out", EXDEV, ENOTDIR },
	{ "magic/etc/passwd", EXDEV, ENOTDIR },
	{ "circle", ELOOP, ELOOP },
};

START_TEST(test_nothing_leaves_the_folder)
{
	struct files_root root;

	ck_assert_int_eq(files_root_open(&root, NULL, "in"), 0);
	if (!root.is_walked)
		ck_assert_int_eq(try_open(&root, finds[_i].name), finds[_i].beneath);
	root.is_walked = true;
	ck_assert_int_eq(try_open(&root, finds[_i].name), finds[_i].walked);
	files_root_close(&root);
}
END_TEST

START_TEST(test_names_too_long)
{
	struct files_root root;
	char name[NAME_MAX + 2];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(files_root_open(&root, NULL, "in"), 0);
	for (int walked = 0; walked < 2; walked++) {
		ck_assert_int_eq(try_open(&root, name), ENAMETOOLONG);
		root.is_walked = true;
	}
	files_root_close(&root);
}
END_TEST

START_TEST(test_roots)
{
	struct files_root root;

	ck_assert_int_eq(files_root_open(&root, "in", "sub"), 0);
	ck_assert_int_eq(try_open(&root, "b"), 0);
	files_root_close(&root);
	ck_assert_int_eq(files_root_open(&root, NULL, "in/a"), -ENOTDIR);
	ck_assert_int_eq(root.fd, -1);
	ck_assert_int_eq(files_root_open(&root, NULL, "nowhere"), -ENOENT);
	ck_assert_int_eq(files_root_open(&root, "nowhere", "in"), -ENOENT);
	files_root_close(&root);
	files_root_close(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files_names");
	TCase *names = tcase_create("names");
	TCase *disk = tcase_create("disk");

	tcase_add_loop_test(names, test_paths, 0, LENGTH(paths));
	tcase_add_loop_test(names, test_redirects, 0, LENGTH(redirects));
	tcase_add_loop_test(names, test_types, 0, LENGTH(types));
	tcase_add_test(names, test_each_type_is_found);
	tcase_add_checked_fixture(disk, make_folder, remove_folder);
	tcase_add_loop_test(disk, test_nothing_leaves_the_folder, 0, LENGTH(finds));
	tcase_add_test(disk, test_names_too_long);
	tcase_add_test(disk, test_roots);
	suite_add_tcase(suite, names);
	suite_add_tcase(suite, disk);
	return unit_run(suite);
}
