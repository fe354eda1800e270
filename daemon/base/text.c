#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- growing strings */

static bool text_reserve(struct text *text, size_t more)
{
	size_t size = text->size > 0 ? text->size : 64;
	char *data;

	if (more >= SIZE_MAX / 2 - text->length) {
		text->failed = true;
		return false;
	}
	while (size < text->length + more + 1)
		size *= 2;
	if (size == text->size)
		return true;
	data = realloc(text->data, size);
	if (data == NULL) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->size = size;
	return true;
}

void text_append_list(struct text *text, const char *fmt, va_list arguments)
{
	va_list again;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (length < 0) {
		text->failed = true;
		return;
	}
	if (!text_reserve(text, (size_t)length))
		return;
	(void)vsnprintf(text->data + text->length, (size_t)length + 1, fmt, arguments);
	text->length += (size_t)length;
}

void text_append(struct text *text, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	text_append_list(text, fmt, arguments);
	va_end(arguments);
}

void text_append_bytes(struct text *text, const char *bytes, size_t length)
{
	if (length == 0 || !text_reserve(text, length))
		return;
	memcpy(text->data + text->length, bytes, length);
	text->length += length;
	text->data[text->length] = '\0';
}

const char *text_string(const struct text *text)
{
	return text->data != NULL ? text->data : "";
}

void text_finish(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

/* ---- lists of strings */

bool string_list_append(struct string_list *list, const char *string)
{
	char **items = reallocarray(list->items, list->count + 2, sizeof(*items));
	char *copy;

	if (items == NULL)
		return false;
	list->items = items;
	copy = strdup(string);
	items[list->count] = copy;
	if (copy == NULL)
		return false;
	list->count++;
	items[list->count] = NULL;
	return true;
}

bool string_list_copy(struct string_list *target, const struct string_list *source)
{
	for (size_t i = 0; i < source->count; i++) {
		if (!string_list_append(target, source->items[i])) {
			string_list_finish(target);
			return false;
		}
	}
	return true;
}

bool string_list_equal(const struct string_list *a, const struct string_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

void string_list_finish(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){ 0 };
}

/* ---- parsers of values */

bool text_parse_integer(const char *string, int64_t *value)
{
	const char *digits = string + (*string == '-' || *string == '+');
	intmax_t number;
	char *end;

	if (!isdigit((unsigned char)*digits))
		return false;
	errno = 0;
	number = strtoimax(string, &end, 10);
	if (*end != '\0' || errno != 0)
		return false;
	*value = number;
	return true;
}

bool text_parse_boolean(const char *string, bool *value)
{
	static const char *const words[][2] = { { "no", "yes" }, { "off", "on" }, { "false", "true" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (int meaning = 0; meaning < 2; meaning++) {
			if (strcmp(string, words[i][meaning]) == 0) {
				*value = meaning == 1;
				return true;
			}
		}
	}
	return false;
}

struct unit {
	const char *name;
	int64_t factor;
};

/** Largest first, as they are printed; "ms" is before "m" because the longest name that fits is the right one. */
static const struct unit duration_units[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "ms", 1 }, { "m", 60000 }, { "s", 1000 },
};

/** Reads the unit at *cursor and goes past it. @return its factor, 0 when there is none */
static int64_t read_duration_unit(const char **cursor)
{
	for (size_t i = 0; i < sizeof(duration_units) / sizeof(duration_units[0]); i++) {
		size_t length = strlen(duration_units[i].name);

		if (strncmp(*cursor, duration_units[i].name, length) == 0) {
			*cursor += length;
			return duration_units[i].factor;
		}
	}
	return 0;
}

/** Reads decimal digits at *cursor. @return false when there are none or the number does not fit */
static bool read_digits(const char **cursor, int64_t *value)
{
	const char *start = *cursor;

	for (*value = 0; isdigit((unsigned char)**cursor); (*cursor)++) {
		if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, **cursor - '0', value))
			return false;
	}
	return *cursor != start;
}

/** Reads "1.5s" and the like and adds it to *sum. What is finer than a millisecond is dropped. */
static bool read_duration_part(const char **cursor, int64_t *sum)
{
	int64_t whole = 0;
	int64_t thousandths = 0;
	int64_t factor;

	if (!read_digits(cursor, &whole))
		return false;
	if (**cursor == '.') {
		const char *digit = *cursor + 1;

		if (!isdigit((unsigned char)*digit))
			return false;
		for (int64_t weight = 100; isdigit((unsigned char)*digit); digit++, weight /= 10)
			thousandths += (*digit - '0') * weight;
		*cursor = digit;
	}
	factor = read_duration_unit(cursor);
	return factor != 0 && !__builtin_mul_overflow(whole, factor, &whole) &&
	       !__builtin_add_overflow(*sum, whole, sum) &&
	       !__builtin_add_overflow(*sum, thousandths * factor / 1000, sum);
}

bool text_parse_duration(const char *string, int64_t *milliseconds)
{
	const char *cursor = string;
	int64_t sum = 0;

	if (strcmp(string, "0") == 0) {
		*milliseconds = 0;
		return true;
	}
	do {
		if (!read_duration_part(&cursor, &sum))
			return false;
	} while (*cursor != '\0');
	*milliseconds = sum;
	return true;
}

bool text_parse_size(const char *string, uint64_t *bytes)
{
	static const char units[] = "kmg";
	const char *cursor = string;
	const char *unit;
	int64_t number;
	uint64_t size;

	if (strcmp(string, "unlimited") == 0) {
		*bytes = UINT64_MAX;
		return true;
	}
	if (!read_digits(&cursor, &number))
		return false;
	size = (uint64_t)number;
	if (*cursor != '\0') {
		unit = strchr(units, tolower((unsigned char)*cursor));
		if (unit == NULL || cursor[1] != '\0' ||
		    __builtin_mul_overflow(size, (uint64_t)1 << (10 * (unit - units + 1)), &size))
			return false;
	}
	*bytes = size;
	return true;
}

const char *text_format_duration(char *buffer, size_t size, int64_t milliseconds)
{
	static const struct unit printed[] = {
		{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
	};
	size_t length = 0;

	if (milliseconds <= 0) {
		(void)snprintf(buffer, size, "0");
		return buffer;
	}
	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		char part[32];
		int count = 0;

		if (milliseconds >= printed[i].factor)
			count = snprintf(part, sizeof(part), "%" PRId64 "%s", milliseconds / printed[i].factor,
					 printed[i].name);
		milliseconds %= printed[i].factor;
		if (count > 0 && length + (size_t)count < size) {
			memcpy(buffer + length, part, (size_t)count + 1);
			length += (size_t)count;
		}
	}
	return buffer;
}
