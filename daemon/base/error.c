#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[ERROR_KIND_COUNT] = {
#define ERROR_KIND(id, name, rpc, exit_code) [ERROR_##id] = (name),
#include "unicornd/vocabulary.def"
};

bool error_set(struct error *error, enum error_kind kind, const char *fmt, ...)
{
	va_list arguments;

	error->kind = kind;
	va_start(arguments, fmt);
	(void)vsnprintf(error->text, sizeof(error->text), fmt, arguments);
	va_end(arguments);
	return false;
}

bool error_set_errno(struct error *error, enum error_kind kind, int code, const char *fmt, ...)
{
	va_list arguments;
	size_t length;

	error->kind = kind;
	va_start(arguments, fmt);
	(void)vsnprintf(error->text, sizeof(error->text), fmt, arguments);
	va_end(arguments);
	length = strlen(error->text);
	(void)snprintf(error->text + length, sizeof(error->text) - length, ": %s", strerror(code));
	return false;
}

bool error_wrap(struct error *error, const char *fmt, ...)
{
	char inner[ERROR_TEXT_SIZE];
	va_list arguments;
	size_t length;

	memcpy(inner, error->text, sizeof(inner));
	va_start(arguments, fmt);
	(void)vsnprintf(error->text, sizeof(error->text), fmt, arguments);
	va_end(arguments);
	length = strlen(error->text);
	(void)snprintf(error->text + length, sizeof(error->text) - length, ": %s", inner);
	return false;
}

const char *error_kind_name(enum error_kind kind)
{
	return (unsigned)kind < ERROR_KIND_COUNT ? kind_names[kind] : "unknown";
}
