/*
 * table.h - cells in columns that are as wide as their widest cell.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include "output.h"

#include <stdbool.h>
#include <stddef.h>

struct table_cell {
	char *text;
	enum style style;
};

/** Filled cell by cell, row after row. Set `columns`; the rest zeroed is an empty table. */
struct table {
	size_t columns;
	struct table_cell *cells;
	size_t count;
	size_t size;
	bool failed; /**< there was no memory for a cell */
};

/** Adds a cell. A line break in it is shown as a blank. */
void table_add(struct table *table, enum style style, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** Writes the rows, each behind `indent` blanks; tells `output` when the table failed. */
void table_print(const struct table *table, struct output *output, int indent);
void table_finish(struct table *table);

#endif
