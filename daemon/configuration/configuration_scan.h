/*
 * configuration_scan.h - makes the text of a configuration fit for libConfuse, and finds what libConfuse would not.
 *
 * libConfuse stops at the first mistake in the grammar, counts the line of a comment twice, does not take comments
 * inside of lists, skips characters it does not know, and loses memory when it stops in the middle. So the text goes
 * through this scan first: comments, and statements with a mistake, are replaced by blanks; each mistake is a problem
 * with its line; what is left is right by grammar and has only names that are known. What a value means is not looked
 * at here.
 */
#ifndef DAEMON_CONFIGURATION_CONFIGURATION_SCAN_H
#define DAEMON_CONFIGURATION_CONFIGURATION_SCAN_H

#include "base/text.h"
#include "configuration/problems.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>

/** Longest name of a listener or pool. */
#define CONFIGURATION_NAME_MAX 48

/** A block that is left in the text, in its order. */
struct scan_block {
	enum setting_scope scope;
	char name[CONFIGURATION_NAME_MAX + 1]; /**< "" for blocks without a name */
	unsigned line;
	bool damaged;    /**< a statement was taken out of it */
	unsigned *lines; /**< for each row of settings_table(): the line of the setting, 0 when it is not there */
};

/** Zeroed is empty and valid. */
struct configuration_scan {
	struct text text; /**< what libConfuse may read */
	struct scan_block *blocks;
	size_t block_count;
};

/**
 * Scans.
 *
 * @param scan    zeroed before; the caller finishes it in any case
 * @param file    place of the file, line 0
 * @return false when there was no memory; mistakes are only in `problems`
 */
bool configuration_scan(struct configuration_scan *scan, const struct place *file, const char *text,
			struct problem_list *problems);
void configuration_scan_finish(struct configuration_scan *scan);

/** @return true for 1 to CONFIGURATION_NAME_MAX of A-Z a-z 0-9 _ . - */
bool configuration_name_is_valid(const char *name);

#endif
