/*
 * test_configuration.c - texts to configurations and problems; the same from the command line.
 */
#include "unit.h"

#include "configuration/configuration_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

#define LISTENER "listener web { address = \":8000\" }\n"
#define POOL     "pool app { listeners = { web } command = \"true\" }\n"

static char folder[] = "/tmp/unicornd-configuration-XXXXXX";

/** Writes a file into the test's folder. */
static void write_file(const char *name, const char *content)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(content, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void make_folder(void)
{
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	static const char *const names[] = { "site.conf", "more.conf", "app.env", "conf/site.conf", "conf" };
	char path[256];

	for (int i = 0; i < LENGTH(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)remove(path);
	}
	ck_assert_int_eq(rmdir(folder), 0);
}

static struct configuration *load(const char *name, struct text *problems)
{
	char path[256];
	struct configuration_source source = { .path = path };

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return configuration_load(&source, problems);
}

/** Parses a text that must be right. */
static struct configuration *parse(const char *text)
{
	struct text problems = { 0 };
	struct configuration *configuration = configuration_parse_text("site.conf", text, &problems);

	ck_assert_msg(configuration != NULL, "%s", text_string(&problems));
	ck_assert_uint_eq(problems.length, 0);
	text_finish(&problems);
	return configuration;
}

START_TEST(test_two_blocks_are_enough)
{
	struct configuration *configuration = parse("listener web {\n\taddress = \"0.0.0.0:8000\"\n}\n\n"
						    "pool app {\n\tlisteners = { web }\n\tcommand = \"a --b\"\n"
						    "\tworkers = 4\n}\n");

	ck_assert_uint_eq(configuration->listener_count, 1);
	ck_assert_str_eq(configuration->listeners[0]->origin, "site.conf:1");
	ck_assert_uint_eq(configuration->listeners[0]->address.port, 8000);
	ck_assert_uint_eq(configuration->pool_count, 1);
	ck_assert_str_eq(configuration->pools[0]->name, "app");
	ck_assert_str_eq(configuration->pools[0]->origin, "site.conf:5");
	ck_assert_int_eq(configuration->pools[0]->workers, 4);
	ck_assert_uint_eq(configuration->pools[0]->command.count, 2);
	ck_assert_int_eq(configuration->pools[0]->ready.kind, READINESS_MESSAGE);
	configuration_destroy(configuration);
}
END_TEST

START_TEST(test_syntax)
{
	struct configuration *configuration =
		parse("# a comment\n// another\n/* and\n one more */\r\n" LISTENER "pool \"app-1.x\" {\n"
		      "  listeners = web /* no braces */ command = { \"uvicorn\", # in a list\n 'a b', }\n"
		      "  surge = 50% max_unavailable = 1\n"
		      "  clean_exits = { 3 }\n  clean_exits += { 4 }\n"
		      "  environment = { \"A=\\\"\\x41\\n\\\\\", 'B=${HOME}\\n' }\n"
		      "}\n");
	struct pool_settings *pool = configuration->pools[0];

	ck_assert_str_eq(pool->name, "app-1.x");
	ck_assert_str_eq(pool->origin, "site.conf:6");
	ck_assert_uint_eq(pool->listeners.count, 1);
	ck_assert_str_eq(pool->command.items[1], "a b");
	ck_assert_int_eq(pool->surge.value, 50);
	ck_assert_int_eq(pool->max_unavailable.value, 1);
	ck_assert_uint_eq(pool->clean_exits.statuses[0], 1 + 8 + 16);
	ck_assert_str_eq(pool->environment.items[0], "A=\"A\n\\");
	ck_assert_str_eq(pool->environment.items[1], "B=${HOME}\\n");
	ck_assert_int_eq(pool->ready.kind, READINESS_OUTPUT);
	ck_assert_str_eq(pool->ready.pattern, "Uvicorn running on");
	configuration_destroy(configuration);
}
END_TEST

START_TEST(test_environment_variables_are_expanded)
{
	struct configuration *configuration;

	(void)setenv("TEST_ADDRESS", ":9000", 1);
	(void)unsetenv("TEST_UNSET");
	configuration =
		parse("listener web { address = \"${TEST_ADDRESS}\" }\n"
		      "pool app { command = \"a ${TEST_UNSET:-b c} ${TEST_UNSET:-} '\\${x}'\"\n workers = ${N:-3} }\n");
	ck_assert_uint_eq(configuration->listeners[0]->address.port, 9000);
	ck_assert_int_eq(configuration->pools[0]->workers, 3);
	ck_assert_uint_eq(configuration->pools[0]->command.count, 4);
	ck_assert_str_eq(configuration->pools[0]->command.items[3], "${x}");
	configuration_destroy(configuration);
}
END_TEST

/** A text and all that is wrong with it. */
static const struct {
	const char *text;
	const char *problems;
} wrong[] = {
	/* Five mistakes, five lines. */
	{ "listener web {\n"
	  "\tadress = \":8000\"\n"
	  "}\n"
	  "pool app {\n"
	  "\tcommand = \"a | b\"\n"
	  "\tworkers = 4x\n"
	  "\tdrain_timeot = 30s\n"
	  "\tready_timeout 30s\n"
	  "}\n",
	  "site.conf:2: unknown setting `adress` in a block listener; did you mean `address`?\n"
	  "site.conf:5: pool app: command: `|` outside of quotes: no shell is involved; quote it, or use sh -c '...'\n"
	  "site.conf:6: pool app: workers: `4x` is neither auto nor a number from 1 to 10000\n"
	  "site.conf:7: unknown setting `drain_timeot` in a block pool; did you mean `drain_timeout`?\n"
	  "site.conf:8: ready_timeout: `=` is missing\n" },
	{ "", "there is no pool: a site needs a block `pool NAME { command = \"...\" }`\n" },
	{ "# nothing", "there is no pool: a site needs a block `pool NAME { command = \"...\" }`\n" },
	{ "pool app {\n}\n", "site.conf:1: pool app: command: is missing\n" },
	{ "listener web {}\n" POOL, "site.conf:1: listener web: address: is missing\n" },
	{ LISTENER POOL "pool app { command = a }\n", "site.conf:3: pool app is already defined in line 2\n" },
	{ POOL "log {}\nlog {}\n" LISTENER, "site.conf:3: log is already defined in line 2\n" },
	{ LISTENER POOL "pool { command = a }\n", "site.conf:3: a pool has a name: pool NAME {\n" },
	{ LISTENER POOL "pool a/b { command = a }\n",
	  "site.conf:3: `a/b` is not a name: 1 to 48 of letters, digits, _ . -\n" },
	{ LISTENER POOL "log x { }\n", "site.conf:3: a block log has no name: log {\n" },
	{ LISTENER POOL "pol b { command = a }\n", "site.conf:3: unknown block `pol`; did you mean `pool`?\n" },
	{ LISTENER POOL "site { a { b = { c } } d = \"}\" }\n",
	  "site.conf:3: unknown block `site`; there are listener, pool, control, log and include(...)\n" },
	{ LISTENER POOL "workers = 4\n", "site.conf:3: unknown block `workers`; it is a setting of a block pool\n" },
	{ LISTENER POOL "}\n", "site.conf:3: `}` is not expected here\n" },
	{ LISTENER POOL "include \"x\"\n", "site.conf:3: include is written include(\"FILE\")\n" },
	{ LISTENER POOL "include(\"/nowhere.conf\")\n",
	  "site.conf:3: include: /nowhere.conf cannot be read: No such file or directory\n" },
	{ LISTENER POOL "pool b {\n command = a\n", "site.conf:3: the block that begins here is not closed\n" },
	{ LISTENER "pool b {\n command = a\n" POOL,
	  "site.conf:2: the block that begins here is not closed before line 4\n" },
	{ "pool b {\n workers = 2\n workers = 3\n command = a\n}\n",
	  "site.conf:3: workers is already set in line 2\n" },
	{ "pool b {\n workers = { 2 }\n command = a\n}\n", "site.conf:2: workers takes one value, not a list\n" },
	{ "pool b {\n workers += 2\n command = a\n}\n", "site.conf:2: workers takes one value; += is for lists\n" },
	{ "pool b {\n workers =\n command = a\n}\n", "site.conf:2: workers has no value\n" },
	{ "pool b {\n command = a b\n}\n",
	  "site.conf:2: command: a value with blanks or signs stands in quotes: \"...\"\n" },
	{ "pool b {\n command = *\n}\n",
	  "site.conf:2: command: a value with blanks or signs stands in quotes: \"...\"\n" },
	{ "pool b {\n command = { a b }\n}\n", "site.conf:2: command: a comma or the closing brace is missing\n" },
	{ "pool b {\n command = { a,\n workers = 2\n}\n", "site.conf:2: command: the closing brace is missing\n" },
	{ "pool b {\n command = a\n environment = { A=1, B=2 }\n}\n",
	  "site.conf:3: environment: a value with `=` stands in quotes: \"...\"\n" },
	{ "pool b {\n command = \"a\n\n}\n", "site.conf:2: command: the string that begins here is not closed\n" },
	{ "pool b {\n command = a /* \n\n}\n", "site.conf:2: the comment that begins here is not closed\n" },
	{ "pool b {\n command = \"a ${TEST_UNSET}\"\n}\n",
	  "site.conf:2: command: the environment variable TEST_UNSET is not set; ${TEST_UNSET:-} would make it "
	  "empty\n" },
	{ "pool b {\n command = \"a ${\"\n}\n", "site.conf:2: command: `${` is for a variable, ${NAME} or "
						"${NAME:-default}; write \\${ for the characters\n" },
	{ "pool b {\n command = \"a \\0\"\n}\n",
	  "site.conf:2: command: a \\ before digits stands for a byte, \\001 to \\377 or \\x01 to \\xff; write \\\\ "
	  "for a \\\n" },
	/* Each problem is that of its own setting, not of the one before. */
	{ "pool b {\n command = a\n environment = { \"A=${TEST_UNSET}\" }\n \"${TEST_UNSET}\" = 2\n}\n",
	  "site.conf:3: environment: the environment variable TEST_UNSET is not set; ${TEST_UNSET:-} would make it "
	  "empty\n"
	  "site.conf:4: the environment variable TEST_UNSET is not set; ${TEST_UNSET:-} would make it empty\n"
	  "site.conf:4: unknown setting `${TEST_UNSET}` in a block pool\n" },
	{ "listener web {\n address = \":1\"\n owner = \"no such user\"\n group = \"no such group\"\n}\n" POOL,
	  "site.conf:3: listener web: owner: there is no user 'no such user' on this machine\n"
	  "site.conf:4: listener web: group: there is no group 'no such group' on this machine\n" },
	{ "pool b {\n command = a\n user = 4000000001\n group = \"no such group\"\n}\n",
	  "site.conf:4: pool b: group: there is no group 'no such group' on this machine\n" },
	{ "pool b {\n command = a\n limits = { \"files=3\" }\n environment = { \"A\" }\n}\n", NULL },
	{ "pool b {\n command = a\n user = \"no such user\"\n}\n", NULL },
	{ "pool b {\n command = a\n group = \"no such group\"\n}\n", NULL },
	{ "pool b {\n command = a\n environment_file = \"/nowhere\"\n}\n",
	  "site.conf:3: pool b: environment_file: /nowhere: cannot be read: No such file or directory\n" },
	{ "control {\n operator_group = \"no such group\"\n}\n" LISTENER POOL, NULL },
	/* Rules across settings. */
	{ POOL, "site.conf:1: pool app: listeners: there is no listener `web`\n" },
	{ LISTENER "listener b { address = \"[::]:8000\" }\n" POOL,
	  "site.conf:2: listener b: address: [::]:8000 is that of listener web\n" },
	{ LISTENER "pool b {\n listeners = { web }\n command = \"a {fd} {fd:web} {fd:x}\"\n}\n",
	  "site.conf:2: pool b: command: {fd:x} is not one of the pool's listeners\n" },
	{ "pool b {\n command = \"a {fd}\"\n}\n",
	  "site.conf:1: pool b: command: {fd}, but the pool has no listeners\n" },
	{ "pool b {\n command = a\n surge = 0\n}\n",
	  "site.conf:1: pool b: surge and max_unavailable are both 0, so that no worker can be replaced\n" },
	{ "pool b {\n command = a\n heartbeat_soft = 40s\n heartbeat_interval = 50s\n}\n",
	  "site.conf:1: pool b: heartbeat_soft is longer than heartbeat_hard\n"
	  "site.conf:1: pool b: heartbeat_interval is longer than heartbeat_soft\n" },
	{ "pool b {\n command = a\n ready = \"alive 2m\"\n}\n",
	  "site.conf:1: pool b: ready: a worker must be alive for longer than ready_timeout\n" },
	{ "pool b {\n command = uvicorn\n output = null\n}\n",
	  "site.conf:1: pool b: ready: looks at the output, which must be captured: output = capture\n" },
};

START_TEST(test_problems)
{
	struct text problems = { 0 };

	(void)unsetenv("TEST_UNSET");
	ck_assert_ptr_null(configuration_parse_text("site.conf", wrong[_i].text, &problems));
	if (wrong[_i].problems != NULL)
		ck_assert_str_eq(text_string(&problems), wrong[_i].problems);
	else
		ck_assert_ptr_eq(strstr(text_string(&problems), "site.conf:"), text_string(&problems));
	text_finish(&problems);
}
END_TEST

/** Prints a site in which one setting has a value that none can have. */
static void print_wrong_value(const struct setting *setting, const char *value, struct text *text)
{
	bool named = setting->scope == SETTING_LISTENER || setting->scope == SETTING_POOL;

	text_append(text, "%s %s {\n%s = %s\n", setting_scope_name(setting->scope), named ? "x" : "", setting->name,
		    value);
	if (setting->scope == SETTING_POOL && strcmp(setting->name, "command") != 0)
		text_append(text, "command = a\n");
	text_append(text, "}\n");
}

/** Who reads the problem finds the name in site.conf(5). */
START_TEST(test_problem_names_its_setting)
{
	static const char *const values[] = { "\"\"", "\"${TEST_UNSET}\"", "\"\\400\"", "", "\"x" };
	size_t count;
	const struct setting *table = settings_table(&count);

	(void)unsetenv("TEST_UNSET");
	for (size_t i = 0; i < count * LENGTH(values); i++) {
		const struct setting *setting = &table[i / LENGTH(values)];
		struct text text = { 0 };
		struct text problems = { 0 };

		print_wrong_value(setting, values[i % LENGTH(values)], &text);
		ck_assert_ptr_null(configuration_parse_text("site.conf", text_string(&text), &problems));
		ck_assert_msg(strstr(text_string(&problems), setting->name) != NULL, "%s: %s", setting->name,
			      text_string(&problems));
		text_finish(&text);
		text_finish(&problems);
	}
}
END_TEST

START_TEST(test_heartbeat_none_has_no_limits)
{
	configuration_destroy(parse("pool b { command = a heartbeat = none heartbeat_soft = 40s }\n"));
}
END_TEST

/** What -T prints is read back to the same. */
static void check_round_trip(const struct configuration *configuration)
{
	struct text printed = { 0 };
	struct text again = { 0 };
	struct configuration *copy;

	configuration_print(configuration, &printed);
	copy = parse(text_string(&printed));
	configuration_print(copy, &again);
	ck_assert_str_eq(text_string(&printed), text_string(&again));
	for (size_t i = 0; i < configuration->pool_count; i++) {
		bool differs;

		(void)pool_settings_compare(configuration->pools[i], copy->pools[i], &differs);
		ck_assert(!differs);
	}
	configuration_destroy(copy);
	text_finish(&printed);
	text_finish(&again);
}

START_TEST(test_print_reads_back)
{
	struct configuration *configuration =
		parse(LISTENER "listener local { address = \"/run/x.sock\" mode = 0600 }\n"
			       "pool app {\n listeners = { web, local }\n"
			       " command = { \"a b\", \"\", \"it's\", \"\\${x} \\\"\\\\ \\t\\n\\x01\" }\n"
			       " environment = { \"A=b \\$c\", 'B=#{}' }\n"
			       " ready = \"output ^a\\\\.b\\$\" ready_timeout = 1500ms surge = 3\n"
			       " clean_exits = { TERM, 7, 255 } give_up = never umask = 077\n"
			       " directory = \"x y\" limits = { \"core=0\" }\n}\n"
			       "pool other { command = \"'/opt/my app'\" }\n"
			       "control { socket = \"c.sock\" }\nlog { file = \"a.log\" level = debug }\n");

	ck_assert_str_eq(configuration->pools[1]->command.items[0], "/opt/my app");
	check_round_trip(configuration);
	configuration_destroy(configuration);
}
END_TEST

START_TEST(test_example_with_every_setting)
{
	const char *source = getenv("srcdir");
	char path[512];
	struct configuration_source site = { .path = path };
	struct text problems = { 0 };
	struct configuration *configuration;

	(void)snprintf(path, sizeof(path), "%s/packaging/examples/full.conf", source != NULL ? source : ".");
	configuration = configuration_load(&site, &problems);
	ck_assert_msg(configuration != NULL, "%s", text_string(&problems));
	check_round_trip(configuration);
	configuration_destroy(configuration);
}
END_TEST

/** The example names each row of the table. */
START_TEST(test_example_is_complete)
{
	const char *source = getenv("srcdir");
	char path[512];
	char content[16384];
	size_t count;
	size_t length;
	const struct setting *table = settings_table(&count);
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/packaging/examples/full.conf", source != NULL ? source : ".");
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	length = fread(content, 1, sizeof(content) - 1, file);
	content[length] = '\0';
	ck_assert_int_eq(fclose(file), 0);
	for (size_t i = 0; i < count; i++)
		ck_assert_msg(strstr(content, table[i].name) != NULL, "%s", table[i].name);
}
END_TEST

START_TEST(test_files_and_their_folders)
{
	struct text problems = { 0 };
	struct configuration *configuration;
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/conf", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	write_file("site.conf", LISTENER "include(\"conf/site.conf\")\npool app { command = a }\n"
					 "log { file = stderr }\ncontrol { socket = \"/x.sock\" }\n");
	write_file("conf/site.conf", "include(\"../more.conf\")\npool inner { command = a directory = \"./w\" }\n");
	write_file("more.conf", "pool first {\n command = a\n environment = { \"A=1\" }\n"
				" environment_file = \"app.env\"\n}\n");
	write_file("app.env", "# comment\n\nA=2\nB=\"x y\"\r\n  C='z'\nD=\nB=later\n");
	configuration = load("site.conf", &problems);
	ck_assert_msg(configuration != NULL, "%s", text_string(&problems));
	ck_assert_uint_eq(configuration->pool_count, 3);
	ck_assert_str_eq(configuration->pools[0]->name, "first");
	ck_assert_str_eq(configuration->pools[1]->name, "inner");
	ck_assert_str_eq(configuration->pools[2]->name, "app");
	(void)snprintf(path, sizeof(path), "%s/conf/w", folder);
	ck_assert_str_eq(configuration->pools[1]->directory, path);
	(void)snprintf(path, sizeof(path), "%s/conf/../more.conf:1", folder);
	ck_assert_str_eq(configuration->pools[0]->origin, path);
	ck_assert_uint_eq(configuration->pools[0]->environment.count, 4);
	ck_assert_str_eq(configuration->pools[0]->environment.items[0], "A=1");
	ck_assert_str_eq(configuration->pools[0]->environment.items[1], "B=x y");
	ck_assert_str_eq(configuration->pools[0]->environment.items[2], "C=z");
	ck_assert_str_eq(configuration->pools[0]->environment.items[3], "D=");
	ck_assert_str_eq(configuration->log.file, "stderr");
	ck_assert_str_eq(configuration->control.socket, "/x.sock");
	configuration_destroy(configuration);
}
END_TEST

START_TEST(test_problems_of_included_files)
{
	struct text problems = { 0 };
	char expected[1024];

	write_file("site.conf",
		   "log {}\ncontrol {}\n\ninclude(\"more.conf\")\npool app { command = \"a\" workers = x }\n");
	write_file("more.conf", "\nlog {}\npool app { command = b wokers = 3 }\n");
	ck_assert_ptr_null(load("site.conf", &problems));
	(void)snprintf(expected, sizeof(expected),
		       "%s/site.conf:5: pool app is already defined at %s/more.conf:3\n"
		       "%s/more.conf:2: log is already defined at %s/site.conf:1\n"
		       "%s/more.conf:3: unknown setting `wokers` in a block pool; did you mean `workers`?\n",
		       folder, folder, folder, folder, folder);
	ck_assert_str_eq(text_string(&problems), expected);
	text_finish(&problems);
}
END_TEST

START_TEST(test_files_that_include_themselves)
{
	struct text problems = { 0 };

	write_file("site.conf", "include(\"site.conf\")\ninclude(\"site.conf\")\n");
	ck_assert_ptr_null(load("site.conf", &problems));
	ck_assert_ptr_nonnull(strstr(text_string(&problems), "too many files: does site.conf include itself?"));
	text_finish(&problems);
}
END_TEST

START_TEST(test_files_that_cannot_be_read)
{
	static char large[1024 * 1024 + 2];
	struct text problems = { 0 };
	char expected[512];

	ck_assert_ptr_null(load("site.conf", &problems));
	ck_assert_ptr_null(load("", &problems));
	memset(large, '\n', sizeof(large) - 1);
	write_file("site.conf", large);
	ck_assert_ptr_null(load("site.conf", &problems));
	(void)snprintf(expected, sizeof(expected),
		       "%s/site.conf: cannot be read: No such file or directory\n"
		       "%s/: is a directory\n"
		       "%s/site.conf: is larger than 1048576 bytes\n",
		       folder, folder, folder);
	ck_assert_str_eq(text_string(&problems), expected);
	text_finish(&problems);
}
END_TEST

START_TEST(test_reloads)
{
	struct text problems = { 0 };

	write_file("more.conf", LISTENER);
	for (int i = 0; i < 300; i++) {
		bool good = i % 3 == 0;
		struct configuration *configuration;

		write_file("site.conf", good         ? "include(\"more.conf\")\n" POOL
					: i % 3 == 1 ? "include(\"more.conf\")\npool \"x"
						     : "include(\"more.conf\")\npool app { command = { a \n");
		configuration = load("site.conf", &problems);
		ck_assert_int_eq(configuration != NULL, good);
		configuration_destroy(configuration);
		text_finish(&problems);
	}
}
END_TEST

/* ---- command line */

START_TEST(test_options)
{
	static const char *const binds[] = { ":8000", "@app" };
	static const char *const sets[] = { "environment=A=1", "surge=1", "environment=B=2", "surge=2" };
	static const char *const command[] = { "uvicorn", "--fd", "{fd:web2}", "a b" };
	const struct configuration_source source = { .binds = binds,
						     .bind_count = 2,
						     .workers = "3",
						     .assignments = sets,
						     .assignment_count = 4,
						     .command = command,
						     .command_count = 4 };
	struct text problems = { 0 };
	struct configuration *configuration = configuration_load(&source, &problems);

	ck_assert_msg(configuration != NULL, "%s", text_string(&problems));
	ck_assert_uint_eq(configuration->listener_count, 2);
	ck_assert_str_eq(configuration->listeners[1]->name, "web2");
	ck_assert_str_eq(configuration->pools[0]->name, "app");
	ck_assert_str_eq(configuration->pools[0]->command.items[3], "a b");
	ck_assert_int_eq(configuration->pools[0]->workers, 3);
	ck_assert_int_eq(configuration->pools[0]->surge.value, 2);
	ck_assert_uint_eq(configuration->pools[0]->environment.count, 2);
	ck_assert_int_eq(configuration->pools[0]->ready.kind, READINESS_OUTPUT);
	check_round_trip(configuration);
	configuration_destroy(configuration);
}
END_TEST

START_TEST(test_wrong_options)
{
	static const char *const binds[] = { "8000" };
	static const char *const sets[] = { "workers=4", "drain=1s", "surge", "abort=x" };
	const struct configuration_source source = {
		.binds = binds, .bind_count = 1, .workers = "none", .assignments = sets, .assignment_count = 4
	};
	struct text problems = { 0 };

	ck_assert_ptr_null(configuration_load(&source, &problems));
	ck_assert_str_eq(
		text_string(&problems),
		"option -b: listener web: address: `8000` is not an address: HOST:PORT, :PORT, unix:/PATH, @NAME "
		"or systemd:NAME\n"
		"option -w: pool app: workers: `none` is neither auto nor a number from 1 to 10000\n"
		"option --set: workers is already given by option -w\n"
		"option --set: unknown setting `drain`; did you mean `drain_timeout`?\n"
		"option --set: `surge` is not of the form NAME=VALUE\n"
		"option --set: pool app: abort: `x` is neither yes nor no\n"
		"command line: pool app: command: is missing\n");
	text_finish(&problems);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("configuration");
	TCase *texts = tcase_create("texts");
	TCase *files = tcase_create("files");
	TCase *options = tcase_create("options");

	tcase_add_test(texts, test_two_blocks_are_enough);
	tcase_add_test(texts, test_syntax);
	tcase_add_test(texts, test_environment_variables_are_expanded);
	tcase_add_loop_test(texts, test_problems, 0, LENGTH(wrong));
	tcase_add_test(texts, test_problem_names_its_setting);
	tcase_add_test(texts, test_heartbeat_none_has_no_limits);
	tcase_add_test(texts, test_print_reads_back);
	tcase_add_test(texts, test_example_with_every_setting);
	tcase_add_test(texts, test_example_is_complete);
	suite_add_tcase(suite, texts);
	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_add_test(files, test_files_and_their_folders);
	tcase_add_test(files, test_problems_of_included_files);
	tcase_add_test(files, test_files_that_include_themselves);
	tcase_add_test(files, test_files_that_cannot_be_read);
	tcase_add_test(files, test_reloads);
	suite_add_tcase(suite, files);
	tcase_add_test(options, test_options);
	tcase_add_test(options, test_wrong_options);
	suite_add_tcase(suite, options);
	return unit_run(suite);
}
