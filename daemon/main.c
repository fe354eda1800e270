#include "announcer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ownership.h"
#include "configuration/configuration_file.h"
#include "control/control_path.h"
#include "control/control_server.h"
#include "development.h"
#include "options.h"
#include "signals.h"
#include "supervisor/effects_live.h"
#include "supervisor/supervisor.h"
#include "system/instance_lock.h"
#include "system/service_manager.h"
#include "unicornd/control.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define EXIT_OTHER 1

/** All that a running daemon consists of. */
struct daemon_parts {
	const struct options *options;
	struct ev_loop *loop;
	struct supervisor supervisor;
	struct effects_live effects;
	struct signals signals;
	struct announcer announcer;
	struct development development;
	struct observer watcher; /**< of the outcome of operations, for the log's settings and the end */
	struct control_server *control;
	char socket[CONTROL_PATH_SIZE];
	int lock;
};

static int complain(const struct error *error, int status)
{
	(void)fprintf(stderr, "unicornd: %s\n", error->text);
	return status;
}

static struct configuration *load(const struct options *options)
{
	struct text problems = { 0 };
	struct configuration *configuration = configuration_load(&options->source, &problems);

	if (problems.length > 0)
		(void)fprintf(stderr, "%s", text_string(&problems));
	text_finish(&problems);
	return configuration;
}

static int print_configuration(const struct configuration *configuration)
{
	struct text text = { 0 };

	configuration_print(configuration, &text);
	(void)fputs(text_string(&text), stdout);
	text_finish(&text);
	return EXIT_SUCCESS;
}

static bool apply_log(const struct configuration *configuration, struct error *error)
{
	return log_open(configuration->log.file, (enum log_level)configuration->log.level, error);
}

static void operation_finished(void *context, const struct operation *operation)
{
	struct daemon_parts *parts = context;
	struct error error;

	if (operation->verb == VERB_RELOAD && !apply_log(parts->supervisor.site.configuration, &error))
		log_error("the log goes on as it was: %s", error.text);
}

static void settled(void *context)
{
	struct daemon_parts *parts = context;

	if (parts->supervisor.finished || parts->supervisor.start_failed)
		ev_break(parts->loop, EVBREAK_ALL);
}

static bool find_socket(struct daemon_parts *parts, const struct configuration *configuration, struct error *error)
{
	const char *path = parts->options->socket != NULL ? parts->options->socket : configuration->control.socket;
	char lock[CONTROL_PATH_SIZE + 8];

	if (path != NULL) {
		if (strlen(path) >= sizeof(parts->socket))
			return error_set(error, ERROR_CONFIGURATION, "control socket: %s is longer than %zu characters",
					 path, sizeof(parts->socket) - 1);
		(void)snprintf(parts->socket, sizeof(parts->socket), "%s", path);
	} else if (!control_default_path(parts->options->site, parts->socket, sizeof(parts->socket))) {
		return error_set(error, ERROR_CONFIGURATION, "control socket: %s... is too long", parts->socket);
	}
	if (!control_path_prepare(parts->socket, error))
		return false;
	(void)snprintf(lock, sizeof(lock), "%s.lock", parts->socket);
	parts->lock = instance_lock_take(lock, error);
	return parts->lock >= 0;
}

static bool set_up(struct daemon_parts *parts, struct configuration *configuration, struct error *error)
{
	struct control_context context = {
		.path = parts->socket,
		.settings = &configuration->control,
		.source = &parts->options->source,
		.configuration_name =
			parts->options->source.path != NULL ? parts->options->source.path : "command line",
	};
	struct effects effects;

	/* libev's default loop would reap children by itself. */
	parts->loop = ev_loop_new(EVFLAG_AUTO);
	if (parts->loop == NULL)
		return error_set(error, ERROR_SYSTEM, "cannot make an event loop");
	if (!effects_live_init(&parts->effects, parts->loop, &parts->supervisor, error))
		return false;
	effects = effects_live_table(&parts->effects);
	if (!supervisor_init(&parts->supervisor, parts->options->site, &effects, clock_monotonic_ms()))
		return error_set(error, ERROR_MEMORY, "no memory to start");
	parts->control = control_server_create(parts->loop, &parts->supervisor, &context, error);
	if (parts->control == NULL)
		return false;
	parts->watcher =
		(struct observer){ .context = parts, .operation_finished = operation_finished, .settled = settled };
	supervisor_observe(&parts->supervisor, &parts->watcher);
	announcer_start(&parts->announcer, parts->loop, &parts->supervisor);
	development_start(&parts->development, parts->loop, &parts->supervisor, parts->options, configuration);
	signals_watch(&parts->signals, parts->loop, &parts->supervisor, &parts->options->source);
	return true;
}

static void tear_down(struct daemon_parts *parts)
{
	control_server_flush(parts->control);
	control_server_destroy(parts->control);
	announcer_stop(&parts->announcer);
	development_stop(&parts->development);
	signals_unwatch(&parts->signals);
	supervisor_unobserve(&parts->watcher);
	supervisor_finish(&parts->supervisor);
	effects_live_finish(&parts->effects);
	ev_loop_destroy(parts->loop);
	close_fd(&parts->lock);
}

static int start_and_run(struct daemon_parts *parts, struct configuration *configuration, struct error *error)
{
	if (supervisor_start(&parts->supervisor, configuration, clock_monotonic_ms(), error) == NULL)
		return complain(error,
				error->kind == ERROR_CONFIGURATION ? UNICORND_EXIT_BAD_CONFIGURATION : EXIT_OTHER);
	ev_run(parts->loop, 0);
	if (parts->supervisor.start_failed)
		return complain(&parts->supervisor.start_error, UNICORND_EXIT_UNAVAILABLE);
	return EXIT_SUCCESS;
}

static int run(const struct options *options, struct configuration *configuration)
{
	static struct daemon_parts parts;
	struct error error;
	int status;

	parts.options = options;
	parts.lock = -1;
	log_name_site(options->site);
	if (!apply_log(configuration, &error) || !find_socket(&parts, configuration, &error) ||
	    !set_up(&parts, configuration, &error)) {
		configuration_destroy(configuration);
		return complain(&error, error.kind == ERROR_ADDRESS ? UNICORND_EXIT_UNAVAILABLE : EXIT_OTHER);
	}
	status = start_and_run(&parts, configuration, &error);
	tear_down(&parts);
	return status;
}

int main(int argc, char **argv)
{
	static struct options options;
	struct configuration *configuration;
	struct error error;
	int status;

	if (!options_parse(&options, argc, argv, &error))
		return complain(&error, EXIT_OTHER);
	if (options.action == OPTIONS_HELP) {
		options_print_help();
		return EXIT_SUCCESS;
	}
	if (options.action == OPTIONS_VERSION) {
		(void)printf("unicornd %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	configuration = load(&options);
	if (configuration == NULL)
		return UNICORND_EXIT_BAD_CONFIGURATION;
	if (options.action == OPTIONS_RUN) {
		signals_block();
		service_manager_init();
		return run(&options, configuration);
	}
	status = options.action == OPTIONS_PRINT ? print_configuration(configuration) : EXIT_SUCCESS;
	if (options.action == OPTIONS_TEST)
		(void)printf("%s: the configuration is good\n",
			     options.source.path != NULL ? options.source.path : "command line");
	configuration_destroy(configuration);
	return status;
}
