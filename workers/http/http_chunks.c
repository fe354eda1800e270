#include "http_chunks.h"

#include "http_token.h"

/* A size of more digits than these is larger than any file. */
#define SIZE_MAX_BYTES (UINT64_MAX >> 8)

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_token(char c)
{
	return http_token_end(&c, &c + 1) == &c + 1;
}

static bool is_text(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

/** What may follow a size or an extension. */
static enum http_chunks_state behind_extension(char c)
{
	if (c == ';')
		return HTTP_CHUNKS_EXTENSION;
	return c == '\r' ? HTTP_CHUNKS_SIZE_LF : HTTP_CHUNKS_BAD;
}

static enum http_chunks_state take_size(struct http_chunks *chunks, char c)
{
	int digit = digit_of(c);

	if (digit < 0)
		return chunks->has_digit ? behind_extension(c) : HTTP_CHUNKS_BAD;
	if (chunks->left > SIZE_MAX_BYTES)
		return HTTP_CHUNKS_BAD;
	chunks->left = chunks->left * 16 + (uint64_t)digit;
	chunks->has_digit = true;
	return HTTP_CHUNKS_SIZE;
}

/** From the ';' behind a size to the end of its line. */
static enum http_chunks_state take_extension(enum http_chunks_state state, char c)
{
	switch ((int)state) {
	case HTTP_CHUNKS_EXTENSION:
		return is_token(c) ? HTTP_CHUNKS_NAME : HTTP_CHUNKS_BAD;
	case HTTP_CHUNKS_NAME:
		if (c == '=')
			return HTTP_CHUNKS_VALUE;
		return is_token(c) ? HTTP_CHUNKS_NAME : behind_extension(c);
	case HTTP_CHUNKS_VALUE:
		if (c == '"')
			return HTTP_CHUNKS_QUOTED;
		return is_token(c) ? HTTP_CHUNKS_TOKEN : HTTP_CHUNKS_BAD;
	case HTTP_CHUNKS_TOKEN:
		return is_token(c) ? HTTP_CHUNKS_TOKEN : behind_extension(c);
	case HTTP_CHUNKS_QUOTED:
		if (c == '"')
			return HTTP_CHUNKS_QUOTED_END;
		if (c == '\\')
			return HTTP_CHUNKS_ESCAPED;
		return is_text(c) ? HTTP_CHUNKS_QUOTED : HTTP_CHUNKS_BAD;
	case HTTP_CHUNKS_ESCAPED:
		return is_text(c) ? HTTP_CHUNKS_QUOTED : HTTP_CHUNKS_BAD;
	default:
		return behind_extension(c);
	}
}

static enum http_chunks_state take_trailer(enum http_chunks_state state, char c)
{
	switch ((int)state) {
	case HTTP_CHUNKS_TRAILER:
		if (c == '\r')
			return HTTP_CHUNKS_LAST_LF;
		return is_token(c) ? HTTP_CHUNKS_TRAILER_NAME : HTTP_CHUNKS_BAD;
	case HTTP_CHUNKS_TRAILER_NAME:
		if (c == ':')
			return HTTP_CHUNKS_TRAILER_VALUE;
		return is_token(c) ? HTTP_CHUNKS_TRAILER_NAME : HTTP_CHUNKS_BAD;
	case HTTP_CHUNKS_TRAILER_VALUE:
		if (c == '\r')
			return HTTP_CHUNKS_TRAILER_LF;
		return is_text(c) ? HTTP_CHUNKS_TRAILER_VALUE : HTTP_CHUNKS_BAD;
	case HTTP_CHUNKS_TRAILER_LF:
		return c == '\n' ? HTTP_CHUNKS_TRAILER : HTTP_CHUNKS_BAD;
	default:
		return c == '\n' ? HTTP_CHUNKS_DONE : HTTP_CHUNKS_BAD;
	}
}

/** The ends of lines around a chunk's bytes. */
static enum http_chunks_state take_line_end(struct http_chunks *chunks, char c)
{
	switch ((int)chunks->state) {
	case HTTP_CHUNKS_SIZE_LF:
		if (c != '\n')
			return HTTP_CHUNKS_BAD;
		chunks->announced += chunks->left;
		return chunks->left > 0 ? HTTP_CHUNKS_DATA : HTTP_CHUNKS_TRAILER;
	case HTTP_CHUNKS_DATA_CR:
		return c == '\r' ? HTTP_CHUNKS_DATA_LF : HTTP_CHUNKS_BAD;
	default:
		chunks->has_digit = false;
		return c == '\n' ? HTTP_CHUNKS_SIZE : HTTP_CHUNKS_BAD;
	}
}

static enum http_chunks_state take(struct http_chunks *chunks, char c)
{
	if (chunks->state == HTTP_CHUNKS_SIZE)
		return take_size(chunks, c);
	if (chunks->state < HTTP_CHUNKS_SIZE_LF)
		return take_extension(chunks->state, c);
	if (chunks->state < HTTP_CHUNKS_TRAILER)
		return take_line_end(chunks, c);
	return take_trailer(chunks->state, c);
}

bool http_chunks_check(struct http_chunks *chunks, const char *bytes, size_t length)
{
	size_t position = 0;

	while (position < length && chunks->state != HTTP_CHUNKS_DONE && chunks->state != HTTP_CHUNKS_BAD) {
		if (chunks->state == HTTP_CHUNKS_DATA) {
			size_t rest = length - position;
			size_t skip = chunks->left < rest ? (size_t)chunks->left : rest;

			position += skip;
			chunks->left -= skip;
			if (chunks->left == 0)
				chunks->state = HTTP_CHUNKS_DATA_CR;
			continue;
		}
		chunks->state = take(chunks, bytes[position++]);
	}
	return chunks->state != HTTP_CHUNKS_BAD;
}
