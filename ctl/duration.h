/*
 * duration.h - durations as people write and read them.
 */
#ifndef CTL_DURATION_H
#define CTL_DURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Sum of numbers with units ms, s, m, h, d ("250ms", "30s", "1m30s", "1.5s"); "0" needs no unit: the form that the
 * configuration uses.
 *
 * @return false when the string is not of that form or does not fit; *milliseconds is then unchanged
 */
bool duration_parse(const char *string, int64_t *milliseconds);

/** Enough for any duration that duration_format() writes. */
#define DURATION_TEXT_SIZE 32

/** Writes the two largest units ("1.5s", "12s", "3m20s", "2d4h"). @return buffer */
const char *duration_format(char *buffer, size_t size, double seconds);

#endif
