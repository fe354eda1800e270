/*
 * files_multipart.h - an answer of several parts of a file (multipart/byteranges, RFC 9110, 14.6).
 *
 * It is sent as fast as the client takes it, so that many small parts hold neither memory nor descriptors meanwhile.
 */
#ifndef WORKERS_GATEWAYS_FILES_MULTIPART_H
#define WORKERS_GATEWAYS_FILES_MULTIPART_H

#include "files_headers.h"
#include "files_range.h"

/**
 * @param fd    of the file, taken over in any case
 * @param type  of the file, lives as long as the process
 * @param size  of the file, in bytes
 * @return NULL without memory
 */
struct files_multipart *files_multipart_create(int fd, const char *type, int64_t size, const struct files_range *ranges,
					       size_t count);
void files_multipart_destroy(struct files_multipart *multipart);

/** Begins the answer; length and type are added to the headers. @return as unicorn_answer_begin() */
int files_multipart_begin(struct files_multipart *multipart, struct unicorn_request *request,
			  struct files_headers *headers);

/** Sends what the client takes now; again when it has taken that. At the end ends the answer, too. */
void files_multipart_send(struct files_multipart *multipart, struct unicorn_request *request);

#endif
