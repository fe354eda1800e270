/*
 * control_server.h - the control socket: newline-delimited JSON-RPC 2.0, served within the daemon's loop.
 *
 * Never blocks and never ends the daemon. Limits are in unicornd/control.h.
 */
#ifndef DAEMON_CONTROL_CONTROL_SERVER_H
#define DAEMON_CONTROL_CONTROL_SERVER_H

#include "base/error.h"
#include "control/control_hub.h"

struct control_server;
struct ev_loop;

/**
 * Makes the folder when it is missing, listens, and observes the supervisor.
 *
 * @param context  copied; see control_hub.h for what must outlive the server
 * @return NULL with an error: a path in use, a group that does not exist
 */
struct control_server *control_server_create(struct ev_loop *loop, struct supervisor *supervisor,
					     const struct control_context *context, struct error *error);

/** Tries to write out what waits, for a second at most; for the end of the daemon. NULL is allowed. */
void control_server_flush(struct control_server *server);

/** Closes all, and removes the socket's file if it is still ours. NULL is allowed. Comes before supervisor_finish(). */
void control_server_destroy(struct control_server *server);

#endif
