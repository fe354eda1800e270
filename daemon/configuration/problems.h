/*
 * problems.h - what is wrong with a configuration: collected in any order, said in the order of the files.
 */
#ifndef DAEMON_CONFIGURATION_PROBLEMS_H
#define DAEMON_CONFIGURATION_PROBLEMS_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/** Where something stands. */
struct place {
	const char *file; /**< as people know it, or "option -b" */
	size_t number;    /**< of the file in the order of reading, for sorting */
	unsigned line;    /**< 0: the whole file */
};

/** Zeroed is empty and valid. */
struct problem_list {
	struct problem *items;
	size_t count;
	bool failed; /**< there was no memory to remember one */
};

/** Remembers a problem. */
void problem_list_add(struct problem_list *list, const struct place *place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** @return true when nothing was added. */
bool problem_list_is_empty(const struct problem_list *list);

/** Appends one line for each problem, sorted by place, and makes the list empty. */
void problem_list_flush(struct problem_list *list, struct text *text);

/** Writes "site.conf:12", or "site.conf" for the whole file. @return buffer */
const char *place_print(const struct place *place, char *buffer, size_t size);

#endif
