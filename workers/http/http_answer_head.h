/*
 * http_answer_head.h - between the files of the answer: its lines as text.
 *
 * A header that could end its line, or the head, is refused: nobody's input becomes a second answer.
 */
#ifndef WORKERS_HTTP_ANSWER_HEAD_H
#define WORKERS_HTTP_ANSWER_HEAD_H

#include "http_request.h"

/**
 * Writes status line, headers, Date and Server into answer->head; finds Content-Length and "Connection: close".
 *
 * @return 0, -EINVAL for an impossible header, -ENOMEM
 */
int http_answer_head_format(struct unicorn_request *request, const char *reason, const struct unicorn_header *headers,
			    size_t count);

/** Whole heads for http_answer_free_text(). */
int http_answer_format_interim(int status, const struct unicorn_header *headers, size_t count, char **text,
			       size_t *length);
int http_answer_format_trailers(const struct unicorn_header *headers, size_t count, char **text, size_t *length);
void http_answer_free_text(char *text);

/** Writes "content-length: N" and the end of the line. @return bytes written, at most 40 */
size_t http_answer_format_length(char *line, int64_t length);

/** Writes text at `length`. @return the new length */
size_t http_answer_append(char *line, size_t length, const char *text);

/** The Date header's value of this second; the loop says when a second is over. @param time_s  wall clock */
void http_answer_set_time(int64_t time_s);

#endif
