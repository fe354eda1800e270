/*
 * files_choice.h - which file is sent: the one that was asked for, or its sibling with the ending .br or .gz.
 *
 * A sibling is taken when the client wants its coding, the type of the file is one that compresses, and it is not older
 * than the file, so that a forgotten one does no harm.
 */
#ifndef WORKERS_GATEWAYS_FILES_CHOICE_H
#define WORKERS_GATEWAYS_FILES_CHOICE_H

#include "files_coding.h"
#include "files_fields.h"
#include "files_root.h"
#include "files_type.h"

#include <stdint.h>
#include <time.h>

struct files_choice {
	int fd;
	int64_t size;
	struct timespec modified;
	enum files_coding coding;
	const struct files_type *type;
};

/**
 * @param name    as files_path_decode() made it, with its room behind it; is changed and put back
 * @param choice  filled in when 0 is returned; its descriptor is the caller's then
 * @return 0, or the status to answer with: 301 for a folder, 403, 404, 406, 500, 503
 */
int files_choice_open(const struct files_root *root, char *name, const struct files_fields *fields,
		      struct files_choice *choice);

#endif
