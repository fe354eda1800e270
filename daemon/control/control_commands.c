#include "control/control_commands.h"

#include "base/log.h"
#include "control/control_parameters.h"
#include "control/control_reload.h"
#include "control/control_report.h"

#include <stdio.h>
#include <string.h>

/** Bytes of a call's parameters that the log shows. */
#define LOGGED_PARAMETERS_MAX 200

/** @return the result; NULL as control_commands_call() */
typedef json_t *command_function(struct control_call *call);

struct command {
	const char *name;
	enum role role;
	bool mutates;
	command_function *function;
};

/* A row without a function below does not link. */
#define COMMAND(id, name, role, mutates, summary) static command_function call_##id;
#include "unicornd/commands.def"

static const struct command commands[CONTROL_COMMAND_COUNT] = {
#define COMMAND(id, name, role, mutates, summary) [CONTROL_##id] = { (name), ROLE_##role, (mutates) == 1, call_##id },
#include "unicornd/commands.def"
};

/* ---- operations */

/** Answers now, or lets the request wait for the end. `operation` NULL: the verb refused and has filled the error. */
static json_t *answer_operation(struct control_call *call, const struct operation *operation, bool wait)
{
	if (operation == NULL)
		return NULL;
	if (wait && call->id != NULL && operation_is_running(operation) &&
	    control_session_wait(call->session, operation->id, call->id)) {
		call->deferred = true;
		return NULL;
	}
	return control_report_operation(operation);
}

static json_t *answer_mutation(struct control_call *call, const struct operation *operation)
{
	return answer_operation(call, operation, control_parameter_switch(call->parameters, "wait", true));
}

static bool supersedes(const struct control_call *call)
{
	return control_parameter_switch(call->parameters, "supersede", false);
}

static json_t *call_RELOAD(struct control_call *call)
{
	const struct reload_options options = {
		.pool = control_parameter_string(call->parameters, "pool"),
		.only_changed = control_parameter_switch(call->parameters, "changed", false),
		.supersede = supersedes(call),
	};

	return answer_mutation(call, control_load_and_reload(call->hub->supervisor, call->hub->context.source, &options,
							     call->now_ms, &call->error, &call->problems));
}

static json_t *call_SCALE(struct control_call *call)
{
	return answer_mutation(call, supervisor_scale(call->hub->supervisor,
						      control_parameter_string(call->parameters, "pool"),
						      control_parameter_string(call->parameters, "workers"),
						      supersedes(call), call->now_ms, &call->error));
}

static json_t *call_RESTART(struct control_call *call)
{
	return answer_mutation(call, supervisor_restart(call->hub->supervisor,
							control_parameter_string(call->parameters, "target"),
							supersedes(call), call->now_ms, &call->error));
}

static json_t *call_STOP(struct control_call *call)
{
	return answer_mutation(call, supervisor_stop(call->hub->supervisor,
						     control_parameter_switch(call->parameters, "now", false),
						     call->now_ms, &call->error));
}

static json_t *call_WAIT(struct control_call *call)
{
	const char *id = control_parameter_string(call->parameters, "operation");
	const struct operation *operation = supervisor_find_operation(call->hub->supervisor, operation_parse_id(id));

	if (operation == NULL)
		(void)error_set(&call->error, ERROR_NOT_FOUND, "there is no operation %s, or it is forgotten", id);
	return answer_operation(call, operation, true);
}

/* ---- reports */

static json_t *call_STATUS(struct control_call *call)
{
	return control_report_status(call->hub->supervisor, call->hub->context.configuration_name, call->now_ms);
}

static json_t *call_EVENTS(struct control_call *call)
{
	if (control_parameter_switch(call->parameters, "follow", false))
		call->session->follows_events = true;
	return control_report_events(&call->hub->supervisor->journal,
				     control_parameter_number(call->parameters, "since", 0));
}

static void follow_output(struct control_session *session, const struct pool *pool, int slot)
{
	session->follows_output = true;
	session->output_slot = slot;
	(void)snprintf(session->output_pool, sizeof(session->output_pool), "%s", pool != NULL ? pool->name : "");
}

static json_t *call_LOGS(struct control_call *call)
{
	const char *target = control_parameter_string(call->parameters, "target");
	const struct pool *pool = NULL;
	int slot = 0;

	if (target != NULL) {
		pool = supervisor_find_target(call->hub->supervisor, target, &slot, &call->error);
		if (pool == NULL)
			return NULL;
	}
	if (control_parameter_switch(call->parameters, "follow", false))
		follow_output(call->session, pool, slot);
	return control_report_logs(&call->hub->supervisor->site, pool, slot);
}

static json_t *call_CONFIG(struct control_call *call)
{
	return control_report_configuration(&call->hub->supervisor->site);
}

static json_t *call_VERSION(struct control_call *call)
{
	(void)call;
	return control_report_version();
}

/* ---- dispatch */

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < CONTROL_COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static bool check_role(struct control_call *call, const struct command *command)
{
	const struct control_session *session = call->session;

	if (session->admitted && session->role >= command->role)
		return true;
	return error_set(&call->error, ERROR_DENIED, "%s needs the role %s; user %u is %s", command->name,
			 role_name(command->role), (unsigned)session->uid,
			 session->admitted ? role_name(session->role) : "not admitted");
}

/** Checked before a change begins, which could then not be answered. */
static bool check_waits(struct control_call *call, const struct command *command)
{
	if (call->session->wait_count < CONTROL_WAITS_MAX || !(command->mutates || command == &commands[CONTROL_WAIT]))
		return true;
	return error_set(&call->error, ERROR_INVALID_REQUEST, "%d requests of this connection are waiting already",
			 CONTROL_WAITS_MAX);
}

static void log_call(const struct control_call *call, const struct command *command)
{
	const struct control_session *session = call->session;
	const char *outcome = call->error.kind != ERROR_NONE ? error_kind_name(call->error.kind) : "called";
	char parameters[LOGGED_PARAMETERS_MAX] = "";
	size_t length = json_dumpb(call->parameters, parameters, sizeof(parameters), JSON_COMPACT);

	if (length > sizeof(parameters))
		length = sizeof(parameters);
	log_notice("control: %s: %s by uid %u pid %d %.*s", command->name, outcome, (unsigned)session->uid,
		   (int)session->pid, (int)length, parameters);
}

json_t *control_commands_call(struct control_call *call, const char *method)
{
	const struct command *command = find(method);
	json_t *result = NULL;
	bool allowed;

	if (command == NULL) {
		(void)error_set(&call->error, ERROR_UNKNOWN_METHOD, "there is no method \"%.64s\"", method);
		return NULL;
	}
	allowed = check_role(call, command) &&
		  control_parameters_check((enum control_command_id)(command - commands), command->mutates,
					   call->parameters, &call->error) &&
		  check_waits(call, command);
	if (command->mutates)
		log_call(call, command);
	if (allowed)
		result = command->function(call);
	return result;
}
