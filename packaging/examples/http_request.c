/*
 * http_request.c - see http_request.h.
 */
#include "http_request.h"

#include <string.h>
#include <strings.h>

/** A piece of the request; nothing is copied. */
struct span {
	const char *start;
	size_t length;
};

/** What the header fields said. */
struct fields {
	int host_count;
	bool wants_close;
};

static bool span_is(struct span span, const char *word)
{
	return span.length == strlen(word) && strncasecmp(span.start, word, span.length) == 0;
}

static struct span span_trim(struct span span)
{
	while (span.length > 0 && (*span.start == ' ' || *span.start == '\t')) {
		span.start++;
		span.length--;
	}
	while (span.length > 0 && (span.start[span.length - 1] == ' ' || span.start[span.length - 1] == '\t'))
		span.length--;
	return span;
}

/** Takes what stands before the separator out of *rest; the whole rest when there is no separator. */
static struct span span_take(struct span *rest, char separator)
{
	const char *found = rest->length > 0 ? memchr(rest->start, separator, rest->length) : NULL;
	struct span taken = *rest;

	if (found == NULL) {
		rest->start += rest->length;
		rest->length = 0;
		return taken;
	}
	taken.length = (size_t)(found - rest->start);
	rest->start = found + 1;
	rest->length -= taken.length + 1;
	return taken;
}

static bool is_token(struct span span)
{
	for (size_t i = 0; i < span.length; i++) {
		char c = span.start[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!is_letter && !(c >= '0' && c <= '9') && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return span.length > 0;
}

static bool has_control_character(struct span span)
{
	for (size_t i = 0; i < span.length; i++) {
		if (((unsigned char)span.start[i] < 0x20 && span.start[i] != '\t') || span.start[i] == 0x7f)
			return true;
	}
	return false;
}

/** @return 200 or why the request is refused */
static int request_line_parse(struct span line, struct http_request *request)
{
	struct span method = span_take(&line, ' ');
	struct span target = span_take(&line, ' ');

	if (!is_token(method) || target.length == 0)
		return 400;
	if (span_is(line, "HTTP/1.1"))
		request->keep_alive = true;
	else if (!span_is(line, "HTTP/1.0"))
		return line.length == 8 && strncmp(line.start, "HTTP/", 5) == 0 ? 505 : 400;
	request->is_head = method.length == 4 && memcmp(method.start, "HEAD", 4) == 0;
	if (!request->is_head && (method.length != 3 || memcmp(method.start, "GET", 3) != 0))
		return 405;
	if (*target.start != '/' && (target.length < 7 || strncasecmp(target.start, "http://", 7) != 0))
		return 400;
	return 200;
}

static bool list_contains(struct span list, const char *word)
{
	while (list.length > 0) {
		if (span_is(span_trim(span_take(&list, ',')), word))
			return true;
	}
	return false;
}

/** @return 200 or why the request is refused */
static int field_parse(struct span line, struct fields *fields)
{
	struct span value = line;
	struct span name = span_take(&value, ':');

	/* A name with a blank behind it, or a folded line, is where proxies and servers begin to disagree. */
	if (!is_token(name) || name.length == line.length)
		return 400;
	value = span_trim(value);
	if (span_is(name, "host"))
		fields->host_count++;
	if (span_is(name, "connection") && list_contains(value, "close"))
		fields->wants_close = true;
	if (span_is(name, "transfer-encoding"))
		return 501;
	if (span_is(name, "content-length") && !span_is(value, "0"))
		return 413;
	return 200;
}

static struct span line_take(struct span *rest)
{
	struct span line = span_take(rest, '\n');

	/* The caller found the end of the head, so there is at least a carriage return before each newline or an error.
	 */
	if (line.length > 0 && line.start[line.length - 1] == '\r')
		line.length--;
	else
		line.start = NULL;
	return line;
}

/** @return 200 or why the request is refused */
static int head_parse(struct span head, struct http_request *request)
{
	struct fields fields = { 0 };
	struct span line = line_take(&head);
	int status = line.start == NULL || has_control_character(line) ? 400 : request_line_parse(line, request);

	while (status == 200 && head.length > 0) {
		line = line_take(&head);
		status = line.start == NULL || has_control_character(line) ? 400 : field_parse(line, &fields);
	}
	if (status == 200 && request->keep_alive && fields.host_count != 1)
		status = 400;
	if (fields.wants_close)
		request->keep_alive = false;
	return status;
}

enum http_request_result http_request_parse(const char *bytes, size_t length, struct http_request *request)
{
	const char *blank = length > 0 ? memmem(bytes, length, "\r\n\r\n", 4) : NULL;

	*request = (struct http_request){ .length = length, .status = 431 };
	if (blank == NULL && length < HTTP_REQUEST_MAX)
		return HTTP_REQUEST_INCOMPLETE;
	if (blank == NULL)
		return HTTP_REQUEST_REFUSED;
	request->length = (size_t)(blank - bytes) + 4;
	request->status = head_parse((struct span){ bytes, request->length - 2 }, request);
	return request->status == 200 ? HTTP_REQUEST_COMPLETE : HTTP_REQUEST_REFUSED;
}
