/*
 * progress.c - how far an operation is.
 */
#include "progress.h"

#include "member.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/** Characters of a bar. */
#define BAR_WIDTH 20
/** Lines of a terminal that does not tell. */
#define USUAL_LINES 24

/* Between these two the terminal cuts lines at its edge instead of wrapping them, so that a bar is always one line. */
static const char wrap_off[] = "\033[?7l";
static const char wrap_on[] = "\033[?7h";
static const char erase_below[] = "\033[J";

/** What the last notification said about a pool. */
struct progress_pool {
	char *name;
	long long wanted;
	long long ready_new;
	long long starting_new;
	long long ready_old;
	long long leaving;
	long long failed_starts;
};

void progress_init(struct progress *progress, struct output *output)
{
	*progress = (struct progress){ .output = output };
}

static struct progress_pool *pool_find(struct progress *progress, const char *name)
{
	struct progress_pool *pools;
	char *copy;

	for (size_t i = 0; i < progress->count; i++) {
		if (strcmp(progress->pools[i].name, name) == 0)
			return &progress->pools[i];
	}
	copy = strdup(name);
	pools = reallocarray(progress->pools, progress->count + 1, sizeof(*pools));
	if (pools != NULL)
		progress->pools = pools;
	if (pools == NULL || copy == NULL) {
		free(copy);
		return NULL;
	}
	pools[progress->count] = (struct progress_pool){ .name = copy };
	return &pools[progress->count++];
}

static void pool_note(struct progress_pool *pool, const json_t *params)
{
	pool->wanted = member_integer(params, "wanted");
	pool->ready_new = member_integer(params, "ready_new");
	pool->starting_new = member_integer(params, "starting_new");
	pool->ready_old = member_integer(params, "ready_old");
	pool->leaving = member_integer(params, "leaving");
	pool->failed_starts = member_integer(params, "failed_starts");
}

static void bars_erase(struct progress *progress)
{
	char up[32];

	if (progress->drawn == 0)
		return;
	snprintf(up, sizeof(up), "\033[%zuA\r", progress->drawn);
	output_control(progress->output, up);
	output_control(progress->output, erase_below);
	progress->drawn = 0;
}

/* How many of the characters are for `count` of `wanted` workers. */
static int bar_cells(long long count, long long wanted, int room)
{
	double cells;

	if (wanted <= 0 || count <= 0)
		return 0;
	cells = (double)count / (double)wanted * BAR_WIDTH;
	return cells < room ? (int)cells : room;
}

static void cells_print(struct output *output, enum style style, char character, int count)
{
	char cells[BAR_WIDTH + 1];

	memset(cells, character, sizeof(cells));
	cells[count] = '\0';
	output_print(output, style, "%s", cells);
}

static void bar_draw(struct output *output, const struct progress_pool *pool, int name_width)
{
	const int ready = bar_cells(pool->ready_new, pool->wanted, BAR_WIDTH);
	const int starting = bar_cells(pool->starting_new, pool->wanted, BAR_WIDTH - ready);

	output_inline(output, STYLE_STRONG, pool->name);
	output_print(output, STYLE_PLAIN, "%*s [", name_width - (int)output_columns(pool->name), "");
	cells_print(output, STYLE_GOOD, '#', ready);
	cells_print(output, STYLE_CHANGING, '+', starting);
	cells_print(output, STYLE_FAINT, '.', BAR_WIDTH - ready - starting);
	output_print(output, STYLE_PLAIN, "] %lld/%lld ready", pool->ready_new, pool->wanted);
	if (pool->starting_new > 0)
		output_print(output, STYLE_CHANGING, ", %lld starting", pool->starting_new);
	if (pool->ready_old > 0)
		output_print(output, STYLE_PLAIN, ", %lld of the old ready", pool->ready_old);
	if (pool->leaving > 0)
		output_print(output, STYLE_PLAIN, ", %lld leaving", pool->leaving);
	if (pool->failed_starts > 0)
		output_print(output, STYLE_BAD, ", %lld failed", pool->failed_starts);
	output_print(output, STYLE_PLAIN, "\n");
}

static size_t lines_of_terminal(const struct output *output)
{
	struct winsize size;

	if (ioctl(fileno(output->stream), TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
		return size.ws_row;
	return USUAL_LINES;
}

/* What has scrolled out of the terminal cannot be rewritten: with more pools than lines the last ones have no bar. */
static void bars_draw(struct progress *progress)
{
	const size_t room = lines_of_terminal(progress->output) - 1;
	size_t name_width = 0;

	for (size_t i = 0; i < progress->count; i++) {
		const size_t width = output_columns(progress->pools[i].name);

		if (width > name_width)
			name_width = width;
	}
	output_control(progress->output, wrap_off);
	for (size_t i = 0; i < progress->count && i < room; i++) {
		bar_draw(progress->output, &progress->pools[i], (int)name_width);
		progress->drawn++;
	}
	output_control(progress->output, wrap_on);
}

void progress_update(struct progress *progress, const json_t *params)
{
	const char *name = member_string(params, "pool");
	const char *event = member_string(params, "event");
	struct progress_pool *pool;

	if (progress->output->is_terminal)
		bars_erase(progress);
	if (event[0] != '\0')
		output_line(progress->output, STYLE_PLAIN, "%s", event);
	if (!progress->output->is_terminal)
		return;
	pool = name[0] != '\0' ? pool_find(progress, name) : NULL;
	if (pool != NULL)
		pool_note(pool, params);
	bars_draw(progress);
}

void progress_finish(struct progress *progress)
{
	bars_erase(progress);
	for (size_t i = 0; i < progress->count; i++)
		free(progress->pools[i].name);
	free(progress->pools);
	progress->pools = NULL;
	progress->count = 0;
}
