/*
 * load.c - unicornd-load: asks a server on this machine as fast as it answers, and tells every request that was not
 * answered as it should be. Its result is one line of JSON; the exit status says only whether it ran.
 */
#include "load_record.h"
#include "load_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define EXIT_USAGE 2

static const char usage[] =
	"usage: unicornd-load --address HOST:PORT|unix:PATH (--requests N | --until-eof) [options]\n"
	"  --connections N     clients, each with one connection (1)\n"
	"  --keep-alive        many requests on a connection (default)\n"
	"  --close             one request on a connection\n"
	"  --path PATH         what to ask for (/)\n"
	"  --pause MS          pause of each client between two requests (0)\n"
	"  --timeout MS        of one request (30000)\n"
	"  --announce          print \"started\" behind the first answer\n"
	"HOST is 127.x.x.x, [::1] or localhost: other machines are never asked.\n";

static const struct option long_options[] = {
	{ "address", required_argument, NULL, 'a' },
	{ "announce", no_argument, NULL, 's' },
	{ "close", no_argument, NULL, 'c' },
	{ "connections", required_argument, NULL, 'n' },
	{ "keep-alive", no_argument, NULL, 'k' },
	{ "path", required_argument, NULL, 'p' },
	{ "pause", required_argument, NULL, 'w' },
	{ "requests", required_argument, NULL, 'r' },
	{ "timeout", required_argument, NULL, 't' },
	{ "until-eof", no_argument, NULL, 'e' },
	{ NULL, 0, NULL, 0 },
};

static bool number_parse(const char *string, int64_t minimum, int64_t maximum, int64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoll(string, &end, 10);
	return end != string && *end == '\0' && errno == 0 && *number >= minimum && *number <= maximum;
}

static bool unix_address_parse(const char *path, struct load_plan *plan)
{
	struct sockaddr_un *address = (struct sockaddr_un *)&plan->address;
	size_t length = strlen(path);

	if (length == 0 || length >= sizeof(address->sun_path))
		return false;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, length + 1);
	plan->address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	if (*path == '@') {
		address->sun_path[0] = '\0';
		plan->address_length--;
	}
	return true;
}

static bool tcp_address_parse(const char *string, struct load_plan *plan)
{
	struct sockaddr_in *address4 = (struct sockaddr_in *)&plan->address;
	struct sockaddr_in6 *address6 = (struct sockaddr_in6 *)&plan->address;
	const char *colon = strrchr(string, ':');
	char host[32] = "";
	int64_t port;

	if (colon == NULL || (size_t)(colon - string) >= sizeof(host) || !number_parse(colon + 1, 1, 65535, &port))
		return false;
	memcpy(host, string, (size_t)(colon - string));
	if (strcmp(host, "[::1]") == 0) {
		*address6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
		address6->sin6_addr = in6addr_loopback;
		plan->address_length = sizeof(*address6);
		return true;
	}
	*address4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	plan->address_length = sizeof(*address4);
	if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &address4->sin_addr) != 1)
		return false;
	return ntohl(address4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool address_parse(const char *string, struct load_plan *plan)
{
	if (strncmp(string, "unix:", 5) == 0)
		return unix_address_parse(string + 5, plan);
	return tcp_address_parse(string, plan);
}

/** @return false when the option is not known or its value is not right */
static bool option_take(int option, struct load_plan *plan, const char **path)
{
	int64_t number = 0;
	bool is_right = true;

	switch (option) {
	case 'a':
		return address_parse(optarg, plan);
	case 's':
		plan->announce = true;
		break;
	case 'c':
		plan->keep_alive = false;
		break;
	case 'k':
		plan->keep_alive = true;
		break;
	case 'n':
		is_right = number_parse(optarg, 1, 100000, &number);
		plan->connections = (int)number;
		break;
	case 'p':
		*path = optarg;
		return *optarg == '/' && strpbrk(optarg, " \r\n") == NULL;
	case 'w':
		is_right = number_parse(optarg, 0, 3600000, &number);
		plan->pause_us = number * 1000;
		break;
	case 'r':
		is_right = number_parse(optarg, 1, INT64_MAX, &number);
		plan->requests = (uint64_t)number;
		break;
	case 't':
		is_right = number_parse(optarg, 1, 3600000, &number);
		plan->timeout_us = number * 1000;
		break;
	case 'e':
		plan->until_eof = true;
		break;
	default:
		return false;
	}
	return is_right;
}

static bool options_parse(int argc, char **argv, struct load_plan *plan, const char **path)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (!option_take(option, plan, path))
			return false;
	}
	return optind == argc && plan->address_length > 0 && plan->until_eof != (plan->requests > 0);
}

int main(int argc, char **argv)
{
	static struct load_record record;
	struct load_plan plan = { .connections = 1, .keep_alive = true, .timeout_us = 30000000 };
	const char *path = "/";
	char *request = NULL;
	int64_t started_us = load_now_us();
	int length;
	int result;

	if (!options_parse(argc, argv, &plan, &path)) {
		(void)fputs(usage, stderr);
		return EXIT_USAGE;
	}
	length = asprintf(&request, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n", path,
			  plan.keep_alive ? "keep-alive" : "close");
	if (length < 0)
		return EXIT_FAILURE;
	plan.request = request;
	plan.request_length = (size_t)length;
	result = load_run(&plan, &record);
	if (result != 0)
		(void)fprintf(stderr, "unicornd-load: %s\n", strerror(-result));
	else
		load_record_print(&record, (load_now_us() - started_us) / 1000, stdout);
	load_record_finish(&record);
	free(request);
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
