#include "asgi_loop.h"

#include "asgi_eager.h"
#include "asgi_guest.h"
#include "asgi_selector.h"
#include "asgi_words.h"
#include "python_host.h"
#include "unicornd/app.h"

#include <string.h>

/* How long each step of the end may take. */
#define END_SECONDS 5.0

static struct {
	PyObject *asyncio;
	PyObject *loop;
	PyObject *selector; /* of asyncio's own loop */
	PyObject *create_future;
	bool (*is_done)(void);
} loops;

PyObject *asgi_loop_create_future(void)
{
	return PyObject_CallNoArgs(loops.create_future);
}

void asgi_loop_touch(void)
{
	asgi_guest_touch();
}

/* ---- running */

static bool is_wanted(void)
{
	return loops.is_done != NULL && loops.is_done();
}

static bool is_closed(void)
{
	PyObject *closed = PyObject_CallMethod(loops.loop, "is_closed", NULL);
	bool is = closed != Py_False;

	if (closed == NULL)
		python_host_log_exception("asgi: the event loop");
	Py_XDECREF(closed);
	return is;
}

/** What gets out of run_forever() is SystemExit or KeyboardInterrupt of a callback, which is no reason to end. */
void asgi_loop_run(bool (*is_done)(void))
{
	PyObject *result;

	loops.is_done = is_done;
	while (!is_done() && !is_closed()) {
		asgi_guest_run_begins();
		result = PyObject_CallMethodNoArgs(loops.loop, asgi_words.run_forever);
		if (result == NULL)
			python_host_log_exception("asgi: the event loop");
		Py_XDECREF(result);
	}
	loops.is_done = NULL;
}

/* ---- making one */

static PyObject *create_asyncio(void)
{
	PyObject *loop;

	loops.selector = asgi_selector_create(unicorn_worker_loop());
	if (loops.selector == NULL)
		return NULL;
	loop = PyObject_CallMethod(loops.asyncio, "SelectorEventLoop", "O", loops.selector);
	if (loop != NULL && asgi_selector_attach(loops.selector, loop, is_wanted) < 0)
		Py_CLEAR(loop);
	return loop;
}

/**
 * In debug mode uvloop keeps the stack of who has called it. Until 0.19 it takes for granted that there is a frame of
 * Python, and none is there when the worker calls: that loop is used without.
 */
static int uvloop_check_debug(PyObject *loop)
{
	PyObject *time = PyObject_GetAttrString(loop, "time");
	PyObject *handle = time == NULL ? NULL : PyObject_CallMethod(loop, "call_soon", "O", time);
	PyObject *result;

	Py_XDECREF(time);
	if (handle != NULL || !PyErr_ExceptionMatches(PyExc_ValueError)) {
		Py_XDECREF(handle);
		return handle == NULL ? -1 : 0;
	}
	PyErr_Clear();
	unicorn_log(UNICORN_WARNING, "asgi: this uvloop cannot be debugged: its debug mode is off");
	result = PyObject_CallMethod(loop, "set_debug", "O", Py_False);
	Py_XDECREF(result);
	return result == NULL ? -1 : 0;
}

static PyObject *create_uvloop(void)
{
	PyObject *uvloop = PyImport_ImportModule("uvloop");
	PyObject *loop = uvloop == NULL ? NULL : PyObject_CallMethod(uvloop, "new_event_loop", NULL);

	Py_XDECREF(uvloop);
	if (loop != NULL &&
	    (uvloop_check_debug(loop) < 0 || asgi_guest_create(loop, unicorn_worker_loop(), is_wanted) < 0))
		Py_CLEAR(loop);
	return loop;
}

static bool create(bool is_uvloop)
{
	PyObject *result;

	loops.asyncio = PyImport_ImportModule("asyncio");
	if (loops.asyncio == NULL)
		return false;
	loops.loop = is_uvloop ? create_uvloop() : create_asyncio();
	if (loops.loop == NULL)
		return false;
	loops.create_future = PyObject_GetAttr(loops.loop, asgi_words.create_future);
	if (loops.create_future == NULL || asgi_eager_init(loops.loop) < 0)
		return false;
	result = PyObject_CallMethod(loops.asyncio, "set_event_loop", "O", loops.loop);
	Py_XDECREF(result);
	return result != NULL;
}

int asgi_loop_create(const char *kind)
{
	bool is_uvloop = strcmp(kind, "uvloop") == 0;

	if (create(is_uvloop))
		return 0;
	if (is_uvloop && PyErr_ExceptionMatches(PyExc_ModuleNotFoundError)) {
		PyErr_Clear();
		unicorn_log(UNICORN_ERROR, "asgi: --loop uvloop: the module uvloop is not installed");
		return UNICORN_START_REFUSED;
	}
	python_host_log_exception("asgi: making the event loop");
	return UNICORN_START_FAILED;
}

/* ---- the end */

/** Runs something that is to be awaited, for a time. @param awaitable  taken over; NULL with an exception set */
static void run_bounded(PyObject *awaitable, const char *what)
{
	PyObject *bounded = NULL;
	PyObject *result = NULL;

	if (awaitable != NULL)
		bounded = PyObject_CallMethod(loops.asyncio, "wait_for", "Od", awaitable, END_SECONDS);
	if (bounded != NULL)
		result = PyObject_CallMethod(loops.loop, "run_until_complete", "O", bounded);
	if (result == NULL)
		python_host_log_exception(what);
	Py_XDECREF(result);
	Py_XDECREF(bounded);
	Py_XDECREF(awaitable);
}

/** @return a new reference to a set, or NULL */
static PyObject *cancel_tasks(void)
{
	PyObject *tasks = PyObject_CallMethod(loops.asyncio, "all_tasks", "O", loops.loop);
	PyObject *iterator = tasks == NULL ? NULL : PyObject_GetIter(tasks);
	PyObject *task;

	while (iterator != NULL && (task = PyIter_Next(iterator)) != NULL) {
		PyObject *result = PyObject_CallMethodNoArgs(task, asgi_words.cancel);

		Py_DECREF(task);
		if (result == NULL)
			PyErr_Clear();
		Py_XDECREF(result);
	}
	Py_XDECREF(iterator);
	return tasks;
}

static void end_tasks(void)
{
	PyObject *tasks = cancel_tasks();

	if (tasks == NULL)
		python_host_log_exception("asgi: cancelling tasks");
	else if (PyObject_Size(tasks) > 0)
		run_bounded(PyObject_CallMethod(loops.asyncio, "wait", "O", tasks), "asgi: tasks that do not end");
	Py_XDECREF(tasks);
}

static void close_loop(void)
{
	PyObject *result;

	end_tasks();
	run_bounded(PyObject_CallMethod(loops.loop, "shutdown_asyncgens", NULL), "asgi: generators that do not end");
	run_bounded(PyObject_CallMethod(loops.loop, "shutdown_default_executor", NULL),
		    "asgi: threads that do not end");
	asgi_guest_destroy();
	result = PyObject_CallMethodNoArgs(loops.loop, asgi_words.close);
	if (result == NULL)
		python_host_log_exception("asgi: closing the event loop");
	Py_XDECREF(result);
}

void asgi_loop_destroy(void)
{
	if (loops.loop != NULL && !is_closed())
		close_loop();
	asgi_eager_finish();
	if (loops.selector != NULL)
		asgi_selector_detach(loops.selector);
	Py_CLEAR(loops.create_future);
	Py_CLEAR(loops.loop);
	Py_CLEAR(loops.selector);
	Py_CLEAR(loops.asyncio);
}
