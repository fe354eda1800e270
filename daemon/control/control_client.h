/*
 * control_client.h - one connection: reads lines, hands them over, writes answers, and never waits for anybody.
 *
 * A client is ended only from control_clients_tend() or by the server, never while its own request is handled or while
 * an event goes round.
 */
#ifndef DAEMON_CONTROL_CONTROL_CLIENT_H
#define DAEMON_CONTROL_CONTROL_CLIENT_H

#include "base/list.h"
#include "control/control_hub.h"
#include "control/control_input.h"
#include "control/control_output.h"
#include "control/control_session.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

/** All connections. */
struct control_clients {
	struct ev_loop *loop;
	struct control_hub *hub;
	struct list all;     /**< the one that has been silent for longest first */
	struct list touched; /**< clients with something to write, or to be ended */
	size_t count;
};

struct control_client {
	struct list link;         /**< in clients->all */
	struct list touched_link; /**< in clients->touched */
	struct control_clients *clients;
	struct control_session session;
	int fd; /**< owned */
	struct ev_io readable;
	struct ev_io writable;
	struct control_input input;
	struct control_output output;
	bool input_ended; /**< the other end says nothing more; it is kept while it has something to expect */
	bool closing;     /**< to be ended when all is written */
	bool condemned;   /**< to be ended at once */
};

void control_clients_init(struct control_clients *clients, struct ev_loop *loop, struct control_hub *hub);

/**
 * Takes over a connected socket that does not block.
 *
 * @return the client, whose session the caller fills in before control_client_begin(), or NULL without memory: the
 *         descriptor then stays the caller's
 */
struct control_client *control_client_create(struct control_clients *clients, int fd);
/** Listens to it, and takes what it has sent already. */
void control_client_begin(struct control_client *client);
/** Writes what the socket takes at once, then closes. */
void control_client_destroy(struct control_client *client);

/** Writes what waits and ends who is to be ended; called once in each turn of the loop. */
void control_clients_tend(struct control_clients *clients);

/**
 * Chooses who gives way to one more client: one that is gone without having been noticed, or the one that is silent
 * for longest and expects nothing, or else one with a lower role than the newcomer.
 *
 * @return NULL when there is none such
 */
struct control_client *control_clients_find_victim(struct control_clients *clients, enum role newcomer);

#endif
