#include "worker_main.h"

#include "http_jobs.h"
#include "http_server.h"
#include "unicornd/protocol.h"
#include "worker_app.h"
#include "worker_bind.h"
#include "worker_life.h"
#include "worker_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static struct http_server server;
static struct worker_options options;
static struct access_log access_log = ACCESS_LOG_OFF;

static void on_finished(struct http_server *finished)
{
	ev_break(finished->loop, EVBREAK_ALL);
}

/** The sockets of unicornd, or our own. @return 0 or an exit status */
static int open_listeners(void)
{
	int first;
	int count = worker_life_listeners(&first);

	for (int i = 0; i < count; i++) {
		if (!http_server_add_listener(&server, first + i))
			return EXIT_FAILURE;
	}
	if (count == 0 && options.bind_count == 0) {
		unicorn_log(UNICORN_ERROR, "no listening socket was inherited: run me under unicornd, or say --bind");
		return UNICORND_EXIT_CONFIGURATION;
	}
	for (int i = 0; count == 0 && i < options.bind_count; i++) {
		int fd = worker_bind(&options.binds[i], options.bind_texts[i]);

		if (fd < 0 || !http_server_add_listener(&server, fd))
			return EX_UNAVAILABLE;
	}
	return 0;
}

static bool open_log(void)
{
	char error[OPTION_ERROR_SIZE];

	if (options.log_path == NULL)
		return true;
	if (access_log_open(&access_log, options.log_path, options.log_format, error, sizeof(error)))
		return true;
	worker_options_complain("--access-log: %s", error);
	return false;
}

static int start_app(void)
{
	int result;

	server.app = worker_app_load(options.application, &options.app);
	if (server.app == NULL)
		return UNICORND_EXIT_CONFIGURATION;
	if (server.app->start == NULL)
		return 0;
	result = server.app->start(&options.app, &server.app_state);
	if (result == 0)
		return 0;
	return result == UNICORN_START_REFUSED ? UNICORND_EXIT_CONFIGURATION : EXIT_FAILURE;
}

static bool start_jobs(void)
{
	if (options.threads == 1)
		return true;
	server.jobs = http_jobs_create(server.loop, (int)options.threads);
	if (server.jobs == NULL)
		unicorn_log(UNICORN_ERROR, "--threads: so many threads are not to be had");
	return server.jobs != NULL;
}

static bool start_accepting(void)
{
	if (http_server_start(&server))
		return true;
	unicorn_log(UNICORN_ERROR, "no thread can be had for accepting connections");
	return false;
}

static void serve(void)
{
	if (server.app->run != NULL)
		server.app->run(server.app_state);
	else if (!server.is_finished)
		ev_run(server.loop, 0);
	http_jobs_destroy(server.jobs);
	server.jobs = NULL;
	http_server_finish(&server);
	if (server.app->stop != NULL)
		server.app->stop(server.app_state);
}

static int run(bool is_async)
{
	struct http_settings settings = {
		.limits = options.limits,
		.max_connections = options.max_connections,
		.is_async = is_async,
		.takes_proxy_protocol = options.takes_proxy_protocol,
		.trusted = options.has_trusted ? &options.trusted : NULL,
		.log = options.log_path != NULL ? &access_log : NULL,
	};
	int status;

	if (!open_log())
		return UNICORND_EXIT_CONFIGURATION;
	http_server_init(&server, ev_default_loop(EVFLAG_NOENV), &settings);
	server.on_finished = on_finished;
	worker_app_set_server(&server);
	if (!worker_life_begin(&server, &options))
		return EXIT_FAILURE;
	options.app.is_multiprocess = worker_life_is_supervised();
	status = open_listeners();
	if (status == 0)
		status = start_app();
	if (status != 0)
		return status;
	/* Who says that it is ready can accept. */
	if (!start_jobs() || !start_accepting() || !worker_life_ready())
		return EXIT_FAILURE;
	serve();
	worker_life_end();
	access_log_close(&access_log);
	trusted_peers_finish(&options.trusted);
	ev_loop_destroy(server.loop);
	return EXIT_SUCCESS;
}

int worker_main(int argc, char **argv, bool is_async)
{
	if (!worker_options_parse(&options, is_async, argc, argv))
		return UNICORND_EXIT_CONFIGURATION;
	if (options.action == WORKER_HELP) {
		worker_options_print_help(is_async);
		return EXIT_SUCCESS;
	}
	if (options.action == WORKER_VERSION) {
		(void)printf("unicornd-worker-%s %s\n", is_async ? "async" : "sync", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	return run(is_async);
}
