#include "http_head.h"

#include "http_token.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* What is looked for among the headers. */
struct found {
	const struct unicorn_header *host;
	const struct unicorn_header *content_type;
	const struct unicorn_header *transfer_encoding;
	const struct unicorn_header *expect;
	const struct unicorn_header *upgrade;
	bool has_close;
	bool has_keep_alive;
	bool has_upgrade_token;
};

bool http_head_has_token(const struct unicorn_header *header, const char *token)
{
	size_t length = strlen(token);
	const char *position = header->value;

	while (*position != '\0') {
		size_t item;

		position += strspn(position, " \t,");
		item = strcspn(position, " \t,;");
		if (item == length && strncasecmp(position, token, length) == 0)
			return true;
		position += item;
		position += strcspn(position, ",");
	}
	return false;
}

static bool name_is(const struct unicorn_header *header, const char *name, size_t length)
{
	return header->name_length == length && memcmp(header->name, name, length) == 0;
}

/** Remembers a header that may stand there once only. */
static bool find_once(const struct unicorn_header **place, const struct unicorn_header *header)
{
	if (*place != NULL)
		return false;
	*place = header;
	return true;
}

#define NAME_IS(header, name) name_is((header), (name), sizeof(name) - 1)

/** @return false when the header must not be there a second time */
static bool find(struct found *found, struct unicorn_head *head, const struct unicorn_header *header)
{
	switch (header->name_length) {
	case sizeof("te") - 1:
		if (NAME_IS(header, "te"))
			head->accepts_trailers |= http_head_has_token(header, "trailers");
		return true;
	case sizeof("host") - 1:
		return !NAME_IS(header, "host") || find_once(&found->host, header);
	case sizeof("expect") - 1:
		return !NAME_IS(header, "expect") || find_once(&found->expect, header);
	case sizeof("upgrade") - 1:
		if (NAME_IS(header, "upgrade"))
			found->upgrade = header;
		return true;
	case sizeof("connection") - 1:
		if (NAME_IS(header, "connection")) {
			found->has_close |= http_head_has_token(header, "close");
			found->has_keep_alive |= http_head_has_token(header, "keep-alive");
			found->has_upgrade_token |= http_head_has_token(header, "upgrade");
		}
		return true;
	case sizeof("content-type") - 1:
		return !NAME_IS(header, "content-type") || find_once(&found->content_type, header);
	case sizeof("transfer-encoding") - 1:
		return !NAME_IS(header, "transfer-encoding") || find_once(&found->transfer_encoding, header);
	default:
		return true;
	}
}

/** Strings are followed by exactly what RFC 9112 writes there: no bare LF, no bare CR, no folded line. */
static const char *skip_line_end(const char *position, const char *end)
{
	while (position < end && (*position == ' ' || *position == '\t'))
		position++;
	return end - position >= 2 && position[0] == '\r' && position[1] == '\n' ? position + 2 : NULL;
}

static void trim(struct unicorn_header *header)
{
	while (header->value_length > 0 &&
	       (header->value[header->value_length - 1] == ' ' || header->value[header->value_length - 1] == '\t'))
		header->value_length--;
}

/** The buffer is ours; that its strings are shown as const is for the application. */
static void terminate(const char *string, size_t length)
{
	((char *)(uintptr_t)string)[length] = '\0';
}

static void lower_case(const struct unicorn_header *header)
{
	char *name = (char *)(uintptr_t)header->name;

	for (uint32_t i = 0; i < header->name_length; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] + ('a' - 'A'));
	}
}

/** Only blanks between the colon and the value: a value on the next line is a folded one. */
static bool value_is_on_the_line(const struct unicorn_header *header)
{
	const char *position = header->name + header->name_length + 1;

	while (position < header->value && (*position == ' ' || *position == '\t'))
		position++;
	return position == header->value;
}

/** @return the beginning of the next line, or NULL when this one is not a header's */
static const char *take_line(struct unicorn_header *header, const char *line, const char *end)
{
	const char *next;

	if (header->name != line || header->name[header->name_length] != ':' ||
	    http_token_end(header->name, header->name + header->name_length) != header->name + header->name_length ||
	    header->name_length == 0)
		return NULL;
	if (header->value == NULL || header->value_length == 0)
		next = skip_line_end(header->name + header->name_length + 1, end);
	else if (value_is_on_the_line(header))
		next = skip_line_end(header->value + header->value_length, end);
	else
		return NULL;
	if (next == NULL)
		return NULL;
	if (header->value == NULL) {
		header->value = "";
		header->value_length = 0;
	}
	return next;
}

/** Walks over the lines as they lie in the buffer. @return 0 or a status */
static int take_headers(struct unicorn_request *request, const char *line, const char *end, struct found *found)
{
	struct unicorn_head *head = &request->head;

	for (uint32_t i = 0; i < head->header_count; i++) {
		struct unicorn_header *header = &request->headers[i];

		line = take_line(header, line, end);
		if (line == NULL)
			return 400;
		trim(header);
		terminate(header->name, header->name_length);
		if (header->value_length > 0)
			terminate(header->value, header->value_length);
		else
			header->value = "";
		lower_case(header);
		if (!find(found, head, header))
			return 400;
	}
	request->body_start = line + 2;
	return end - line >= 2 && line[0] == '\r' && line[1] == '\n' ? 0 : 400;
}

/** Origin and absolute form, and the asterisk of OPTIONS. @return 0 or a status */
static int take_target(struct unicorn_request *request)
{
	struct unicorn_head *head = &request->head;
	const char *query = NULL;

	for (uint32_t i = 0; i < head->target_length; i++) {
		unsigned char c = (unsigned char)head->target[i];

		if (c <= ' ' || c >= 0x7f || c == '#')
			return 400;
		if (c == '?' && query == NULL)
			query = head->target + i;
	}
	terminate(head->target, head->target_length);
	head->path = head->target;
	head->path_length = head->target_length;
	head->query = "";
	if (query == NULL)
		return 0;
	head->query = query + 1;
	head->query_length = head->target_length - (uint32_t)(query + 1 - head->target);
	head->path_length = (uint32_t)(query - head->target);
	head->path = http_request_copy(request, head->target, head->path_length);
	return head->path != NULL ? 0 : 503;
}

/** Nothing, or a colon and digits, which may be missing. */
static bool port_is_valid(const char *text, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
	}
	return length == 0 || text[0] == ':';
}

/** RFC 3986's host and port, without user information. An empty one is allowed. */
static bool host_is_valid(const char *text, size_t length)
{
	static const char others[] = "-._~!$&'()*+,;=%";
	bool is_literal = length > 0 && text[0] == '[';
	size_t end = is_literal ? 1 : 0;

	while (end < length) {
		unsigned char c = (unsigned char)text[end];

		if (is_literal ? !isxdigit(c) && c != ':' && c != '.'
			       : !isalnum(c) && (c == 0 || strchr(others, c) == NULL))
			break;
		end++;
	}
	if (is_literal && (end == length || text[end++] != ']'))
		return false;
	return port_is_valid(text + end, length - end);
}

/** "http://host/path": the path is what is behind the authority, and the authority is the host (RFC 9112, 3.2.2). */
static int take_absolute_form(struct unicorn_request *request, const struct unicorn_header *host)
{
	struct unicorn_head *head = &request->head;
	size_t scheme = strncasecmp(head->path, "http://", 7) == 0    ? 7
			: strncasecmp(head->path, "https://", 8) == 0 ? 8
								      : 0;
	size_t authority = strcspn(head->path + scheme, "/");
	struct unicorn_header *writable = host != NULL ? &request->headers[host - request->headers] : NULL;
	size_t length = scheme + authority;

	if (scheme == 0 || authority == 0 || !host_is_valid(head->path + scheme, authority))
		return 400;
	request->authority = strndup(head->path + scheme, authority);
	if (request->authority == NULL)
		return 503;
	if (writable != NULL) {
		writable->value = request->authority;
		writable->value_length = (uint32_t)authority;
	}
	head->path = length < head->path_length ? head->path + length : "/";
	head->path_length = length < head->path_length ? head->path_length - (uint32_t)length : 1;
	return 0;
}

static int check_form(struct unicorn_request *request, const struct unicorn_header *host)
{
	struct unicorn_head *head = &request->head;

	if (strcmp(head->method, "CONNECT") == 0)
		return 501;
	if (head->path[0] == '/')
		return 0;
	if (strcmp(head->path, "*") == 0)
		return strcmp(head->method, "OPTIONS") == 0 && head->query[0] == '\0' ? 0 : 400;
	return take_absolute_form(request, host);
}

/** One way only to tell where the body ends. @return 0 or a status */
static int check_framing(struct unicorn_head *head, const struct http_head_facts *facts,
			 const struct unicorn_header *transfer_encoding)
{
	if (transfer_encoding != NULL) {
		if (head->minor_version == 0 || facts->has_content_length)
			return 400;
		if (strcasecmp(transfer_encoding->value, "chunked") != 0)
			return facts->is_chunked ? 501 : 400;
		head->content_length = -1;
		return 0;
	}
	if (facts->content_length > INT64_MAX)
		return 413;
	head->content_length = facts->has_content_length ? (int64_t)facts->content_length : 0;
	return 0;
}

static int check_expect(struct unicorn_request *request, const struct unicorn_header *expect)
{
	if (expect == NULL || request->head.minor_version == 0)
		return 0;
	if (strcasecmp(expect->value, "100-continue") != 0)
		return 417;
	request->expects_continue = request->head.content_length != 0;
	return 0;
}

/** Whether the handshake is a correct one is another question. */
static bool wants_websocket(const struct unicorn_head *head, const struct found *found)
{
	return found->upgrade != NULL && found->has_upgrade_token && head->minor_version == 1 &&
	       head->content_length == 0 && strcmp(head->method, "GET") == 0 &&
	       http_head_has_token(found->upgrade, "websocket");
}

/** "GET /path HTTP/1.1": one blank each, and no other protocol. The parser would take a little more. */
static bool request_line_is_strict(const struct unicorn_request *request, const char *end)
{
	static const char protocol[] = " HTTP/1.";
	const struct unicorn_head *head = &request->head;
	const char *behind = head->target + head->target_length;
	const char *start = request->start;

	/* Empty lines in front of it are allowed, whole ones. */
	while (start[0] == '\r' && start[1] == '\n')
		start += 2;
	if (start != head->target - 1 - head->method_length)
		return false;

	return head->target[-1] == ' ' &&
	       memcmp(head->target - 1 - head->method_length, head->method, head->method_length) == 0 &&
	       end - behind > (ptrdiff_t)sizeof(protocol) && memcmp(behind, protocol, sizeof(protocol) - 1) == 0;
}

int http_head_complete(struct unicorn_request *request, const struct http_head_facts *facts)
{
	struct unicorn_head *head = &request->head;
	struct found found = { 0 };
	/* " HTTP/1.1" behind the target, and the end of the line. */
	const char *line = head->target + head->target_length + sizeof(" HTTP/1.1") - 1;
	int status;

	head->method = facts->method;
	head->method_length = (uint32_t)strlen(facts->method);
	head->minor_version = facts->minor_version;
	head->scheme = "http";
	head->headers = request->headers;
	if (facts->major_version != 1 || facts->minor_version > 1)
		return 505;
	if (!request_line_is_strict(request, facts->end))
		return 400;
	if (facts->end - line < 2 || line[0] != '\r' || line[1] != '\n')
		return 400;
	status = take_headers(request, line + 2, facts->end, &found);
	if (status == 0)
		status = take_target(request);
	if (status == 0)
		status = check_framing(head, facts, found.transfer_encoding);
	if (status == 0 && (found.host == NULL ? head->minor_version > 0
					       : !host_is_valid(found.host->value, found.host->value_length)))
		status = 400;
	if (status == 0)
		status = check_form(request, found.host);
	if (status == 0)
		status = check_expect(request, found.expect);
	head->is_websocket = wants_websocket(head, &found);
	request->keeps_alive = head->minor_version > 0 ? !found.has_close : found.has_keep_alive && !found.has_close;
	return status;
}
