/*
 * http_connection.c - see http_connection.h.
 */
#include "http_connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Answers to one client in a row, before the others have their turn. */
#define ROUNDS_MAX 32

struct refusal {
	int status;
	const char *answer;
};

#define REFUSAL(status, reason, fields)                                                                                \
	{                                                                                                              \
		status, "HTTP/1.1 " #status " " reason "\r\nContent-Length: 0\r\nConnection: close\r\n" fields "\r\n"  \
	}

static const struct refusal refusals[] = {
	REFUSAL(400, "Bad Request", ""),
	REFUSAL(405, "Method Not Allowed", "Allow: GET, HEAD\r\n"),
	REFUSAL(408, "Request Timeout", ""),
	REFUSAL(413, "Content Too Large", ""),
	REFUSAL(431, "Request Header Fields Too Large", ""),
	REFUSAL(501, "Not Implemented", ""),
	REFUSAL(505, "HTTP Version Not Supported", ""),
};

struct http_connection *http_connection_create(int fd, const struct http_site *site)
{
	/* Not calloc: most of the room for the request is never touched. */
	struct http_connection *connection = malloc(sizeof(*connection));

	if (connection == NULL) {
		(void)close(fd);
		return NULL;
	}
	memset(connection, 0, offsetof(struct http_connection, request));
	connection->fd = fd;
	connection->deadline_ms = site->now_ms + HTTP_REQUEST_TIMEOUT_MS;
	return connection;
}

void http_connection_destroy(struct http_connection *connection)
{
	if (connection == NULL)
		return;
	(void)close(connection->fd);
	free(connection);
}

bool http_connection_is_idle(const struct http_connection *connection)
{
	return connection->state == HTTP_CONNECTION_READING && connection->received == 0;
}

static void answer_begin(struct http_connection *connection, const char *bytes, size_t length, int64_t now_ms)
{
	connection->state = HTTP_CONNECTION_WRITING;
	connection->answer = bytes;
	connection->answer_left = length;
	connection->deadline_ms = now_ms + HTTP_REQUEST_TIMEOUT_MS;
}

static void refuse(struct http_connection *connection, int status, int64_t now_ms)
{
	const struct refusal *refusal = refusals;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].status == status)
			refusal = &refusals[i];
	}
	connection->is_last = true;
	connection->received = 0;
	answer_begin(connection, refusal->answer, strlen(refusal->answer), now_ms);
}

static void answer_request(struct http_connection *connection, const struct http_request *request,
			   const struct http_site *site)
{
	const struct http_answer *answer;

	connection->is_last = site->is_draining || !request->keep_alive;
	answer = connection->is_last ? &site->answers.close : &site->answers.keep_alive;
	connection->received -= request->length;
	memmove(connection->request, connection->request + request->length, connection->received);
	answer_begin(connection, answer->bytes, request->is_head ? answer->head_length : answer->length, site->now_ms);
}

/**
 * Ends our direction only and waits for the client to end its own: a close with bytes unread, or followed by bytes of
 * the client, is a reset, and that may overtake the answer.
 */
static void say_goodbye(struct http_connection *connection, int64_t now_ms)
{
	(void)shutdown(connection->fd, SHUT_WR);
	connection->state = HTTP_CONNECTION_LINGERING;
	connection->deadline_ms = now_ms + HTTP_CLOSE_TIMEOUT_MS;
}

static enum http_connection_want want_after_error(enum http_connection_want want)
{
	return errno == EAGAIN || errno == EINTR ? want : HTTP_WANT_END;
}

/** @return HTTP_WANT_WRITE when there is something to answer */
static enum http_connection_want advance_reading(struct http_connection *connection, const struct http_site *site)
{
	struct http_request request;
	ssize_t count;

	switch (http_request_parse(connection->request, connection->received, &request)) {
	case HTTP_REQUEST_COMPLETE:
		answer_request(connection, &request, site);
		return HTTP_WANT_WRITE;
	case HTTP_REQUEST_REFUSED:
		refuse(connection, request.status, site->now_ms);
		return HTTP_WANT_WRITE;
	case HTTP_REQUEST_INCOMPLETE:
		break;
	}
	count = recv(connection->fd, connection->request + connection->received,
		     sizeof(connection->request) - connection->received, MSG_DONTWAIT);
	if (count <= 0)
		return count == 0 ? HTTP_WANT_END : want_after_error(HTTP_WANT_READ);
	if (connection->received == 0)
		connection->deadline_ms = site->now_ms + HTTP_REQUEST_TIMEOUT_MS;
	connection->received += (size_t)count;
	return HTTP_WANT_WRITE;
}

/** @return HTTP_WANT_READ when the answer is out */
static enum http_connection_want advance_writing(struct http_connection *connection, struct http_site *site)
{
	ssize_t count = send(connection->fd, connection->answer, connection->answer_left, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (count < 0)
		return want_after_error(HTTP_WANT_WRITE);
	connection->answer += count;
	connection->answer_left -= (size_t)count;
	if (connection->answer_left > 0)
		return HTTP_WANT_WRITE;
	site->answered++;
	if (connection->is_last) {
		say_goodbye(connection, site->now_ms);
	} else {
		connection->state = HTTP_CONNECTION_READING;
		connection->deadline_ms = site->now_ms + site->idle_timeout_ms;
	}
	return HTTP_WANT_READ;
}

static enum http_connection_want advance_lingering(struct http_connection *connection)
{
	ssize_t count = recv(connection->fd, connection->request, sizeof(connection->request), MSG_DONTWAIT);

	if (count == 0)
		return HTTP_WANT_END;
	return count > 0 ? HTTP_WANT_READ : want_after_error(HTTP_WANT_READ);
}

enum http_connection_want http_connection_advance(struct http_connection *connection, struct http_site *site)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		enum http_connection_state before = connection->state;
		enum http_connection_want want = HTTP_WANT_END;

		switch (before) {
		case HTTP_CONNECTION_READING:
			want = advance_reading(connection, site);
			if (want != HTTP_WANT_WRITE)
				return want;
			break;
		case HTTP_CONNECTION_WRITING:
			want = advance_writing(connection, site);
			if (want != HTTP_WANT_READ)
				return want;
			break;
		case HTTP_CONNECTION_LINGERING:
			return advance_lingering(connection);
		}
	}
	/* There may be requests in our memory that no readable socket would tell of; a writable one comes back at once.
	 */
	return HTTP_WANT_WRITE;
}

enum http_connection_want http_connection_expire(struct http_connection *connection, struct http_site *site)
{
	switch (connection->state) {
	case HTTP_CONNECTION_WRITING:
	case HTTP_CONNECTION_LINGERING:
		return HTTP_WANT_END;
	case HTTP_CONNECTION_READING:
		if (http_connection_is_idle(connection))
			say_goodbye(connection, site->now_ms);
		else
			refuse(connection, 408, site->now_ms);
		break;
	}
	return http_connection_advance(connection, site);
}
