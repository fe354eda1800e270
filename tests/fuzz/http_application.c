#include "http_application.h"

#include "http_behaviours.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** What a path such as "/b" asks for. */
static const char behaviour_letters[] = "fcbesaxhltiwmkou";

void require(bool condition)
{
	if (!condition)
		abort();
}

uint64_t sum_bytes(uint64_t sum, const void *bytes, size_t length)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < length; i++)
		sum = (sum ^ byte[i]) * 1099511628211U;
	return sum * 31 + length;
}

/* ---- what is asked */

static void check_text(const char *text, size_t length)
{
	require(text != NULL && strlen(text) == length);
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		require((c >= ' ' || c == '\t') && c != 0x7f);
	}
}

static uint64_t sum_header(uint64_t sum, const struct unicorn_header *header)
{
	check_text(header->name, header->name_length);
	check_text(header->value, header->value_length);
	require(header->name_length > 0 && strpbrk(header->name, " \t:\"(),/;<=>?@[\\]{}") == NULL);
	for (const char *c = header->name; *c != '\0'; c++)
		require((unsigned char)*c < 0x80 && (*c < 'A' || *c > 'Z'));
	require(header->value_length == 0 ||
		(header->value[0] != ' ' && header->value[header->value_length - 1] != ' '));
	return sum_bytes(sum_bytes(sum, header->name, header->name_length), header->value, header->value_length);
}

/** Every string is what app.h says. */
static uint64_t sum_head(const struct unicorn_head *head)
{
	uint64_t sum = sum_bytes(1, head->method, head->method_length);

	check_text(head->method, head->method_length);
	check_text(head->target, head->target_length);
	check_text(head->path, head->path_length);
	check_text(head->query, head->query_length);
	require(head->method_length > 0 && (head->path[0] == '/' || strcmp(head->path, "*") == 0));
	require(strpbrk(head->target, " \t#") == NULL);
	require(head->minor_version == 0 || head->minor_version == 1);
	require(head->content_length >= -1);
	sum = sum_bytes(sum, head->target, head->target_length);
	sum = sum_bytes(sum, head->path, head->path_length);
	sum = sum_bytes(sum, head->query, head->query_length);
	for (uint32_t i = 0; i < head->header_count; i++)
		sum = sum_header(sum, &head->headers[i]);
	return sum * 31 + (uint64_t)head->minor_version * 7 + (uint64_t)head->content_length;
}

static enum behaviour choose(const struct application *application, const char *path)
{
	const char *letter = path[0] == '/' && path[1] != '\0' ? strchr(behaviour_letters, path[1]) : NULL;

	if (letter != NULL)
		return (enum behaviour)(letter - behaviour_letters);
	return (enum behaviour)(application->options >> APPLICATION_SHIFT & 15);
}

static void answer_later(struct exchange *exchange)
{
	struct application *application = exchange->application;

	if ((application->options & APPLICATION_DEFERS) == 0 || (application->options & APPLICATION_IS_ASYNC) == 0 ||
	    exchange->is_put_off) {
		behaviour_answer(exchange);
		return;
	}
	exchange->is_put_off = exchange->is_deferred = true;
	exchange->next = application->deferred;
	application->deferred = exchange;
}

/* ---- the body */

/** @return false when there is no more now, or the request is over */
static bool take_part(struct exchange *exchange)
{
	char bytes[700];
	int64_t count = unicorn_body_read(exchange->request, bytes, sizeof(bytes));

	require(count <= (int64_t)sizeof(bytes));
	/* The sync worker calls when the body is there. */
	require(count >= 0 || (exchange->application->options & APPLICATION_IS_ASYNC) != 0);
	require(count >= 0 || count == -EAGAIN || count == -ECONNRESET);
	if (count == 0) {
		require(unicorn_body_is_finished(exchange->request));
		exchange->is_whole = true;
	}
	if (count <= 0)
		return false;
	/* Byte by byte: how many come at a time is not to matter. */
	for (int64_t i = 0; i < count; i++)
		exchange->sum = sum_bytes(exchange->sum, bytes + i, 1);
	return exchange->behaviour != ANSWER_STREAM ||
	       unicorn_answer_write(exchange->request, bytes, (size_t)count) == 0;
}

static void go_on(struct exchange *exchange)
{
	struct application *application = exchange->application;

	if (exchange->behaviour == ANSWER_EARLY) {
		if (!unicorn_body_is_finished(exchange->request))
			exchange_loosen(exchange);
		answer_later(exchange);
		return;
	}
	if (exchange->behaviour == ANSWER_STREAM && !unicorn_answer_is_begun(exchange->request)) {
		if ((application->options & APPLICATION_IS_ASYNC) != 0)
			exchange_loosen(exchange);
		behaviour_begin(exchange, 200, NULL, false);
	}
	while (take_part(exchange))
		continue;
	if (!exchange->is_whole)
		return;
	application->whole_count++;
	application->sum = application->sum * 31 + exchange->sum;
	answer_later(exchange);
}

static void take_messages(struct exchange *exchange)
{
	enum unicorn_message_type type;
	const void *bytes;
	size_t length;

	while (unicorn_websocket_receive(exchange->request, &type, &bytes, &length) == 1) {
		if (length == 1)
			(void)unicorn_websocket_close(exchange->request, 1000, "enough");
		else
			(void)unicorn_websocket_send(exchange->request, type, bytes, length);
	}
}

/* ---- what the worker calls */

/** Has the client said that no other request follows? */
static bool is_last(const struct unicorn_request *request)
{
	const char *connection = unicorn_request_header(request, "connection");

	if (connection == NULL)
		return unicorn_request_head(request)->minor_version == 0;
	return strcasecmp(connection, "close") == 0;
}

static void handle(void *state, struct unicorn_request *request)
{
	struct application *application = state;
	const struct unicorn_head *head = unicorn_request_head(request);
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	struct unicorn_address address;

	require(exchange != NULL && application->handled_count < REQUESTS_MAX);
	exchange->application = application;
	exchange->request = request;
	exchange->number = application->handled_count++;
	exchange->sum = sum_head(head);
	exchange->behaviour = choose(application, head->path);
	require(exchange->number == 0 || !application->seen[exchange->number - 1].is_last);
	exchange_seen(exchange)->is_last = is_last(request);
	exchange_seen(exchange)->is_head = strcmp(head->method, "HEAD") == 0;
	/* Whether 100 Continue was sent, and so whether the connection stays, depends on what has come. */
	if (unicorn_request_header(request, "expect") != NULL)
		exchange_loosen(exchange);
	unicorn_request_client(request, &address);
	require(address.host != NULL);
	unicorn_request_server(request, &address);
	require(address.host != NULL);
	unicorn_request_set_user(request, head->query);
	unicorn_request_set_context(request, exchange);
	go_on(exchange);
}

static void resume(void *state, struct unicorn_request *request, unsigned events)
{
	struct exchange *exchange = unicorn_request_context(request);

	(void)state;
	require(exchange != NULL && exchange->request == request);
	if ((events & UNICORN_GONE) != 0) {
		require(unicorn_request_is_gone(request));
		exchange_seen(exchange)->is_cut = true;
		(void)unicorn_websocket_close_code(request, NULL);
		unicorn_answer_abort(request);
	} else if ((events & UNICORN_MESSAGE) != 0) {
		take_messages(exchange);
	} else if (exchange->is_big) {
		behaviour_write_big(exchange);
	} else if (!exchange->is_whole && !exchange->is_deferred) {
		go_on(exchange);
	}
}

static void closed(void *state, struct unicorn_request *request)
{
	struct application *application = state;
	struct exchange *exchange = unicorn_request_context(request);
	struct exchange **place = &application->deferred;

	require(exchange != NULL && exchange->request == request);
	while (*place != NULL && *place != exchange)
		place = &(*place)->next;
	require((*place == exchange) == exchange->is_deferred);
	if (exchange->is_deferred)
		*place = exchange->next;
	application->closed_count++;
	free(exchange);
}

bool application_run_deferred(struct application *application)
{
	struct exchange *exchange = application->deferred;

	if (exchange == NULL)
		return false;
	application->deferred = exchange->next;
	exchange->is_deferred = false;
	if (unicorn_request_is_gone(exchange->request))
		unicorn_answer_abort(exchange->request);
	else
		behaviour_answer(exchange);
	return true;
}

const struct unicorn_app fuzz_application = {
	.abi = UNICORN_APP_ABI,
	.handle = handle,
	.resume = resume,
	.closed = closed,
};
