/*
 * load_answer.h - reads one HTTP/1 answer piece by piece and knows when it is complete. Pure: no I/O.
 */
#ifndef TESTS_TOOLS_LOAD_ANSWER_H
#define TESTS_TOOLS_LOAD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** As much of a line, and of a body, as is kept. */
#define LOAD_LINE_MAX  8192
#define LOAD_BODY_KEPT 128

enum load_answer_state {
	LOAD_ANSWER_STATUS_LINE,
	LOAD_ANSWER_FIELDS,
	LOAD_ANSWER_BODY,        /**< `left` bytes of body */
	LOAD_ANSWER_BODY_TO_END, /**< body until the server closes */
	LOAD_ANSWER_CHUNK_SIZE,
	LOAD_ANSWER_CHUNK, /**< `left` bytes of chunk */
	LOAD_ANSWER_CHUNK_END,
	LOAD_ANSWER_TRAILER,
	LOAD_ANSWER_COMPLETE,
	LOAD_ANSWER_MALFORMED
};

/** An answer under way; zeroed is valid. */
struct load_answer {
	enum load_answer_state state;
	bool has_begun;  /**< at least one byte came */
	bool will_close; /**< no further request may follow on this connection */
	bool is_chunked;
	bool has_length;
	int status;
	uint64_t left;
	uint64_t body_bytes; /**< in all */
	size_t line_length;
	size_t body_length; /**< bytes kept */
	char line[LOAD_LINE_MAX];
	char body[LOAD_BODY_KEPT];
};

/** Makes the answer as good as new. */
void load_answer_reset(struct load_answer *answer);

/** Reads bytes. @return how many belong to this answer; fewer than given when it is complete or malformed */
size_t load_answer_feed(struct load_answer *answer, const char *bytes, size_t length);

/** The server has closed. @return true when that completes the answer */
bool load_answer_end(struct load_answer *answer);

#endif
