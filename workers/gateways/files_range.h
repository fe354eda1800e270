/*
 * files_range.h - which parts of a file a Range asks for (RFC 9110, 14).
 */
#ifndef WORKERS_GATEWAYS_FILES_RANGE_H
#define WORKERS_GATEWAYS_FILES_RANGE_H

#include <stddef.h>
#include <stdint.h>

/** More parts in one answer are refused; readers of documents ask for some dozens. */
#define FILES_RANGES_MAX 64

struct files_range {
	int64_t first;  /**< byte, counted from 0 */
	int64_t length; /**< above 0 */
};

enum files_range_verdict {
	FILES_RANGE_IGNORED, /**< another unit, or no Range at all: the whole file is sent */
	FILES_RANGE_PARTS,   /**< at least one */
	FILES_RANGE_REFUSED, /**< 416: nothing of it is in the file, or it is abuse */
};

/**
 * Parts are in the order of the request; those behind the end of the file are left out. Parts that are together longer
 * than the file overlap and are refused: whoever sends them wants more work done than a download is.
 *
 * @param value   of the header, length bytes
 * @param size    of the file, in bytes
 * @param ranges  room for FILES_RANGES_MAX
 */
enum files_range_verdict files_range_parse(const char *value, size_t length, int64_t size, struct files_range *ranges,
					   size_t *count);

#endif
