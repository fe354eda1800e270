#include "files_list.h"

#include <string.h>

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

const char *files_list_skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at;
}

size_t files_list_trim_end(const char *text, size_t length)
{
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	return length;
}

bool files_list_next(const char **at, const char *end, const char **item, size_t *length)
{
	const char *comma;

	while (*at < end) {
		*item = files_list_skip_blanks(*at, end);
		comma = memchr(*item, ',', (size_t)(end - *item));
		if (comma == NULL)
			comma = end;
		*at = comma < end ? comma + 1 : end;
		*length = files_list_trim_end(*item, (size_t)(comma - *item));
		if (*length > 0)
			return true;
	}
	return false;
}
