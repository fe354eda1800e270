#include "http_answer.h"

#include "http_answer_head.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Of a chunk's size in front of it: 16 hexadecimal digits and the end of the line. */
#define CHUNK_HEAD_BYTES 20
/* Of the framing and the end of the head: "content-length: " and the longest number, or what is shorter. */
#define FRAMING_BYTES 64

static struct iovec part(const void *bytes, size_t length)
{
	/* sendmsg(2) only reads, but its structure has no const. */
	return (struct iovec){ .iov_base = (void *)(uintptr_t)bytes, .iov_len = length };
}

void http_answer_reset(struct http_answer *answer)
{
	char *head = answer->head;
	size_t capacity = answer->head_capacity;

	memset(answer, 0, offsetof(struct http_answer, head_inline));
	answer->head = head;
	answer->head_capacity = capacity;
}

int http_answer_begin(struct unicorn_request *request, int status, const char *reason,
		      const struct unicorn_header *headers, size_t count, bool closes)
{
	struct http_answer *answer = &request->answer;
	int result;

	if (answer->is_begun)
		return -EALREADY;
	if (status < 200 || status > 599)
		return -EINVAL;
	answer->status = status;
	answer->length = -1;
	answer->closes = closes;
	result = http_answer_head_format(request, reason, headers, count);
	if (result != 0) {
		http_answer_reset(answer);
		return result;
	}
	answer->left = answer->length;
	if (status == 204 || status == 304 || strcmp(request->head.method, "HEAD") == 0)
		answer->framing = HTTP_FRAMING_NONE;
	else if (answer->length >= 0)
		answer->framing = HTTP_FRAMING_LENGTH;
	answer->is_begun = true;
	return 0;
}

/** Nothing has said how long the body is; when it is all there, it has a length after all. */
static void framing_decide(struct unicorn_request *request, size_t length, bool is_last)
{
	struct http_answer *answer = &request->answer;

	/* To HEAD the length is told when it is known; an application that wrote nothing need not have written
	 * anything. */
	if (answer->framing == HTTP_FRAMING_NONE && answer->length < 0 && is_last && length > 0 &&
	    answer->status != 204 && answer->status != 304)
		answer->length = (int64_t)length;
	if (answer->framing != HTTP_FRAMING_OPEN)
		return;
	if (is_last) {
		answer->framing = HTTP_FRAMING_LENGTH;
		answer->length = (int64_t)length;
		answer->left = answer->length;
	} else if (request->head.minor_version > 0) {
		answer->framing = HTTP_FRAMING_CHUNKED;
	} else {
		answer->framing = HTTP_FRAMING_CLOSE;
		answer->closes = true;
	}
}

/** The lines behind the headers. Whether the connection stays is told to HTTP/1.0 always, to 1.1 when it does not. */
static size_t framing_format(const struct unicorn_request *request, char *line)
{
	const struct http_answer *answer = &request->answer;
	size_t length = 0;

	if (answer->length >= 0 && answer->status != 204)
		length = http_answer_format_length(line, answer->length);
	else if (answer->framing == HTTP_FRAMING_CHUNKED)
		length = http_answer_append(line, length, "transfer-encoding: chunked\r\n");
	if (answer->closes)
		length = http_answer_append(line, length, "connection: close\r\n");
	else if (request->head.minor_version == 0)
		length = http_answer_append(line, length, "connection: keep-alive\r\n");
	return http_answer_append(line, length, "\r\n");
}

/** How many of the bytes go out: those beyond Content-Length do not. */
static size_t body_fit(struct http_answer *answer, size_t length, int *result)
{
	if (answer->framing == HTTP_FRAMING_NONE)
		return 0;
	if (answer->framing != HTTP_FRAMING_LENGTH)
		return length;
	if ((int64_t)length > answer->left) {
		*result = -EMSGSIZE;
		length = (size_t)answer->left;
	}
	answer->left -= (int64_t)length;
	return length;
}

static size_t chunk_format(char *line, size_t length)
{
	return (size_t)snprintf(line, CHUNK_HEAD_BYTES, "%zx\r\n", length);
}

int http_answer_write(struct unicorn_request *request, struct http_way way, const void *bytes, size_t length,
		      bool is_last)
{
	struct http_answer *answer = &request->answer;
	struct iovec parts[6];
	char framing[FRAMING_BYTES + 32];
	char chunk[CHUNK_HEAD_BYTES];
	int count = 0;
	int result = 0;
	int sent;

	if (!answer->is_begun || answer->is_ended)
		return -EINVAL;
	if (!answer->is_head_sent) {
		framing_decide(request, length, is_last);
		parts[count++] = part(answer->head, answer->head_length);
		parts[count++] = part(framing, framing_format(request, framing));
		answer->is_head_sent = true;
	}
	length = body_fit(answer, length, &result);
	if (length > 0 && answer->framing == HTTP_FRAMING_CHUNKED)
		parts[count++] = part(chunk, chunk_format(chunk, length));
	if (length > 0)
		parts[count++] = part(bytes, length);
	if (answer->framing == HTTP_FRAMING_CHUNKED && length > 0)
		parts[count++] = part("\r\n", 2);
	if (answer->framing == HTTP_FRAMING_CHUNKED && is_last)
		parts[count++] = part("0\r\n\r\n", 5);
	answer->body_bytes += (int64_t)length;
	answer->is_ended = is_last;
	/* Shorter than promised: only the end of the connection tells the client. */
	answer->is_cut |= is_last && answer->framing == HTTP_FRAMING_LENGTH && answer->left > 0;
	if (count == 0)
		return result;
	sent = http_output_write(way.output, way.fd, parts, count, false);
	return sent != 0 ? sent : result;
}

/** What stands in front of a file's bytes. */
static int file_announce(struct unicorn_request *request, struct http_way way, int64_t length)
{
	struct http_answer *answer = &request->answer;
	struct iovec parts[3];
	char framing[FRAMING_BYTES + 32];
	char chunk[CHUNK_HEAD_BYTES];
	int count = 0;

	if (!answer->is_head_sent) {
		framing_decide(request, 0, false);
		parts[count++] = part(answer->head, answer->head_length);
		parts[count++] = part(framing, framing_format(request, framing));
		answer->is_head_sent = true;
	}
	if (length > 0 && answer->framing == HTTP_FRAMING_CHUNKED)
		parts[count++] = part(chunk, chunk_format(chunk, (size_t)length));
	return count == 0 ? 0 : http_output_write(way.output, way.fd, parts, count, length > 0);
}

int http_answer_file(struct unicorn_request *request, struct http_way way, int file, int64_t offset, int64_t length)
{
	struct http_answer *answer = &request->answer;
	struct iovec end = part("\r\n", 2);
	int result = 0;
	int sent;

	if (!answer->is_begun || answer->is_ended || length < 0) {
		(void)http_output_file(way.output, way.fd, file, 0, 0);
		return -EINVAL;
	}
	if (answer->framing == HTTP_FRAMING_NONE)
		length = 0;
	else if (answer->framing == HTTP_FRAMING_LENGTH)
		length = (int64_t)body_fit(answer, (size_t)length, &result);
	sent = file_announce(request, way, length);
	answer->body_bytes += length;
	if (sent != 0) {
		(void)http_output_file(way.output, way.fd, file, 0, 0);
		return sent;
	}
	sent = http_output_file(way.output, way.fd, file, offset, length);
	if (sent == 0 && length > 0 && answer->framing == HTTP_FRAMING_CHUNKED)
		sent = http_output_write(way.output, way.fd, &end, 1, false);
	return sent != 0 ? sent : result;
}

int http_answer_end(struct unicorn_request *request, struct http_way way, const struct unicorn_header *trailers,
		    size_t count)
{
	struct http_answer *answer = &request->answer;
	char *text;
	size_t length;
	struct iovec whole;
	int result;

	if (!answer->is_begun || answer->is_ended)
		return -EINVAL;
	if (count == 0 || answer->framing != HTTP_FRAMING_CHUNKED || !request->head.accepts_trailers)
		return http_answer_write(request, way, "", 0, true);
	result = http_answer_format_trailers(trailers, count, &text, &length);
	if (result != 0)
		return result;
	whole = part(text, length);
	result = http_output_write(way.output, way.fd, &whole, 1, false);
	http_answer_free_text(text);
	answer->is_ended = true;
	return result;
}

int http_answer_interim(struct http_way way, int status, const struct unicorn_header *headers, size_t count)
{
	char *text;
	size_t length;
	struct iovec whole;
	int result = http_answer_format_interim(status, headers, count, &text, &length);

	if (result != 0)
		return result;
	whole = part(text, length);
	result = http_output_write(way.output, way.fd, &whole, 1, false);
	http_answer_free_text(text);
	return result;
}
