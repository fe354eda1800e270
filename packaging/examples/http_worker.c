/*
 * http_worker.c - a worker of unicornd that serves HTTP/1.1 with keep-alive, many connections in one process.
 *
 *	cc -o http_worker http_*.c $(pkg-config --cflags --libs libunicornworker)
 */
#include "http_serve.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicornd/protocol.h>

static const char usage[] = "usage: http_worker [--body TEXT] [--linger MILLISECONDS] [--idle]\n"
			    "  --body    answer with this text instead of pid and generation\n"
			    "  --linger  while draining, wait so long for the next request of a connection (5000)\n"
			    "  --idle    do not beat\n";

static const struct option long_options[] = {
	{ "body", required_argument, NULL, 'b' },
	{ "linger", required_argument, NULL, 'l' },
	{ "idle", no_argument, NULL, 'i' },
	{ NULL, 0, NULL, 0 },
};

static bool options_parse(int argc, char **argv, struct http_serve_options *options)
{
	int option;
	char *end;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'b':
			options->body = optarg;
			break;
		case 'l':
			options->linger_ms = strtol(optarg, &end, 10);
			if (*end != '\0' || options->linger_ms < 0)
				return false;
			break;
		case 'i':
			options->beat_limit = 0;
			break;
		default:
			return false;
		}
	}
	return optind == argc;
}

int main(int argc, char **argv)
{
	struct http_serve_options options;
	struct unicorn_worker worker;
	int result;

	http_serve_options_init(&options);
	if (!options_parse(argc, argv, &options)) {
		(void)fputs(usage, stderr);
		return UNICORND_EXIT_CONFIGURATION;
	}
	if (unicorn_worker_init(&worker) != 0 || worker.listener_count == 0) {
		(void)fputs("http_worker: no listening sockets were passed (LISTEN_FDS)\n", stderr);
		return UNICORND_EXIT_CONFIGURATION;
	}
	result = http_serve(&worker, &options);
	if (result != 0)
		(void)fprintf(stderr, "http_worker: %s\n", strerror(-result));
	return result != 0;
}
