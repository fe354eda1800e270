/*
 * test_command_line.c - argv to the parameters of a request, and durations.
 */
#include "unit.h"

#include "../../ctl/command_line.h"
#include "../../ctl/command_table.h"
#include "../../ctl/duration.h"
#include "unicornd/control.h"

#include <string.h>

#define WORDS_MAX 12

/** A command line, without the program's name, and what becomes of it. */
struct accepted {
	const char *words[WORDS_MAX];
	const char *command;
	const char *params; /**< JSON with sorted keys */
};

static const struct accepted accepted[] = {
	{ { "status" }, "status", "{}" },
	{ { "config" }, "config", "{}" },
	{ { "version" }, "version", "{}" },
	{ { "reload" }, "reload", "{\"wait\":true}" },
	{ { "reload", "app" }, "reload", "{\"pool\":\"app\",\"wait\":true}" },
	{ { "reload", "--changed", "app" }, "reload", "{\"changed\":true,\"pool\":\"app\",\"wait\":true}" },
	{ { "reload", "--no-wait" }, "reload", "{\"wait\":false}" },
	{ { "reload", "--no-wait", "--supersede" }, "reload", "{\"supersede\":true,\"wait\":false}" },
	{ { "scale", "4" }, "scale", "{\"wait\":true,\"workers\":\"4\"}" },
	{ { "scale", "app", "4" }, "scale", "{\"pool\":\"app\",\"wait\":true,\"workers\":\"4\"}" },
	{ { "scale", "app", "+2" }, "scale", "{\"pool\":\"app\",\"wait\":true,\"workers\":\"+2\"}" },
	{ { "scale", "app", "-2" }, "scale", "{\"pool\":\"app\",\"wait\":true,\"workers\":\"-2\"}" },
	{ { "scale", "-2" }, "scale", "{\"wait\":true,\"workers\":\"-2\"}" },
	{ { "scale", "--", "app", "-2" }, "scale", "{\"pool\":\"app\",\"wait\":true,\"workers\":\"-2\"}" },
	{ { "restart" }, "restart", "{\"wait\":true}" },
	{ { "restart", "app/3" }, "restart", "{\"target\":\"app/3\",\"wait\":true}" },
	{ { "stop" }, "stop", "{\"wait\":true}" },
	{ { "stop", "--now" }, "stop", "{\"now\":true,\"wait\":true}" },
	{ { "events" }, "events", "{}" },
	{ { "events", "-f" }, "events", "{\"follow\":true}" },
	{ { "events", "--follow", "--since", "41" }, "events", "{\"follow\":true,\"since\":41}" },
	{ { "events", "--since=0" }, "events", "{\"since\":0}" },
	{ { "events", "--since=1", "--since=2" }, "events", "{\"since\":2}" },
	{ { "logs", "-f", "app" }, "logs", "{\"follow\":true,\"target\":\"app\"}" },
	{ { "logs", "--", "-app" }, "logs", "{\"target\":\"-app\"}" },
	{ { "wait", "r-17" }, "wait", "{\"operation\":\"r-17\"}" },
	{ { "--json", "wait", "--no-color", "r-17" }, "wait", "{\"operation\":\"r-17\"}" },
};

START_TEST(params_are_made_by_the_rows)
{
	const struct accepted *row = &accepted[_i];
	const char *argv[WORDS_MAX + 2] = { "unicornctl" };
	struct command_line line;
	struct failure failure = { .exit_status = 0 };
	char *params;
	int argc = 1;

	for (; row->words[argc - 1] != NULL; argc++)
		argv[argc] = row->words[argc - 1];
	ck_assert_msg(command_line_parse(&line, argc, argv, &failure), "%s", failure.text);
	params = json_dumps(line.params, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_int_eq(line.wish, COMMAND_LINE_RUN);
	ck_assert_str_eq(line.command->name, row->command);
	ck_assert_str_eq(params, row->params);
	free(params);
	command_line_finish(&line);
}
END_TEST

/** A command line that is refused. */
struct refused {
	const char *words[WORDS_MAX];
	const char *text; /**< part of what is said */
};

static const struct refused refused[] = {
	{ { NULL }, "a command is missing" },
	{ { "--json" }, "a command is missing" },
	{ { "stauts" }, "unknown command 'stauts'" },
	{ { "" }, "unknown command ''" },
	{ { "status", "app" }, "one argument too many: 'app'" },
	{ { "status", "1", "2", "3", "4", "5", "6", "7", "8", "9" }, "one argument too many" },
	{ { "status", "--wait" }, "unknown option '--wait'" },
	{ { "status", "--"
		      "no-wait" },
	  "unknown option '--no-wait'" },
	{ { "status", "--follow" }, "unknown option '--follow'" },
	{ { "status", "-f" }, "unknown option '-f'" },
	{ { "status", "--=x" }, "unknown option '--=x'" },
	{ { "-f", "logs" }, "unknown option before the command '-f'" },
	{ { "--follow", "logs" }, "unknown option before the command '--follow'" },
	{ { "reload", "--wait" }, "unknown option '--wait'" },
	{ { "reload", "--changed=yes" }, "takes no value" },
	{ { "reload", "--json=yes" }, "takes no value" },
	{ { "reload", "app/1" }, "'app/1' is not of the form POOL" },
	{ { "reload", "" }, "'' is not of the form POOL" },
	{ { "reload", "a", "b" }, "one argument too many: 'b'" },
	{ { "scale" }, "workers (N|+N|-N) is missing" },
	{ { "scale", "app" }, "'app' is not of the form N|+N|-N" },
	{ { "scale", "app", "4x" }, "'4x' is not of the form" },
	{ { "scale", "app", "+" }, "'+' is not of the form" },
	{ { "scale", "app", "-" }, "'-' is not of the form" },
	{ { "scale", "app", "+-4" }, "'+-4' is not of the form" },
	{ { "restart", "app/" }, "'app/' is not of the form POOL[/SLOT]" },
	{ { "restart", "/1" }, "'/1' is not of the form" },
	{ { "restart", "app/1/2" }, "'app/1/2' is not of the form" },
	{ { "restart", "app/x" }, "'app/x' is not of the form" },
	{ { "restart", "\xff\xfe" }, "is not of the form" },
	{ { "wait" }, "operation (ID) is missing" },
	{ { "wait", "" }, "'' is not of the form ID" },
	{ { "events", "--since" }, "option '--since' needs a value" },
	{ { "events", "--since", "-1" }, "'-1' is not of the form SEQUENCE" },
	{ { "events", "--since=" }, "'' is not of the form" },
	{ { "events", "--since=99999999999999999999" }, "is not of the form" },
	{ { "--socket" }, "option '--socket' needs a value" },
	{ { "status", "--timeout", "soon" }, "not a duration" },
	{ { "status", "--timeout", "0" }, "not a duration" },
	{ { "status", "--timeout=5" }, "not a duration" },
	{ { "status", "--site", "a/b" }, "not the name of a site: 'a/b'" },
	{ { "status", "--site=" }, "not the name of a site" },
	{ { "status", "--site=a", "--socket=b" }, "--socket and --site exclude each other" },
};

START_TEST(nonsense_is_refused_with_words)
{
	const struct refused *row = &refused[_i];
	const char *argv[WORDS_MAX + 2] = { "unicornctl" };
	struct command_line line;
	struct failure failure = { .exit_status = 0 };
	int argc = 1;

	for (; row->words[argc - 1] != NULL; argc++)
		argv[argc] = row->words[argc - 1];
	ck_assert(!command_line_parse(&line, argc, argv, &failure));
	ck_assert_int_eq(failure.exit_status, UNICORNCTL_EXIT_USAGE);
	ck_assert_msg(strstr(failure.text, row->text) != NULL, "'%s' is not in '%s'", row->text, failure.text);
	command_line_finish(&line);
}
END_TEST

START_TEST(global_options_stand_anywhere)
{
	const char *argv[] = { "unicornctl", "--json", "--socket",   "/s", "status",
			       "--timeout",  "1m30s",  "--no-color", NULL };
	struct command_line line;
	struct failure failure;

	ck_assert(command_line_parse(&line, 8, argv, &failure));
	ck_assert(line.json);
	ck_assert(line.no_color);
	ck_assert_str_eq(line.socket_path, "/s");
	ck_assert_ptr_null(line.site);
	ck_assert_int_eq(line.timeout_ms, 90 * 1000);
	command_line_finish(&line);
}
END_TEST

START_TEST(nothing_is_set_without_options)
{
	const char *argv[] = { "unicornctl", "status", NULL };
	struct command_line line;
	struct failure failure;

	ck_assert(command_line_parse(&line, 2, argv, &failure));
	ck_assert(!line.json);
	ck_assert(!line.no_color);
	ck_assert_ptr_null(line.socket_path);
	ck_assert_ptr_null(line.site);
	ck_assert_int_eq(line.timeout_ms, COMMAND_LINE_NO_TIMEOUT);
	command_line_finish(&line);
}
END_TEST

START_TEST(help_needs_no_arguments)
{
	const char *argv[] = { "unicornctl", "scale", "-h", NULL };
	struct command_line line;
	struct failure failure;

	ck_assert(command_line_parse(&line, 3, argv, &failure));
	ck_assert_int_eq(line.wish, COMMAND_LINE_HELP);
	ck_assert_str_eq(line.command->name, "scale");
	command_line_finish(&line);
}
END_TEST

START_TEST(version_needs_no_command)
{
	const char *argv[] = { "unicornctl", "--version", NULL };
	struct command_line line;
	struct failure failure;

	ck_assert(command_line_parse(&line, 2, argv, &failure));
	ck_assert_int_eq(line.wish, COMMAND_LINE_VERSION);
	command_line_finish(&line);
}
END_TEST

/* The client must know each row, and a row must not hide an option of unicornctl. */
START_TEST(rows_fit_the_client)
{
	const struct command *command = &command_table[_i];
	const struct parameter *parameter = NULL;

	ck_assert_ptr_eq(command_find(command->name), command);
	while ((parameter = parameter_next(command, parameter)) != NULL) {
		const bool is_switch = parameter->kind == PARAMETER_SWITCH;

		ck_assert_msg(is_switch == (parameter->word[0] == '\0'), "%s", parameter->name);
		ck_assert_msg(!is_switch || parameter->option[0] != '\0', "%s", parameter->name);
		ck_assert_msg(!is_switch || parameter_is_negated(parameter) ||
				      strcmp(parameter->option, parameter->name) == 0,
			      "%s", parameter->name);
		for (size_t i = 0; i < GLOBAL_COUNT; i++)
			ck_assert_str_ne(parameter->option, global_option_table[i].name);
	}
}
END_TEST

static const struct {
	const char *string;
	int64_t milliseconds; /**< negative when it is refused */
} durations[] = {
	{ "0", 0 },
	{ "0s", 0 },
	{ "250ms", 250 },
	{ "30s", 30 * 1000 },
	{ "5m", 5 * 60 * 1000 },
	{ "2h", 2 * 60 * 60 * 1000 },
	{ "1d", 24 * 60 * 60 * 1000 },
	{ "1m30s", 90 * 1000 },
	{ "1.5s", 1500 },
	{ "0.25h", 15 * 60 * 1000 },
	{ "1h0.5s", 60 * 60 * 1000 + 500 },
	{ "", -1 },
	{ "5", -1 },
	{ "s", -1 },
	{ "5 s", -1 },
	{ " 5s", -1 },
	{ "5s ", -1 },
	{ "-5s", -1 },
	{ "+5s", -1 },
	{ "5.s", -1 },
	{ ".5s", -1 },
	{ "1.1234567s", -1 },
	{ "5x", -1 },
	{ "5ss", -1 },
	{ "99999999999999999999s", -1 },
	{ "9223372036854775807s", -1 },
	{ "106751991168d1d", -1 },
};

START_TEST(durations_are_parsed)
{
	int64_t milliseconds = -1;

	ck_assert_int_eq(duration_parse(durations[_i].string, &milliseconds), durations[_i].milliseconds >= 0);
	ck_assert_int_eq(milliseconds, durations[_i].milliseconds);
}
END_TEST

static const struct {
	double seconds;
	const char *string;
} formatted[] = {
	{ 0, "0s" },      { -3, "0s" },     { 1.54, "1.5s" },   { 9.99, "9s" },  { 59.9, "59s" },
	{ 200, "3m20s" }, { 7500, "2h5m" }, { 273600, "3d4h" }, { 1e300, "0s" },
};

START_TEST(durations_are_formatted)
{
	char buffer[DURATION_TEXT_SIZE];

	ck_assert_str_eq(duration_format(buffer, sizeof(buffer), formatted[_i].seconds), formatted[_i].string);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

int main(void)
{
	Suite *suite = suite_create("command_line");
	TCase *tcase = tcase_create("command_line");

	tcase_add_loop_test(tcase, params_are_made_by_the_rows, 0, COUNT(accepted));
	tcase_add_loop_test(tcase, nonsense_is_refused_with_words, 0, COUNT(refused));
	tcase_add_test(tcase, global_options_stand_anywhere);
	tcase_add_test(tcase, nothing_is_set_without_options);
	tcase_add_test(tcase, help_needs_no_arguments);
	tcase_add_test(tcase, version_needs_no_command);
	tcase_add_loop_test(tcase, rows_fit_the_client, 0, COMMAND_COUNT);
	tcase_add_loop_test(tcase, durations_are_parsed, 0, COUNT(durations));
	tcase_add_loop_test(tcase, durations_are_formatted, 0, COUNT(formatted));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
