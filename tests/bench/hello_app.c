/*
 * hello_app.c - the least a C handler can do: what `make bench` compares with a bare loop.
 */
#include "unicornd/app.h"

static void handle(void *state, struct unicorn_request *request)
{
	static const struct unicorn_header headers[] = { UNICORN_HEADER("content-type", "text/plain") };

	(void)state;
	(void)unicorn_answer(request, 200, headers, 1, "Hello, world!", sizeof("Hello, world!") - 1);
}

const struct unicorn_app unicorn_app = { .abi = UNICORN_APP_ABI, .handle = handle };
