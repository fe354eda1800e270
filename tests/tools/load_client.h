/*
 * load_client.h - one client of the load: its connection, its request, and what becomes of them. For load_run.c only.
 */
#ifndef TESTS_TOOLS_LOAD_CLIENT_H
#define TESTS_TOOLS_LOAD_CLIENT_H

#include "load_answer.h"
#include "load_record.h"
#include "load_run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_NEVER INT64_MAX

enum load_client_state {
	LOAD_CLIENT_RESTING,    /**< nothing asked; begins again at due_us; the connection may be open */
	LOAD_CLIENT_CONNECTING, /**< a request is taken, the connection is under way */
	LOAD_CLIENT_ASKING,     /**< the request goes out, the answer comes in */
	LOAD_CLIENT_CLOSING,    /**< had a last answer, waits for the server to close */
	LOAD_CLIENT_DONE
};

struct load_client {
	enum load_client_state state;
	int fd;
	bool has_request; /**< one request of the plan is taken and not yet decided */
	bool is_reused;   /**< the connection has answered before */
	int64_t due_us;   /**< when to begin again, or to give up */
	int64_t started_us;
	size_t sent;
	struct load_answer answer;
};

struct load {
	const struct load_plan *plan;
	struct load_record *record;
	struct load_client *clients;
	int epoll_fd;
	int active; /**< clients that are not done */
	bool is_ending;
	uint64_t taken; /**< requests begun */
	int64_t now_us;
	int64_t next_due_us; /**< no client is due earlier */
};

/** Does all that can be done without waiting. */
void load_client_drive(struct load *load, struct load_client *client);

/** What the client waited for did not come in time, or its rest is over. */
void load_client_due(struct load *load, struct load_client *client);

/** At the end nobody rests until a next request that will not come. */
bool load_client_may_end(const struct load *load, const struct load_client *client);

void load_client_close(struct load_client *client);

#endif
