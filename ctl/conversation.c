/*
 * conversation.c - one request to the daemon and everything that it answers.
 */
#include "conversation.h"

#include "client.h"
#include "command_line.h"
#include "command_table.h"
#include "interrupt.h"
#include "member.h"
#include "render.h"
#include "unicornd/control.h"

#include <stdlib.h>
#include <string.h>

/** Id of the only request of a connection. */
#define REQUEST_ID 1
/** Longest id of an operation that is remembered, terminator included. */
#define OPERATION_SIZE 64

struct conversation {
	struct client *client;
	const struct command_line *line;
	struct render *render;
	char operation[OPERATION_SIZE]; /**< id; "" while it is not known */
	bool follows;                   /**< goes on after the answer */
	bool over;
	int exit_status; /**< valid when over */
};

static void conversation_end(struct conversation *conversation, int exit_status)
{
	conversation->over = true;
	conversation->exit_status = exit_status;
}

static void operation_remember(struct conversation *conversation, const char *operation)
{
	if (operation[0] != '\0')
		snprintf(conversation->operation, sizeof(conversation->operation), "%s", operation);
}

/* @return the request as a line, to be freed; NULL when there is no memory. */
static char *request_make(const struct command_line *line)
{
	json_t *request = json_pack("{s:s, s:i, s:s, s:O}", "jsonrpc", "2.0", "id", REQUEST_ID, "method",
				    line->command->name, "params", line->params);
	char *text = request != NULL ? json_dumps(request, JSON_COMPACT) : NULL;
	char *with_end = NULL;

	if (text != NULL && asprintf(&with_end, "%s\n", text) < 0)
		with_end = NULL;
	free(text);
	json_decref(request);
	return with_end;
}

static enum client_result request_send(struct conversation *conversation)
{
	char *request = request_make(conversation->line);
	enum client_result result = CLIENT_NO_MEMORY;

	if (request != NULL)
		result = client_send(conversation->client, request, strlen(request));
	free(request);
	return result;
}

static void not_understood(struct conversation *conversation, const char *why)
{
	render_complain(conversation->render, "the answer of the daemon is not understood: %s", why);
	conversation_end(conversation, EXIT_FAILURE);
}

static void result_handle(struct conversation *conversation, const json_t *result)
{
	const int exit_status = render_result(conversation->render, conversation->line->command, result);

	if (!conversation->follows)
		conversation_end(conversation, exit_status);
}

static void answer_handle(struct conversation *conversation, const json_t *message)
{
	const json_t *result = json_object_get(message, "result");
	const json_t *error = json_object_get(message, "error");

	if (json_is_object(error))
		conversation_end(conversation, render_error(conversation->render, error));
	else if (json_is_object(result))
		result_handle(conversation, result);
	else
		not_understood(conversation, "neither a result nor an error");
}

static void notification_handle(struct conversation *conversation, const json_t *message)
{
	const json_t *params = json_object_get(message, "params");

	operation_remember(conversation, member_string(params, "operation"));
	render_notification(conversation->render, member_string(message, "method"), params);
}

static void line_handle(struct conversation *conversation, const char *line, size_t length)
{
	json_error_t where;
	json_t *message = json_loadb(line, length, JSON_ALLOW_NUL, &where);
	const json_t *id = json_object_get(message, "id");

	if (message == NULL)
		not_understood(conversation, where.text);
	else if (!json_is_object(message))
		not_understood(conversation, "not an object");
	else if (json_is_string(json_object_get(message, "method")))
		notification_handle(conversation, message);
	else if (json_integer_value(id) == REQUEST_ID || json_is_null(id))
		answer_handle(conversation, message); /* no id: the daemon could not read the request */
	else
		not_understood(conversation, "it belongs to another request");
	json_decref(message);
	output_flush(&conversation->render->out);
	/* Nobody hears us any more; how an operation ended counts nevertheless. */
	if (conversation->render->out.failed && !conversation->over)
		conversation_end(conversation, EXIT_FAILURE);
}

/* How to learn the outcome later, when the operation is known; else "". */
static void hint_format(const struct conversation *conversation, char *buffer, size_t size)
{
	buffer[0] = '\0';
	if (conversation->operation[0] != '\0')
		snprintf(buffer, size, "; see what becomes of it: unicornctl %s %s", command_table[COMMAND_WAIT].name,
			 conversation->operation);
}

static void time_is_over(struct conversation *conversation)
{
	char hint[OPERATION_SIZE + 64];

	hint_format(conversation, hint, sizeof(hint));
	if (hint[0] != '\0')
		render_complain(conversation->render, "timed out; the operation goes on%s", hint);
	else
		render_complain(conversation->render, "timed out");
	render_operation_runs(conversation->render, conversation->operation);
	conversation_end(conversation, UNICORNCTL_EXIT_TIMED_OUT);
}

static void connection_is_lost(struct conversation *conversation, const char *how)
{
	char hint[OPERATION_SIZE + 64];

	hint_format(conversation, hint, sizeof(hint));
	render_complain(conversation->render, "the daemon %s%s%s", how,
			conversation->operation[0] != '\0' ? "; what was begun may go on" : "", hint);
	conversation_end(conversation, UNICORNCTL_EXIT_NOT_RUNNING);
}

/* The end of the daemon is what a stop is for: it may come before its answer is through. */
static void connection_is_closed(struct conversation *conversation)
{
	if (conversation->line->command->id != COMMAND_STOP || !conversation->render->waits) {
		connection_is_lost(conversation, "closed the connection");
		return;
	}
	render_stopped(conversation->render, conversation->operation);
	conversation_end(conversation, EXIT_SUCCESS);
}

static void interrupted(struct conversation *conversation)
{
	if (conversation->operation[0] != '\0')
		render_complain(conversation->render, "the operation goes on; see what becomes of it: unicornctl %s %s",
				command_table[COMMAND_WAIT].name, conversation->operation);
	render_finish(conversation->render);
	interrupt_die();
	conversation_end(conversation, EXIT_FAILURE);
}

static void trouble_handle(struct conversation *conversation, enum client_result result)
{
	switch (result) {
	case CLIENT_CLOSED:
		connection_is_closed(conversation);
		break;
	case CLIENT_BROKEN:
		connection_is_lost(conversation, "broke the connection off");
		break;
	case CLIENT_TOO_LONG:
		not_understood(conversation, "a line without an end");
		break;
	case CLIENT_TIMED_OUT:
		time_is_over(conversation);
		break;
	case CLIENT_INTERRUPTED:
		interrupted(conversation);
		break;
	case CLIENT_NO_MEMORY:
		render_complain(conversation->render, "out of memory");
		conversation_end(conversation, EXIT_FAILURE);
		break;
	case CLIENT_DONE:
		break;
	}
}

static void conversation_step(struct conversation *conversation)
{
	const char *line;
	size_t length;
	const enum client_result result = client_receive(conversation->client, &line, &length);

	if (result == CLIENT_DONE)
		line_handle(conversation, line, length);
	else
		trouble_handle(conversation, result);
}

int conversation_run(struct client *client, const struct command_line *line, struct render *render)
{
	struct conversation conversation = { .client = client, .line = line, .render = render };
	enum client_result sent;

	conversation.follows = command_line_switch_is_on(line, "follow");
	operation_remember(&conversation, member_string(line->params, "operation"));
	sent = request_send(&conversation);
	/* A daemon that has too many clients may have said so and closed before it read: its words are still there. */
	if (sent != CLIENT_DONE && sent != CLIENT_BROKEN)
		trouble_handle(&conversation, sent);
	while (!conversation.over)
		conversation_step(&conversation);
	return conversation.exit_status;
}
