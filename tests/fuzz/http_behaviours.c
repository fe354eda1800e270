#include "http_behaviours.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BIG_BYTES 90000
/* Later requests of a connection get a small answer, so that no input takes long. */
#define BIG_COUNT   4
#define PIECE_BYTES 9000

static char piece[PIECE_BYTES];

void exchange_loosen(const struct exchange *exchange)
{
	if (exchange->application->loose_from > exchange->number)
		exchange->application->loose_from = exchange->number;
}

struct seen_request *exchange_seen(const struct exchange *exchange)
{
	return &exchange->application->seen[exchange->number];
}

void behaviour_begin(struct exchange *exchange, int status, const char *length, bool closes)
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

void behaviour_write_big(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;
	bool is_async = (exchange->application->options & APPLICATION_IS_ASYNC) != 0;

	while (exchange->left > 0) {
		size_t length = exchange->left < PIECE_BYTES ? exchange->left : PIECE_BYTES;

		if (unicorn_answer_is_congested(request))
			return;
		memset(piece, 'a' + (int)(exchange->left % 26), length);
		exchange->left -= length;
		if (unicorn_answer_write(request, piece, length) != 0 || !is_async)
			return;
	}
	(void)unicorn_answer_end(request);
}

static void answer_big(struct exchange *exchange)
{
	exchange->is_big = true;
	exchange->left = exchange->number < BIG_COUNT ? BIG_BYTES : 10;
	behaviour_begin(exchange, 200,
			(exchange->number & 1) != 0    ? NULL
			: exchange->number < BIG_COUNT ? "90000"
						       : "10",
			false);
	behaviour_write_big(exchange);
}

static void answer_file(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	require(fd >= 0 && ftruncate(fd, 600) == 0);
	behaviour_begin(exchange, 200, (exchange->number & 1) != 0 ? NULL : "500", false);
	if (unicorn_answer_file(request, fd, 100, 500) == 0)
		(void)unicorn_answer_end(request);
}

/** More than was announced: what fits is sent. Any other failure may have ended the request. */
static void answer_long(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;
	bool is_head = exchange_seen(exchange)->is_head;
	int result;

	behaviour_begin(exchange, 200, "5", false);
	result = unicorn_answer_write(request, "1234567", 7);
	require(result == -EPIPE || result == (is_head ? 0 : -EMSGSIZE));
	if (result != -EPIPE)
		(void)unicorn_answer_end(request);
}

static void answer_upgrade(struct exchange *exchange)
{
	struct seen_request *seen = exchange_seen(exchange);

	exchange_loosen(exchange);
	seen->is_cut = seen->is_upgraded = seen->is_aborted = true;
	if (unicorn_websocket_accept(exchange->request, NULL, NULL, 0) == -EINVAL)
		unicorn_answer_abort(exchange->request);
}

static void answer_with_trailers(struct exchange *exchange)
{
	static const struct unicorn_header trailers[] = { UNICORN_HEADER("x-sum", "42"), UNICORN_HEADER("x-end", "") };
	struct unicorn_request *request = exchange->request;

	behaviour_begin(exchange, 200, NULL, false);
	if (unicorn_answer_write(request, "body", 4) == 0)
		(void)unicorn_answer_trailers(request, trailers, 2);
}

/** An answer that does not come to its end. */
static void answer_cut(struct exchange *exchange)
{
	struct unicorn_request *request = exchange->request;

	exchange_seen(exchange)->is_cut = true;
	behaviour_begin(exchange, 200, exchange->behaviour == ANSWER_SHORT ? "10" : NULL, false);
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

	behaviour_begin(exchange, exchange->behaviour == ANSWER_WITHDRAWN ? 500 : 200, NULL,
			exchange->behaviour == ANSWER_CLOSE);
	if (exchange->behaviour == ANSWER_WITHDRAWN) {
		require(unicorn_answer_withdraw(request) == 0);
		behaviour_begin(exchange, 410, "17", false);
	}
	if (exchange->behaviour == ANSWER_CHUNKED &&
	    (unicorn_answer_write(request, "first,", 6) != 0 || unicorn_answer_write(request, "", 0) != 0))
		return;
	(void)unicorn_answer_finish(request, text, length);
}

void behaviour_answer(struct exchange *exchange)
{
	static const struct unicorn_header link = UNICORN_HEADER("link", "</a.css>; rel=preload");
	struct unicorn_request *request = exchange->request;

	switch (exchange->behaviour) {
	case ANSWER_BIG:
		answer_big(exchange);
		break;
	case ANSWER_ABORT:
		exchange_seen(exchange)->is_aborted = true;
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
		behaviour_begin(exchange, (exchange->number & 1) != 0 ? 304 : 204, NULL, false);
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
