/*
 * http_head.h - is a request's head what RFC 9110 and 9112 allow, and what does it mean?
 *
 * The parser has found the parts; here they are looked at together, strictly: what two servers could read in two ways
 * is refused, or one of them could be made to take a part of a body for a request. Strings get their NUL, names their
 * lower case.
 */
#ifndef WORKERS_HTTP_HEAD_H
#define WORKERS_HTTP_HEAD_H

#include "http_request.h"

/** What only the parser knows. */
struct http_head_facts {
	const char *end; /**< of the bytes that may be looked at */
	const char *method;
	int major_version;
	int minor_version;
	bool is_chunked; /**< the last transfer coding is */
	uint64_t content_length;
	bool has_content_length;
};

/**
 * Completes request->head.
 *
 * @return 0, or the status to refuse it with
 */
int http_head_complete(struct unicorn_request *request, const struct http_head_facts *facts);

/** Is `token` one of a header's tokens, which are separated by commas? Case does not matter. */
bool http_head_has_token(const struct unicorn_header *header, const char *token);

#endif
