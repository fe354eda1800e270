/*
 * asgi_app.c - the ASGI gateway: applications in Python, called in the worker's loop.
 */
#include "asgi_awaitable.h"
#include "asgi_call.h"
#include "asgi_disconnect.h"
#include "asgi_http.h"
#include "asgi_lifespan.h"
#include "asgi_loop.h"
#include "asgi_scope.h"
#include "asgi_websocket.h"
#include "asgi_words.h"
#include "python_host.h"
#include "unicornd/app.h"

#include <ev.h>

/* How long calls may go on whose requests are over, when the worker is to end; and how long when they are cancelled. */
#define BACKGROUND_SECONDS 15.0
#define CANCEL_SECONDS     5.0

/* ---- start */

static int init_modules(const struct unicorn_app_options *options)
{
	if (asgi_words_init() == 0 && asgi_disconnect_init() == 0 && asgi_awaitable_init() == 0 &&
	    asgi_scope_init(options->root_path == NULL ? "" : options->root_path) == 0)
		return 0;
	python_host_log_exception("asgi: start");
	return UNICORN_START_FAILED;
}

static int load_application(const struct unicorn_app_options *options)
{
	int result = UNICORN_START_FAILED;
	PyObject *application = python_host_load(options, &result);
	int status;

	if (application == NULL)
		return result;
	status = asgi_call_init(application);
	Py_DECREF(application);
	if (status == 0)
		return 0;
	python_host_log_exception("asgi: start");
	return UNICORN_START_FAILED;
}

static int asgi_start(const struct unicorn_app_options *options, void **state)
{
	int result;

	*state = NULL;
	if (!options->is_async) {
		unicorn_log(UNICORN_ERROR,
			    "asgi: unicornd-worker-sync cannot run ASGI applications, use unicornd-worker-async");
		return UNICORN_START_REFUSED;
	}
	result = python_host_start(options, "asgi");
	if (result == 0)
		result = init_modules(options);
	if (result == 0)
		result = asgi_loop_create(options->loop == NULL ? "auto" : options->loop);
	if (result == 0)
		result = load_application(options);
	if (result == 0)
		result = asgi_lifespan_start(options->lifespan == NULL ? "auto" : options->lifespan);
	if (result == 0)
		python_host_freeze();
	return result;
}

/* ---- requests */

/**
 * What an application has left to asyncio must not wait for the next event: the worker's loop may be about to wait, so
 * its turn ends here.
 */
static void end_turn(void)
{
	ev_break(unicorn_worker_loop(), EVBREAK_ONE);
}

static void asgi_handle(void *state, struct unicorn_request *request)
{
	bool is_websocket = unicorn_request_head(request)->is_websocket;
	PyObject *scope = is_websocket ? asgi_scope_create_websocket(request) : asgi_scope_create_http(request);
	struct asgi_call *call = asgi_call_create(is_websocket ? &asgi_websocket : &asgi_http, request, scope);

	(void)state;
	if (call == NULL) {
		python_host_log_exception("asgi: a request");
		unicorn_answer_abort(request);
		return;
	}
	/* The reference is the request's, until it is closed. */
	unicorn_request_set_context(request, call);
	asgi_call_start(call);
	end_turn();
}

static void asgi_resume(void *state, struct unicorn_request *request, unsigned events)
{
	struct asgi_call *call = unicorn_request_context(request);

	(void)state;
	if (call == NULL)
		return;
	Py_INCREF((PyObject *)call);
	if (call->protocol == &asgi_websocket)
		asgi_websocket_resume(call, events);
	else
		asgi_call_wake(call, events);
	Py_DECREF((PyObject *)call);
	end_turn();
}

static void asgi_closed(void *state, struct unicorn_request *request)
{
	struct asgi_call *call = unicorn_request_context(request);

	(void)state;
	if (call == NULL)
		return;
	unicorn_request_set_context(request, NULL);
	if (call->protocol == &asgi_websocket)
		asgi_websocket_closed(call);
	call->request = NULL;
	asgi_call_wake(call, UNICORN_GONE);
	asgi_loop_touch();
	Py_DECREF((PyObject *)call);
}

/* ---- run and stop */

static bool is_impatient;

static void handle_impatience(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)timer;
	(void)events;
	is_impatient = true;
}

static bool is_quiet(void)
{
	return is_impatient || !asgi_call_is_any_running();
}

/** @return have all calls ended? */
static bool await_calls(double seconds)
{
	struct ev_loop *loop = unicorn_worker_loop();
	ev_timer timer;

	if (!asgi_call_is_any_running())
		return true;
	is_impatient = false;
	ev_timer_init(&timer, handle_impatience, seconds, 0.);
	ev_now_update(loop);
	ev_timer_start(loop, &timer);
	asgi_loop_run(is_quiet);
	ev_timer_stop(loop, &timer);
	return !asgi_call_is_any_running();
}

static void asgi_run(void *state)
{
	(void)state;
	asgi_loop_run(unicorn_worker_is_finished);
	if (!await_calls(BACKGROUND_SECONDS)) {
		unicorn_log(UNICORN_WARNING, "asgi: work that goes on behind the last request is cancelled");
		asgi_call_cancel_all();
		(void)await_calls(CANCEL_SECONDS);
	}
	asgi_lifespan_stop();
}

static void asgi_stop(void *state)
{
	(void)state;
	asgi_lifespan_stop();
	asgi_call_cancel_all();
	asgi_loop_destroy();
	asgi_call_finish();
	asgi_scope_finish();
	asgi_disconnect_finish();
	asgi_words_finish();
	python_host_finish();
}

const struct unicorn_app unicorn_app = {
	.abi = UNICORN_APP_ABI,
	.start = asgi_start,
	.handle = asgi_handle,
	.resume = asgi_resume,
	.closed = asgi_closed,
	.run = asgi_run,
	.stop = asgi_stop,
};
