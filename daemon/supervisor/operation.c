#include "supervisor/operation.h"

#include <stdio.h>
#include <stdlib.h>

struct operation *operation_create(unsigned id, enum verb verb, int64_t now_ms)
{
	struct operation *operation = calloc(1, sizeof(*operation));

	if (operation == NULL)
		return NULL;
	list_init(&operation->link);
	operation->id = id;
	operation->verb = verb;
	operation->phase = OPERATION_ROLLING;
	operation->outcome = OUTCOME_RUNNING;
	operation->started_ms = now_ms;
	return operation;
}

void operation_destroy(struct operation *operation)
{
	if (operation == NULL)
		return;
	list_remove(&operation->link);
	for (size_t i = 0; i < operation->step_count; i++)
		pool_settings_release(operation->steps[i].settings);
	free(operation->steps);
	configuration_destroy(operation->candidate);
	configuration_destroy(operation->saved);
	text_finish(&operation->detail);
	free(operation);
}

bool operation_is_running(const struct operation *operation)
{
	return operation->phase != OPERATION_OVER;
}

const char *operation_print_id(const struct operation *operation, char buffer[OPERATION_ID_SIZE])
{
	(void)snprintf(buffer, OPERATION_ID_SIZE, "r-%u", operation->id);
	return buffer;
}

unsigned operation_parse_id(const char *id)
{
	int64_t number;

	if (id[0] != 'r' || id[1] != '-' || !text_parse_integer(id + 2, &number) || number < 1 || number > UINT32_MAX)
		return 0;
	return (unsigned)number;
}
