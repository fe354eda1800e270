/*
 * member.h - members of a JSON object as plain values. What is missing or of another type is "", 0 or null: an answer
 * of an older or newer daemon is shown as far as it is understood.
 */
#ifndef CTL_MEMBER_H
#define CTL_MEMBER_H

#include <jansson.h>
#include <stdbool.h>

/** @return the string up to its first NUL character. */
const char *member_string(const json_t *object, const char *name);
long long member_integer(const json_t *object, const char *name);
double member_number(const json_t *object, const char *name);
/** True also when the member is missing. */
bool member_is_null(const json_t *object, const char *name);

#endif
