/*
 * files_app.c - the gateway for static files: --app files:DIR or files:DIR?max-age=SECONDS.
 *
 * Opening a file may wait for a disk, in the async worker as well; what is in the page cache does not.
 */
#include "files_answer.h"
#include "files_headers.h"
#include "files_multipart.h"
#include "files_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What is served. */
struct files_app {
	struct files_root root;
	char cache_control[32]; /* "": none */
};

/** What stands behind the '?'. @return false when it is not understood */
static bool read_options(struct files_app *app, const char *options)
{
	static const char max_age[] = "max-age=";
	const char *seconds = options + sizeof(max_age) - 1;

	if (strncmp(options, max_age, sizeof(max_age) - 1) != 0)
		return false;
	/* Nine digits are 30 years. */
	if (*seconds == '\0' || strlen(seconds) > 9 || seconds[strspn(seconds, "0123456789")] != '\0')
		return false;
	(void)snprintf(app->cache_control, sizeof(app->cache_control), "%s", options);
	return true;
}

/** @return false after saying why */
static bool read_argument(struct files_app *app, char *argument)
{
	char *options = strrchr(argument, '?');

	if (options != NULL) {
		*options++ = '\0';
		if (!read_options(app, options)) {
			unicorn_log(UNICORN_ERROR, "files: \"?%s\" is not ?max-age=SECONDS", options);
			return false;
		}
	}
	if (*argument == '\0') {
		unicorn_log(UNICORN_ERROR, "files: which folder? --app files:DIR");
		return false;
	}
	return true;
}

static int open_folder(struct files_app *app, const char *base, const char *folder)
{
	int error = files_root_open(&app->root, base, folder);

	if (error == 0) {
		if (app->root.is_walked)
			unicorn_log(UNICORN_INFO, "files: without openat2 no symbolic link is followed");
		return 0;
	}
	unicorn_log(UNICORN_ERROR, "files: cannot open the folder %s: %s", folder, strerror(-error));
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM ? UNICORN_START_FAILED : UNICORN_START_REFUSED;
}

static int start(const struct unicorn_app_options *options, void **state)
{
	struct files_app *app = calloc(1, sizeof(*app));
	char *argument = strdup(options->argument);
	int result = UNICORN_START_REFUSED;

	if (app == NULL || argument == NULL) {
		unicorn_log(UNICORN_ERROR, "files: out of memory");
		result = UNICORN_START_FAILED;
	} else if (read_argument(app, argument)) {
		result = open_folder(app, options->directory, argument);
	}
	free(argument);
	if (result != 0) {
		free(app);
		return result;
	}
	*state = app;
	return 0;
}

static void redirect(struct unicorn_request *request, const struct unicorn_head *head, const char *name)
{
	struct files_headers headers = { .count = 0 };
	char *location = malloc(files_path_redirect_bytes(name, head->query_length));

	if (location == NULL) {
		unicorn_answer_abort(request);
		return;
	}
	(void)files_path_redirect(name, head->query, location);
	files_headers_add(&headers, "location", location);
	files_headers_answer(&headers, request, 301);
	free(location);
}

static void refuse(struct unicorn_request *request, int status)
{
	struct files_headers headers = { .count = 0 };

	if (status == 405)
		files_headers_add(&headers, "allow", "GET, HEAD");
	if (status == 406)
		files_headers_add(&headers, "vary", "accept-encoding");
	files_headers_answer(&headers, request, status);
}

static void serve(const struct files_app *app, struct unicorn_request *request, const struct unicorn_head *head,
		  char *name)
{
	struct files_fields fields;
	struct files_choice choice;
	int status = files_path_decode(head->path, head->path_length, name);

	if (status == 0) {
		files_fields_find(&fields, head);
		status = files_choice_open(&app->root, name, &fields, &choice);
	}
	if (status == 0)
		files_answer(request, &fields, &choice, app->cache_control[0] != '\0' ? app->cache_control : NULL);
	else if (status == 301)
		redirect(request, head, name);
	else
		refuse(request, status);
}

static void handle(void *state, struct unicorn_request *request)
{
	const struct unicorn_head *head = unicorn_request_head(request);
	char *name;

	if (strcmp(head->method, "GET") != 0 && strcmp(head->method, "HEAD") != 0) {
		refuse(request, 405);
		return;
	}
	name = malloc(head->path_length + FILES_NAME_ROOM);
	if (name == NULL) {
		unicorn_answer_abort(request);
		return;
	}
	serve(state, request, head, name);
	free(name);
}

static void resume(void *state, struct unicorn_request *request, unsigned events)
{
	struct files_multipart *multipart = unicorn_request_context(request);

	(void)state;
	if (events & UNICORN_GONE)
		unicorn_answer_abort(request);
	else if (multipart != NULL && (events & UNICORN_DRAINED))
		files_multipart_send(multipart, request);
}

static void closed(void *state, struct unicorn_request *request)
{
	(void)state;
	files_multipart_destroy(unicorn_request_context(request));
}

static void stop(void *state)
{
	struct files_app *app = state;

	files_root_close(&app->root);
	free(app);
}

const struct unicorn_app unicorn_app = {
	.abi = UNICORN_APP_ABI,
	.start = start,
	.handle = handle,
	.resume = resume,
	.closed = closed,
	.stop = stop,
};
