#include "asgi_call.h"

#include "asgi_awaitable.h"
#include "asgi_disconnect.h"
#include "asgi_eager.h"
#include "asgi_loop.h"
#include "asgi_words.h"
#include "python_host.h"
#include "unicornd/app.h"

#include <stdio.h>
#include <string.h>

static struct {
	PyObject *application;
	PyObject *cancelled_error;
	struct asgi_call *first; /* of those that run */
	uint64_t count;
	bool is_cancelling;
} calls;

/* ---- those that run: each is kept alive by the list */

static void call_link(struct asgi_call *call)
{
	call->is_running = true;
	if (call->request == NULL)
		return;
	call->is_listed = true;
	call->next = calls.first;
	if (call->next != NULL)
		call->next->previous = call;
	calls.first = (struct asgi_call *)Py_NewRef((PyObject *)call);
}

static void call_unlink(struct asgi_call *call)
{
	if (!call->is_running)
		return;
	call->is_running = false;
	if (!call->is_listed)
		return;
	call->is_listed = false;
	if (call->previous != NULL)
		call->previous->next = call->next;
	else
		calls.first = call->next;
	if (call->next != NULL)
		call->next->previous = call->previous;
	call->previous = NULL;
	call->next = NULL;
	Py_DECREF((PyObject *)call);
}

bool asgi_call_is_any_running(void)
{
	return calls.first != NULL;
}

/* ---- the end of a call */

/** What is in a scope, as text for the log. */
static const char *scope_text(const struct asgi_call *call, PyObject *key)
{
	PyObject *value = call->scope == NULL ? NULL : PyDict_GetItemWithError(call->scope, key);
	const char *text = "";

	if (value != NULL && PyBytes_Check(value))
		text = PyBytes_AS_STRING(value);
	else if (value != NULL && PyUnicode_Check(value))
		text = PyUnicode_AsUTF8(value);
	if (text == NULL)
		text = "?";
	PyErr_Clear();
	return text;
}

/** The path is that which was sent: decoded, it may have line ends, and clients would write lines of the log. */
static void describe(const struct asgi_call *call, char *text, size_t size)
{
	snprintf(text, size, "asgi: %s %s %s", call->protocol->name, scope_text(call, asgi_words.method),
		 scope_text(call, asgi_words.raw_path));
}

/** Logs the exception that ended a call, unless it is our own doing. Clears it. @return how the call has ended */
static enum asgi_outcome call_judge(const struct asgi_call *call)
{
	PyObject *type;
	PyObject *value;
	PyObject *traceback;
	char text[256];

	if (calls.is_cancelling && PyErr_ExceptionMatches(calls.cancelled_error)) {
		PyErr_Clear();
		return ASGI_CANCELLED;
	}
	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (call->protocol->excuses == NULL ? asgi_disconnect_is_cause(value) : call->protocol->excuses(call, value)) {
		Py_XDECREF(type);
		Py_XDECREF(value);
		Py_XDECREF(traceback);
		return ASGI_RAISED;
	}
	describe(call, text, sizeof(text));
	PyErr_Restore(type, value, traceback);
	python_host_log_exception(text);
	return ASGI_RAISED;
}

/** The exception, if any, must have been cleared. */
static void call_end(struct asgi_call *call, enum asgi_outcome outcome)
{
	if (!call->is_running)
		return;
	Py_CLEAR(call->coroutine);
	call->protocol->ended(call, outcome);
	asgi_loop_touch();
	Py_CLEAR(call->scope);
	Py_CLEAR(call->task);
	call_unlink(call);
}

/** @return PYGEN_ERROR with the exception set again when the task has to know it: when it was cancelled */
static PySendResult call_fail(struct asgi_call *call, PyObject **result)
{
	bool is_cancelled = PyErr_ExceptionMatches(calls.cancelled_error) != 0;

	call_end(call, call_judge(call));
	if (is_cancelled) {
		PyErr_SetNone(calls.cancelled_error);
		return PYGEN_ERROR;
	}
	*result = Py_NewRef(Py_None);
	return PYGEN_RETURN;
}

static PySendResult call_return(struct asgi_call *call, PyObject **result)
{
	call_end(call, ASGI_RETURNED);
	Py_XSETREF(*result, Py_NewRef(Py_None));
	return PYGEN_RETURN;
}

/* ---- steps */

static PyObject *receive(PyObject *self, PyObject *unused)
{
	(void)unused;
	return asgi_awaitable_create((struct asgi_call *)self, NULL);
}

static PyObject *send(PyObject *self, PyObject *message)
{
	return asgi_awaitable_create((struct asgi_call *)self, message);
}

static PyMethodDef receive_method = { "receive", receive, METH_NOARGS, NULL };
static PyMethodDef send_method = { "send", send, METH_O, NULL };

/** @param awaitable  whose reference is taken over; may be NULL. @return what can be stepped, or NULL */
static PyObject *open_awaitable(PyObject *awaitable)
{
	PyAsyncMethods *methods;
	PyObject *iterator = NULL;

	if (awaitable == NULL || PyCoro_CheckExact(awaitable))
		return awaitable;
	methods = Py_TYPE(awaitable)->tp_as_async;
	if (methods != NULL && methods->am_await != NULL)
		iterator = methods->am_await(awaitable);
	else
		PyErr_Format(PyExc_TypeError, "the application returned %.100s, which cannot be awaited",
			     Py_TYPE(awaitable)->tp_name);
	Py_DECREF(awaitable);
	return iterator;
}

/** Calls the application. @return 0, or -1 with an exception set */
static int call_open(struct asgi_call *call)
{
	PyObject *arguments[4] = { NULL, call->scope, PyCFunction_New(&receive_method, (PyObject *)call),
				   PyCFunction_New(&send_method, (PyObject *)call) };

	if (arguments[2] != NULL && arguments[3] != NULL)
		call->coroutine = open_awaitable(PyObject_Vectorcall(calls.application, arguments + 1,
								     3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL));
	Py_XDECREF(arguments[2]);
	Py_XDECREF(arguments[3]);
	return call->coroutine == NULL ? -1 : 0;
}

static PySendResult call_step(PyObject *self, PyObject *value, PyObject **result)
{
	struct asgi_call *call = (struct asgi_call *)self;
	PySendResult status;

	*result = NULL;
	if (!call->is_running) {
		PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited coroutine");
		return PYGEN_ERROR;
	}
	if (call->coroutine == NULL && call_open(call) < 0)
		return call_fail(call, result);
	status = PyIter_Send(call->coroutine, value, result);
	if (status == PYGEN_NEXT)
		return PYGEN_NEXT;
	return status == PYGEN_RETURN ? call_return(call, result) : call_fail(call, result);
}

/** throw(exception), or in the old way throw(type, value, traceback). */
static PyObject *call_throw(PyObject *self, PyObject *arguments)
{
	struct asgi_call *call = (struct asgi_call *)self;
	PySendResult status = PYGEN_ERROR;
	PyObject *result = NULL;

	if (call->coroutine == NULL)
		asgi_awaitable_raise(arguments);
	else
		result = asgi_awaitable_throw_into(call->coroutine, arguments);
	if (result != NULL)
		return result;
	if (call->is_running) {
		if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
			PyErr_Clear();
			status = call_return(call, &result);
		} else {
			status = call_fail(call, &result);
		}
	}
	return asgi_awaitable_tell(status, result);
}

static PyObject *call_close(PyObject *self, PyObject *unused)
{
	struct asgi_call *call = (struct asgi_call *)self;
	PyObject *result = NULL;

	(void)unused;
	if (call->coroutine != NULL)
		result = PyObject_CallMethodNoArgs(call->coroutine, asgi_words.close);
	if (result == NULL && PyErr_Occurred())
		call_end(call, call_judge(call));
	else
		call_end(call, ASGI_CANCELLED);
	Py_XDECREF(result);
	Py_RETURN_NONE;
}

static PyObject *call_send(PyObject *self, PyObject *value)
{
	PyObject *result;
	PySendResult status = call_step(self, value, &result);

	return asgi_awaitable_tell(status, result);
}

static PyObject *call_next(PyObject *self)
{
	return call_send(self, Py_None);
}

/* ---- the type */

/** What a call does not have itself, as cr_frame and __qualname__, is that of the application's coroutine. */
static PyObject *call_get(PyObject *self, PyObject *name)
{
	PyObject *value = PyObject_GenericGetAttr(self, name);
	struct asgi_call *call = (struct asgi_call *)self;

	if (value != NULL || call->coroutine == NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
		return value;
	PyErr_Clear();
	return PyObject_GetAttr(call->coroutine, name);
}

static int call_traverse(PyObject *self, visitproc visit, void *arg)
{
	struct asgi_call *call = (struct asgi_call *)self;

	Py_VISIT(call->scope);
	Py_VISIT(call->coroutine);
	Py_VISIT(call->task);
	Py_VISIT((PyObject *)call->waiting);
	Py_VISIT(call->response.trailers);
	Py_VISIT(call->close.unread);
	return 0;
}

static int call_clear(PyObject *self)
{
	struct asgi_call *call = (struct asgi_call *)self;

	Py_CLEAR(call->scope);
	Py_CLEAR(call->coroutine);
	Py_CLEAR(call->task);
	Py_CLEAR(call->response.trailers);
	Py_CLEAR(call->close.reason);
	Py_CLEAR(call->close.unread);
	asgi_awaitable_forget(&call->waiting);
	return 0;
}

static void call_dealloc(PyObject *self)
{
	PyObject_GC_UnTrack(self);
	(void)call_clear(self);
	PyObject_GC_Del(self);
}

static PyMethodDef call_methods[] = {
	{ "close", call_close, METH_NOARGS, NULL },
	{ "send", call_send, METH_O, NULL },
	{ "throw", call_throw, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyAsyncMethods call_async = {
	.am_await = Py_NewRef,
	.am_send = call_step,
};

static PyTypeObject call_type = {
	PyVarObject_HEAD_INIT(NULL, 0) /* no comma: the macro has one */
		.tp_name = "unicornd.Call",
	.tp_basicsize = sizeof(struct asgi_call),
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.tp_dealloc = call_dealloc,
	.tp_traverse = call_traverse,
	.tp_clear = call_clear,
	.tp_getattro = call_get,
	.tp_as_async = &call_async,
	.tp_iter = PyObject_SelfIter,
	.tp_iternext = call_next,
	.tp_methods = call_methods,
};

/* ---- for the others */

struct asgi_call *asgi_call_create(const struct asgi_protocol *protocol, struct unicorn_request *request,
				   PyObject *scope)
{
	struct asgi_call *call = scope == NULL ? NULL : PyObject_GC_New(struct asgi_call, &call_type);

	if (call == NULL) {
		Py_XDECREF(scope);
		return NULL;
	}
	memset((char *)call + sizeof(PyObject), 0, sizeof(*call) - sizeof(PyObject));
	call->protocol = protocol;
	call->request = request;
	call->scope = scope;
	PyObject_GC_Track((PyObject *)call);
	return call;
}

/** A name for a task: the protocol's and a number. printf() and its like take longer than all the rest. */
static PyObject *make_task_name(const struct asgi_call *call)
{
	char text[48];
	char *end = text + sizeof(text);
	char *at = end;
	size_t length = strlen(call->protocol->name);
	uint64_t number = ++calls.count;

	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	*--at = '-';
	at -= length;
	memcpy(at, call->protocol->name, length);
	return PyUnicode_DecodeLatin1(at, end - at, NULL);
}

void asgi_call_start(struct asgi_call *call)
{
	PyObject *name = make_task_name(call);
	PyObject *task;

	call_link(call);
	task = name == NULL ? NULL : asgi_eager_start((PyObject *)call, name);
	Py_XDECREF(name);
	if (task == NULL)
		call_end(call, call_judge(call));
	else if (call->is_running)
		call->task = task;
	else
		Py_DECREF(task);
}

void asgi_call_wake(struct asgi_call *call, unsigned events)
{
	asgi_awaitable_wake(&call->waiting, events);
}

/** A task's cancel() may end its call, so each is held until the next one is known. */
void asgi_call_cancel_all(void)
{
	calls.is_cancelling = true;
	for (struct asgi_call *call = calls.first, *next; call != NULL; call = next) {
		PyObject *result = NULL;

		Py_INCREF((PyObject *)call);
		if (call->task != NULL)
			result = PyObject_CallMethodNoArgs(call->task, asgi_words.cancel);
		if (result == NULL)
			PyErr_Clear();
		Py_XDECREF(result);
		next = call->is_listed ? call->next : calls.first;
		Py_DECREF((PyObject *)call);
	}
}

/** The method behind an object's call operator, if it is in Python: the interpreter is then quicker at calling it. */
static PyObject *application_method(PyObject *application)
{
	PyObject *method;

	if (PyFunction_Check(application) || PyMethod_Check(application) || PyType_Check(application))
		return Py_NewRef(application);
	method = PyObject_GetAttrString((PyObject *)Py_TYPE(application), "__call__");
	if (method != NULL && PyFunction_Check(method))
		Py_SETREF(method, PyMethod_New(method, application));
	else
		Py_XSETREF(method, Py_NewRef(application));
	if (PyErr_Occurred())
		PyErr_Clear();
	return method == NULL ? Py_NewRef(application) : method;
}

int asgi_call_init(PyObject *application)
{
	PyObject *asyncio = PyImport_ImportModule("asyncio");

	calls.cancelled_error = asyncio == NULL ? NULL : PyObject_GetAttrString(asyncio, "CancelledError");
	Py_XDECREF(asyncio);
	if (calls.cancelled_error == NULL || PyType_Ready(&call_type) < 0)
		return -1;
	calls.application = application_method(application);
	return 0;
}

void asgi_call_finish(void)
{
	Py_CLEAR(calls.application);
	Py_CLEAR(calls.cancelled_error);
}
