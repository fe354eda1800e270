/*
 * files_type.h - what a file is, by the ending of its name.
 *
 * A table of our own, since the one of the system differs from machine to machine.
 */
#ifndef WORKERS_GATEWAYS_FILES_TYPE_H
#define WORKERS_GATEWAYS_FILES_TYPE_H

#include <stdbool.h>

struct files_type {
	const char *ending;   /**< without the dot, in lower case */
	const char *name;     /**< for Content-Type; text is UTF-8 */
	bool is_compressible; /**< a compressed sibling makes sense */
};

/** @return the type of a file; never NULL, for an unknown one application/octet-stream */
const struct files_type *files_type_find(const char *name);

#endif
