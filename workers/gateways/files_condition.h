/*
 * files_condition.h - does a request want a file as it is now? Preconditions in the order of RFC 9110, 13.2.2.
 */
#ifndef WORKERS_GATEWAYS_FILES_CONDITION_H
#define WORKERS_GATEWAYS_FILES_CONDITION_H

#include "files_etag.h"
#include "files_fields.h"

/** What tells one state of a file from another. */
struct files_validators {
	char tag[FILES_ETAG_BYTES];
	int64_t modified_s;
	int64_t now_s;
	bool is_strong; /**< the file has not changed so lately that it might have changed unnoticed */
};

/**
 * Two changes of a file may carry the same time, since the kernel's clock for files moves in ticks and some file
 * systems know whole seconds only. As with Apache, the tag of a file that changed just now is a weak one.
 */
void files_validators_init(struct files_validators *validators, const struct timespec *modified, int64_t size,
			   enum files_coding coding);

enum files_verdict {
	FILES_WANTED,
	FILES_NOT_MODIFIED,        /**< 304 */
	FILES_PRECONDITION_FAILED, /**< 412 */
};

enum files_verdict files_condition_check(const struct files_fields *fields, const struct files_validators *validators);

/** Does If-Range, if there is one, agree to send a part? */
bool files_condition_allows_range(const struct files_fields *fields, const struct files_validators *validators);

#endif
