#include "control/control_answer.h"

#include "control/control_json.h"

#include <stdio.h>
#include <string.h>

static const struct {
	int rpc;
	int exit_code;
} kinds[ERROR_KIND_COUNT] = {
#define ERROR_KIND(id, name, rpc, exit_code) [ERROR_##id] = { rpc, exit_code },
#include "unicornd/vocabulary.def"
};

json_t *control_answer_result(json_t *id, json_t *result)
{
	return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", id, "result", result);
}

static json_t *pack_data(const struct error *error, const char *operation)
{
	json_t *data = json_pack("{s:s, s:i}", "kind", error_kind_name(error->kind), "exit_code",
				 kinds[error->kind].exit_code);

	if (operation != NULL && json_object_set_new(data, "operation", json_string(operation)) != 0) {
		json_decref(data);
		return NULL;
	}
	return data;
}

json_t *control_answer_error(json_t *id, const struct error *error, const char *message, const char *operation)
{
	return json_pack("{s:s, s:o, s:{s:i, s:o, s:o}}", "jsonrpc", "2.0", "id", id != NULL ? id : json_null(),
			 "error", "code", kinds[error->kind].rpc, "message",
			 control_json_string(message != NULL ? message : error->text), "data",
			 pack_data(error, operation));
}

json_t *control_answer_notification(const char *method, json_t *params)
{
	return json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params);
}

size_t control_answer_print_no_memory(char *buffer, size_t size)
{
	(void)snprintf(
		buffer, size,
		"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":%d,\"message\":\"no memory for the answer\","
		"\"data\":{\"kind\":\"%s\",\"exit_code\":%d}}}\n",
		kinds[ERROR_MEMORY].rpc, error_kind_name(ERROR_MEMORY), kinds[ERROR_MEMORY].exit_code);
	return strlen(buffer);
}
