#include "configuration/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/** Longest place that is printed. */
#define PLACE_SIZE 512

struct problem {
	size_t file;
	unsigned line;
	size_t sequence; /**< of adding, because qsort(3) is not stable */
	char *text;      /**< the whole line, owned */
};

const char *place_print(const struct place *place, char *buffer, size_t size)
{
	if (place->line > 0)
		(void)snprintf(buffer, size, "%s:%u", place->file, place->line);
	else
		(void)snprintf(buffer, size, "%s", place->file);
	return buffer;
}

static bool append(struct problem_list *list, const struct place *place, char *text)
{
	struct problem *items = reallocarray(list->items, list->count + 1, sizeof(*items));

	if (items == NULL)
		return false;
	list->items = items;
	items[list->count] =
		(struct problem){ .file = place->number, .line = place->line, .sequence = list->count, .text = text };
	list->count++;
	return true;
}

void problem_list_add(struct problem_list *list, const struct place *place, const char *fmt, ...)
{
	struct text text = { 0 };
	char where[PLACE_SIZE];
	va_list arguments;

	text_append(&text, "%s: ", place_print(place, where, sizeof(where)));
	va_start(arguments, fmt);
	text_append_list(&text, fmt, arguments);
	va_end(arguments);
	text_append(&text, "\n");
	if (text.failed || !append(list, place, text.data)) {
		text_finish(&text);
		list->failed = true;
	}
}

bool problem_list_is_empty(const struct problem_list *list)
{
	return list->count == 0 && !list->failed;
}

static int compare(const void *a, const void *b)
{
	const struct problem *left = a;
	const struct problem *right = b;

	if (left->file != right->file)
		return left->file < right->file ? -1 : 1;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->sequence < right->sequence ? -1 : 1;
}

void problem_list_flush(struct problem_list *list, struct text *text)
{
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	for (size_t i = 0; i < list->count; i++) {
		text_append(text, "%s", list->items[i].text);
		free(list->items[i].text);
	}
	if (list->failed)
		text_append(text, "there is no memory to read the configuration\n");
	free(list->items);
	*list = (struct problem_list){ 0 };
}
