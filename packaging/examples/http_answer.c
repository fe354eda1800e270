/*
 * http_answer.c - see http_answer.h.
 */
#include "http_answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than the status line and the fields ever need. */
#define HEAD_MAX 200

static bool answer_format(struct http_answer *answer, char *buffer, size_t size, const char *fields, const char *text)
{
	static const char format[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n%s\r\n%s\n";
	int length = snprintf(buffer, size, format, strlen(text) + 1, fields, text);

	if (length < 0 || (size_t)length >= size)
		return false;
	answer->bytes = buffer;
	answer->length = (size_t)length;
	answer->head_length = answer->length - strlen(text) - 1;
	return true;
}

int http_answers_create(struct http_answers *answers, const char *text)
{
	size_t size = strlen(text) + HEAD_MAX;

	answers->memory = malloc(2 * size);
	if (answers->memory == NULL)
		return -ENOMEM;
	if (!answer_format(&answers->keep_alive, answers->memory, size, "", text) ||
	    !answer_format(&answers->close, answers->memory + size, size, "Connection: close\r\n", text))
		return -EMSGSIZE;
	return 0;
}

void http_answers_destroy(struct http_answers *answers)
{
	free(answers->memory);
	*answers = (struct http_answers){ .memory = NULL };
}
