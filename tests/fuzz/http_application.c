#include "http_application.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#define BIG_BYTES 90000
/* Later requests of a connection get a small answer, so that no input takes long. */
#define BIG_COUNT   4
#define PIECE_BYTES 9000

enum behaviour {
	ANSWER_FIXED,
	ANSWER_CHUNKED,
	ANSWER_BIG,
	ANSWER_EARLY,  /* without reading the body */
	ANSWER_STREAM, /* a part for each part of the body */
	ANSWER_ABORT,
	ANSWER_ABORT_AFTER,
	ANSWER_SHORT,
	ANSWER_LONG,
	ANSWER_TRAILERS,
	ANSWER_INTERIM,
	ANSWER_WITHDRAWN,
	ANSWER_EMPTY,
	ANSWER_CLOSE,
	ANSWER_FILE,
	ANSWER_UPGRADE,
};

/** What a path such as "/b" asks for. */
static const char behaviour_letters[] = "fcbesaxhltiwmkou";

struct exchange {
	struct exchange *next;
	struct application *application;
	struct unicorn_request *request;
	enum behaviour behaviour;
	size_t number;
	uint64_t sum;
	size_t left; /* of a big answer */
	bool is_big;
	bool is_deferred;
	bool is_put_off; /* once is enough */
	bool is_whole;
};

static char piece[PIECE_BYTES];

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

/* ---- what is answered */

static void loosen(const struct exchange *exchange)
{
	if (exchange->application->loose_from > exchange->number)
		exchange->application->loose_from = exchange->number;
}

static struct seen_request *seen_of(const struct exchange *exchange)
{
	return &exchange->application->seen[exchange->number];
}

static void begin(struct exchange *exchange, int status, const char *length, bool closes)
{
	struct unicorn_header headers[4] = { UNICORN_HEADER("X-Number", "") };
	char number[24];
	size_t count = 1;

	headers[0].value = number;
	headers[0].value_length = (uint32_t)snprintf(number, sizeof(number), "%zu", exchange->number);
	if (length != NULL)
		headers[count++] = (struct unicorn_header){ "Content-Length", length, 14, (uint32_t)strlen(length) };
	if (closes)
		headers[count++] = (struct unicorn_header)UNICORN_HEADER("Connection", "close");
	require(unicorn_answer_begin(exchange->request, status, NULL, headers, count) == 0);
	require(unicorn_answer_is_begun(exchange->request) && !unicorn_answer_is_sent(exchange->request));
}

/** Goes on until the client has to take something. The last call may end the request, and the exchange with it. */
static void write_big(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;

	while (exchange->left > 0) {
		size_t length = exchange->left < PIECE_BYTES ? exchange->left : PIECE_BYTES;

		if (unicorn_answer_is_congested(request))
			return;
		memset(piece, 'a' + (int)(exchange->left % 26), length);
		exchange->left -= length;
		if (unicorn_answer_write(request, piece, length) != 0)
			return;
	}
	(void)unicorn_answer_end(request);
}

static void answer_big(struct exchange *exchange)
{
	exchange->is_big = true;
	exchange->left = exchange->number < BIG_COUNT ? BIG_BYTES : 10;
	begin(exchange, 200, (exchange->number & 1) != 0 ? NULL : exchange->number < BIG_COUNT ? "90000" : "10", false);
	write_big(exchange);
}

static void answer_file(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	require(fd >= 0 && ftruncate(fd, 600) == 0);
	begin(exchange, 200, (exchange->number & 1) != 0 ? NULL : "500", false);
	if (unicorn_answer_file(request, fd, 100, 500) == 0)
		(void)unicorn_answer_end(request);
}

/** More than was announced: what fits is sent. Any other failure may have ended the request. */
static void answer_long(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;
	bool is_head = seen_of(exchange)->is_head;
	int result;

	begin(exchange, 200, "5", false);
	result = unicorn_answer_write(request, "1234567", 7);
	require(result == -EPIPE || result == (is_head ? 0 : -EMSGSIZE));
	if (result != -EPIPE)
		(void)unicorn_answer_end(request);
}

static void answer_upgrade(struct exchange *exchange)
{
	struct seen_request *seen = seen_of(exchange);

	loosen(exchange);
	seen->is_cut = seen->is_upgraded = seen->is_aborted = true;
	if (unicorn_websocket_accept(exchange->request, NULL, NULL, 0) == -EINVAL)
		unicorn_answer_abort(exchange->request);
}

static void answer_with_trailers(struct exchange *exchange)
{
	static const struct unicorn_header trailers[] = { UNICORN_HEADER("x-sum", "42"), UNICORN_HEADER("x-end", "") };
	struct unicorn_request *request = exchange->request;

	begin(exchange, 200, NULL, false);
	if (unicorn_answer_write(request, "body", 4) == 0)
		(void)unicorn_answer_trailers(request, trailers, 2);
}

/** An answer that does not come to its end. */
static void answer_cut(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;

	seen_of(exchange)->is_cut = true;
	begin(exchange, 200, exchange->behaviour == ANSWER_SHORT ? "10" : NULL, false);
	if (unicorn_answer_write(request, "part", 4) != 0)
		return;
	if (exchange->behaviour == ANSWER_SHORT)
		(void)unicorn_answer_end(request);
	else
		unicorn_answer_abort(request);
}

static void answer_text(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;
	char text[32];
	size_t length = (size_t)snprintf(text, sizeof(text), "%016llx\n", (unsigned long long)exchange->sum);

	begin(exchange, exchange->behaviour == ANSWER_WITHDRAWN ? 500 : 200, NULL, exchange->behaviour == ANSWER_CLOSE);
	if (exchange->behaviour == ANSWER_WITHDRAWN) {
		require(unicorn_answer_withdraw(request) == 0);
		begin(exchange, 410, "17", false);
	}
	if (exchange->behaviour == ANSWER_CHUNKED &&
	    (unicorn_answer_write(request, "first,", 6) != 0 || unicorn_answer_write(request, "", 0) != 0))
		return;
	(void)unicorn_answer_finish(request, text, length);
}

static void answer(struct exchange *exchange)
{
	static const struct unicorn_header link = UNICORN_HEADER("link", "</a.css>; rel=preload");
	struct unicorn_request *request = exchange->request;

	switch (exchange->behaviour) {
	case ANSWER_BIG:
		answer_big(exchange);
		break;
	case ANSWER_ABORT:
		seen_of(exchange)->is_aborted = true;
		unicorn_answer_abort(request);
		break;
	case ANSWER_ABORT_AFTER:
	case ANSWER_SHORT:
		answer_cut(exchange);
		break;
	case ANSWER_LONG:
		answer_long(exchange);
		break;
	case ANSWER_TRAILERS:
		answer_with_trailers(exchange);
		break;
	case ANSWER_INTERIM:
		if (unicorn_answer_interim(request, 103, &link, 1) == 0)
			answer_text(exchange);
		break;
	case ANSWER_EMPTY:
		begin(exchange, (exchange->number & 1) != 0 ? 304 : 204, NULL, false);
		(void)unicorn_answer_finish(request, "no body", 7);
		break;
	case ANSWER_FILE:
		answer_file(exchange);
		break;
	case ANSWER_UPGRADE:
		answer_upgrade(exchange);
		break;
	case ANSWER_STREAM:
		(void)unicorn_answer_end(request);
		break;
	case ANSWER_FIXED:
	case ANSWER_CHUNKED:
	case ANSWER_EARLY:
	case ANSWER_WITHDRAWN:
	case ANSWER_CLOSE:
		answer_text(exchange);
		break;
	}
}

static void answer_later(struct exchange *exchange)
{
	struct application *application = exchange->application;

	if ((application->options & APPLICATION_DEFERS) == 0 || (application->options & APPLICATION_IS_ASYNC) == 0 ||
	    exchange->is_put_off) {
		answer(exchange);
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
			loosen(exchange);
		answer_later(exchange);
		return;
	}
	if (exchange->behaviour == ANSWER_STREAM && !unicorn_answer_is_begun(exchange->request)) {
		if ((application->options & APPLICATION_IS_ASYNC) != 0)
			loosen(exchange);
		begin(exchange, 200, NULL, false);
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

	while (unicorn_websocket_receive(exchange->request, &type, &bytes, &length) == 1)
		(void)unicorn_websocket_send(exchange->request, type, bytes, length);
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
	seen_of(exchange)->is_last = is_last(request);
	seen_of(exchange)->is_head = strcmp(head->method, "HEAD") == 0;
	/* Whether 100 Continue was sent, and so whether the connection stays, depends on what has come. */
	if (unicorn_request_header(request, "expect") != NULL)
		loosen(exchange);
	unicorn_request_client(request, &address);
	require(address.host != NULL);
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
		seen_of(exchange)->is_cut = true;
		unicorn_answer_abort(request);
	} else if ((events & UNICORN_MESSAGE) != 0) {
		take_messages(exchange);
	} else if (exchange->is_big) {
		write_big(exchange);
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
		answer(exchange);
	return true;
}

const struct unicorn_app fuzz_application = {
	.abi = UNICORN_APP_ABI,
	.handle = handle,
	.resume = resume,
	.closed = closed,
};
