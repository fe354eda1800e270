/*
 * load_run.c - see load_run.h.
 */
#include "load_run.h"

#include "load_client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS_IN_A_TURN 64

int64_t load_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void clients_due(struct load *load)
{
	load->next_due_us = LOAD_NEVER;
	for (int i = 0; i < load->plan->connections; i++) {
		struct load_client *client = &load->clients[i];
		if (client->due_us <= load->now_us || load_client_may_end(load, client))
			load_client_due(load, client);
		if (client->due_us < load->next_due_us)
			load->next_due_us = client->due_us;
	}
}

static void input_read(struct load *load)
{
	char bytes[256];
	ssize_t count = read(STDIN_FILENO, bytes, sizeof(bytes));

	if (count > 0)
		return;
	(void)epoll_ctl(load->epoll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	load->is_ending = true;
	load->next_due_us = 0;
}

/** @return 0 or a negative errno value */
static int turn(struct load *load)
{
	struct epoll_event events[EVENTS_IN_A_TURN];
	int64_t wait_us = load->next_due_us - load_now_us();
	int timeout = wait_us <= 0 ? 0 : (int)(wait_us / 1000 < INT_MAX ? (wait_us + 999) / 1000 : INT_MAX);
	int count = epoll_wait(load->epoll_fd, events, EVENTS_IN_A_TURN, timeout);

	if (count < 0 && errno != EINTR)
		return -errno;
	load->now_us = load_now_us();
	for (int i = 0; i < count; i++) {
		if (events[i].data.u64 == 0)
			input_read(load);
		else
			load_client_drive(load, &load->clients[events[i].data.u64 - 1]);
	}
	load->now_us = load_now_us();
	if (load->now_us >= load->next_due_us)
		clients_due(load);
	return 0;
}

static int load_prepare(struct load *load)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 0 };

	load->clients = calloc((size_t)load->plan->connections, sizeof(*load->clients));
	if (load->clients == NULL)
		return -ENOMEM;
	for (int i = 0; i < load->plan->connections; i++)
		load->clients[i].fd = -1;
	load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load->epoll_fd < 0)
		return -errno;
	/* A file as standard input cannot be watched, and is at its end for all that matters here. */
	if (load->plan->until_eof && epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0)
		load->is_ending = true;
	load->active = load->plan->connections;
	return 0;
}

int load_run(const struct load_plan *plan, struct load_record *record)
{
	struct load load = { .plan = plan, .record = record, .epoll_fd = -1 };
	int result = load_prepare(&load);

	while (result == 0 && load.active > 0)
		result = turn(&load);
	for (int i = 0; load.clients != NULL && i < plan->connections; i++)
		load_client_close(&load.clients[i]);
	if (load.epoll_fd >= 0)
		(void)close(load.epoll_fd);
	free(load.clients);
	return result;
}
