/*
 * handler.c - an application in C: greets at /, and gives back what is sent to /echo as it comes.
 *
 *	cc -shared -fPIC -o handler.so handler.c $(pkg-config --cflags libunicornworker)
 *	unicornd-worker-async --app ./handler.so:Hello --bind :8000
 *
 * Works in both workers. In the async one handle() and resume() must not wait for anything; whoever has to wait, waits
 * with a watcher on unicorn_worker_loop().
 */
#include <stdio.h>
#include <string.h>
#include <unicornd/app.h>

static const struct unicorn_header text_headers[] = { UNICORN_HEADER("content-type", "text/plain; charset=utf-8") };
static const struct unicorn_header echo_headers[] = { UNICORN_HEADER("content-type", "application/octet-stream") };

static void answer_text(struct unicorn_request *request, int status, const char *text)
{
	(void)unicorn_answer(request, status, text_headers, 1, text, strlen(text));
}

static void greet(const char *greeting, struct unicorn_request *request)
{
	struct unicorn_address client;
	char text[256];

	unicorn_request_client(request, &client);
	(void)snprintf(text, sizeof(text), "%s %s\n", greeting, client.host);
	answer_text(request, 200, text);
}

/** Passes on what there is of the body; comes back for more when there is more, or room for it. */
static void echo(struct unicorn_request *request)
{
	char bytes[2048];
	int64_t count;

	while (!unicorn_answer_is_congested(request)) {
		count = unicorn_body_read(request, bytes, sizeof(bytes));
		if (count == 0)
			(void)unicorn_answer_end(request);
		if (count <= 0 || unicorn_answer_write(request, bytes, (size_t)count) != 0)
			return;
	}
}

static int start(const struct unicorn_app_options *options, void **state)
{
	static char greeting[64];

	if (strlen(options->argument) >= sizeof(greeting)) {
		unicorn_log(UNICORN_ERROR, "handler: the greeting is too long");
		return UNICORN_START_REFUSED;
	}
	(void)strcpy(greeting, *options->argument != '\0' ? options->argument : "Hello");
	*state = greeting;
	return 0;
}

static void handle(void *state, struct unicorn_request *request)
{
	const struct unicorn_head *head = unicorn_request_head(request);

	if (strcmp(head->path, "/") == 0)
		greet(state, request);
	else if (strcmp(head->path, "/echo") != 0)
		answer_text(request, 404, "Not Found\n");
	else if (unicorn_answer_begin(request, 200, NULL, echo_headers, 1) == 0)
		echo(request);
}

/** Only an echo is not over yet. */
static void resume(void *state, struct unicorn_request *request, unsigned events)
{
	(void)state;
	if (events & UNICORN_GONE)
		unicorn_answer_abort(request);
	else
		echo(request);
}

const struct unicorn_app unicorn_app = {
	.abi = UNICORN_APP_ABI,
	.start = start,
	.handle = handle,
	.resume = resume,
};
