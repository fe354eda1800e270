#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/** Name of a site that has no configuration file. */
#define SITE_WITHOUT_FILE "default"
#define FILE_SUFFIX       ".conf"

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "test", no_argument, NULL, 't' },
	{ "print", no_argument, NULL, 'T' },
	{ "site", required_argument, NULL, 'n' },
	{ "socket", required_argument, NULL, 'S' },
	{ "workers", required_argument, NULL, 'w' },
	{ "bind", required_argument, NULL, 'b' },
	{ "set", required_argument, NULL, 's' },
	{ "reload", no_argument, NULL, 'R' },
	{ "reload-dir", required_argument, NULL, 'D' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

void options_print_help(void)
{
	(void)puts("usage: unicornd -c FILE [-t | -T]\n"
		   "       unicornd [-w N] [-b ADDRESS]... [-s NAME=VALUE]... -- COMMAND [WORD]...\n"
		   "\n"
		   "Binds sockets once, starts workers on them, and keeps them serving.\n"
		   "\n"
		   "  -c, --config FILE     configuration of the site\n"
		   "  -t, --test            check the configuration and exit\n"
		   "  -T, --print           check it, print it with all defaults, and exit\n"
		   "  -n, --site NAME       name of the site (default: the file's name without .conf)\n"
		   "      --socket PATH     control socket (default: where unicornctl looks for SITE.sock)\n"
		   "  -w, --workers N       without a file: workers, a number or auto\n"
		   "  -b, --bind ADDRESS    without a file: address to listen on; may be repeated\n"
		   "  -s, --set NAME=VALUE  without a file: any setting of a pool; may be repeated\n"
		   "      --reload          development: reload when a file changes where the workers start\n"
		   "      --reload-dir DIR  the same, but watch this folder instead; may be repeated\n"
		   "  -h, --help            this text\n"
		   "  -V, --version         the version\n"
		   "\n"
		   "{fd} in COMMAND stands for the number of the listening descriptor.");
}

static bool append(const char **list, size_t *count, const char *value, const char *option, struct error *error)
{
	if (*count == OPTIONS_LIST_MAX)
		return error_set(error, ERROR_INVALID_PARAMETERS, "%s: given more than %d times", option,
				 OPTIONS_LIST_MAX);
	list[(*count)++] = value;
	return true;
}

static bool set_site(struct options *options, const char *name, struct error *error)
{
	if (name[0] == '\0' || strchr(name, '/') != NULL || strlen(name) >= sizeof(options->site))
		return error_set(error, ERROR_INVALID_PARAMETERS, "site \"%s\": 1 to %d characters without a slash",
				 name, OPTIONS_SITE_SIZE - 1);
	(void)snprintf(options->site, sizeof(options->site), "%s", name);
	return true;
}

static bool take_option(struct options *options, int option, struct error *error)
{
	struct configuration_source *source = &options->source;

	switch (option) {
	case 'c':
		source->path = optarg;
		return true;
	case 't':
		options->action = OPTIONS_TEST;
		return true;
	case 'T':
		options->action = OPTIONS_PRINT;
		return true;
	case 'n':
		return set_site(options, optarg, error);
	case 'S':
		options->socket = optarg;
		return true;
	case 'w':
		source->workers = optarg;
		return true;
	case 'b':
		return append(options->binds, &source->bind_count, optarg, "-b", error);
	case 's':
		return append(options->assignments, &source->assignment_count, optarg, "-s", error);
	case 'R':
		options->develops = true;
		return true;
	case 'D':
		options->develops = true;
		return append(options->folders, &options->folder_count, optarg, "--reload-dir", error);
	case 'h':
		options->action = OPTIONS_HELP;
		return true;
	case 'V':
		options->action = OPTIONS_VERSION;
		return true;
	default:
		return error_set(error, ERROR_INVALID_PARAMETERS, "unknown option or missing value: %s",
				 "see unicornd --help");
	}
}

/** The file's name without folder and .conf. */
static bool name_site(struct options *options, struct error *error)
{
	const char *path = options->source.path;
	const char *slash;
	char name[OPTIONS_SITE_SIZE];
	size_t length;

	if (options->site[0] != '\0')
		return true;
	if (path == NULL)
		return set_site(options, SITE_WITHOUT_FILE, error);
	slash = strrchr(path, '/');
	path = slash != NULL ? slash + 1 : path;
	length = strlen(path);
	if (length > strlen(FILE_SUFFIX) && strcmp(path + length - strlen(FILE_SUFFIX), FILE_SUFFIX) == 0)
		length -= strlen(FILE_SUFFIX);
	if (length >= sizeof(name))
		length = sizeof(name) - 1;
	memcpy(name, path, length);
	name[length] = '\0';
	return set_site(options, name, error);
}

static bool check(const struct options *options, int left, struct error *error)
{
	const struct configuration_source *source = &options->source;

	if (source->path != NULL &&
	    (left > 0 || source->workers != NULL || source->bind_count > 0 || source->assignment_count > 0))
		return error_set(error, ERROR_INVALID_PARAMETERS,
				 "-w, -b, -s and a command go without -c: with a file, the file says all");
	if (source->path == NULL && left == 0)
		return error_set(error, ERROR_INVALID_PARAMETERS,
				 "say what to run: -c FILE, or a command behind --; see unicornd --help");
	return true;
}

bool options_parse(struct options *options, int argc, char **argv, struct error *error)
{
	int option;

	*options = (struct options){ .action = OPTIONS_RUN };
	options->source.binds = options->binds;
	options->source.assignments = options->assignments;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+c:tTn:w:b:s:hV", long_options, NULL)) != -1) {
		if (!take_option(options, option, error))
			return false;
	}
	if (options->action == OPTIONS_HELP || options->action == OPTIONS_VERSION)
		return true;
	options->source.command = (const char *const *)(void *)&argv[optind];
	options->source.command_count = (size_t)(argc - optind);
	return check(options, argc - optind, error) && name_site(options, error);
}
