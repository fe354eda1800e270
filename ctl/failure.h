/*
 * failure.h - why unicornctl cannot go on, in words, and the exit status that says so.
 *
 * A function that can fail returns bool and takes `struct failure *failure` as its last parameter; it fills the failure
 * exactly when it returns false.
 */
#ifndef CTL_FAILURE_H
#define CTL_FAILURE_H

#include <stdbool.h>

/** Longest text, terminator included; longer ones are cut. */
#define FAILURE_TEXT_SIZE 1024

struct failure {
	int exit_status;
	char text[FAILURE_TEXT_SIZE];
};

/** Fills the failure. @return false always, so that a caller can write `return failure_set(...)`. */
bool failure_set(struct failure *failure, int exit_status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Fills the failure for a lack of memory. @return false always. */
bool failure_set_no_memory(struct failure *failure);

#endif
