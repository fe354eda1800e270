/*
 * progress.h - how far an operation is: one line an event, and on a terminal below them a bar for each pool, rewritten
 * in place.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include "output.h"

#include <stddef.h>

struct progress_pool;

struct progress {
	struct output *output;
	struct progress_pool *pools;
	size_t count;
	size_t drawn; /**< lines of bars that are on the terminal */
};

void progress_init(struct progress *progress, struct output *output);
/** Shows a `progress` notification. */
void progress_update(struct progress *progress, const json_t *params);
/** Takes the bars from the terminal and frees the memory; can be called again. */
void progress_finish(struct progress *progress);

#endif
