#include "http_token.h"

#include <stdbool.h>
#include <string.h>

static bool is_token_character(char character)
{
	if ((character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
	    (character >= '0' && character <= '9'))
		return true;
	return character != '\0' && strchr("!#$%&'*+-.^_`|~", character) != NULL;
}

const char *http_token_end(const char *at, const char *end)
{
	while (at < end && is_token_character(*at))
		at++;
	return at;
}

const char *http_space_end(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}
