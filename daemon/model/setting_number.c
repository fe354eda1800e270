/*
 * setting_number.c - kinds whose value is a number in some clothes: numbers, modes, signals, times.
 */
#include "model/setting_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Longest text of a duration: all units, each with the digits of an int64_t at most. */
#define DURATION_TEXT_SIZE 64

#define PARSE(kind)                                                                                                    \
	static bool parse_##kind(const struct setting *setting, void *member, const char *const *values, size_t count, \
				 struct error *error)
#define PRINT(kind) static void print_##kind(const struct setting *setting, const void *member, struct text *text)

/* ---- signals */

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },     { "QUIT", SIGQUIT }, { "ILL", SIGILL },   { "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT }, { "BUS", SIGBUS },     { "FPE", SIGFPE },   { "KILL", SIGKILL }, { "USR1", SIGUSR1 },
	{ "SEGV", SIGSEGV }, { "USR2", SIGUSR2 },   { "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
	{ "CHLD", SIGCHLD }, { "CONT", SIGCONT },   { "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },
	{ "TTOU", SIGTTOU }, { "URG", SIGURG },     { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF }, { "WINCH", SIGWINCH }, { "IO", SIGIO },     { "PWR", SIGPWR },   { "SYS", SIGSYS },
};

int setting_signal_number(const char *name)
{
	if (strncmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].number;
	}
	return 0;
}

const char *setting_signal_name(int number)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (signals[i].number == number)
			return signals[i].name;
	}
	return NULL;
}

PARSE(signal)
{
	int number = setting_signal_number(values[0]);

	(void)setting;
	(void)count;
	if (number == 0)
		return error_set(error, ERROR_CONFIGURATION, "`%s` is not a signal, as TERM or QUIT", values[0]);
	if (number == SIGSTOP || number == SIGTSTP || number == SIGCONT || number == SIGCHLD)
		return error_set(error, ERROR_CONFIGURATION, "%s does not end a process", values[0]);
	*(int *)member = number;
	return true;
}

PRINT(signal)
{
	const char *name = setting_signal_name(*(const int *)member);

	(void)setting;
	text_append(text, "%s", name != NULL ? name : "TERM");
}

/* ---- numbers */

static bool refuse_range(const struct setting *setting, const char *value, struct error *error)
{
	return error_set(error, ERROR_CONFIGURATION, "`%s` is not a number from %" PRId64 " to %" PRId64, value,
			 setting->minimum, setting->maximum);
}

PARSE(integer)
{
	int64_t number;

	(void)count;
	if (!text_parse_integer(values[0], &number) || number < setting->minimum || number > setting->maximum)
		return refuse_range(setting, values[0], error);
	*(int *)member = (int)number;
	return true;
}

PRINT(integer)
{
	(void)setting;
	text_append(text, "%d", *(const int *)member);
}

static int count_processors(int64_t maximum)
{
	cpu_set_t set;
	int64_t processors;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		processors = CPU_COUNT(&set);
	else
		processors = sysconf(_SC_NPROCESSORS_ONLN);
	if (processors < 1)
		return 1;
	return (int)(processors < maximum ? processors : maximum);
}

PARSE(workers)
{
	if (strcmp(values[0], "auto") != 0) {
		if (parse_integer(setting, member, values, count, error))
			return true;
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is neither auto nor a number from %" PRId64 " to %" PRId64, values[0],
				 setting->minimum, setting->maximum);
	}
	*(int *)member = count_processors(setting->maximum);
	return true;
}

PARSE(share)
{
	char digits[16];
	size_t length = strlen(values[0]);
	bool percent = length > 0 && length < sizeof(digits) && values[0][length - 1] == '%';
	int64_t maximum = percent ? 100 : setting->maximum;
	int64_t number;

	(void)count;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)(percent ? length - 1 : sizeof(digits) - 1), values[0]);
	if (length >= sizeof(digits) || !text_parse_integer(digits, &number) || number < 0 || number > maximum)
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is neither a number from 0 to %" PRId64 " nor a percentage from 0%% to 100%%",
				 values[0], setting->maximum);
	*(struct share *)member = (struct share){ .value = (int)number, .percent = percent };
	return true;
}

PRINT(share)
{
	const struct share *share = member;

	(void)setting;
	text_append(text, "%d%s", share->value, share->percent ? "%" : "");
}

PARSE(boolean)
{
	(void)setting;
	(void)count;
	if (!text_parse_boolean(values[0], member))
		return error_set(error, ERROR_CONFIGURATION, "`%s` is neither yes nor no", values[0]);
	return true;
}

PRINT(boolean)
{
	(void)setting;
	text_append(text, "%s", *(const bool *)member ? "yes" : "no");
}

PARSE(mode)
{
	long number = 0;
	char *end;

	(void)count;
	if (isdigit((unsigned char)values[0][0]) && strlen(values[0]) <= 5) {
		number = strtol(values[0], &end, 8);
		if (*end == '\0' && number <= setting->maximum) {
			*(int *)member = (int)number;
			return true;
		}
	}
	return error_set(error, ERROR_CONFIGURATION, "`%s` is not an octal mode from 0 to 0777", values[0]);
}

PRINT(mode)
{
	int mode = *(const int *)member;

	(void)setting;
	if (mode >= 0)
		text_append(text, "0%03o", (unsigned)mode);
}

/* ---- times */

static bool parse_time(const struct setting *setting, const char *string, int64_t *milliseconds, struct error *error)
{
	char minimum[DURATION_TEXT_SIZE];
	char maximum[DURATION_TEXT_SIZE];
	int64_t parsed;

	if (!text_parse_duration(string, &parsed))
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is not a time: a number with a unit, as 250ms, 30s, 5m or 1h30m", string);
	if (parsed < setting->minimum || parsed > setting->maximum)
		return error_set(error, ERROR_CONFIGURATION, "`%s` is not between %s and %s", string,
				 text_format_duration(minimum, sizeof(minimum), setting->minimum),
				 text_format_duration(maximum, sizeof(maximum), setting->maximum));
	*milliseconds = parsed;
	return true;
}

PARSE(duration)
{
	(void)count;
	return parse_time(setting, values[0], member, error);
}

PRINT(duration)
{
	char buffer[DURATION_TEXT_SIZE];

	(void)setting;
	text_append(text, "%s", text_format_duration(buffer, sizeof(buffer), *(const int64_t *)member));
}

PARSE(pauses)
{
	struct string_list words = { 0 };
	struct pauses pauses = { 0 };
	bool done = false;

	(void)count;
	if (!text_split_words(values[0], &words, error))
		return false;
	if (words.count != 2)
		(void)error_set(error, ERROR_CONFIGURATION,
				"`%s` is not two times, the first and the longest pause, as \"100ms 30s\"", values[0]);
	else
		done = parse_time(setting, words.items[0], &pauses.first_ms, error) &&
		       parse_time(setting, words.items[1], &pauses.longest_ms, error);
	string_list_finish(&words);
	if (!done)
		return false;
	if (pauses.first_ms > pauses.longest_ms)
		return error_set(error, ERROR_CONFIGURATION, "the first pause is longer than the longest");
	*(struct pauses *)member = pauses;
	return true;
}

PRINT(pauses)
{
	const struct pauses *pauses = member;
	char first[DURATION_TEXT_SIZE];
	char longest[DURATION_TEXT_SIZE];

	(void)setting;
	text_append(text, "\"%s %s\"", text_format_duration(first, sizeof(first), pauses->first_ms),
		    text_format_duration(longest, sizeof(longest), pauses->longest_ms));
}

static bool parse_rate_words(const struct setting *setting, const struct string_list *words, struct rate *rate)
{
	int64_t count;

	if (words->count != 3 || strcmp(words->items[1], "in") != 0 || !text_parse_integer(words->items[0], &count) ||
	    count < setting->minimum || count > setting->maximum ||
	    !text_parse_duration(words->items[2], &rate->window_ms))
		return false;
	rate->count = (int)count;
	return rate->window_ms >= 1;
}

PARSE(rate)
{
	struct string_list words = { 0 };
	struct rate rate = { 0 };
	bool done;

	(void)count;
	if (strcmp(values[0], "never") == 0) {
		*(struct rate *)member = rate;
		return true;
	}
	if (!text_split_words(values[0], &words, error))
		return false;
	done = parse_rate_words(setting, &words, &rate);
	string_list_finish(&words);
	if (!done)
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is neither never nor a number from %" PRId64 " to %" PRId64
				 " in a time, as \"10 in 60s\"",
				 values[0], setting->minimum, setting->maximum);
	*(struct rate *)member = rate;
	return true;
}

PRINT(rate)
{
	const struct rate *rate = member;
	char window[DURATION_TEXT_SIZE];

	(void)setting;
	if (rate->count == 0)
		text_append(text, "never");
	else
		text_append(text, "\"%d in %s\"", rate->count,
			    text_format_duration(window, sizeof(window), rate->window_ms));
}

/* ---- */

static const struct setting_type types[SETTING_EXITS + 1] = {
	[SETTING_BOOLEAN] = { .parse = parse_boolean, .print = print_boolean },
	[SETTING_INTEGER] = { .parse = parse_integer, .print = print_integer },
	[SETTING_WORKERS] = { .parse = parse_workers, .print = print_integer },
	[SETTING_SHARE] = { .parse = parse_share, .print = print_share },
	[SETTING_DURATION] = { .parse = parse_duration, .print = print_duration },
	[SETTING_PAUSES] = { .parse = parse_pauses, .print = print_pauses },
	[SETTING_RATE] = { .parse = parse_rate, .print = print_rate },
	[SETTING_MODE] = { .parse = parse_mode, .print = print_mode },
	[SETTING_SIGNAL] = { .parse = parse_signal, .print = print_signal },
};

const struct setting_type *setting_number_type(enum setting_kind kind)
{
	return types[kind].parse != NULL ? &types[kind] : NULL;
}
