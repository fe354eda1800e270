#include "worker_app.h"

#include "unicornd/worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is longer than this, as tracebacks may be, takes memory for itself. */
#define LOG_BYTES 2048
/* Of a module's path. */
#define PATH_BYTES 2048

static struct http_server *the_server;

static const char *const gateways[] = { "asgi", "files", "wsgi" };

void worker_app_set_server(struct http_server *server)
{
	the_server = server;
}

struct ev_loop *unicorn_worker_loop(void)
{
	return the_server->loop;
}

bool unicorn_worker_is_finished(void)
{
	return the_server->is_finished;
}

bool unicorn_worker_is_draining(void)
{
	return the_server->is_draining || unicorn_worker_is_stopping();
}

/** One write, so that lines of several processes do not mix; where it goes is not ours to mend. */
static void log_write(char *text, size_t length)
{
	if (length == 0 || text[length - 1] != '\n')
		text[length++] = '\n';
	if (write(STDERR_FILENO, text, length) < 0)
		errno = 0;
}

void unicorn_log(enum unicorn_level level, const char *format, ...)
{
	static const char *const words[] = { "error: ", "warning: ", "" };
	char space[LOG_BYTES];
	char *text = space;
	size_t word = (size_t)snprintf(space, sizeof(space), "%s", words[level]);
	size_t length = word;
	va_list arguments;
	int more;

	va_start(arguments, format);
	more = vsnprintf(space + word, sizeof(space) - word, format, arguments);
	va_end(arguments);
	if (more > 0)
		length += (size_t)more;
	/* Room for a newline instead of the NUL. What is long is a traceback, and the end of it matters most. */
	if (length >= sizeof(space) - 1 && (text = malloc(length + 2)) != NULL) {
		memcpy(text, space, word);
		va_start(arguments, format);
		(void)vsnprintf(text + word, length + 1 - word, format, arguments);
		va_end(arguments);
	} else if (text == NULL) {
		text = space;
		length = sizeof(space) - 1;
	}
	log_write(text, length);
	if (text != space)
		free(text);
}

/** "PATH.so" and what follows, or NULL when it is no path of a module. */
static const char *find_path_end(const char *application)
{
	const char *suffix = strstr(application, ".so");

	while (suffix != NULL && suffix[3] != '\0' && suffix[3] != ':')
		suffix = strstr(suffix + 1, ".so");
	return suffix == NULL ? NULL : suffix + 3;
}

static bool is_gateway(const char *application, size_t length)
{
	for (size_t i = 0; i < sizeof(gateways) / sizeof(gateways[0]); i++) {
		if (strlen(gateways[i]) == length && memcmp(gateways[i], application, length) == 0)
			return true;
	}
	return false;
}

/** @return false when it does not fit */
static bool append(char path[PATH_BYTES], const char *bytes, size_t length)
{
	size_t end = strlen(path);

	if (length >= PATH_BYTES - end)
		return false;
	memcpy(path + end, bytes, length);
	path[end + length] = '\0';
	return true;
}

static bool find_gateway(const char *name, size_t length, char path[PATH_BYTES])
{
	const char *folder = getenv("UNICORND_GATEWAYS");

	if (folder == NULL)
		folder = GATEWAYDIR;
	return append(path, folder, strlen(folder)) && append(path, "/", 1) && append(path, name, length) &&
	       append(path, ".so", 3);
}

static bool is_there(const char *folder, const char *name, const char *suffix)
{
	char path[PATH_BYTES];
	int length = snprintf(path, sizeof(path), "%s/%s%s", folder != NULL ? folder : ".", name, suffix);

	return length < (int)sizeof(path) && access(path, F_OK) == 0;
}

/** Many applications have a wsgi.py and say `wsgi:app`: where the file is, that is no gateway with a module `app`. */
static bool is_module_of_that_name(const char *application, const char *folder)
{
	static const char *const names[] = { "asgi", "wsgi" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(application, names[i], 4) == 0 && application[4] == ':')
			return strpbrk(application + 5, ":/") == NULL &&
			       (is_there(folder, names[i], ".py") || is_there(folder, names[i], "/__init__.py"));
	}
	return false;
}

/** Where the module is and what it is told. @param path  empty. @return false when it is too long */
static bool find_module(const char *application, struct unicorn_app_options *options, char path[PATH_BYTES])
{
	const char *path_end = find_path_end(application);
	const char *colon = strchr(application, ':');

	if (path_end != NULL) {
		options->argument = *path_end == ':' ? path_end + 1 : "";
		/* Without a slash dlopen(3) would look where libraries are. */
		if (strchr(application, '/') == NULL && !append(path, "./", 2))
			return false;
		return append(path, application, (size_t)(path_end - application));
	}
	if (colon != NULL && is_gateway(application, (size_t)(colon - application)) &&
	    !is_module_of_that_name(application, options->directory)) {
		options->argument = colon + 1;
		return find_gateway(application, (size_t)(colon - application), path);
	}
	options->argument = application;
	return find_gateway(options->is_async ? "asgi" : "wsgi", 4, path);
}

const struct unicorn_app *worker_app_load(const char *application, struct unicorn_app_options *options)
{
	char path[PATH_BYTES] = "";
	const struct unicorn_app *app;
	void *module;

	if (!find_module(application, options, path)) {
		unicorn_log(UNICORN_ERROR, "--app: the path of the module is too long");
		return NULL;
	}
	module = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	if (module == NULL) {
		unicorn_log(UNICORN_ERROR, "--app %s: %s%s", application, dlerror(),
			    find_path_end(application) == NULL ? " (is the package of this gateway installed?)" : "");
		return NULL;
	}
	app = dlsym(module, "unicorn_app");
	if (app == NULL || app->abi != UNICORN_APP_ABI || app->handle == NULL) {
		unicorn_log(UNICORN_ERROR, "--app %s: %s is no module for this worker: %s", application, path,
			    app == NULL                   ? "it does not define unicorn_app"
			    : app->abi != UNICORN_APP_ABI ? "it was built for another version of unicornd/app.h"
							  : "it has no handle()");
		return NULL;
	}
	return app;
}
