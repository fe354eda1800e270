/*
 * member.c - members of a JSON object as plain values.
 */
#include "member.h"

const char *member_string(const json_t *object, const char *name)
{
	const char *string = json_string_value(json_object_get(object, name));

	return string != NULL ? string : "";
}

long long member_integer(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

double member_number(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

bool member_is_null(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	return member == NULL || json_is_null(member);
}
