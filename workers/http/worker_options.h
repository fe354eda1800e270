/*
 * worker_options.h - the command line of unicornd-worker-sync and unicornd-worker-async.
 */
#ifndef WORKERS_HTTP_WORKER_OPTIONS_H
#define WORKERS_HTTP_WORKER_OPTIONS_H

#include "access_log.h"
#include "http_limits.h"
#include "option_values.h"
#include "trusted_peers.h"
#include "unicornd/app.h"

/** Addresses that one worker can bind itself. */
#define WORKER_BINDS_MAX 16

enum worker_action { WORKER_RUN, WORKER_HELP, WORKER_VERSION };

struct worker_options {
	enum worker_action action;
	const char *application; /**< --app, as written */
	struct unicorn_app_options app;
	struct http_limits limits;
	struct option_address binds[WORKER_BINDS_MAX];
	const char *bind_texts[WORKER_BINDS_MAX];
	int bind_count;
	int64_t threads;
	int64_t max_connections;
	int64_t max_requests;
	int64_t max_requests_jitter;
	int64_t max_memory_bytes;
	int64_t request_timeout_ms;
	const char *log_path; /**< NULL: no access log */
	enum access_format log_format;
	struct trusted_peers trusted;
	bool has_trusted;
	bool takes_proxy_protocol;
};

/** @return false after saying what is wrong on standard error */
bool worker_options_parse(struct worker_options *options, bool is_async, int argc, char **argv);

/** Says on standard error what is wrong with the command line. */
void worker_options_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

void worker_options_print_help(bool is_async);

#endif
