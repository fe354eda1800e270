/*
 * control_commands.h - the commands of commands.def: who may call them, and what they do with the supervisor.
 */
#ifndef DAEMON_CONTROL_CONTROL_COMMANDS_H
#define DAEMON_CONTROL_CONTROL_COMMANDS_H

#include "base/error.h"
#include "base/text.h"
#include "control/control_hub.h"
#include "control/control_session.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** One call, from the request to its answer. */
struct control_call {
	struct control_hub *hub;
	struct control_session *session;
	json_t *id;         /**< borrowed; NULL: nobody wants an answer */
	json_t *parameters; /**< borrowed; NULL: none */
	int64_t now_ms;

	bool deferred;        /**< the answer comes when an operation is over */
	struct error error;   /**< of kind NONE while nothing is wrong */
	struct text problems; /**< stands in for the error's text when it is longer; freed by the caller */
};

/**
 * Checks the caller's role and the parameters, and calls.
 *
 * @param call  error.kind NONE, deferred false, problems empty
 * @return the result, or NULL: it is deferred, or error says why not, or (error of kind NONE) there was no memory
 */
json_t *control_commands_call(struct control_call *call, const char *method);

#endif
