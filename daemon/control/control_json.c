#include "control/control_json.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/** What stands for a byte that is not UTF-8: U+FFFD. */
#define REPLACEMENT "\xEF\xBF\xBD"
/** Digits of a real: milliseconds since 1970 as seconds need 13. */
#define REAL_DIGITS 15
/** The two clocks are read one after the other; only a difference beyond this is a jump of the wall clock. */
#define CLOCK_TOLERANCE_MS 5

static bool is_within(unsigned char byte, unsigned char lowest, unsigned char highest)
{
	return byte >= lowest && byte <= highest;
}

/** Bytes behind the first one, and the range of the second (Unicode, table 3-7). @return 0 when it cannot be first */
static size_t follow_up(unsigned char first, unsigned char *lowest, unsigned char *highest)
{
	*lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	*highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
	if (is_within(first, 0xC2, 0xDF))
		return 1;
	if (is_within(first, 0xE0, 0xEF))
		return 2;
	return is_within(first, 0xF0, 0xF4) ? 3 : 0;
}

/** @return length of the character at the start of the bytes, 0 when there is none */
static size_t character_length(const unsigned char *bytes, size_t length)
{
	unsigned char lowest, highest;
	size_t more;

	if (bytes[0] < 0x80)
		return 1;
	more = follow_up(bytes[0], &lowest, &highest);
	if (more == 0 || length <= more || !is_within(bytes[1], lowest, highest))
		return 0;
	for (size_t i = 2; i <= more; i++) {
		if (!is_within(bytes[i], 0x80, 0xBF))
			return 0;
	}
	return more + 1;
}

static size_t valid_length(const char *bytes, size_t length)
{
	size_t valid = 0;
	size_t step = 1;

	while (valid < length && step > 0) {
		step = character_length((const unsigned char *)bytes + valid, length - valid);
		valid += step;
	}
	return valid;
}

static json_t *repair(const char *bytes, size_t length)
{
	struct text repaired = { 0 };
	json_t *string = NULL;

	while (length > 0) {
		size_t valid = valid_length(bytes, length);

		text_append_bytes(&repaired, bytes, valid);
		bytes += valid;
		length -= valid;
		if (length > 0) {
			text_append_bytes(&repaired, REPLACEMENT, strlen(REPLACEMENT));
			bytes++;
			length--;
		}
	}
	if (!repaired.failed)
		string = json_stringn_nocheck(text_string(&repaired), repaired.length);
	text_finish(&repaired);
	return string;
}

json_t *control_json_text(const char *bytes, size_t length)
{
	if (valid_length(bytes, length) == length)
		return json_stringn_nocheck(bytes, length);
	return repair(bytes, length);
}

json_t *control_json_string(const char *string)
{
	return control_json_text(string, strlen(string));
}

json_t *control_json_string_or_null(const char *string)
{
	return string[0] != '\0' ? control_json_string(string) : json_null();
}

json_t *control_json_seconds(int64_t milliseconds)
{
	return json_real((double)milliseconds / 1000.0);
}

/** Between the monotonic and the wall clock; held still, so that the same moment is always told the same. */
static int64_t wall_offset(void)
{
	static int64_t offset;
	int64_t now = clock_wall_ms() - clock_monotonic_ms();

	if (llabs(now - offset) > CLOCK_TOLERANCE_MS)
		offset = now;
	return offset;
}

json_t *control_json_time(int64_t at_ms)
{
	return control_json_seconds(at_ms + wall_offset());
}

json_t *control_json_count(uint64_t count)
{
	return json_integer(count < INT64_MAX ? (json_int_t)count : INT64_MAX);
}

json_t *control_json_number_or_null(int64_t number)
{
	return number != 0 ? json_integer(number) : json_null();
}

static int append(const char *bytes, size_t length, void *context)
{
	struct text *line = context;

	text_append_bytes(line, bytes, length);
	return line->failed ? -1 : 0;
}

bool control_json_print(const json_t *value, struct text *line)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(REAL_DIGITS);

	return value != NULL && json_dump_callback(value, append, line, flags) == 0 && append("\n", 1, line) == 0;
}
