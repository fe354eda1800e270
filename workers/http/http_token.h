/*
 * http_token.h - where tokens and spaces end in a header's value (RFC 9110 section 5.6).
 */
#ifndef WORKERS_HTTP_TOKEN_H
#define WORKERS_HTTP_TOKEN_H

/** @return the first position that is not part of a token, perhaps `at` itself */
const char *http_token_end(const char *at, const char *end);

/** @return the first position that is neither a space nor a tab */
const char *http_space_end(const char *at, const char *end);

#endif
