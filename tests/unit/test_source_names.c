/*
 * Which names are source, in two tables.
 */
#include "unit.h"

#include "policy/source_names.h"

struct name_case {
	const char *name;
	bool matters;
};

static const struct name_case folders[] = {
	{ "app", true },
	{ "templates", true },
	{ "build", true },
	{ "node_modules.old", true },
	{ "node_modules", false },
	{ "__pycache__", false },
	{ ".git", false },
	{ ".venv", false },
	{ ".", false },
};

static const struct name_case files[] = {
	{ "main.py", true },
	{ "index.html", true },
	{ "site.conf", true },
	{ "Makefile", true },
	{ "49130", true },
	{ "database.py", true },
	{ "log", true },
	{ "a~b", true },
	{ "settings.db.py", true },
	{ "main.py~", false },
	{ "#main.py#", false },
	{ ".#main.py", false },
	{ ".main.py.swp", false },
	{ "main.py.swp", false },
	{ "4913", false },
	{ ".env", false },
	{ "main.pyc", false },
	{ "main.py___jb_tmp___", false },
	{ "upload.tmp", false },
	{ "access.log", false },
	{ "app.pid", false },
	{ "db.sqlite3", false },
	{ "db.sqlite3-journal", false },
	{ "data.db-wal", false },
};

START_TEST(test_folder)
{
	ck_assert_msg(source_folder_matters(folders[_i].name) == folders[_i].matters, "%s", folders[_i].name);
}
END_TEST

START_TEST(test_file)
{
	ck_assert_msg(source_file_matters(files[_i].name) == files[_i].matters, "%s", files[_i].name);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source_names");
	TCase *cases = tcase_create("names");

	tcase_add_loop_test(cases, test_folder, 0, (int)(sizeof(folders) / sizeof(folders[0])));
	tcase_add_loop_test(cases, test_file, 0, (int)(sizeof(files) / sizeof(files[0])));
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
