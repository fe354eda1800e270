#include "worker_app.h"

#include "unicornd/worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What a line of the log may be at most; tracebacks are longer than anything else. */
#define LOG_BYTES 3072
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

void unicorn_log(enum unicorn_level level, const char *format, ...)
{
	static const char *const words[] = { "error: ", "warning: ", "" };
	char text[LOG_BYTES];
	size_t length = (size_t)snprintf(text, sizeof(text), "%s", words[level]);
	va_list arguments;
	int more;

	va_start(arguments, format);
	more = vsnprintf(text + length, sizeof(text) - length - 1, format, arguments);
	va_end(arguments);
	length = more < 0 || (size_t)more >= sizeof(text) - length - 1 ? strlen(text) : length + (size_t)more;
	if (length == 0 || text[length - 1] != '\n')
		text[length++] = '\n';
	/* One write, so that lines of several processes do not mix; where it goes is not ours to mend. */
	if (write(STDERR_FILENO, text, length) < 0)
		errno = 0;
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
	if (colon != NULL && is_gateway(application, (size_t)(colon - application))) {
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
