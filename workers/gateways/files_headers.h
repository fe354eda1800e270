/*
 * files_headers.h - the headers of an answer while they are gathered.
 */
#ifndef WORKERS_GATEWAYS_FILES_HEADERS_H
#define WORKERS_GATEWAYS_FILES_HEADERS_H

#include "unicornd/app.h"

#define FILES_HEADERS_MAX 12

/** Names and values are not owned. */
struct files_headers {
	struct unicorn_header items[FILES_HEADERS_MAX];
	size_t count;
};

/** @param name, value  strings that outlive the headers */
void files_headers_add(struct files_headers *headers, const char *name, const char *value);

/** An answer without a file: a status, a line of text that says it, and what other headers there are. */
void files_headers_answer(struct files_headers *headers, struct unicorn_request *request, int status);

#endif
