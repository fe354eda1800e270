/*
 * duration.c - durations as people write and read them.
 */
#include "duration.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/** Digits behind the decimal point that can matter; more are refused. */
#define FRACTION_DIGITS 6

/* "ms" comes before "m", which is its beginning. */
static const struct unit {
	const char *name;
	int64_t milliseconds;
} units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "d", 24 * 60 * 60 * 1000 },
};

static const struct unit *unit_find(const char *string)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strncmp(string, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	}
	return NULL;
}

static bool whole_parse(const char **cursor, int64_t *whole)
{
	if (!isdigit((unsigned char)**cursor))
		return false;
	*whole = 0;
	for (; isdigit((unsigned char)**cursor); (*cursor)++) {
		if (__builtin_mul_overflow(*whole, (int64_t)10, whole) ||
		    __builtin_add_overflow(*whole, (int64_t)(**cursor - '0'), whole))
			return false;
	}
	return true;
}

/* Gives the digits behind the point as millionths. */
static bool fraction_parse(const char **cursor, int64_t *millionths)
{
	int digits = 0;

	*millionths = 0;
	if (**cursor != '.')
		return true;
	for ((*cursor)++; isdigit((unsigned char)**cursor); (*cursor)++) {
		if (digits == FRACTION_DIGITS)
			return false;
		*millionths = *millionths * 10 + (**cursor - '0');
		digits++;
	}
	if (digits == 0)
		return false;
	for (; digits < FRACTION_DIGITS; digits++)
		*millionths *= 10;
	return true;
}

static bool part_parse(const char **cursor, int64_t *total)
{
	const struct unit *unit;
	int64_t whole;
	int64_t millionths;

	if (!whole_parse(cursor, &whole) || !fraction_parse(cursor, &millionths))
		return false;
	unit = unit_find(*cursor);
	if (unit == NULL)
		return false;
	*cursor += strlen(unit->name);
	return !__builtin_mul_overflow(whole, unit->milliseconds, &whole) &&
	       !__builtin_add_overflow(*total, whole, total) &&
	       !__builtin_add_overflow(*total, millionths * unit->milliseconds / 1000000, total);
}

bool duration_parse(const char *string, int64_t *milliseconds)
{
	const char *cursor = string;
	int64_t total = 0;

	if (strcmp(string, "0") == 0) {
		*milliseconds = 0;
		return true;
	}
	do {
		if (!part_parse(&cursor, &total))
			return false;
	} while (*cursor != '\0');
	*milliseconds = total;
	return true;
}

const char *duration_format(char *buffer, size_t size, double seconds)
{
	/* Also turns away what is no number and what would not fit into the integer. */
	const long long whole = seconds > 0 && seconds < 1e15 ? (long long)seconds : 0;

	if (seconds > 0 && seconds < 9.95)
		snprintf(buffer, size, "%.1fs", seconds);
	else if (whole < 60)
		snprintf(buffer, size, "%llds", whole);
	else if (whole < 60 * 60)
		snprintf(buffer, size, "%lldm%llds", whole / 60, whole % 60);
	else if (whole < 24 * 60 * 60)
		snprintf(buffer, size, "%lldh%lldm", whole / 3600, whole / 60 % 60);
	else
		snprintf(buffer, size, "%lldd%lldh", whole / 86400, whole / 3600 % 24);
	return buffer;
}
