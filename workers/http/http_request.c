#include "http_request.h"

#include <stdlib.h>
#include <string.h>

/* Requests kept for the next one; see http_buffer.c. */
#define STOCK_MAX 64

static struct unicorn_request *stock[STOCK_MAX];
static size_t stock_count;

struct unicorn_request *http_request_create(struct http_connection *connection, bool is_body_spooled)
{
	struct unicorn_request *request = stock_count > 0 ? stock[--stock_count] : malloc(sizeof(*request));

	if (request == NULL)
		return NULL;
	/* The arrays at the ends stay as they are: nobody reads what nobody has written. */
	memset(request, 0, offsetof(struct unicorn_request, answer));
	memset(&request->answer, 0, offsetof(struct http_answer, head_inline));
	request->context = NULL;
	request->copy = NULL;
	request->authority = NULL;
	request->user[0] = '\0';
	request->connection = connection;
	request->headers = request->headers_inline;
	request->header_capacity = HTTP_HEADERS_INLINE;
	request->answer.head = request->answer.head_inline;
	request->answer.head_capacity = HTTP_ANSWER_HEAD_INLINE;
	http_body_init(&request->body, is_body_spooled);
	return request;
}

void http_request_destroy(struct unicorn_request *request)
{
	if (request == NULL)
		return;
	http_body_finish(&request->body);
	if (request->headers != request->headers_inline)
		free(request->headers);
	if (request->answer.head != request->answer.head_inline)
		free(request->answer.head);
	free(request->authority);
	if (request->copy != request->copy_inline)
		free(request->copy);
	if (stock_count < STOCK_MAX)
		stock[stock_count++] = request;
	else
		free(request);
}

void http_request_stock_finish(void)
{
	while (stock_count > 0)
		free(stock[--stock_count]);
}

static bool headers_grow(struct unicorn_request *request)
{
	uint32_t capacity = request->header_capacity * 2;
	bool is_inline = request->headers == request->headers_inline;
	struct unicorn_header *headers = realloc(is_inline ? NULL : request->headers, capacity * sizeof(*headers));

	if (headers == NULL)
		return false;
	if (is_inline)
		memcpy(headers, request->headers_inline, sizeof(request->headers_inline));
	request->headers = headers;
	request->header_capacity = capacity;
	return true;
}

struct unicorn_header *http_request_add_header(struct unicorn_request *request)
{
	struct unicorn_header *header;

	if (request->head.header_count == request->header_capacity && !headers_grow(request))
		return NULL;
	header = &request->headers[request->head.header_count++];
	*header = (struct unicorn_header){ 0 };
	return header;
}

void http_request_rebase(struct unicorn_request *request, ptrdiff_t delta)
{
	/* The method is a constant, the rest is made when the head is complete, and then it does not move any more. */
	if (request->start != NULL)
		request->start += delta;
	if (request->head.target != NULL)
		request->head.target += delta;
	for (uint32_t i = 0; i < request->head.header_count; i++) {
		struct unicorn_header *header = &request->headers[i];

		if (header->name != NULL)
			header->name += delta;
		if (header->value != NULL)
			header->value += delta;
	}
}

char *http_request_copy(struct unicorn_request *request, const char *bytes, size_t length)
{
	char *copy = length < HTTP_COPY_INLINE ? request->copy_inline : malloc(length + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	request->copy = copy;
	return copy;
}
