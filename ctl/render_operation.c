/*
 * render_operation.c - how an operation ended, or that it goes on.
 */
#include "render.h"

#include "member.h"
#include "unicornd/control.h"
#include "words.h"

#include <stdlib.h>
#include <string.h>

/* What the daemon says counts; an older or newer one may have said the outcome only. */
int render_operation_exit_status(const struct render *render, const json_t *result)
{
	const char *outcome = member_string(result, "outcome");
	const json_t *said = json_object_get(result, "exit_code");

	if (words_outcome_is_running(outcome))
		return render->waits ? UNICORNCTL_EXIT_TIMED_OUT : EXIT_SUCCESS;
	if (json_is_integer(said) && json_integer_value(said) >= 0 && json_integer_value(said) <= 255)
		return (int)json_integer_value(said);
	return words_outcome_exit_status(outcome, EXIT_FAILURE);
}

static void detail_print(struct render *render, const json_t *result)
{
	const char *detail = member_string(result, "detail");
	const char *worker = member_string(result, "failed_worker");

	if (worker[0] != '\0' && detail[0] != '\0')
		output_line(&render->complaints, STYLE_PLAIN, "The last output of %s:", worker);
	else if (worker[0] != '\0')
		output_line(&render->complaints, STYLE_PLAIN, "The worker that failed: %s", worker);
	output_prefixed(&render->complaints, "    ", detail, strlen(detail));
}

static void outcome_print(struct render *render, const json_t *result, bool success)
{
	const char *message = member_string(result, "message");
	const char *outcome = words_outcome_explain(member_string(result, "outcome"));

	if (message[0] == '\0')
		message = outcome;
	if (success) {
		output_print(&render->out, STYLE_GOOD, "%s", message);
		output_print(&render->out, STYLE_PLAIN, "\n");
		return;
	}
	render_complain(render, "%s", message);
	detail_print(render, result);
	if (strcmp(message, outcome) != 0)
		output_line(&render->complaints, STYLE_PLAIN, "%s", outcome);
}

void render_operation(struct render *render, const json_t *result)
{
	progress_finish(&render->progress);
	if (words_outcome_is_running(member_string(result, "outcome")))
		output_line(&render->out, STYLE_PLAIN, "%s", member_string(result, "operation"));
	else
		outcome_print(render, result, render_operation_exit_status(render, result) == EXIT_SUCCESS);
}

void render_operation_runs(struct render *render, const char *operation)
{
	json_t *result;

	progress_finish(&render->progress);
	if (operation[0] == '\0')
		return;
	if (!render->json) {
		output_line(&render->out, STYLE_PLAIN, "%s", operation);
		return;
	}
	/* As the daemon answers when nobody waits. */
	result = json_pack("{s:s, s:s}", "operation", operation, "outcome", words_outcome_running());
	if (result != NULL)
		output_json(&render->out, result);
	else
		render->out.failed = true;
	json_decref(result);
}

void render_stopped(struct render *render, const char *operation)
{
	json_t *result;

	progress_finish(&render->progress);
	if (!render->json) {
		output_line(&render->out, STYLE_GOOD, "the daemon has ended");
		return;
	}
	/* As the daemon would have answered. */
	result =
		json_pack("{s:s?, s:s, s:s, s:i}", "operation", operation[0] != '\0' ? operation : NULL, "verb",
			  command_table[COMMAND_STOP].name, "outcome", words_outcome_done(), "exit_code", EXIT_SUCCESS);
	if (result != NULL)
		output_json(&render->out, result);
	else
		render->out.failed = true;
	json_decref(result);
}
