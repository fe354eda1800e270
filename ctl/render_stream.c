/*
 * render_stream.c - events and the output of workers, line by line.
 */
#include "render.h"

#include "member.h"
#include "words.h"

#include <stdlib.h>
#include <time.h>

/** Room for "2026-01-31 23:59:59" and a year that is longer. */
#define TIME_SIZE 40
/** Room for "POOL/SLOT" and more; a longer name is cut. */
#define WORKER_SIZE 256

/* @return milliseconds of the second */
static int time_format(char *buffer, size_t size, double seconds)
{
	/* Half a millisecond, so that 0.1 which is a bit less as a double is not 0.099. */
	const double rounded = seconds + 0.0005;
	const time_t whole = rounded > 0 && rounded < 1e11 ? (time_t)rounded : 0;
	struct tm parts;

	if (localtime_r(&whole, &parts) == NULL || strftime(buffer, size, "%F %T", &parts) == 0)
		snprintf(buffer, size, "%lld", (long long)whole);
	return whole > 0 ? (int)((rounded - (double)whole) * 1000) : 0;
}

/* "app/1", "app" or "", as far as the object says it. */
static void worker_format(char *buffer, size_t size, const json_t *object)
{
	const char *pool = member_string(object, "pool");

	if (pool[0] == '\0' || member_is_null(object, "slot"))
		snprintf(buffer, size, "%s", pool);
	else
		snprintf(buffer, size, "%s/%lld", pool, member_integer(object, "slot"));
}

void render_event(struct output *output, const json_t *event)
{
	const char *name = member_string(event, "event");
	char when[TIME_SIZE];
	char worker[WORKER_SIZE];
	const int milliseconds = time_format(when, sizeof(when), member_number(event, "time"));

	worker_format(worker, sizeof(worker), event);
	output_print(output, STYLE_FAINT, "%s.%03d  %lld  ", when, milliseconds, member_integer(event, "sequence"));
	output_inline(output, words_event_style(name), name);
	output_print(output, STYLE_PLAIN, "%s", worker[0] != '\0' ? "  " : "");
	output_inline(output, STYLE_STRONG, worker);
	if (member_integer(event, "pid") > 0)
		output_print(output, STYLE_PLAIN, " (pid %lld)", member_integer(event, "pid"));
	output_print(output, STYLE_PLAIN, "%s", member_string(event, "text")[0] != '\0' ? "  " : "");
	output_line(output, STYLE_PLAIN, "%s", member_string(event, "text"));
}

void render_log(struct output *output, const json_t *log)
{
	const json_t *text = json_object_get(log, "text");
	char worker[WORKER_SIZE];
	char prefix[WORKER_SIZE + sizeof(" | ")];

	worker_format(worker, sizeof(worker), log);
	snprintf(prefix, sizeof(prefix), "%s | ", worker);
	/* By length: a worker may write NUL characters. */
	output_prefixed(output, prefix, json_string_value(text), json_string_length(text));
}
