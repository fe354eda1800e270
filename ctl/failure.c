/*
 * failure.c - why unicornctl cannot go on.
 */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool failure_set(struct failure *failure, int exit_status, const char *fmt, ...)
{
	va_list arguments;

	failure->exit_status = exit_status;
	va_start(arguments, fmt);
	vsnprintf(failure->text, sizeof(failure->text), fmt, arguments);
	va_end(arguments);
	return false;
}

bool failure_set_no_memory(struct failure *failure)
{
	return failure_set(failure, EXIT_FAILURE, "out of memory");
}
