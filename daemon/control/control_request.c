#include "control/control_request.h"

#include "control/control_answer.h"
#include "control/control_commands.h"
#include "control/control_input.h"
#include "unicornd/control.h"

#include <jansson.h>
#include <string.h>

/** Longest id of a request; it is kept while the request waits. */
#define ID_LENGTH_MAX 256

static bool is_valid_id(const json_t *id)
{
	return json_is_number(id) || (json_is_string(id) && json_string_length(id) <= ID_LENGTH_MAX);
}

static bool check_members(json_t *request, struct error *error)
{
	static const char *const known[] = { "jsonrpc", "id", "method", "params" };
	const char *name;
	const json_t *value;

	json_object_foreach(request, name, value)
	{
		size_t i = 0;

		while (i < sizeof(known) / sizeof(known[0]) && strcmp(known[i], name) != 0)
			i++;
		if (i == sizeof(known) / sizeof(known[0]))
			return error_set(error, ERROR_INVALID_REQUEST, "unknown member \"%.64s\"", name);
	}
	return true;
}

static bool check_envelope(json_t *request, struct error *error)
{
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));
	const json_t *id = json_object_get(request, "id");

	if (json_is_array(request))
		return error_set(error, ERROR_INVALID_REQUEST, "batches are not served: send one request a line");
	if (!json_is_object(request))
		return error_set(error, ERROR_INVALID_REQUEST, "a request must be an object");
	if (id != NULL && !is_valid_id(id))
		return error_set(error, ERROR_INVALID_REQUEST,
				 "\"id\" must be a number or a string of at most %d bytes", ID_LENGTH_MAX);
	if (version == NULL || strcmp(version, "2.0") != 0)
		return error_set(error, ERROR_INVALID_REQUEST, "\"jsonrpc\" must be \"2.0\"");
	if (!json_is_string(json_object_get(request, "method")))
		return error_set(error, ERROR_INVALID_REQUEST, "\"method\" must be a string");
	return check_members(request, error);
}

/** `id` may be of any kind, or NULL. */
static void refuse(struct control_session *session, json_t *id, const struct error *error)
{
	json_t *known = is_valid_id(id) ? json_incref(id) : NULL;

	control_session_send(session, control_answer_error(known, error, NULL, NULL));
}

/** Id of the operation that is in the way of another. */
static const char *find_conflict(const struct control_call *call, char buffer[OPERATION_ID_SIZE])
{
	if (call->error.kind != ERROR_CONFLICT)
		return NULL;
	const struct operation *operation =
		supervisor_find_operation(call->hub->supervisor, call->hub->supervisor->conflict);

	return operation != NULL ? operation_print_id(operation, buffer) : NULL;
}

static json_t *make_answer(struct control_call *call, json_t *result)
{
	char conflict[OPERATION_ID_SIZE];
	const char *problems = call->problems.length > 0 ? text_string(&call->problems) : NULL;

	if (result != NULL)
		return control_answer_result(json_incref(call->id), result);
	if (call->error.kind == ERROR_NONE)
		return NULL;
	return control_answer_error(json_incref(call->id), &call->error,
				    call->error.kind == ERROR_CONFIGURATION ? problems : NULL,
				    find_conflict(call, conflict));
}

static void call_method(struct control_call *call, const char *method)
{
	json_t *result = control_commands_call(call, method);

	if (call->id != NULL && !call->deferred)
		control_session_send(call->session, make_answer(call, result));
	else
		json_decref(result);
	text_finish(&call->problems);
}

static json_t *parse(const char *line, size_t length, struct error *error)
{
	json_error_t where;
	json_t *request = NULL;

	if (!control_line_is_shallow(line, length)) {
		(void)error_set(error, ERROR_INVALID_REQUEST, "nested deeper than %d", UNICORND_CONTROL_DEPTH_MAX);
		return NULL;
	}
	request = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
	if (request == NULL)
		(void)error_set(error, ERROR_PARSE, "not JSON: column %d: %s", where.column, where.text);
	return request;
}

void control_request_handle(struct control_hub *hub, struct control_session *session, const char *line, size_t length,
			    int64_t now_ms)
{
	struct control_call call = { .hub = hub, .session = session, .now_ms = now_ms };
	json_t *request;

	if (control_line_is_blank(line, length))
		return;
	request = parse(line, length, &call.error);
	if (request == NULL || !check_envelope(request, &call.error)) {
		refuse(session, json_object_get(request, "id"), &call.error);
	} else {
		call.id = json_object_get(request, "id");
		call.parameters = json_object_get(request, "params");
		call_method(&call, json_string_value(json_object_get(request, "method")));
	}
	json_decref(request);
}

void control_request_refuse_length(struct control_session *session)
{
	struct error error;

	(void)error_set(&error, ERROR_INVALID_REQUEST, "a line has more than %d bytes", UNICORND_CONTROL_LINE_MAX);
	refuse(session, NULL, &error);
}
