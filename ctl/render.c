/*
 * render.c - which part shows what.
 */
#include "render.h"

#include "member.h"
#include "unicornd/control.h"
#include "words.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void render_init(struct render *render, bool json, bool colour_wanted, bool waits)
{
	*render = (struct render){ .json = json, .waits = waits };
	output_init(&render->out, stdout, colour_wanted);
	output_init(&render->complaints, stderr, colour_wanted);
	progress_init(&render->progress, &render->out);
}

bool render_finish(struct render *render)
{
	progress_finish(&render->progress);
	output_flush(&render->out);
	return !render->out.failed;
}

void render_complain(struct render *render, const char *fmt, ...)
{
	va_list arguments;
	char *text;
	int length;

	/* What was said before stands before. */
	render_finish(render);
	va_start(arguments, fmt);
	length = vasprintf(&text, fmt, arguments);
	va_end(arguments);
	output_print(&render->complaints, STYLE_BAD, "unicornctl: ");
	output_print(&render->complaints, STYLE_PLAIN, "%s\n", length < 0 ? "out of memory" : text);
	if (length >= 0)
		free(text);
}

static double wall_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void render_each(struct output *output, const json_t *array,
			void (*render_one)(struct output *output, const json_t *one))
{
	for (size_t i = 0; i < json_array_size(array); i++)
		render_one(output, json_array_get(array, i));
}

static void render_config(struct output *output, const json_t *result)
{
	const char *text = member_string(result, "text");
	const size_t length = strlen(text);

	output_print(output, STYLE_PLAIN, "%s", text);
	if (length > 0 && text[length - 1] != '\n')
		output_print(output, STYLE_PLAIN, "\n");
}

static void render_version(struct render *render, const json_t *result)
{
	const long long control = member_integer(result, "control");

	output_line(&render->out, STYLE_PLAIN, "unicornd %s (control protocol %lld, worker protocol %lld)",
		    member_string(result, "version"), control, member_integer(result, "protocol"));
	if (control > UNICORND_CONTROL_VERSION)
		render_complain(render, "the daemon is newer and may be misunderstood");
}

static void render_plainly(struct render *render, enum command_id command, const json_t *result)
{
	switch (command) {
	case COMMAND_STATUS:
		render_status(&render->out, result, wall_seconds());
		break;
	case COMMAND_RELOAD:
	case COMMAND_SCALE:
	case COMMAND_RESTART:
	case COMMAND_STOP:
	case COMMAND_WAIT:
		render_operation(render, result);
		break;
	case COMMAND_EVENTS:
		render_each(&render->out, json_object_get(result, "events"), render_event);
		break;
	case COMMAND_LOGS:
		render_each(&render->out, json_object_get(result, "logs"), render_log);
		break;
	case COMMAND_CONFIG:
		render_config(&render->out, result);
		break;
	case COMMAND_VERSION:
		render_version(render, result);
		break;
	case COMMAND_COUNT:
	case COMMAND_ANY_MUTATING:
		break;
	}
}

int render_result(struct render *render, const struct command *command, const json_t *result)
{
	if (render->json)
		output_json(&render->out, result);
	else
		render_plainly(render, command->id, result);
	if (command->mutates || command->id == COMMAND_WAIT)
		return render_operation_exit_status(render, result);
	return EXIT_SUCCESS;
}

/* A message with places is meant for editors too, so that its lines begin with FILE:LINE and nothing else. */
static void error_print(struct render *render, const char *message, const json_t *data)
{
	const char *operation = member_string(data, "operation");

	if (words_error_has_places(member_string(data, "kind"))) {
		render_finish(render);
		output_prefixed(&render->complaints, "", message, strlen(message));
	} else {
		render_complain(render, "%s", message[0] != '\0' ? message : "refused without a reason");
	}
	if (operation[0] != '\0')
		output_line(&render->complaints, STYLE_PLAIN,
			    "See what becomes of the running operation: unicornctl %s %s",
			    command_table[COMMAND_WAIT].name, operation);
}

int render_error(struct render *render, const json_t *error)
{
	const json_t *data = json_object_get(error, "data");
	long long exit_status = member_integer(data, "exit_code");

	if (render->json)
		output_json(&render->out, error);
	else
		error_print(render, member_string(error, "message"), data);
	if (exit_status <= 0 || exit_status > 255)
		exit_status = words_error_exit_status(member_string(data, "kind"), member_integer(error, "code"),
						      EXIT_FAILURE);
	return exit_status != 0 ? (int)exit_status : EXIT_FAILURE;
}

void render_notification(struct render *render, const char *method, const json_t *params)
{
	const bool is_event = strcmp(method, "event") == 0;
	const bool is_output = strcmp(method, "output") == 0;

	if (render->json && (is_event || is_output))
		output_json(&render->out, params);
	else if (is_event)
		render_event(&render->out, params);
	else if (is_output)
		render_log(&render->out, params);
	else if (!render->json && strcmp(method, "progress") == 0)
		progress_update(&render->progress, params);
}
