#include "http_answer_head.h"

#include "http_answer.h"
#include "http_date.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SERVER_LINE "Server: unicornd\r\n"

/* The second that the Date line shows. The loop sets it, and each thread that answers makes a line of its own of it. */
static atomic_int_fast64_t date_s;

/** Text that grows, in the answer's memory or in its own. */
struct text {
	char *bytes;
	size_t length;
	size_t capacity;
	const char *inline_bytes;
};

static const struct reason {
	int status;
	const char *phrase;
} reasons[] = {
	{ 100, "Continue" },
	{ 101, "Switching Protocols" },
	{ 103, "Early Hints" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 203, "Non-Authoritative Information" },
	{ 204, "No Content" },
	{ 205, "Reset Content" },
	{ 206, "Partial Content" },
	{ 207, "Multi-Status" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 418, "I'm a Teapot" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 424, "Failed Dependency" },
	{ 425, "Too Early" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 451, "Unavailable For Legal Reasons" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

const char *http_answer_reason(int status)
{
	/* The one that nearly all answers have. */
	if (status == 200)
		return "OK";
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].phrase;
	}
	return "Unknown";
}

void http_answer_set_time(int64_t time_s)
{
	atomic_store_explicit(&date_s, time_s, memory_order_relaxed);
}

static bool text_reserve(struct text *text, size_t more)
{
	size_t capacity = text->capacity;
	char *bytes;

	if (text->length + more <= capacity)
		return true;
	while (capacity < text->length + more)
		capacity = capacity == 0 ? 256 : capacity * 2;
	bytes = realloc(text->bytes == text->inline_bytes ? NULL : text->bytes, capacity);
	if (bytes == NULL)
		return false;
	if (text->inline_bytes != NULL && text->bytes == text->inline_bytes)
		memcpy(bytes, text->inline_bytes, text->length);
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

/** The caller has reserved it. */
static void text_add(struct text *text, const char *bytes, size_t length)
{
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

static bool text_append(struct text *text, const char *bytes, size_t length)
{
	if (!text_reserve(text, length))
		return false;
	text_add(text, bytes, length);
	return true;
}

size_t http_answer_append(char *line, size_t length, const char *text)
{
	size_t more = strlen(text);

	memcpy(line + length, text, more);
	return length + more;
}

size_t http_answer_format_length(char *line, int64_t length)
{
	char digits[24];
	size_t position = sizeof(digits);
	size_t written = http_answer_append(line, 0, "content-length: ");

	do {
		digits[--position] = (char)('0' + length % 10);
		length /= 10;
	} while (length > 0);
	memcpy(line + written, digits + position, sizeof(digits) - position);
	written += sizeof(digits) - position;
	return http_answer_append(line, written, "\r\n");
}

/** RFC 9110's tchar. */
static bool is_token(const char *bytes, size_t length)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
			continue;
		if (c == '\0' || strchr(others, c) == NULL)
			return false;
	}
	return length > 0;
}

/** Everything but control characters; a tab is a blank. */
static bool is_field_value(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static int add_header(struct text *text, const struct unicorn_header *header)
{
	if (!is_token(header->name, header->name_length) || !is_field_value(header->value, header->value_length))
		return -EINVAL;
	if (!text_reserve(text, (size_t)header->name_length + header->value_length + 4))
		return -ENOMEM;
	text_add(text, header->name, header->name_length);
	text_add(text, ": ", 2);
	text_add(text, header->value, header->value_length);
	text_add(text, "\r\n", 2);
	return 0;
}

static bool status_line_add(struct text *text, int status, const char *reason)
{
	char line[] = "HTTP/1.1 000 ";
	size_t length = strlen(reason);

	if (!text_reserve(text, sizeof(line) - 1 + length + 2))
		return false;
	line[9] = (char)('0' + status / 100 % 10);
	line[10] = (char)('0' + status / 10 % 10);
	line[11] = (char)('0' + status % 10);
	text_add(text, line, sizeof(line) - 1);
	text_add(text, reason, length);
	text_add(text, "\r\n", 2);
	return true;
}

static bool name_is(const struct unicorn_header *header, const char *name, size_t length)
{
	return header->name_length == length && strncasecmp(header->name, name, length) == 0;
}

#define NAME_IS(header, name) name_is((header), (name), sizeof(name) - 1)

static int length_parse(const struct unicorn_header *header, int64_t *length)
{
	int64_t sum = 0;

	if (header->value_length == 0 || header->value_length > 18)
		return -EINVAL;
	for (uint32_t i = 0; i < header->value_length; i++) {
		if (header->value[i] < '0' || header->value[i] > '9')
			return -EINVAL;
		sum = sum * 10 + (header->value[i] - '0');
	}
	/* Twice is allowed when both say the same. */
	if (*length >= 0 && *length != sum)
		return -EINVAL;
	*length = sum;
	return 0;
}

/** What the worker writes itself. @return 1 when it is to be left out, 0 when not, or a negative errno value */
static int header_is_ours(struct http_answer *answer, const struct unicorn_header *header, bool *has_date,
			  bool *has_server)
{
	switch (header->name_length) {
	case sizeof("date") - 1:
		*has_date |= NAME_IS(header, "date");
		return 0;
	case sizeof("server") - 1:
		*has_server |= NAME_IS(header, "server");
		return 0;
	case sizeof("connection") - 1:
		if (NAME_IS(header, "keep-alive"))
			return 1;
		if (!NAME_IS(header, "connection"))
			return 0;
		answer->closes |= header->value_length == 5 && strncasecmp(header->value, "close", 5) == 0;
		return 1;
	case sizeof("content-length") - 1:
		if (!NAME_IS(header, "content-length"))
			return 0;
		return length_parse(header, &answer->length) == 0 ? 1 : -EINVAL;
	case sizeof("transfer-encoding") - 1:
		return NAME_IS(header, "transfer-encoding");
	default:
		return 0;
	}
}

static bool date_add(struct text *text)
{
	int64_t now_s = atomic_load_explicit(&date_s, memory_order_relaxed);

	return text_append(text, http_date_line(now_s), HTTP_DATE_LINE_BYTES);
}

static int headers_add(struct text *text, struct http_answer *answer, const struct unicorn_header *headers,
		       size_t count)
{
	bool has_date = false;
	bool has_server = false;

	for (size_t i = 0; i < count; i++) {
		int result = header_is_ours(answer, &headers[i], &has_date, &has_server);

		if (result == 0)
			result = add_header(text, &headers[i]);
		if (result < 0)
			return result;
	}
	if (!has_server && !text_append(text, SERVER_LINE, sizeof(SERVER_LINE) - 1))
		return -ENOMEM;
	return has_date || date_add(text) ? 0 : -ENOMEM;
}

int http_answer_head_format(struct unicorn_request *request, const char *reason, const struct unicorn_header *headers,
			    size_t count)
{
	struct http_answer *answer = &request->answer;
	struct text text = {
		.bytes = answer->head,
		.capacity = answer->head_capacity,
		.inline_bytes = answer->head_inline,
	};
	int result = 0;

	if (reason == NULL)
		reason = http_answer_reason(answer->status);
	if (!is_field_value(reason, strlen(reason)))
		return -EINVAL;
	if (!status_line_add(&text, answer->status, reason))
		result = -ENOMEM;
	if (result == 0)
		result = headers_add(&text, answer, headers, count);
	/* Also when it failed: the memory may have moved. */
	answer->head = text.bytes;
	answer->head_capacity = text.capacity;
	answer->head_length = text.length;
	return result;
}

/** Lines of headers and the empty line, behind what is there already. */
static int lines_finish(struct text *text, const struct unicorn_header *headers, size_t count, char **bytes,
			size_t *length)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = add_header(text, &headers[i]);
	if (result == 0 && !text_append(text, "\r\n", 2))
		result = -ENOMEM;
	if (result != 0) {
		free(text->bytes);
		return result;
	}
	*bytes = text->bytes;
	*length = text->length;
	return 0;
}

int http_answer_format_interim(int status, const struct unicorn_header *headers, size_t count, char **bytes,
			       size_t *length)
{
	struct text text = { 0 };

	if (!status_line_add(&text, status, http_answer_reason(status))) {
		free(text.bytes);
		return -ENOMEM;
	}
	return lines_finish(&text, headers, count, bytes, length);
}

int http_answer_format_trailers(const struct unicorn_header *headers, size_t count, char **bytes, size_t *length)
{
	struct text text = { 0 };

	if (!text_append(&text, "0\r\n", 3))
		return -ENOMEM;
	return lines_finish(&text, headers, count, bytes, length);
}

void http_answer_free_text(char *text)
{
	free(text);
}
