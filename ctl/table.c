/*
 * table.c - cells in columns.
 */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>

/** Blanks between two columns. */
#define GAP 2

static bool table_make_room(struct table *table)
{
	const size_t size = table->size > 0 ? table->size * 2 : 64;
	struct table_cell *cells;

	if (table->count < table->size)
		return true;
	cells = reallocarray(table->cells, size, sizeof(*cells));
	if (cells == NULL)
		return false;
	table->cells = cells;
	table->size = size;
	return true;
}

void table_add(struct table *table, enum style style, const char *fmt, ...)
{
	va_list arguments;
	char *text;
	int length;

	if (table->failed)
		return;
	va_start(arguments, fmt);
	length = vasprintf(&text, fmt, arguments);
	va_end(arguments);
	if (length < 0) {
		table->failed = true;
		return;
	}
	if (!table_make_room(table)) {
		free(text);
		table->failed = true;
		return;
	}
	table->cells[table->count++] = (struct table_cell){ .text = text, .style = style };
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t widest = 0;

	for (size_t i = column; i < table->count; i += table->columns) {
		const size_t width = output_columns(table->cells[i].text);

		if (width > widest)
			widest = width;
	}
	return widest;
}

/* The last cell of a row is not padded, and the blanks before an empty one are left out too. */
static void row_print(const struct table *table, size_t first, const size_t *widths, struct output *output)
{
	size_t owed = 0;

	for (size_t i = 0; i < table->columns && first + i < table->count; i++) {
		const struct table_cell *cell = &table->cells[first + i];
		const size_t width = output_columns(cell->text);

		if (width > 0) {
			output_print(output, STYLE_PLAIN, "%*s", (int)owed, "");
			output_inline(output, cell->style, cell->text);
			owed = 0;
		}
		owed += widths[i] - width + GAP;
	}
	output_print(output, STYLE_PLAIN, "\n");
}

void table_print(const struct table *table, struct output *output, int indent)
{
	size_t *widths = calloc(table->columns, sizeof(*widths));

	if (table->failed || widths == NULL)
		output->failed = true;
	for (size_t i = 0; widths != NULL && i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; widths != NULL && i < table->count; i += table->columns) {
		output_print(output, STYLE_PLAIN, "%*s", indent, "");
		row_print(table, i, widths, output);
	}
	free(widths);
}

void table_finish(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i].text);
	free(table->cells);
	*table = (struct table){ .columns = table->columns };
}
