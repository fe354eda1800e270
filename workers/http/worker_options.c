#include "worker_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum kind { KIND_TEXT, KIND_FLAG, KIND_DURATION, KIND_SIZE, KIND_NUMBER, KIND_SPECIAL };

enum special {
	SPECIAL_BIND,
	SPECIAL_LOG_FORMAT,
	SPECIAL_TRUST,
	SPECIAL_HELP,
	SPECIAL_VERSION,
};

/** An option: everything that is known about it. */
struct row {
	const char *name;
	enum kind kind;
	size_t place;    /* in struct worker_options; of the special ones which */
	int64_t minimum; /* of numbers */
	int64_t maximum;
	const char *standard; /* the default, for the help text and the value; NULL: none */
	const char *value;    /* what the value is called */
	const char *help;
};

/* So that two of them can be added. */
#define REQUESTS_MAX (INT64_MAX / 4)

#define PLACE(member) offsetof(struct worker_options, member)

static const struct row rows[] = {
	{ "app", KIND_TEXT, PLACE(application), 0, 0, NULL, "APP", "what to serve, see below" },
	{ "app-dir", KIND_TEXT, PLACE(app.directory), 0, 0, NULL, "DIR", "where Python looks first (here)" },
	{ "factory", KIND_FLAG, PLACE(app.is_factory), 0, 0, NULL, NULL, "APP is to be called to get the application" },
	{ "virtualenv", KIND_TEXT, PLACE(app.virtualenv), 0, 0, NULL, "DIR", "virtual environment" },
	{ "root-path", KIND_TEXT, PLACE(app.root_path), 0, 0, "", "PATH", "where the application is mounted" },
	{ "loop", KIND_TEXT, PLACE(app.loop), 0, 0, "auto", "NAME", "auto, asyncio or uvloop (async)" },
	{ "lifespan", KIND_TEXT, PLACE(app.lifespan), 0, 0, "auto", "WORD", "auto, on or off (async)" },
	{ "bind", KIND_SPECIAL, SPECIAL_BIND, 0, 0, NULL, "ADDRESS", "without unicornd: where to listen; repeatable" },
	{ "threads", KIND_NUMBER, PLACE(threads), 1, 1024, "1", "N", "calls of the application at a time (sync)" },
	{ "max-connections", KIND_NUMBER, PLACE(max_connections), 0, 1000000, "0", "N", "0: as descriptors allow" },
	{ "max-requests", KIND_NUMBER, PLACE(max_requests), 0, REQUESTS_MAX, "0", "N",
	  "ask for a replacement after so many; 0: never" },
	{ "max-requests-jitter", KIND_NUMBER, PLACE(max_requests_jitter), 0, REQUESTS_MAX, "0", "N",
	  "and at random up to so many later" },
	{ "max-memory", KIND_SIZE, PLACE(max_memory_bytes), 0, 0, "0", "SIZE",
	  "ask for a replacement above it; 0: never" },
	{ "request-timeout", KIND_DURATION, PLACE(request_timeout_ms), 0, 0, "30s", "TIME",
	  "no heartbeats for a call that takes longer (sync); 0: always" },
	{ "keep-alive", KIND_DURATION, PLACE(limits.keep_alive_ms), 0, 0, "75s", "TIME", "silence between requests" },
	{ "header-timeout", KIND_DURATION, PLACE(limits.header_ms), 0, 0, "10s", "TIME", "to send a request's head" },
	{ "body-timeout", KIND_DURATION, PLACE(limits.body_ms), 0, 0, "30s", "TIME", "between parts of a body" },
	{ "write-timeout", KIND_DURATION, PLACE(limits.write_ms), 0, 0, "30s", "TIME", "until the client takes more" },
	{ "linger", KIND_DURATION, PLACE(limits.linger_ms), 0, 0, "2s", "TIME",
	  "while draining: for one more request of an idle connection" },
	{ "max-line", KIND_SIZE, PLACE(limits.line_bytes), 0, 0, "8k", "SIZE", "of a request's target" },
	{ "max-headers", KIND_NUMBER, PLACE(limits.header_count), 1, 10000, "100", "N", "headers of a request" },
	{ "max-header", KIND_SIZE, PLACE(limits.header_bytes), 0, 0, "16k", "SIZE", "of one header" },
	{ "max-body", KIND_SIZE, PLACE(limits.body_bytes), 0, 0, "1g", "SIZE", "of a request's body" },
	{ "max-message", KIND_SIZE, PLACE(limits.message_bytes), 0, 0, "16m", "SIZE",
	  "of a WebSocket message (async)" },
	{ "websocket-ping", KIND_DURATION, PLACE(limits.ping_ms), 0, 0, "20s", "TIME",
	  "between pings; who is silent from one to the next is gone; 0: none (async)" },
	{ "access-log", KIND_TEXT, PLACE(log_path), 0, 0, NULL, "FILE",
	  "a line for each answer; - is standard output" },
	{ "access-log-format", KIND_SPECIAL, SPECIAL_LOG_FORMAT, 0, 0, NULL, "WORD", "apache (default) or json" },
	{ "trust", KIND_SPECIAL, SPECIAL_TRUST, 0, 0, NULL, "LIST",
	  "proxies whose word about the client counts: addresses, networks, unix, *" },
	{ "proxy-protocol", KIND_FLAG, PLACE(takes_proxy_protocol), 0, 0, NULL, NULL,
	  "connections begin with a PROXY protocol header, of a peer in --trust" },
	{ "help", KIND_SPECIAL, SPECIAL_HELP, 0, 0, NULL, NULL, "this text" },
	{ "version", KIND_SPECIAL, SPECIAL_VERSION, 0, 0, NULL, NULL, "the version" },
};

#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

/* Of all headers together; what is above it is no request but an attack. */
#define HEAD_BYTES_MAX (256 * 1024)

static const char *program = "unicornd-worker";

void worker_options_complain(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fprintf(stderr, "%s: ", program);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
	va_end(arguments);
}

void worker_options_print_help(bool is_async)
{
	const char *flavour = is_async ? "async" : "sync";

	(void)printf("usage: unicornd-worker-%s --app APP [options]\n\n", flavour);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		char name[48];

		(void)snprintf(name, sizeof(name), "--%s %s", rows[i].name, rows[i].value != NULL ? rows[i].value : "");
		(void)printf("  %-27s %s", name, rows[i].help);
		if (rows[i].standard != NULL && rows[i].standard[0] != '\0')
			(void)printf(" (%s)", rows[i].standard);
		(void)putchar('\n');
	}
	(void)printf("\nAPP is one of\n"
		     "  MODULE:NAME          Python: %s\n"
		     "  %s      the same, said in full\n"
		     "  files:DIR            static files\n"
		     "  PATH.so[:ARGUMENT]   a module in C, see unicornd/app.h\n",
		     is_async ? "an ASGI application" : "a WSGI application",
		     is_async ? "asgi:MODULE:NAME" : "wsgi:MODULE:NAME");
}

static bool take_special(struct worker_options *options, const struct row *row, const char *value, char *error)
{
	switch ((enum special)row->place) {
	case SPECIAL_BIND:
		if (options->bind_count == WORKER_BINDS_MAX) {
			(void)snprintf(error, OPTION_ERROR_SIZE, "at most %d addresses", WORKER_BINDS_MAX);
			return false;
		}
		options->bind_texts[options->bind_count] = value;
		return option_address_parse(value, &options->binds[options->bind_count++], error, OPTION_ERROR_SIZE);
	case SPECIAL_LOG_FORMAT:
		options->log_format = strcmp(value, "json") == 0 ? ACCESS_JSON : ACCESS_APACHE;
		if (options->log_format == ACCESS_JSON || strcmp(value, "apache") == 0)
			return true;
		(void)snprintf(error, OPTION_ERROR_SIZE, "\"%s\" is neither apache nor json", value);
		return false;
	case SPECIAL_TRUST:
		options->has_trusted = true;
		return trusted_peers_add(&options->trusted, value, error, OPTION_ERROR_SIZE);
	case SPECIAL_HELP:
		options->action = WORKER_HELP;
		return true;
	case SPECIAL_VERSION:
		options->action = WORKER_VERSION;
		return true;
	}
	return false;
}

static bool take(struct worker_options *options, const struct row *row, const char *value, char *error)
{
	void *place = (char *)options + row->place;

	switch (row->kind) {
	case KIND_TEXT:
		*(const char **)place = value;
		return true;
	case KIND_FLAG:
		*(bool *)place = true;
		return true;
	case KIND_DURATION:
		return option_duration_parse(value, place, error, OPTION_ERROR_SIZE);
	case KIND_SIZE:
		return option_size_parse(value, place, error, OPTION_ERROR_SIZE);
	case KIND_NUMBER:
		return option_number_parse(value, (struct option_range){ row->minimum, row->maximum }, place, error,
					   OPTION_ERROR_SIZE);
	case KIND_SPECIAL:
		return take_special(options, row, value, error);
	}
	return false;
}

static bool is_one_of(const char *name, const char *value, const char *first, const char *second, const char *third)
{
	if (strcmp(value, first) == 0 || strcmp(value, second) == 0 || strcmp(value, third) == 0)
		return true;
	worker_options_complain("--%s: \"%s\" is none of %s, %s, %s", name, value, first, second, third);
	return false;
}

static bool check(const struct worker_options *options, bool is_async, int left, char **words)
{
	if (left > 0) {
		worker_options_complain("what is \"%s\" for? everything is an option, see --help", words[0]);
		return false;
	}
	if (options->application == NULL || options->application[0] == '\0') {
		worker_options_complain("--app is missing: say what to serve, for example --app main:app; see --help");
		return false;
	}
	if (options->takes_proxy_protocol && !options->has_trusted) {
		worker_options_complain(
			"--proxy-protocol needs --trust: say whose word counts, for example --trust 10.0.0.1");
		return false;
	}
	if (is_async && options->threads > 1) {
		worker_options_complain("--threads is for unicornd-worker-sync: the async worker has one loop");
		return false;
	}
	return is_one_of("loop", options->app.loop, "auto", "asyncio", "uvloop") &&
	       is_one_of("lifespan", options->app.lifespan, "auto", "on", "off");
}

static void set_defaults(struct worker_options *options)
{
	char error[OPTION_ERROR_SIZE];

	*options = (struct worker_options){ .action = WORKER_RUN };
	options->app.size = sizeof(options->app);
	options->limits.head_bytes = HEAD_BYTES_MAX;
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (rows[i].standard != NULL)
			(void)take(options, &rows[i], rows[i].standard, error);
	}
}

bool worker_options_parse(struct worker_options *options, bool is_async, int argc, char **argv)
{
	struct option names[ROW_COUNT + 1] = { { 0 } };
	char error[OPTION_ERROR_SIZE];
	int index = 0;
	int found;

	program = is_async ? "unicornd-worker-async" : "unicornd-worker-sync";
	opterr = 0;
	set_defaults(options);
	for (size_t i = 0; i < ROW_COUNT; i++)
		names[i] = (struct option){ rows[i].name, rows[i].value != NULL, NULL, 1 };
	while ((found = getopt_long(argc, argv, "+", names, &index)) != -1) {
		if (found != 1) {
			worker_options_complain("%s: no such option, or its value is missing; see --help",
						argv[optind - 1]);
			return false;
		}
		if (!take(options, &rows[index], optarg, error)) {
			worker_options_complain("--%s: %s", rows[index].name, error);
			return false;
		}
		if (options->action != WORKER_RUN)
			return true;
	}
	options->app.is_async = is_async;
	options->app.threads = (int)options->threads;
	return check(options, is_async, argc - optind, argv + optind);
}
