/*
 * wsgi_exchange.c - start_response(), write() and early hints, and what they share.
 */
#include "wsgi_exchange.h"

#include "unicornd/app.h"
#include "wsgi_input.h"
#include "wsgi_thread.h"

#include <errno.h>
#include <string.h>

/** Objects kept for the next requests. */
#define STOCK 32

static PyTypeObject exchange_type;
static struct wsgi_exchange *stock[STOCK];
static size_t stock_count;
/** Whose application runs in this thread. */
static _Thread_local struct wsgi_exchange *current;

/* ---- towards the worker */

bool wsgi_exchange_begin(struct wsgi_exchange *exchange, int64_t length)
{
	struct wsgi_headers *headers = &exchange->headers;
	size_t count = headers->count;
	int result;

	if (exchange->is_begun)
		return true;
	if (headers->status_text == NULL) {
		PyErr_SetString(PyExc_RuntimeError, "the application has not called start_response()");
		return false;
	}
	if (length >= 0 && headers->content_length < 0 && headers->status != 204 && headers->status != 304)
		count = wsgi_headers_add_length(headers, length);
	result = unicorn_answer_begin(exchange->request, headers->status, headers->reason, headers->list, count);
	exchange->is_begun = result == 0;
	return wsgi_exchange_check(exchange, result);
}

PyThreadState *wsgi_exchange_release(struct wsgi_exchange *exchange)
{
	if (current != exchange)
		return NULL;
	exchange->is_sending = true;
	return wsgi_thread_release();
}

void wsgi_exchange_take(struct wsgi_exchange *exchange, PyThreadState *state)
{
	wsgi_thread_take(state);
	if (current == exchange)
		exchange->is_sending = false;
}

bool wsgi_exchange_check(struct wsgi_exchange *exchange, int result)
{
	if (exchange->request == NULL)
		result = -EPIPE;
	if (result == 0)
		return true;
	if (result == -EMSGSIZE)
		PyErr_Format(PyExc_ValueError,
			     "the answer is longer than the %lld bytes of its Content-Length; the rest is not sent",
			     (long long)exchange->headers.content_length);
	else if (result == -EPIPE)
		PyErr_SetString(PyExc_BrokenPipeError, "the client has gone");
	else if (result == -EINVAL)
		PyErr_SetString(PyExc_ValueError, "the status or the headers cannot be sent");
	else
		PyErr_Format(PyExc_OSError, "the answer cannot be sent: %s", strerror(-result));
	return false;
}

/* ---- start_response() */

/** Sets the exception that sys.exc_info() told. */
static void exception_raise(PyObject *information)
{
	PyErr_SetObject(PyTuple_GET_ITEM(information, 0), PyTuple_GET_ITEM(information, 1));
}

/** A second answer instead of the first. @return false with an exception set: the one told, when it is too late */
static bool answer_replace(struct wsgi_exchange *exchange, PyObject *information)
{
	if (information == NULL) {
		PyErr_SetString(PyExc_RuntimeError,
				"start_response() has been called before; again only with exc_info, after an error");
		return false;
	}
	if (unicorn_answer_is_sent(exchange->request)) {
		exception_raise(information);
		return false;
	}
	if (exchange->is_begun && unicorn_answer_withdraw(exchange->request) != 0) {
		exception_raise(information);
		return false;
	}
	exchange->is_begun = false;
	return true;
}

static PyObject *exchange_start(struct wsgi_exchange *exchange, PyObject *const *arguments, Py_ssize_t count)
{
	PyObject *information = count == 3 && arguments[2] != Py_None ? arguments[2] : NULL;

	if (information != NULL && (!PyTuple_Check(information) || PyTuple_GET_SIZE(information) != 3 ||
				    !PyExceptionClass_Check(PyTuple_GET_ITEM(information, 0)))) {
		PyErr_Format(PyExc_TypeError,
			     "start_response(): exc_info must be what sys.exc_info() returns, not %.100R", information);
		return NULL;
	}
	if (exchange->headers.status_text != NULL && !answer_replace(exchange, information))
		return NULL;
	if (!wsgi_headers_set(&exchange->headers, arguments[0], arguments[1]))
		return NULL;
	return Py_NewRef((PyObject *)exchange);
}

/* ---- write() */

static PyObject *exchange_write(struct wsgi_exchange *exchange, PyObject *bytes)
{
	PyThreadState *state;
	int result;

	if (!PyBytes_Check(bytes)) {
		PyErr_Format(PyExc_TypeError, "write() takes bytes, not %.100s; start_response() a status and a list",
			     Py_TYPE(bytes)->tp_name);
		return NULL;
	}
	if (!wsgi_exchange_begin(exchange, -1))
		return NULL;
	state = wsgi_exchange_release(exchange);
	result = unicorn_answer_write(exchange->request, PyBytes_AS_STRING(bytes), (size_t)PyBytes_GET_SIZE(bytes));
	wsgi_exchange_take(exchange, state);
	if (!wsgi_exchange_check(exchange, result))
		return NULL;
	Py_RETURN_NONE;
}

static PyObject *exchange_call(PyObject *self, PyObject *const *arguments, size_t flagged_count, PyObject *keywords)
{
	struct wsgi_exchange *exchange = (struct wsgi_exchange *)(void *)self;
	Py_ssize_t count = PyVectorcall_NARGS(flagged_count);

	if (exchange->request == NULL) {
		PyErr_SetString(PyExc_RuntimeError, "start_response(), write(): the request is over");
		return NULL;
	}
	if (exchange->is_sending) {
		PyErr_SetString(PyExc_RuntimeError, "start_response(), write(): another thread is sending the answer");
		return NULL;
	}
	if (count < 1 || count > 3 || (keywords != NULL && PyTuple_GET_SIZE(keywords) > 0)) {
		PyErr_SetString(PyExc_TypeError,
				"start_response() takes status, headers and perhaps exc_info, all by position");
		return NULL;
	}
	return count == 1 ? exchange_write(exchange, arguments[0]) : exchange_start(exchange, arguments, count);
}

/* ---- early hints */

static PyObject *early_hints(PyObject *self, PyObject *list)
{
	struct wsgi_headers headers;
	int result;

	(void)self;
	if (current == NULL || current->request == NULL) {
		PyErr_SetString(PyExc_RuntimeError, "wsgi.early_hints(): no request is being handled in this thread");
		return NULL;
	}
	wsgi_headers_init(&headers);
	if (!wsgi_headers_set_fields(&headers, list))
		return NULL;
	result = unicorn_answer_is_begun(current->request)
			 ? 0
			 : unicorn_answer_interim(current->request, 103, headers.list, headers.count);
	wsgi_headers_clear(&headers);
	if (result == -EINVAL)
		PyErr_SetString(PyExc_ValueError, "wsgi.early_hints(): the headers cannot be sent");
	if (result == -EINVAL)
		return NULL;
	Py_RETURN_NONE;
}

PyObject *wsgi_exchange_early_hints(void)
{
	static PyMethodDef method = { "early_hints", early_hints, METH_O, NULL };

	return PyCFunction_New(&method, NULL);
}

/* ---- its life */

struct wsgi_exchange *wsgi_exchange_create(struct unicorn_request *request)
{
	struct wsgi_exchange *exchange;

	if (stock_count > 0) {
		exchange = stock[--stock_count];
		PyObject_Init((PyObject *)exchange, &exchange_type);
	} else {
		exchange = PyObject_New(struct wsgi_exchange, &exchange_type);
	}
	if (exchange == NULL)
		return NULL;
	exchange->call = exchange_call;
	exchange->request = request;
	exchange->input = NULL;
	exchange->iterable = NULL;
	exchange->iterator = NULL;
	exchange->is_begun = false;
	exchange->is_ended = false;
	exchange->is_running = false;
	exchange->is_sending = false;
	exchange->is_head = strcmp(unicorn_request_head(request)->method, "HEAD") == 0;
	wsgi_headers_init(&exchange->headers);
	exchange->context = PyContext_CopyCurrent();
	if (exchange->context == NULL)
		Py_CLEAR(exchange);
	return exchange;
}

static void exchange_destroy(PyObject *self)
{
	struct wsgi_exchange *exchange = (struct wsgi_exchange *)(void *)self;

	wsgi_headers_clear(&exchange->headers);
	Py_CLEAR(exchange->context);
	Py_CLEAR(exchange->input);
	Py_CLEAR(exchange->iterator);
	Py_CLEAR(exchange->iterable);
	if (stock_count < STOCK)
		stock[stock_count++] = exchange;
	else
		PyObject_Free(exchange);
}

bool wsgi_exchange_enter(struct wsgi_exchange *exchange)
{
	if (PyContext_Enter(exchange->context) != 0)
		return false;
	current = exchange;
	return true;
}

void wsgi_exchange_leave(struct wsgi_exchange *exchange)
{
	current = NULL;
	PyContext_Exit(exchange->context);
}

void wsgi_exchange_detach(struct wsgi_exchange *exchange)
{
	exchange->request = NULL;
	if (exchange->input != NULL)
		wsgi_input_detach(exchange->input);
}

static PyTypeObject exchange_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "unicornd.start_response",
	.tp_basicsize = sizeof(struct wsgi_exchange),
	.tp_dealloc = exchange_destroy,
	.tp_vectorcall_offset = offsetof(struct wsgi_exchange, call),
	.tp_call = PyVectorcall_Call,
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_HAVE_VECTORCALL,
};

bool wsgi_exchange_prepare(void)
{
	return PyType_Ready(&exchange_type) == 0;
}

void wsgi_exchange_finish(void)
{
	while (stock_count > 0)
		PyObject_Free(stock[--stock_count]);
}
