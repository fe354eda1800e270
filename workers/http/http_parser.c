#include "http_parser.h"

#include "http_head.h"
#include "websocket_handshake.h"

/* Of what is read and thrown away: trailers, and the extensions of all chunks of one request. */
#define TRAILER_BYTES_MAX 8192

/** llhttp is told to stop, the connection which status to answer with. */
static int refuse(struct http_parser *parser, int status)
{
	parser->request->error_status = status;
	return HPE_USER;
}

static int skip_bytes(struct http_parser *parser, size_t length)
{
	parser->trailer_bytes += (int64_t)length;
	return parser->trailer_bytes > TRAILER_BYTES_MAX ? refuse(parser, 431) : 0;
}

static int take_target(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parser *parser = llhttp->data;
	struct unicorn_head *head = &parser->request->head;

	if (head->target == NULL)
		head->target = at;
	if ((int64_t)head->target_length + (int64_t)length > parser->limits->line_bytes)
		return refuse(parser, 414);
	head->target_length += (uint32_t)length;
	return 0;
}

static int take_name(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parser *parser = llhttp->data;
	struct unicorn_request *request = parser->request;
	struct unicorn_header *header;

	if (request->is_head_complete)
		return skip_bytes(parser, length);
	if (!parser->is_in_name) {
		if (request->head.header_count >= parser->limits->header_count)
			return refuse(parser, 431);
		header = http_request_add_header(request);
		if (header == NULL)
			return refuse(parser, 503);
		header->name = at;
		parser->is_in_name = true;
	}
	header = &request->headers[request->head.header_count - 1];
	if ((int64_t)header->name_length + (int64_t)length > parser->limits->header_bytes)
		return refuse(parser, 431);
	header->name_length += (uint32_t)length;
	return 0;
}

static int take_value(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parser *parser = llhttp->data;
	struct unicorn_request *request = parser->request;
	struct unicorn_header *header;

	if (request->is_head_complete)
		return skip_bytes(parser, length);
	parser->is_in_name = false;
	header = &request->headers[request->head.header_count - 1];
	if (header->value == NULL) {
		/* The blanks in front of it count, or there could be any number of them. */
		if (at - (header->name + header->name_length) > parser->limits->header_bytes)
			return refuse(parser, 431);
		header->value = at;
	}
	if (header->value + header->value_length != at)
		return refuse(parser, 400); /* a folded line */
	if ((int64_t)header->name_length + header->value_length + (int64_t)length > parser->limits->header_bytes)
		return refuse(parser, 431);
	header->value_length += (uint32_t)length;
	return 0;
}

/** A name without any value is not told by llhttp otherwise. */
static int end_value(llhttp_t *llhttp)
{
	struct http_parser *parser = llhttp->data;

	parser->is_in_name = false;
	return 0;
}

/** Of a chunked body nothing may pass that another server could read in another way. */
static bool body_is_strict(struct http_parser *parser, const char *bytes)
{
	struct unicorn_request *request = parser->request;

	if (request->head.content_length >= 0)
		return true;
	if (!http_chunks_check(&request->chunks, bytes, (size_t)(parser->end - bytes)))
		request->error_status = 400;
	else if (request->chunks.announced > (uint64_t)parser->limits->body_bytes)
		request->error_status = 413;
	return request->error_status == 0;
}

static int end_head(llhttp_t *llhttp)
{
	struct http_parser *parser = llhttp->data;
	struct unicorn_request *request = parser->request;
	struct http_head_facts facts = {
		.end = parser->end,
		.method = llhttp_method_name((llhttp_method_t)llhttp->method),
		.major_version = llhttp->http_major,
		.minor_version = llhttp->http_minor,
		.is_chunked = (llhttp->flags & F_CHUNKED) != 0,
		.has_content_length = (llhttp->flags & F_CONTENT_LENGTH) != 0,
		.content_length = llhttp->content_length,
	};
	int status = http_head_complete(request, &facts);

	if (status == 0 && request->head.content_length > parser->limits->body_bytes)
		status = 413;
	if (status != 0) {
		request->error_status = status;
		return -1;
	}
	request->is_head_complete = true;
	if (!body_is_strict(parser, request->body_start))
		return -1;
	request->head.is_websocket &= parser->takes_websockets;
	if (request->head.is_websocket) {
		request->error_status = websocket_handshake_refusal(&request->head);
		if (request->error_status != 0)
			return -1;
	}
	/* Other protocols are not spoken: the request is one like any other. */
	llhttp->upgrade = request->head.is_websocket;
	return 0;
}

static int take_body(llhttp_t *llhttp, const char *at, size_t length)
{
	struct http_parser *parser = llhttp->data;
	struct http_body *body = &parser->request->body;

	if (body->received + (int64_t)length > parser->limits->body_bytes)
		return refuse(parser, 413);
	return http_body_append(body, at, length) == 0 ? 0 : refuse(parser, 503);
}

static int take_extension(llhttp_t *llhttp, const char *at, size_t length)
{
	(void)at;
	return skip_bytes(llhttp->data, length);
}

static int end_message(llhttp_t *llhttp)
{
	struct http_parser *parser = llhttp->data;

	parser->request->body.is_complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
	.on_url = take_target,
	.on_header_field = take_name,
	.on_header_value = take_value,
	.on_header_value_complete = end_value,
	.on_headers_complete = end_head,
	.on_body = take_body,
	.on_chunk_extension_name = take_extension,
	.on_chunk_extension_value = take_extension,
	.on_message_complete = end_message,
};

void http_parser_init(struct http_parser *parser, const struct http_limits *limits, bool takes_websockets)
{
	*parser = (struct http_parser){ .limits = limits, .takes_websockets = takes_websockets };
	llhttp_init(&parser->llhttp, HTTP_REQUEST, &settings);
	parser->llhttp.data = parser;
}

static int status_of_error(llhttp_errno_t error)
{
	switch ((int)error) {
	case HPE_INVALID_METHOD:
		return 501;
	case HPE_INVALID_VERSION:
	case HPE_PAUSED_H2_UPGRADE:
		return 505;
	default:
		return 400;
	}
}

/** Ready for the next request. */
static enum http_parsed end_request(struct http_parser *parser)
{
	if (parser->llhttp.upgrade == 0)
		llhttp_resume(&parser->llhttp);
	parser->trailer_bytes = 0;
	parser->is_in_name = false;
	return HTTP_PARSED_WHOLE;
}

enum http_parsed http_parser_run(struct http_parser *parser, struct unicorn_request *request, const char *bytes,
				 size_t length, size_t *used)
{
	llhttp_errno_t error;

	if (request->start == NULL)
		request->start = bytes;
	parser->request = request;
	parser->end = bytes + length;
	*used = length;
	if (request->is_head_complete && !body_is_strict(parser, bytes))
		return HTTP_PARSED_BAD;
	error = llhttp_execute(&parser->llhttp, bytes, length);
	if (error == HPE_OK)
		return HTTP_PARSED_MORE;
	if (request->error_status == 0 && request->body.is_complete) {
		*used = (size_t)(llhttp_get_error_pos(&parser->llhttp) - bytes);
		return end_request(parser);
	}
	if (request->error_status == 0)
		request->error_status = status_of_error(error);
	return HTTP_PARSED_BAD;
}
