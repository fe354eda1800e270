/*
 * What a changed setting means, setting by setting. The meanings are written out here a second time on purpose.
 */
#include "unit.h"

#include "policy/reload_plan.h"

#include <string.h>

struct change_case {
	const char *name;
	const char *value; /**< another one than the default */
	enum pool_change change;
};

static const struct change_case pool_cases[] = {
	{ "listeners", "web", POOL_CHANGE_ROLL },
	{ "command", "true", POOL_CHANGE_ROLL },
	{ "workers", "7", POOL_CHANGE_IN_PLACE },
	{ "directory", "/", POOL_CHANGE_ROLL },
	{ "user", "nobody", POOL_CHANGE_ROLL },
	{ "group", "nogroup", POOL_CHANGE_ROLL },
	{ "umask", "027", POOL_CHANGE_ROLL },
	{ "environment", "A=b", POOL_CHANGE_ROLL },
	{ "environment_file", "/etc/environment", POOL_CHANGE_ROLL },
	{ "limits", "nofile=1024", POOL_CHANGE_ROLL },
	{ "ready", "alive 1s", POOL_CHANGE_ROLL },
	{ "ready_timeout", "7s", POOL_CHANGE_IN_PLACE },
	{ "min_ready", "7s", POOL_CHANGE_IN_PLACE },
	{ "heartbeat", "none", POOL_CHANGE_IN_PLACE },
	{ "heartbeat_interval", "2s", POOL_CHANGE_IN_PLACE },
	{ "heartbeat_soft", "7s", POOL_CHANGE_IN_PLACE },
	{ "heartbeat_hard", "70s", POOL_CHANGE_IN_PLACE },
	{ "stop_signal", "QUIT", POOL_CHANGE_IN_PLACE },
	{ "drain_timeout", "7s", POOL_CHANGE_IN_PLACE },
	{ "abort", "yes", POOL_CHANGE_IN_PLACE },
	{ "abort_timeout", "7s", POOL_CHANGE_IN_PLACE },
	{ "clean_exits", "3", POOL_CHANGE_IN_PLACE },
	{ "backoff", "1s 2s", POOL_CHANGE_IN_PLACE },
	{ "backoff_reset", "7s", POOL_CHANGE_IN_PLACE },
	{ "give_up", "never", POOL_CHANGE_IN_PLACE },
	{ "surge", "7", POOL_CHANGE_IN_PLACE },
	{ "max_unavailable", "7", POOL_CHANGE_IN_PLACE },
	{ "roll_attempts", "7", POOL_CHANGE_IN_PLACE },
	{ "roll_timeout", "7s", POOL_CHANGE_IN_PLACE },
	{ "output", "null", POOL_CHANGE_ROLL },
};

#define POOL_CASES ((int)(sizeof(pool_cases) / sizeof(pool_cases[0])))

static struct error error;

static void assign(enum setting_scope scope, void *target, const char *name, const char *value)
{
	const struct setting *setting = setting_find(scope, name);

	ck_assert_msg(setting != NULL, "there is no setting %s", name);
	ck_assert_msg(setting_assign(setting, target, &value, 1, &error), "%s: %s", name, error.text);
}

static enum pool_change plan_change(const struct change_case *one, bool only_changed)
{
	struct pool_settings *before = pool_settings_create("app", "site.conf:1");
	struct pool_settings *after = pool_settings_create("app", "site.conf:100");
	enum pool_change change;

	ck_assert(before != NULL && after != NULL);
	if (one != NULL)
		assign(SETTING_POOL, after, one->name, one->value);
	change = reload_plan_pool(before, after, only_changed);
	ck_assert_int_eq(reload_plan_pool(after, before, only_changed), change);
	pool_settings_release(before);
	pool_settings_release(after);
	return change;
}

START_TEST(test_each_setting_means_what_it_says)
{
	enum pool_change found = plan_change(&pool_cases[_i], true);

	ck_assert_msg(found == pool_cases[_i].change, "%s: change %d", pool_cases[_i].name, (int)found);
}
END_TEST

START_TEST(test_every_setting_of_a_pool_has_a_case)
{
	size_t count;
	const struct setting *table = settings_table(&count);
	int rows = 0;

	for (size_t i = 0; i < count; i++) {
		bool found = table[i].scope != SETTING_POOL;
		rows += table[i].scope == SETTING_POOL;
		for (int one = 0; one < POOL_CASES; one++)
			found = found || strcmp(pool_cases[one].name, table[i].name) == 0;
		ck_assert_msg(found, "no case for %s", table[i].name);
	}
	ck_assert_int_eq(rows, POOL_CASES);
}
END_TEST

START_TEST(test_a_plain_reload_rolls_even_what_did_not_change)
{
	ck_assert_int_eq(plan_change(NULL, false), POOL_CHANGE_ROLL);
	ck_assert_int_eq(plan_change(&pool_cases[2], false), POOL_CHANGE_ROLL);
}
END_TEST

START_TEST(test_only_the_place_in_the_file_changed)
{
	ck_assert_int_eq(plan_change(NULL, true), POOL_CHANGE_NONE);
}
END_TEST

START_TEST(test_one_setting_that_rolls_rolls_all)
{
	struct pool_settings *before = pool_settings_create("app", "site.conf:1");
	struct pool_settings *after = pool_settings_create("app", "site.conf:1");

	ck_assert(before != NULL && after != NULL);
	assign(SETTING_POOL, after, "workers", "9");
	assign(SETTING_POOL, after, "umask", "077");
	assign(SETTING_POOL, after, "surge", "50%");
	ck_assert_int_eq(reload_plan_pool(before, after, true), POOL_CHANGE_ROLL);
	pool_settings_release(before);
	pool_settings_release(after);
}
END_TEST

struct listener_case {
	const char *name;
	const char *value;
	bool allowed;
};

static const struct listener_case listener_cases[] = {
	{ "backlog", "7", true },    { "mode", "0600", true },   { "owner", "root", true },
	{ "group", "root", true },   { "no_delay", "no", true }, { "defer_accept", "3", true },
	{ "only_v6", "yes", false },
};

START_TEST(test_what_may_change_on_an_open_socket)
{
	const struct listener_case *one = &listener_cases[_i];
	struct listener_settings *before = listener_settings_create("web", "site.conf:1");
	struct listener_settings *after = listener_settings_create("web", "site.conf:1");

	ck_assert(before != NULL && after != NULL);
	assign(SETTING_LISTENER, after, one->name, one->value);
	error.text[0] = '\0';
	ck_assert_int_eq(reload_plan_listener(before, after, &error), one->allowed);
	ck_assert_int_eq(strstr(error.text, one->name) != NULL, !one->allowed);
	listener_settings_release(before);
	listener_settings_release(after);
}
END_TEST

struct restart_case {
	enum setting_scope scope;
	const char *name;
	const char *value;
	bool restart;
};

static const struct restart_case restart_cases[] = {
	{ SETTING_CONTROL, "socket", "/run/other.sock", true }, { SETTING_CONTROL, "mode", "0600", true },
	{ SETTING_CONTROL, "operator_group", "adm", true },     { SETTING_CONTROL, "observer_group", "adm", true },
	{ SETTING_LOG, "file", "/var/log/other.log", false },   { SETTING_LOG, "level", "debug", false },
};

START_TEST(test_what_only_a_restart_takes_over)
{
	const struct restart_case *one = &restart_cases[_i];
	struct configuration *before = configuration_create();
	struct configuration *after = configuration_create();
	const char *name;

	ck_assert(before != NULL && after != NULL);
	ck_assert_ptr_null(reload_plan_needs_restart(before, after));
	assign(one->scope, one->scope == SETTING_CONTROL ? (void *)&after->control : (void *)&after->log, one->name,
	       one->value);
	name = reload_plan_needs_restart(before, after);
	if (one->restart)
		ck_assert_str_eq(name, one->name);
	else
		ck_assert_ptr_null(name);
	configuration_destroy(before);
	configuration_destroy(after);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reload_plan");
	TCase *cases = tcase_create("plan");

	tcase_add_loop_test(cases, test_each_setting_means_what_it_says, 0, POOL_CASES);
	tcase_add_test(cases, test_every_setting_of_a_pool_has_a_case);
	tcase_add_test(cases, test_a_plain_reload_rolls_even_what_did_not_change);
	tcase_add_test(cases, test_only_the_place_in_the_file_changed);
	tcase_add_test(cases, test_one_setting_that_rolls_rolls_all);
	tcase_add_loop_test(cases, test_what_may_change_on_an_open_socket, 0,
			    (int)(sizeof(listener_cases) / sizeof(listener_cases[0])));
	tcase_add_loop_test(cases, test_what_only_a_restart_takes_over, 0,
			    (int)(sizeof(restart_cases) / sizeof(restart_cases[0])));
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
