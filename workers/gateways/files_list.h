/*
 * files_list.h - items of a header whose value is a list (RFC 9110, 5.6.1): "a, b;c ,,d".
 *
 * For lists without quoted strings; entity tags, which may hold a comma, have a parser of their own.
 */
#ifndef WORKERS_GATEWAYS_FILES_LIST_H
#define WORKERS_GATEWAYS_FILES_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** @return the first character that is no blank, or end */
const char *files_list_skip_blanks(const char *at, const char *end);

/** @return the length without the blanks at the end */
size_t files_list_trim_end(const char *text, size_t length);

/** Finds the next item that is not empty and moves `at` behind it. @return false when there is none */
bool files_list_next(const char **at, const char *end, const char **item, size_t *length);

#endif
