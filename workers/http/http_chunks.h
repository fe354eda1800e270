/*
 * http_chunks.h - is a chunked body written as RFC 9112 section 7.1 says, to the letter?
 *
 * The parser takes a little more: a lone CR or LF, extensions without a name, trailers of any shape. Another server may
 * see the end of the body elsewhere then, and what one takes for a body the other takes for a request. It decodes
 * nothing.
 */
#ifndef WORKERS_HTTP_CHUNKS_H
#define WORKERS_HTTP_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_chunks_state {
	HTTP_CHUNKS_SIZE,      /**< zeroed: at the beginning */
	HTTP_CHUNKS_EXTENSION, /**< behind ';' */
	HTTP_CHUNKS_NAME,
	HTTP_CHUNKS_VALUE, /**< behind '=' */
	HTTP_CHUNKS_TOKEN,
	HTTP_CHUNKS_QUOTED,
	HTTP_CHUNKS_ESCAPED,
	HTTP_CHUNKS_QUOTED_END,
	HTTP_CHUNKS_SIZE_LF,
	HTTP_CHUNKS_DATA,
	HTTP_CHUNKS_DATA_CR,
	HTTP_CHUNKS_DATA_LF,
	HTTP_CHUNKS_TRAILER, /**< at the beginning of a line */
	HTTP_CHUNKS_TRAILER_NAME,
	HTTP_CHUNKS_TRAILER_VALUE,
	HTTP_CHUNKS_TRAILER_LF,
	HTTP_CHUNKS_LAST_LF,
	HTTP_CHUNKS_DONE,
	HTTP_CHUNKS_BAD,
};

struct http_chunks {
	enum http_chunks_state state;
	bool has_digit;     /**< of the size */
	uint64_t left;      /**< of the chunk; while its size is read, the size so far */
	uint64_t announced; /**< bytes of all chunks whose size has been read */
};

/** Looks at more bytes; those behind the end of the body are left alone. @return false once something is wrong */
bool http_chunks_check(struct http_chunks *chunks, const char *bytes, size_t length);

#endif
