#include "utf8.h"

#include <string.h>

/** @return the first byte of at least 0x80, or end */
static const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
	while (end - at >= 8) {
		uint64_t word;

		memcpy(&word, at, sizeof(word));
		if ((word & UINT64_C(0x8080808080808080)) != 0)
			break;
		at += 8;
	}
	while (at < end && *at < 0x80)
		at++;
	return at;
}

/** Begins a character of more than one byte. */
static bool check_begin(struct utf8_check *check, unsigned char lead)
{
	check->low = 0x80;
	check->high = 0xbf;
	if (lead < 0xc2 || lead > 0xf4)
		return false;
	if (lead < 0xe0) {
		check->left = 1;
	} else if (lead < 0xf0) {
		check->left = 2;
		check->low = lead == 0xe0 ? 0xa0 : 0x80;
		check->high = lead == 0xed ? 0x9f : 0xbf;
	} else {
		check->left = 3;
		check->low = lead == 0xf0 ? 0x90 : 0x80;
		check->high = lead == 0xf4 ? 0x8f : 0xbf;
	}
	return true;
}

bool utf8_check_feed(struct utf8_check *check, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	const unsigned char *end = at + length;
	/* A copy, for the compiler cannot know that the text is not the check itself. */
	struct utf8_check state = *check;

	while (at < end) {
		if (state.left > 0) {
			if (*at < state.low || *at > state.high)
				return false;
			state.left--;
			state.low = 0x80;
			state.high = 0xbf;
			at++;
		} else if (*at < 0x80) {
			at = skip_ascii(at, end);
		} else if (!check_begin(&state, *at++)) {
			return false;
		}
	}
	*check = state;
	return true;
}

bool utf8_check_is_complete(const struct utf8_check *check)
{
	return check->left == 0;
}

bool utf8_is_valid(const void *bytes, size_t length)
{
	struct utf8_check check = { 0 };

	return utf8_check_feed(&check, bytes, length) && utf8_check_is_complete(&check);
}
