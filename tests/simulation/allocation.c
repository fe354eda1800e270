#include "allocation.h"

#include <stddef.h>

/* The linker's names. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *pointer, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t length);

static unsigned counted;
static unsigned failing;
static unsigned failing_count;
static bool paused;

void allocation_count_from_now(unsigned fail_at)
{
	allocation_fail_in_a_row(fail_at, fail_at > 0 ? 1 : 0);
}

void allocation_fail_in_a_row(unsigned fail_at, unsigned count)
{
	counted = 0;
	failing = fail_at;
	failing_count = count;
	paused = false;
}

unsigned allocation_counted(void)
{
	return counted;
}

bool allocation_pause(bool pause)
{
	bool before = paused;

	paused = pause;
	return before;
}

static bool may_allocate(void)
{
	if (paused)
		return true;
	counted++;
	return counted < failing || counted - failing >= failing_count;
}

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *pointer, size_t size)
{
	return may_allocate() ? __real_realloc(pointer, size) : NULL;
}

char *__wrap_strdup(const char *string)
{
	return may_allocate() ? __real_strdup(string) : NULL;
}

char *__wrap_strndup(const char *string, size_t length)
{
	return may_allocate() ? __real_strndup(string, length) : NULL;
}
