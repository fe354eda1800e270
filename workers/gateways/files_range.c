#include "files_range.h"

#include "files_list.h"

#include <stdbool.h>
#include <strings.h>

/** Reads digits and moves on; a number too large is the largest. @return false without a digit */
static bool parse_number(const char **at, const char *end, int64_t *number)
{
	const char *begin = *at;
	int digit;

	*number = 0;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		digit = **at - '0';
		*number = *number > (INT64_MAX - digit) / 10 ? INT64_MAX : *number * 10 + digit;
	}
	return *at > begin;
}

/** "-500": so many bytes at the end. */
static bool parse_suffix(const char *at, const char *end, int64_t size, struct files_range *range)
{
	int64_t length;

	if (!parse_number(&at, end, &length) || at != end)
		return false;
	range->length = length < size ? length : size;
	range->first = size - range->length;
	return true;
}

/** One of "0-99", "100-", "-500". A length of 0: not in the file. @return false when it is none of them */
static bool parse_range(const char *at, const char *end, int64_t size, struct files_range *range)
{
	int64_t last = INT64_MAX;

	if (*at == '-')
		return parse_suffix(at + 1, end, size, range);
	if (!parse_number(&at, end, &range->first) || at == end || *at != '-')
		return false;
	at++;
	if (at < end && (!parse_number(&at, end, &last) || at != end || last < range->first))
		return false;
	if (last >= size)
		last = size - 1;
	range->length = range->first < size ? last - range->first + 1 : 0;
	return true;
}

/** @return where the list of ranges begins, or NULL when the unit is another one */
static const char *skip_unit(const char *at, const char *end)
{
	static const char unit[] = "bytes=";
	const size_t length = sizeof(unit) - 1;

	if ((size_t)(end - at) < length || strncasecmp(at, unit, length) != 0)
		return NULL;
	return at + length;
}

enum files_range_verdict files_range_parse(const char *value, size_t length, int64_t size, struct files_range *ranges,
					   size_t *count)
{
	const char *end = value + length;
	const char *at = skip_unit(value, end);
	struct files_range range;
	size_t asked = 0;
	int64_t left = size;
	bool is_abuse = false;
	const char *item;
	size_t item_length;

	*count = 0;
	while (at != NULL && files_list_next(&at, end, &item, &item_length)) {
		if (!parse_range(item, item + item_length, size, &range))
			return FILES_RANGE_IGNORED;
		is_abuse = is_abuse || ++asked > FILES_RANGES_MAX || range.length > left;
		if (range.length == 0 || is_abuse)
			continue;
		left -= range.length;
		ranges[(*count)++] = range;
	}
	if (asked == 0)
		return FILES_RANGE_IGNORED;
	return *count > 0 && !is_abuse ? FILES_RANGE_PARTS : FILES_RANGE_REFUSED;
}
