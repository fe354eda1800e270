/*
 * http_answer.h - the answers: all requests get the same, so they are made once.
 */
#ifndef EXAMPLES_HTTP_ANSWER_H
#define EXAMPLES_HTTP_ANSWER_H

#include <stddef.h>

/** An answer as it goes out: head and body in one piece. */
struct http_answer {
	const char *bytes;
	size_t length;
	size_t head_length; /**< what a HEAD request gets */
};

/** The two answers of a site. Zeroed is valid. */
struct http_answers {
	struct http_answer keep_alive; /**< after it the connection lives on */
	struct http_answer close;      /**< it is the last one of its connection */
	char *memory;                  /**< owned: the bytes of both */
};

/** Makes both from one text, to which a newline is added. @return 0 or a negative errno value */
int http_answers_create(struct http_answers *answers, const char *text);

void http_answers_destroy(struct http_answers *answers);

#endif
