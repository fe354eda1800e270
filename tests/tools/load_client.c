/*
 * load_client.c - see load_client.h.
 *
 * Descriptors are registered once, edge-triggered: each event drives its client until nothing can be done any more.
 */
#include "load_client.h"

#include "load_answer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define RETRY_US         5000
#define REFUSED_PAUSE_US 10000
#define CLOSE_WAIT_US    5000000

static void client_set(struct load *load, struct load_client *client, enum load_client_state state, int64_t due_us)
{
	client->state = state;
	client->due_us = due_us;
	if (due_us < load->next_due_us)
		load->next_due_us = due_us;
}

void load_client_close(struct load_client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd);
	client->fd = -1;
	client->is_reused = false;
}

bool load_client_may_end(const struct load *load, const struct load_client *client)
{
	return load->is_ending && client->state == LOAD_CLIENT_RESTING && !client->has_request;
}

static void client_done(struct load *load, struct load_client *client)
{
	load_client_close(client);
	client_set(load, client, LOAD_CLIENT_DONE, LOAD_NEVER);
	load->active--;
}

static void client_fail(struct load *load, struct load_client *client, enum load_failure failure)
{
	bool is_connect = failure == LOAD_FAILURE_REFUSED || failure == LOAD_FAILURE_CONNECT;
	int64_t pause = is_connect && load->plan->pause_us < REFUSED_PAUSE_US ? REFUSED_PAUSE_US : load->plan->pause_us;

	load->record->failed[failure]++;
	client->has_request = false;
	load_client_close(client);
	client_set(load, client, LOAD_CLIENT_RESTING, load->now_us + pause);
}

/** A lack on this side, or the full queue of a Unix socket: no verdict on the server. */
static bool is_worth_a_retry(int error)
{
	return error == EAGAIN || error == EADDRNOTAVAIL || error == EMFILE || error == ENFILE || error == ENOBUFS;
}

static void client_connect_failed(struct load *load, struct load_client *client, int error)
{
	if (!is_worth_a_retry(error)) {
		client_fail(load, client, error == ECONNREFUSED ? LOAD_FAILURE_REFUSED : LOAD_FAILURE_CONNECT);
		return;
	}
	if (load->now_us - client->started_us >= load->plan->timeout_us) {
		client_fail(load, client, LOAD_FAILURE_TIMEOUT);
		return;
	}
	load->record->connect_retries++;
	load_client_close(client);
	client_set(load, client, LOAD_CLIENT_RESTING, load->now_us + RETRY_US);
}

static void client_connect(struct load *load, struct load_client *client)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };
	const struct load_plan *plan = load->plan;
	int yes = 1;
	int error = 0;

	client->fd = socket(plan->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd < 0) {
		client_connect_failed(load, client, errno);
		return;
	}
	(void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	event.data.u64 = (uint64_t)(client - load->clients) + 1;
	if (connect(client->fd, (const struct sockaddr *)&plan->address, plan->address_length) != 0)
		error = errno;
	if ((error == 0 || error == EINPROGRESS) && epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0)
		error = errno;
	if (error != 0 && error != EINPROGRESS) {
		client_connect_failed(load, client, error);
		return;
	}
	load->record->connections++;
	client_set(load, client, LOAD_CLIENT_CONNECTING, client->started_us + plan->timeout_us);
}

/** Takes the next request, if there is one. */
static void client_begin(struct load *load, struct load_client *client)
{
	if (!client->has_request) {
		if (load->is_ending || (!load->plan->until_eof && load->taken == load->plan->requests)) {
			client_done(load, client);
			return;
		}
		load->taken++;
		client->has_request = true;
		client->started_us = load->now_us;
	}
	client->sent = 0;
	load_answer_reset(&client->answer);
	if (client->fd < 0) {
		client_connect(load, client);
		return;
	}
	load->record->reused++;
	client_set(load, client, LOAD_CLIENT_ASKING, client->started_us + load->plan->timeout_us);
}

static void announce_first(const struct load *load)
{
	if (load->record->ok == 1 && load->plan->announce) {
		(void)fputs("started\n", stdout);
		(void)fflush(stdout);
	}
}

static void client_answered(struct load *load, struct load_client *client)
{
	const struct load_answer *answer = &client->answer;

	load->now_us = load_now_us();
	client->has_request = false;
	if (answer->status != 200) {
		load->record->failed[LOAD_FAILURE_STATUS]++;
	} else {
		load->record->ok++;
		load_record_latency(load->record, (uint64_t)(load->now_us - client->started_us));
		load_record_body(load->record, answer->body, answer->body_length);
		announce_first(load);
	}
	client->is_reused = true;
	if (answer->will_close || !load->plan->keep_alive)
		client_set(load, client, LOAD_CLIENT_CLOSING, load->now_us + CLOSE_WAIT_US);
	else
		client_set(load, client, LOAD_CLIENT_RESTING, load->now_us + load->plan->pause_us);
}

/** The server closed, or reset, while an answer was due. */
static void client_broken(struct load *load, struct load_client *client, bool is_reset)
{
	if (!is_reset && load_answer_end(&client->answer)) {
		client_answered(load, client);
		return;
	}
	if (client->answer.has_begun)
		client_fail(load, client, is_reset ? LOAD_FAILURE_RESET_WITHIN : LOAD_FAILURE_SHORT);
	else if (is_reset)
		client_fail(load, client, LOAD_FAILURE_RESET_BEFORE);
	else
		client_fail(load, client, client->is_reused ? LOAD_FAILURE_CLOSED_REUSED : LOAD_FAILURE_CLOSED_BEFORE);
}

/** @return false when there is nothing to do but to wait */
static bool drive_connecting(struct load *load, struct load_client *client)
{
	struct sockaddr_storage peer;
	socklen_t peer_length = sizeof(peer);
	socklen_t error_length = sizeof(int);
	int error = 0;

	(void)getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &error_length);
	if (error != 0) {
		client_connect_failed(load, client, error);
		return true;
	}
	if (getpeername(client->fd, (struct sockaddr *)&peer, &peer_length) != 0)
		return false;
	client->state = LOAD_CLIENT_ASKING;
	return true;
}

static bool send_request(struct load *load, struct load_client *client)
{
	const struct load_plan *plan = load->plan;
	ssize_t count;

	count = send(client->fd, plan->request + client->sent, plan->request_length - client->sent, MSG_NOSIGNAL);
	if (count < 0 && errno == EAGAIN)
		return false;
	if (count < 0)
		client_broken(load, client, true);
	else
		client->sent += (size_t)count;
	return true;
}

/** @return false when there is nothing to do but to wait */
static bool drive_asking(struct load *load, struct load_client *client)
{
	char bytes[2048];
	ssize_t count;
	size_t taken;

	if (client->sent < load->plan->request_length)
		return send_request(load, client);
	count = recv(client->fd, bytes, sizeof(bytes), 0);
	if (count < 0 && errno == EAGAIN)
		return false;
	if (count <= 0) {
		client_broken(load, client, count < 0);
		return true;
	}
	taken = load_answer_feed(&client->answer, bytes, (size_t)count);
	if (client->answer.state == LOAD_ANSWER_MALFORMED || taken < (size_t)count)
		client_fail(load, client, LOAD_FAILURE_MALFORMED);
	else if (client->answer.state == LOAD_ANSWER_COMPLETE)
		client_answered(load, client);
	return true;
}

/** The last answer is in: waits for the end, so that the server is the side that keeps TIME_WAIT. */
static bool drive_closing(struct load *load, struct load_client *client)
{
	char byte;
	ssize_t count = recv(client->fd, &byte, 1, 0);

	if (count < 0 && errno == EAGAIN)
		return false;
	if (count > 0)
		load->record->failed[LOAD_FAILURE_MALFORMED]++;
	if (count < 0)
		load->record->reset_after_answer++;
	load_client_close(client);
	client_set(load, client, LOAD_CLIENT_RESTING, load->now_us + load->plan->pause_us);
	return true;
}

/** Nothing is asked. Looks whether the server has closed; when it is time, begins again. */
static bool drive_resting(struct load *load, struct load_client *client)
{
	char byte;
	ssize_t count;

	if (load->now_us >= client->due_us || load_client_may_end(load, client)) {
		client_begin(load, client);
		return true;
	}
	if (client->fd < 0)
		return false;
	count = recv(client->fd, &byte, 1, MSG_PEEK);
	if (count < 0 && errno == EAGAIN)
		return false;
	if (count == 0)
		load->record->closed_idle++;
	else if (count < 0)
		load->record->reset_after_answer++;
	else
		load->record->failed[LOAD_FAILURE_MALFORMED]++;
	load_client_close(client);
	return false;
}

void load_client_drive(struct load *load, struct load_client *client)
{
	bool goes_on = true;

	while (goes_on) {
		switch (client->state) {
		case LOAD_CLIENT_RESTING:
			goes_on = drive_resting(load, client);
			break;
		case LOAD_CLIENT_CONNECTING:
			goes_on = drive_connecting(load, client);
			break;
		case LOAD_CLIENT_ASKING:
			goes_on = drive_asking(load, client);
			break;
		case LOAD_CLIENT_CLOSING:
			goes_on = drive_closing(load, client);
			break;
		case LOAD_CLIENT_DONE:
			goes_on = false;
			break;
		}
	}
}

void load_client_due(struct load *load, struct load_client *client)
{
	if (client->state == LOAD_CLIENT_CONNECTING || client->state == LOAD_CLIENT_ASKING)
		client_fail(load, client, LOAD_FAILURE_TIMEOUT);
	if (client->state == LOAD_CLIENT_CLOSING) {
		load_client_close(client);
		client_set(load, client, LOAD_CLIENT_RESTING, load->now_us);
	}
	load_client_drive(load, client);
}
