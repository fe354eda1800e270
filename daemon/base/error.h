/*
 * error.h - why something failed, in words, in memory that the caller owns.
 *
 * A function that can fail returns bool and takes `struct error *error` as its last parameter. It fills the error
 * exactly when it returns false. Nothing is allocated, so an error can always be reported.
 */
#ifndef DAEMON_BASE_ERROR_H
#define DAEMON_BASE_ERROR_H

#include <stdbool.h>

/** Longest text of an error, terminator included; longer ones are cut. */
#define ERROR_TEXT_SIZE 1024

enum error_kind {
#define ERROR_KIND(id, name, rpc, exit_code) ERROR_##id,
#include "unicornd/vocabulary.def"
	ERROR_KIND_COUNT
};

struct error {
	enum error_kind kind;
	char text[ERROR_TEXT_SIZE];
};

/** Fills the error. @return false always, so that a caller can write `return error_set(...)`. */
bool error_set(struct error *error, enum error_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** As error_set(), with ": " and the words for the errno value `code` behind the text. */
bool error_set_errno(struct error *error, enum error_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** Puts context before the text of an error that is already filled. @return false always. */
bool error_wrap(struct error *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** @return the printed name of a kind, as in vocabulary.def. */
const char *error_kind_name(enum error_kind kind);

#endif
