#include "asgi_awaitable.h"

#include "asgi_call.h"
#include "asgi_eager.h"
#include "asgi_loop.h"
#include "asgi_message.h"
#include "asgi_words.h"
#include "unicornd/app.h"

#include <stdbool.h>

enum state { STATE_FRESH, STATE_WAITING, STATE_ENDED };

struct asgi_awaitable {
	PyObject_HEAD struct asgi_call *call;
	PyObject *message; /* NULL: this receives */
	PyObject *future;  /* that stands in while it waits */
	struct asgi_awaitable *next;
	enum state state;
};

/* ---- waiting: the chain holds a reference to each member */

static unsigned events_of(const struct asgi_awaitable *awaitable)
{
	unsigned all = UNICORN_BODY | UNICORN_MESSAGE | UNICORN_GONE;

	return awaitable->message == NULL ? all : UNICORN_DRAINED | UNICORN_GONE;
}

static void chain_add(struct asgi_awaitable **waiting, struct asgi_awaitable *awaitable)
{
	while (*waiting != NULL)
		waiting = &(*waiting)->next;
	*waiting = awaitable;
}

static void chain_remove(struct asgi_awaitable **waiting, struct asgi_awaitable *awaitable)
{
	while (*waiting != NULL && *waiting != awaitable)
		waiting = &(*waiting)->next;
	if (*waiting == NULL)
		return;
	*waiting = awaitable->next;
	awaitable->next = NULL;
	Py_DECREF((PyObject *)awaitable);
}

/** Takes the chain away first: who goes on may wait again at once. */
void asgi_awaitable_wake(struct asgi_awaitable **waiting, unsigned events)
{
	struct asgi_awaitable *chain = *waiting;

	*waiting = NULL;
	while (chain != NULL) {
		struct asgi_awaitable *awaitable = chain;

		chain = awaitable->next;
		awaitable->next = NULL;
		if ((events_of(awaitable) & events) == 0) {
			chain_add(waiting, awaitable);
			continue;
		}
		if (awaitable->future != NULL)
			asgi_eager_resolve(awaitable->future);
		Py_DECREF((PyObject *)awaitable);
	}
}

void asgi_awaitable_forget(struct asgi_awaitable **waiting)
{
	while (*waiting != NULL) {
		struct asgi_awaitable *awaitable = *waiting;

		*waiting = awaitable->next;
		awaitable->next = NULL;
		Py_DECREF((PyObject *)awaitable);
	}
}

static PySendResult awaitable_suspend(struct asgi_awaitable *awaitable, PyObject **result)
{
	PyObject *future = asgi_loop_create_future();

	if (future == NULL || PyObject_SetAttr(future, asgi_words._asyncio_future_blocking, Py_True) < 0) {
		Py_XDECREF(future);
		return PYGEN_ERROR;
	}
	Py_XSETREF(awaitable->future, future);
	awaitable->state = STATE_WAITING;
	chain_add(&awaitable->call->waiting, (struct asgi_awaitable *)Py_NewRef((PyObject *)awaitable));
	*result = Py_NewRef(future);
	return PYGEN_NEXT;
}

/* ---- steps */

static void awaitable_end(struct asgi_awaitable *awaitable)
{
	awaitable->state = STATE_ENDED;
	chain_remove(&awaitable->call->waiting, awaitable);
	Py_CLEAR(awaitable->future);
	Py_CLEAR(awaitable->message);
}

static enum asgi_status awaitable_send(const struct asgi_awaitable *awaitable)
{
	PyObject *message = asgi_message_check(awaitable->message);
	enum asgi_status status;

	if (message == NULL)
		return ASGI_FAILED;
	awaitable->call->is_sending = true;
	status = awaitable->call->protocol->send(awaitable->call, message);
	awaitable->call->is_sending = false;
	Py_DECREF(message);
	return status;
}

/** @param result  NULL when it is ASGI_DONE and there is nothing but None to tell */
static enum asgi_status awaitable_try(const struct asgi_awaitable *awaitable, PyObject **result)
{
	enum asgi_status status;

	/* To step one from within a message that is read, as in __bool__(), would end the request under it. */
	if (awaitable->call->is_sending) {
		PyErr_SetString(PyExc_RuntimeError, "receive() or send() while a message is being sent");
		return ASGI_FAILED;
	}
	if (awaitable->message == NULL)
		status = awaitable->call->protocol->receive(awaitable->call, result);
	else if (awaitable->state == STATE_WAITING)
		return ASGI_DONE;
	else
		status = awaitable_send(awaitable);
	asgi_loop_touch();
	return status;
}

static PySendResult awaitable_step(PyObject *self, PyObject *value, PyObject **result)
{
	struct asgi_awaitable *awaitable = (struct asgi_awaitable *)self;
	enum asgi_status status;

	(void)value;
	*result = NULL;
	if (awaitable->state == STATE_ENDED) {
		PyErr_SetString(PyExc_RuntimeError, "cannot reuse already awaited receive() or send()");
		return PYGEN_ERROR;
	}
	if (awaitable->state == STATE_WAITING)
		chain_remove(&awaitable->call->waiting, awaitable);
	status = awaitable_try(awaitable, result);
	if (status == ASGI_WAIT)
		return awaitable_suspend(awaitable, result);
	awaitable_end(awaitable);
	if (status == ASGI_FAILED)
		return PYGEN_ERROR;
	if (*result == NULL)
		*result = Py_NewRef(Py_None);
	return PYGEN_RETURN;
}

PyObject *asgi_awaitable_tell(PySendResult status, PyObject *result)
{
	PyObject *stop;

	if (status == PYGEN_NEXT)
		return result;
	if (status == PYGEN_RETURN) {
		stop = PyObject_CallOneArg(PyExc_StopIteration, result);
		Py_DECREF(result);
		if (stop != NULL) {
			PyErr_SetObject(PyExc_StopIteration, stop);
			Py_DECREF(stop);
		}
	}
	return NULL;
}

static PyObject *awaitable_method_send(PyObject *self, PyObject *value)
{
	PyObject *result;
	PySendResult status = awaitable_step(self, value, &result);

	return asgi_awaitable_tell(status, result);
}

static PyObject *awaitable_next(PyObject *self)
{
	return awaitable_method_send(self, Py_None);
}

/* ---- throw() and close() */

void asgi_awaitable_raise(PyObject *arguments)
{
	PyObject *type = NULL;
	PyObject *value = NULL;
	PyObject *traceback = NULL;

	if (!PyArg_UnpackTuple(arguments, "throw", 1, 3, &type, &value, &traceback))
		return;
	if (PyExceptionInstance_Check(type))
		PyErr_SetObject((PyObject *)Py_TYPE(type), type);
	else if (PyExceptionClass_Check(type))
		PyErr_SetObject(type, value);
	else
		PyErr_SetString(PyExc_TypeError, "throw() takes an exception");
}

PyObject *asgi_awaitable_throw_into(PyObject *coroutine, PyObject *arguments)
{
	PyObject *method = PyObject_GetAttr(coroutine, asgi_words.throw_);
	PyObject *result = NULL;

	if (method != NULL) {
		result = PyObject_CallObject(method, arguments);
		Py_DECREF(method);
	} else if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
		PyErr_Clear();
		asgi_awaitable_raise(arguments);
	}
	return result;
}

static PyObject *awaitable_throw(PyObject *self, PyObject *arguments)
{
	awaitable_end((struct asgi_awaitable *)self);
	asgi_awaitable_raise(arguments);
	return NULL;
}

static PyObject *awaitable_close(PyObject *self, PyObject *unused)
{
	(void)unused;
	awaitable_end((struct asgi_awaitable *)self);
	Py_RETURN_NONE;
}

/* ---- the type */

static int awaitable_traverse(PyObject *self, visitproc visit, void *arg)
{
	struct asgi_awaitable *awaitable = (struct asgi_awaitable *)self;

	Py_VISIT((PyObject *)awaitable->call);
	Py_VISIT(awaitable->message);
	Py_VISIT(awaitable->future);
	Py_VISIT((PyObject *)awaitable->next);
	return 0;
}

static int awaitable_clear(PyObject *self)
{
	struct asgi_awaitable *awaitable = (struct asgi_awaitable *)self;

	Py_CLEAR(awaitable->message);
	Py_CLEAR(awaitable->future);
	return 0;
}

static void awaitable_dealloc(PyObject *self)
{
	struct asgi_awaitable *awaitable = (struct asgi_awaitable *)self;

	PyObject_GC_UnTrack(self);
	(void)awaitable_clear(self);
	Py_DECREF((PyObject *)awaitable->call);
	PyObject_GC_Del(self);
}

static PyMethodDef awaitable_methods[] = {
	{ "close", awaitable_close, METH_NOARGS, NULL },
	{ "send", awaitable_method_send, METH_O, NULL },
	{ "throw", awaitable_throw, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyAsyncMethods awaitable_async = {
	.am_await = Py_NewRef,
	.am_send = awaitable_step,
};

static PyTypeObject awaitable_type = {
	PyVarObject_HEAD_INIT(NULL, 0) /* no comma: the macro has one */
		.tp_name = "unicornd.Awaitable",
	.tp_basicsize = sizeof(struct asgi_awaitable),
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.tp_dealloc = awaitable_dealloc,
	.tp_traverse = awaitable_traverse,
	.tp_clear = awaitable_clear,
	.tp_as_async = &awaitable_async,
	.tp_iter = PyObject_SelfIter,
	.tp_iternext = awaitable_next,
	.tp_methods = awaitable_methods,
};

int asgi_awaitable_init(void)
{
	return PyType_Ready(&awaitable_type);
}

PyObject *asgi_awaitable_create(struct asgi_call *call, PyObject *message)
{
	struct asgi_awaitable *awaitable = PyObject_GC_New(struct asgi_awaitable, &awaitable_type);

	if (awaitable == NULL)
		return NULL;
	awaitable->call = (struct asgi_call *)Py_NewRef((PyObject *)call);
	awaitable->message = Py_XNewRef(message);
	awaitable->future = NULL;
	awaitable->next = NULL;
	awaitable->state = STATE_FRESH;
	PyObject_GC_Track((PyObject *)awaitable);
	return (PyObject *)awaitable;
}
