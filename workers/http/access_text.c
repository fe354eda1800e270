#include "access_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** Put behind what was cut. */
static const char cut_mark[] = "...";

static const char hex_digits[] = "0123456789abcdef";

/** May it stand in a line as it is? */
static bool is_plain(enum access_escaping escaping, unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && (c != ' ' || escaping != ACCESS_ESCAPE_WORD);
}

/** @return length of the escape */
static size_t escape_apache(unsigned char c, char escape[6])
{
	escape[0] = '\\';
	if (c == '"' || c == '\\') {
		escape[1] = (char)c;
		return 2;
	}
	escape[1] = 'x';
	escape[2] = hex_digits[c >> 4];
	escape[3] = hex_digits[c & 15];
	return 4;
}

static size_t escape_json(uint32_t code, char escape[6])
{
	escape[0] = '\\';
	if (code == '"' || code == '\\') {
		escape[1] = (char)code;
		return 2;
	}
	escape[1] = 'u';
	for (size_t i = 0; i < 4; i++)
		escape[2 + i] = hex_digits[code >> (12 - 4 * i) & 15];
	return 6;
}

/** What a byte says about its sequence: how long it is and the least code that needs so many bytes. */
static size_t sequence_length(unsigned char first, uint32_t *least)
{
	static const uint32_t least_codes[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = 0;

	if (first < 0x80)
		length = 1;
	else if (first >= 0xc0 && first < 0xe0)
		length = 2;
	else if (first >= 0xe0 && first < 0xf0)
		length = 3;
	else if (first >= 0xf0 && first < 0xf8)
		length = 4;
	*least = least_codes[length];
	return length;
}

/** Reads a character of UTF-8. @return its length, or 0 when the bytes are none */
static size_t decode(const unsigned char *bytes, size_t length, uint32_t *code)
{
	uint32_t least;
	const size_t count = sequence_length(bytes[0], &least);

	if (count == 0 || count > length)
		return 0;
	*code = count == 1 ? bytes[0] : bytes[0] & (0x7fU >> count);
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3f);
	}
	return *code >= least && *code <= 0x10ffff && (*code < 0xd800 || *code > 0xdfff) ? count : 0;
}

/** Line ends that some readers know, C1 controls of terminals, and marks that turn the direction of text. */
static bool is_harmful(uint32_t code)
{
	return code < 0xa0 || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static void text_skip(struct access_text *text, size_t count)
{
	text->bytes += count;
	text->length -= count;
}

/** Takes a character of UTF-8. @param piece  what stands for it @return length of the piece */
static size_t take_json(struct access_text *text, char piece[6])
{
	uint32_t code = 0;
	const size_t count = decode(text->bytes, text->length, &code);

	if (count == 0) {
		text_skip(text, 1);
		return escape_json(0xfffd, piece);
	}
	memcpy(piece, text->bytes, count);
	text_skip(text, count);
	return is_harmful(code) ? escape_json(code, piece) : count;
}

static size_t take_apache(struct access_text *text, char piece[6])
{
	const unsigned char c = text->bytes[0];

	text_skip(text, 1);
	return escape_apache(c, piece);
}

/** Copies bytes that are plain, at most `limit` of them. */
static char *put_plain(enum access_escaping escaping, char *at, struct access_text *text, size_t limit)
{
	size_t span = 0;

	if (limit > text->length)
		limit = text->length;
	while (span < limit && is_plain(escaping, text->bytes[span]))
		span++;
	memcpy(at, text->bytes, span);
	text_skip(text, span);
	return at + span;
}

static char *put_cut_mark(char *at)
{
	memcpy(at, cut_mark, sizeof(cut_mark) - 1);
	return at + sizeof(cut_mark) - 1;
}

char *access_text_put(enum access_escaping escaping, char *at, struct access_text text, size_t limit)
{
	const char *end = at + limit - (sizeof(cut_mark) - 1);

	while (text.length > 0) {
		char piece[6];
		size_t length;

		at = put_plain(escaping, at, &text, (size_t)(end - at));
		if (text.length == 0)
			break;
		if (at == end)
			return put_cut_mark(at);
		length = escaping == ACCESS_ESCAPE_JSON ? take_json(&text, piece) : take_apache(&text, piece);
		if ((size_t)(end - at) < length)
			return put_cut_mark(at);
		memcpy(at, piece, length);
		at += length;
	}
	return at;
}
