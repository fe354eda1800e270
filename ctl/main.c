/*
 * main.c - unicornctl: talks to a running unicornd.
 */
#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#include "client.h"
#include "command_line.h"
#include "command_table.h"
#include "conversation.h"
#include "help.h"
#include "interrupt.h"
#include "render.h"
#include "socket_path.h"
#include "unicornd/control.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static void usage_print(const struct command_line *line)
{
	help_print_usage(stderr, line->command);
	fprintf(stderr, "Try: unicornctl%s%s --%s\n", line->command != NULL ? " " : "",
		line->command != NULL ? line->command->name : "", global_option_table[GLOBAL_HELP].name);
}

/* Anybody may write NO_COLOR= to allow colours again: only a value that is not empty forbids them (no-color.org). */
static bool colour_is_wanted(const struct command_line *line)
{
	const char *forbidden = getenv("NO_COLOR");

	return !line->no_color && (forbidden == NULL || forbidden[0] == '\0');
}

/* Of our own version the user learns also when no daemon answers. */
static void own_version_print(const struct command_line *line, struct render *render)
{
	if (line->command->id == COMMAND_VERSION && !render->json)
		output_line(&render->out, STYLE_PLAIN, "unicornctl %s (control protocol %d)", PACKAGE_VERSION,
			    UNICORND_CONTROL_VERSION);
}

static int connect_failure_print(const struct command_line *line, struct render *render, const struct failure *failure)
{
	if (line->command->id == COMMAND_VERSION && !render->json &&
	    failure->exit_status == UNICORNCTL_EXIT_NOT_RUNNING)
		output_line(&render->out, STYLE_PLAIN, "unicornd: not running (%s)", failure->text);
	else
		render_complain(render, "%s", failure->text);
	return failure->exit_status;
}

static int command_run(const struct command_line *line, struct render *render)
{
	char *path = NULL;
	struct client client = { .fd = -1 };
	struct failure failure;
	int exit_status;

	own_version_print(line, render);
	if (socket_path_find(&path, line->socket_path, line->site, &failure) &&
	    client_connect(&client, path, line->timeout_ms, &failure)) {
		interrupt_catch();
		exit_status = conversation_run(&client, line, render);
	} else {
		exit_status = connect_failure_print(line, render, &failure);
	}
	client_close(&client);
	free(path);
	return exit_status;
}

static int wish_fulfil(const struct command_line *line, struct render *render)
{
	switch (line->wish) {
	case COMMAND_LINE_HELP:
		help_print(stdout, line->command);
		break;
	case COMMAND_LINE_VERSION:
		output_line(&render->out, STYLE_PLAIN, "unicornctl %s", PACKAGE_VERSION);
		break;
	case COMMAND_LINE_RUN:
		return command_run(line, render);
	}
	return EXIT_SUCCESS;
}

/* A mutating command waits unless told otherwise; to wait is also a command of its own. */
static bool command_waits(const struct command_line *line)
{
	return command_line_switch_is_on(line, "wait") || (line->command != NULL && line->command->id == COMMAND_WAIT);
}

int main(int argc, char **argv)
{
	struct command_line line;
	struct failure failure;
	struct render render;
	int exit_status;

	/* Lines on a terminal come out together, so that what is rewritten in place does not flicker. */
	setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
	if (command_line_parse(&line, argc, (const char *const *)argv, &failure)) {
		render_init(&render, line.json, colour_is_wanted(&line), command_waits(&line));
		exit_status = wish_fulfil(&line, &render);
	} else {
		render_init(&render, false, colour_is_wanted(&line), false);
		render_complain(&render, "%s", failure.text);
		exit_status = failure.exit_status;
		if (exit_status == UNICORNCTL_EXIT_USAGE)
			usage_print(&line);
	}
	if (!render_finish(&render)) {
		render_complain(&render, "cannot write the output");
		exit_status = exit_status == EXIT_SUCCESS ? EXIT_FAILURE : exit_status;
	}
	command_line_finish(&line);
	return exit_status;
}
