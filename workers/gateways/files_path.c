#include "files_path.h"

#include <string.h>

static int digit_value(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	return -1;
}

/** Decodes one character at *at and moves on. @return it, or -1 for what is no encoding */
static int decode(const char **at, const char *end)
{
	int high;
	int low;

	if (**at != '%')
		return (unsigned char)*(*at)++;
	if (end - *at < 3)
		return -1;
	high = digit_value((*at)[1]);
	low = digit_value((*at)[2]);
	*at += 3;
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_hidden(const char *segment, size_t length, bool is_first)
{
	static const char well_known[] = ".well-known";

	if (length == 0 || segment[0] != '.')
		return false;
	return !is_first || length != sizeof(well_known) - 1 || memcmp(segment, well_known, length) != 0;
}

/** Decodes a segment at *at, to the slash behind it or the end. @return as files_path_decode() */
static int decode_segment(const char **at, const char *end, char *segment, size_t *length)
{
	bool has_slash = false;
	int character;

	*length = 0;
	while (*at < end && **at != '/') {
		character = decode(at, end);
		if (character <= 0)
			return 400;
		has_slash = has_slash || character == '/';
		segment[(*length)++] = (char)character;
	}
	return has_slash ? 404 : 0;
}

int files_path_decode(const char *path, size_t length, char *name)
{
	const char *at = path;
	const char *end = path + length;
	size_t used = 0;
	size_t segment;
	int hidden = 0;
	int status;

	if (length == 0 || *path != '/')
		return 404;
	while (at < end) {
		if (*at == '/') {
			at++;
			continue;
		}
		if (used > 0)
			name[used++] = '/';
		status = decode_segment(&at, end, name + used, &segment);
		if (status == 400)
			return status;
		if (status != 0 || is_hidden(name + used, segment, used == 0))
			hidden = 404;
		used += segment;
	}
	if (end[-1] == '/') {
		if (used > 0)
			name[used++] = '/';
		memcpy(name + used, FILES_INDEX, sizeof(FILES_INDEX) - 1);
		used += sizeof(FILES_INDEX) - 1;
	}
	name[used] = '\0';
	return hidden;
}

static const char *last_segment(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash == NULL ? name : slash + 1;
}

/** May it stand in a path as it is? The unreserved characters of RFC 3986. */
static bool is_unreserved(char character)
{
	return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	       (character >= '0' && character <= '9') || (character != '\0' && strchr("-._~", character) != NULL);
}

size_t files_path_redirect_bytes(const char *name, size_t query_length)
{
	return strlen("./") + 3 * strlen(last_segment(name)) + strlen("/?") + query_length + 1;
}

size_t files_path_redirect(const char *name, const char *query, char *location)
{
	static const char digits[] = "0123456789ABCDEF";
	char *end = location;

	/* The dot keeps a name with a colon from being taken for a scheme. */
	*end++ = '.';
	*end++ = '/';
	for (const char *at = last_segment(name); *at != '\0'; at++) {
		if (is_unreserved(*at)) {
			*end++ = *at;
			continue;
		}
		*end++ = '%';
		*end++ = digits[(unsigned char)*at >> 4];
		*end++ = digits[(unsigned char)*at & 15];
	}
	*end++ = '/';
	if (*query != '\0') {
		*end++ = '?';
		end = stpcpy(end, query);
	}
	*end = '\0';
	return (size_t)(end - location);
}
