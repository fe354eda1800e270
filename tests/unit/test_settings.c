/*
 * test_settings.c - the settings table: values in and out, defaults, comparison, shares, known servers.
 */
#include "unit.h"

#include "model/known_servers.h"
#include "model/settings.h"

#include <signal.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof((array)[0])))

/** Longest list of words of a case. */
#define WORDS_MAX 4

static struct pool_settings *create_pool(void)
{
	struct pool_settings *pool = pool_settings_create("app", "site.conf:3");

	ck_assert_ptr_nonnull(pool);
	return pool;
}

static size_t count_words(const char *const *words)
{
	size_t count = 0;

	while (count < WORDS_MAX && words[count] != NULL)
		count++;
	return count;
}

START_TEST(test_table_is_complete)
{
	size_t count;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++) {
		ck_assert_ptr_eq(setting_find(table[i].scope, table[i].name), &table[i]);
		ck_assert_uint_gt(strlen(table[i].summary), 10);
		ck_assert(!table[i].required || table[i].default_text == NULL);
		ck_assert((table[i].kind == SETTING_CHOICE) == (table[i].choices != NULL));
		if (i > 0)
			ck_assert_int_ge(table[i].scope, table[i - 1].scope);
	}
}
END_TEST

/** Each default, printed and parsed again, is the same. */
START_TEST(test_defaults)
{
	struct pool_settings *pool = create_pool();
	struct listener_settings *listener = listener_settings_create("web", "site.conf:1");

	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(listener->backlog, 2048);
	ck_assert_int_eq(listener->mode, 0660);
	ck_assert(listener->no_delay && !listener->only_v6);
	ck_assert_int_eq(pool->workers, 1);
	ck_assert_int_eq(pool->umask, -1);
	ck_assert_ptr_null(pool->user);
	ck_assert_int_eq(pool->ready_timeout_ms, 60000);
	ck_assert_int_eq(pool->heartbeat, HEARTBEAT_OPTIONAL);
	ck_assert_int_eq(pool->stop_signal, SIGTERM);
	ck_assert_uint_eq(pool->clean_exits.statuses[0], 1);
	ck_assert_int_eq(pool->backoff.first_ms, 100);
	ck_assert_int_eq(pool->backoff.longest_ms, 30000);
	ck_assert_int_eq(pool->give_up.count, 10);
	ck_assert(pool->surge.percent && pool->surge.value == 25);
	ck_assert_int_eq(pool->roll_timeout_ms, 600000);
	listener_settings_release(listener);
	pool_settings_release(pool);
}
END_TEST

static const struct {
	const char *name;
	const char *words[WORDS_MAX];
	const char *printed;
} valid[] = {
	{ "listeners", { "web", "admin" }, "{ \"web\", \"admin\" }" },
	{ "command", { "uvicorn --fd {fd} 'a b'" }, "{ \"uvicorn\", \"--fd\", \"{fd}\", \"a b\" }" },
	{ "command", { "a", "", "$x\n" }, "{ \"a\", \"\", \"\\$x\\n\" }" },
	{ "command", { "true" }, "\"true\"" },
	{ "command", { "'/a b/it'\\''s'" }, "\"'/a b/it'\\\\''s'\"" },
	{ "workers", { "10000" }, "10000" },
	{ "directory", { "/srv" }, "\"/srv\"" },
	{ "umask", { "027" }, "0027" },
	{ "umask", { "0" }, "0000" },
	{ "environment", { "A=1", "B=", "C=a=b" }, "{ \"A=1\", \"B=\", \"C=a=b\" }" },
	{ "limits", { "nofile=1024", "core=unlimited" }, "{ \"nofile=1024\", \"core=unlimited\" }" },
	{ "ready", { "auto" }, "auto" },
	{ "ready", { "message" }, "message" },
	{ "ready", { "output ^ready [0-9]+$" }, "\"output ^ready [0-9]+\\$\"" },
	{ "ready", { "alive 1500ms" }, "\"alive 1s500ms\"" },
	{ "min_ready", { "0" }, "0" },
	{ "heartbeat", { "required" }, "required" },
	{ "stop_signal", { "SIGQUIT" }, "QUIT" },
	{ "abort", { "on" }, "yes" },
	{ "clean_exits", { "255", "3", "SIGUSR1" }, "{ 0, 3, 255, USR1 }" },
	{ "backoff", { "1s  1s" }, "\"1s 1s\"" },
	{ "give_up", { "never" }, "never" },
	{ "give_up", { "16 in 1h" }, "\"16 in 1h\"" },
	{ "surge", { "100%" }, "100%" },
	{ "surge", { "3" }, "3" },
	{ "output", { "null" }, "null" },
};

START_TEST(test_valid_values)
{
	const struct setting *setting = setting_find(SETTING_POOL, valid[_i].name);
	struct pool_settings *pool = create_pool();
	struct text text = { 0 };
	struct error error;

	ck_assert_ptr_nonnull(setting);
	ck_assert_msg(setting_assign(setting, pool, valid[_i].words, count_words(valid[_i].words), &error), "%s",
		      valid[_i].words[0]);
	setting_print(setting, pool, &text);
	ck_assert_str_eq(text_string(&text), valid[_i].printed);
	text_finish(&text);
	pool_settings_release(pool);
}
END_TEST

static const struct {
	const char *name;
	const char *words[WORDS_MAX];
	const char *problem;
} invalid[] = {
	{ "workers", { "0" }, "neither auto nor a number from 1 to 10000" },
	{ "workers", { "10001" }, "neither auto nor" },
	{ "workers", { "many" }, "neither auto nor" },
	{ "workers", { "1", "2" }, "takes one value" },
	{ "roll_attempts", { "0" }, "is not a number from 1 to 1000" },
	{ "listeners", { "web", "web" }, "`web` is given twice" },
	{ "listeners", { "" }, "a name is empty" },
	{ "command", { NULL }, "has no program" },
	{ "command", { "" }, "has no program" },
	{ "command", { "'' a" }, "has no program" },
	{ "command", { "", "a" }, "has no program" },
	{ "command", { "a | b" }, "no shell" },
	{ "directory", { "" }, "is empty" },
	{ "umask", { "0888" }, "octal" },
	{ "umask", { "01000" }, "octal" },
	{ "umask", { "-1" }, "octal" },
	{ "environment", { "A" }, "NAME=value" },
	{ "environment", { "=1" }, "NAME=value" },
	{ "environment", { "A=1", "A=2" }, "`A` is given twice" },
	{ "environment", { "LISTEN_FDS=1" }, "is set by unicornd" },
	{ "environment", { "NOTIFY_SOCKET=" }, "is set by unicornd" },
	{ "limits", { "nofile" }, "not of the form" },
	{ "ready", { "now" }, "none of: auto, message" },
	{ "ready", { "output " }, "is empty" },
	{ "ready", { "output a(b" }, "regular expression" },
	{ "ready", { "alive soon" }, "is not a time" },
	{ "ready_timeout", { "60" }, "is not a time" },
	{ "ready_timeout", { "0" }, "is not between 1ms and 1d" },
	{ "ready_timeout", { "2d" }, "is not between" },
	{ "heartbeat", { "maybe" }, "none of: required, optional, none" },
	{ "stop_signal", { "15" }, "is not a signal" },
	{ "stop_signal", { "STOP" }, "does not end a process" },
	{ "abort", { "1" }, "neither yes nor no" },
	{ "clean_exits", { "256" }, "exit status from 0 to 255" },
	{ "clean_exits", { "-1" }, "exit status from 0 to 255" },
	{ "backoff", { "1s" }, "is not two times" },
	{ "backoff", { "2s 1s" }, "longer than the longest" },
	{ "backoff", { "0 1s" }, "is not between" },
	{ "give_up", { "17 in 60s" }, "from 1 to 16" },
	{ "give_up", { "0 in 60s" }, "from 1 to 16" },
	{ "give_up", { "3 in 0" }, "from 1 to 16" },
	{ "give_up", { "3 per 60s" }, "\"10 in 60s\"" },
	{ "surge", { "101%" }, "from 0% to 100%" },
	{ "surge", { "%" }, "from 0% to 100%" },
	{ "surge", { "-1" }, "from 0 to 10000" },
	{ "surge", { "" }, "from 0 to 10000" },
	{ "surge", { "00000000000000000001" }, "from 0 to 10000" },
	{ "output", { "file" }, "none of: capture, inherit, null" },
};

/** A value that is refused is said to be so, and leaves the old one. */
START_TEST(test_invalid_values)
{
	const struct setting *setting = setting_find(SETTING_POOL, invalid[_i].name);
	struct pool_settings *pool = create_pool();
	struct pool_settings *untouched = create_pool();
	struct error error;

	ck_assert_ptr_nonnull(setting);
	ck_assert_msg(!setting_assign(setting, pool, invalid[_i].words, count_words(invalid[_i].words), &error),
		      "%s %s", invalid[_i].name, invalid[_i].words[0]);
	ck_assert_msg(strstr(error.text, invalid[_i].problem) != NULL, "%s", error.text);
	ck_assert(setting_equal(setting, pool, untouched));
	pool_settings_release(pool);
	pool_settings_release(untouched);
}
END_TEST

START_TEST(test_auto_workers)
{
	struct pool_settings *pool = create_pool();
	const char *value = "auto";
	struct error error;

	ck_assert(setting_assign(setting_find(SETTING_POOL, "workers"), pool, &value, 1, &error));
	ck_assert_int_ge(pool->workers, 1);
	ck_assert_int_le(pool->workers, 10000);
	pool_settings_release(pool);
}
END_TEST

START_TEST(test_lists_have_a_longest_length)
{
	static const char *words[1025];
	struct pool_settings *pool = create_pool();
	struct error error;

	for (int i = 0; i < LENGTH(words); i++)
		words[i] = "3";
	ck_assert(setting_assign(setting_find(SETTING_POOL, "clean_exits"), pool, words, 1024, &error));
	ck_assert(!setting_assign(setting_find(SETTING_POOL, "clean_exits"), pool, words, 1025, &error));
	pool_settings_release(pool);
}
END_TEST

static void assign(struct pool_settings *pool, const char *name, const char *value)
{
	struct error error;

	ck_assert(setting_assign(setting_find(SETTING_POOL, name), pool, &value, 1, &error));
}

START_TEST(test_comparison_says_the_strongest_effect)
{
	struct pool_settings *a = create_pool();
	struct pool_settings *b = create_pool();
	bool differs;

	ck_assert_int_eq(pool_settings_compare(a, b, &differs), EFFECT_IN_PLACE);
	ck_assert(!differs);
	assign(b, "workers", "3");
	ck_assert_int_eq(pool_settings_compare(a, b, &differs), EFFECT_IN_PLACE);
	ck_assert(differs);
	assign(b, "environment", "A=1");
	ck_assert_int_eq(pool_settings_compare(a, b, &differs), EFFECT_ROLL);
	assign(a, "environment", "A=1");
	assign(a, "workers", "3");
	(void)pool_settings_compare(a, b, &differs);
	ck_assert(!differs);
	pool_settings_release(a);
	pool_settings_release(b);
}
END_TEST

START_TEST(test_shares)
{
	static const struct {
		struct share share;
		int workers;
		int part;
	} shares[] = {
		{ { 3, false }, 1, 3 }, { { 25, true }, 1, 1 },  { { 25, true }, 4, 1 },    { { 25, true }, 5, 2 },
		{ { 0, true }, 8, 0 },  { { 100, true }, 8, 8 }, { { 1, true }, 1000, 10 }, { { 10, true }, 0, 1 },
	};

	for (int i = 0; i < LENGTH(shares); i++)
		ck_assert_int_eq(share_of(&shares[i].share, shares[i].workers), shares[i].part);
}
END_TEST

START_TEST(test_references_are_counted)
{
	struct configuration *configuration = configuration_create();
	struct pool_settings *pool = create_pool();
	struct listener_settings *listener = listener_settings_create("web", "site.conf:1");

	ck_assert(configuration_add_pool(configuration, pool_settings_reference(pool)));
	ck_assert(configuration_add_listener(configuration, listener_settings_reference(listener)));
	ck_assert_ptr_eq(configuration_find_pool(configuration, "app"), pool);
	ck_assert_ptr_eq(configuration_find_listener(configuration, "web"), listener);
	ck_assert_ptr_null(configuration_find_pool(configuration, "web"));
	configuration_destroy(configuration);
	ck_assert_str_eq(pool->name, "app");
	ck_assert_str_eq(listener->origin, "site.conf:1");
	pool_settings_release(pool);
	listener_settings_release(listener);
	pool_settings_release(NULL);
	listener_settings_release(NULL);
	configuration_destroy(NULL);
}
END_TEST

static const struct {
	const char *command;
	const char *ready;
} servers[] = {
	{ "uvicorn app:app", "output Uvicorn running on" },
	{ "/srv/venv/bin/uvicorn app:app", "output Uvicorn running on" },
	{ "python3 -m uvicorn app:app", "output Uvicorn running on" },
	{ "/usr/bin/python3.11 -u -m hypercorn app:app", "output Running on" },
	{ "python3 -u /srv/venv/bin/daphne app:app", "output Listening on TCP" },
	{ "python3 -m", "message" },
	{ "python3", "message" },
	{ "uwsgi --http-socket fd://{fd}", "message" },
	{ "/usr/bin/uwsgi_python3 --http-socket fd://{fd}", "message" },
	{ "/srv/uvicorn/run", "message" },
};

START_TEST(test_known_servers)
{
	struct string_list command = { 0 };
	struct error error;

	ck_assert(text_split_words(servers[_i].command, &command, &error));
	ck_assert_str_eq(known_server_readiness(&command), servers[_i].ready);
	string_list_finish(&command);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");

	tcase_add_test(tcase, test_table_is_complete);
	tcase_add_test(tcase, test_defaults);
	tcase_add_loop_test(tcase, test_valid_values, 0, LENGTH(valid));
	tcase_add_loop_test(tcase, test_invalid_values, 0, LENGTH(invalid));
	tcase_add_test(tcase, test_auto_workers);
	tcase_add_test(tcase, test_lists_have_a_longest_length);
	tcase_add_test(tcase, test_comparison_says_the_strongest_effect);
	tcase_add_test(tcase, test_shares);
	tcase_add_test(tcase, test_references_are_counted);
	tcase_add_loop_test(tcase, test_known_servers, 0, LENGTH(servers));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
