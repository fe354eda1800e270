/*
 * files_etag.h - entity tags of files and lists of them (RFC 9110, 8.8.3).
 */
#ifndef WORKERS_GATEWAYS_FILES_ETAG_H
#define WORKERS_GATEWAYS_FILES_ETAG_H

#include "files_coding.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/** Holds every tag: W/"16 digits-16 digits-br". */
#define FILES_ETAG_BYTES 48

/**
 * The tag of a file: the nanosecond of its last change, its size and its coding. Neither inode nor time of creation is
 * in it, so that copies of a file on several hosts have the same.
 *
 * @param is_strong  false while a second change could fall into the same tick of the file system's clock
 */
void files_etag_format(char tag[FILES_ETAG_BYTES], const struct timespec *modified, int64_t size,
		       enum files_coding coding, bool is_strong);

/**
 * Is the tag in a list, or the list "*"?
 *
 * @param is_strong  compare strongly: a weak tag, here or there, equals none
 */
bool files_etag_is_listed(const char *tag, const char *list, size_t length, bool is_strong);

#endif
