/*
 * control_request.h - one line of a client: JSON-RPC in, at most one answer out.
 */
#ifndef DAEMON_CONTROL_CONTROL_REQUEST_H
#define DAEMON_CONTROL_CONTROL_REQUEST_H

#include "control/control_hub.h"
#include "control/control_session.h"

#include <stddef.h>
#include <stdint.h>

/** Handles one line without its newline. Blank lines are nothing. */
void control_request_handle(struct control_hub *hub, struct control_session *session, const char *line, size_t length,
			    int64_t now_ms);

/** Answers a line that is longer than allowed and was not read. */
void control_request_refuse_length(struct control_session *session);

#endif
