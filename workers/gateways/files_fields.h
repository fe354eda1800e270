/*
 * files_fields.h - the headers of a request that matter for files, found in one pass.
 */
#ifndef WORKERS_GATEWAYS_FILES_FIELDS_H
#define WORKERS_GATEWAYS_FILES_FIELDS_H

#include "unicornd/app.h"

enum files_field {
	FILES_ACCEPT_ENCODING,
	FILES_IF_MATCH,
	FILES_IF_MODIFIED_SINCE,
	FILES_IF_NONE_MATCH,
	FILES_IF_RANGE,
	FILES_IF_UNMODIFIED_SINCE,
	FILES_RANGE,
	FILES_FIELDS,
};

/** Of each field the first header; NULL without one. Valid as long as the head. */
struct files_fields {
	const struct unicorn_head *head;
	const struct unicorn_header *first[FILES_FIELDS];
	bool is_repeated[FILES_FIELDS];
};

void files_fields_find(struct files_fields *fields, const struct unicorn_head *head);

/** The next header of a field whose value is a list. @param header  one of it @return NULL when there is none */
const struct unicorn_header *files_fields_next(const struct files_fields *fields, const struct unicorn_header *header);

/** @return the only header of a field; NULL without one, and when there are several, which have no meaning */
const struct unicorn_header *files_fields_only(const struct files_fields *fields, enum files_field field);

#endif
