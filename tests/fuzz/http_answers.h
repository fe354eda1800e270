/*
 * http_answers.h - reads what came back on a connection, and believes nothing: answers are well formed, in the order of
 * their requests, and no more than those, except for a last one in which the worker refuses what it did not understand.
 */
#ifndef HTTP_ANSWERS_H
#define HTTP_ANSWERS_H

#include "http_application.h"

struct heard_answers {
	size_t count; /**< final answers that came to their end, a refusal included */
	bool is_refused;
	bool is_cut;                     /**< bytes of one more stand behind them */
	uint64_t sums[REQUESTS_MAX + 1]; /**< of each one's status, headers but Date, and body */
};

/** Aborts when the bytes are not what a server may send. */
void heard_answers_read(struct heard_answers *heard, const char *bytes, size_t length,
			const struct application *application);

#endif
