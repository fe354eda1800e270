/*
 * utf8.h - is it UTF-8? For text that comes in pieces, cut anywhere.
 *
 * Overlong forms, surrogates and what lies above U+10FFFF are refused at the first byte that gives them away.
 */
#ifndef WORKERS_HTTP_UTF8_H
#define WORKERS_HTTP_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where in a character the last piece ended; all zero at the beginning of a text. */
struct utf8_check {
	uint8_t left; /**< bytes that the character still lacks */
	uint8_t low;  /**< least value of the next of them */
	uint8_t high; /**< and its greatest */
};

/** @return false when this can not be, whatever follows; the check is of no use then */
bool utf8_check_feed(struct utf8_check *check, const void *bytes, size_t length);

/** May the text end here? */
bool utf8_check_is_complete(const struct utf8_check *check);

/** The two above for a whole text. */
bool utf8_is_valid(const void *bytes, size_t length);

#endif
