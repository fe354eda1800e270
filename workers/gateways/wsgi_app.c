/*
 * wsgi_app.c - the gateway to applications that follow PEP 3333, for unicornd-worker-sync.
 */
#include "python_host.h"
#include "unicornd/app.h"
#include "wsgi_answer.h"
#include "wsgi_environ.h"
#include "wsgi_exchange.h"
#include "wsgi_input.h"
#include "wsgi_thread.h"

#include <string.h>

static PyObject *application;

/* ---- start and end */

/** Somebody else's protocol: asked now, since each request would be answered with 500. */
static bool application_is_asgi(void)
{
	static const char code[] = "import inspect\n"
				   "is_asgi = any(inspect.iscoroutinefunction(each)\n"
				   "              for each in (application, getattr(application, '__call__', None)))\n";
	PyObject *variables = Py_BuildValue("{sO}", "application", application);
	PyObject *done = variables != NULL ? PyRun_String(code, Py_file_input, variables, variables) : NULL;
	bool is_asgi = done != NULL && PyDict_GetItemString(variables, "is_asgi") == Py_True;

	PyErr_Clear();
	Py_XDECREF(done);
	Py_XDECREF(variables);
	return is_asgi;
}

static int application_load(const struct unicorn_app_options *options)
{
	int result;

	application = python_host_load(options, &result);
	if (application == NULL)
		return result;
	if (!application_is_asgi())
		return 0;
	unicorn_log(UNICORN_ERROR, "wsgi: %s is an ASGI application: use unicornd-worker-async", options->argument);
	return UNICORN_START_REFUSED;
}

static bool types_prepare(const struct unicorn_app_options *options)
{
	PyObject *hints;
	bool is_done;

	if (!wsgi_input_prepare() || !wsgi_exchange_prepare())
		return false;
	hints = wsgi_exchange_early_hints();
	is_done = hints != NULL && wsgi_environ_prepare(options, hints);
	Py_XDECREF(hints);
	return is_done;
}

static int app_start(const struct unicorn_app_options *options, void **state)
{
	int result;

	(void)state;
	if (options->is_async) {
		unicorn_log(UNICORN_ERROR, "wsgi: WSGI applications block, and run in unicornd-worker-sync, not here");
		return UNICORN_START_REFUSED;
	}
	result = python_host_start(options, "wsgi");
	if (result == 0)
		result = application_load(options);
	if (result != 0)
		return result;
	if (!types_prepare(options)) {
		python_host_log_exception("wsgi: the gateway cannot start");
		return UNICORN_START_FAILED;
	}
	python_host_freeze();
	wsgi_thread_start(options->threads);
	return 0;
}

static void app_stop(void *state)
{
	(void)state;
	wsgi_thread_stop();
	Py_CLEAR(application);
	wsgi_environ_finish();
	wsgi_exchange_finish();
	python_host_finish();
}

/* ---- requests */

/** Behind a call of the application: either the worker will call again, or this was the last time. */
static void exchange_settle(struct wsgi_exchange *exchange)
{
	exchange->is_running = false;
	wsgi_exchange_leave(exchange);
	if (!exchange->is_ended)
		return;
	if (exchange->request != NULL)
		unicorn_request_set_context(exchange->request, NULL);
	wsgi_exchange_detach(exchange);
	Py_DECREF((PyObject *)exchange);
}

static void application_call(struct wsgi_exchange *exchange)
{
	PyObject *environment = wsgi_environ_create(exchange->request, &exchange->input);
	PyObject *arguments[] = { NULL, environment, (PyObject *)exchange };
	PyObject *iterable = NULL;

	if (environment != NULL)
		iterable = PyObject_Vectorcall(application, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
	Py_XDECREF(environment);
	if (iterable != NULL)
		wsgi_answer_start(exchange, iterable);
	else
		wsgi_answer_fail(exchange);
}

static void app_handle(void *state, struct unicorn_request *request)
{
	struct wsgi_exchange *exchange;

	(void)state;
	if (!wsgi_thread_enter()) {
		unicorn_answer_abort(request);
		return;
	}
	exchange = wsgi_exchange_create(request);
	if (exchange == NULL || !wsgi_exchange_enter(exchange)) {
		python_host_log_exception("wsgi: a request cannot be handled");
		Py_XDECREF((PyObject *)exchange);
		unicorn_answer_abort(request);
	} else {
		unicorn_request_set_context(request, exchange);
		exchange->is_running = true;
		application_call(exchange);
		exchange_settle(exchange);
	}
	wsgi_thread_leave();
}

static void app_resume(void *state, struct unicorn_request *request, unsigned events)
{
	struct wsgi_exchange *exchange = unicorn_request_context(request);

	(void)state;
	if (exchange == NULL || !wsgi_thread_enter())
		return;
	if (!wsgi_exchange_enter(exchange)) {
		python_host_log_exception("wsgi: an answer cannot go on");
		unicorn_answer_abort(request);
	} else {
		exchange->is_running = true;
		if ((events & UNICORN_GONE) != 0)
			wsgi_answer_drop(exchange);
		else
			wsgi_answer_continue(exchange);
		exchange_settle(exchange);
	}
	wsgi_thread_leave();
}

static void app_closed(void *state, struct unicorn_request *request)
{
	struct wsgi_exchange *exchange = unicorn_request_context(request);

	(void)state;
	if (exchange == NULL)
		return;
	if (exchange->is_running) {
		/* From within a call of the worker's; whoever made it finds out and tidies up. */
		wsgi_exchange_detach(exchange);
		return;
	}
	if (!wsgi_thread_enter())
		return;
	wsgi_exchange_detach(exchange);
	if (wsgi_exchange_enter(exchange)) {
		wsgi_answer_drop(exchange);
		exchange_settle(exchange);
	}
	wsgi_thread_leave();
}

const struct unicorn_app unicorn_app = {
	.abi = UNICORN_APP_ABI,
	.start = app_start,
	.handle = app_handle,
	.resume = app_resume,
	.closed = app_closed,
	.stop = app_stop,
};
