#include "asgi_selector.h"

#include "asgi_eager.h"
#include "asgi_watch.h"
#include "asgi_words.h"

#include <ev.h>
#include <stddef.h>

struct selector {
	PyObject_HEAD struct ev_loop *worker_loop;
	struct asgi_watches watches;
	ev_timer timer;
	bool is_late; /* the timer has fired */
	PyObject *loop;
	PyObject *ready; /* the loop's queue of what is to be called */
	bool (*is_wanted)(void);
};

/* ---- turning the worker's loop */

static PyThreadState *released_thread;

static void release_lock(struct ev_loop *loop) EV_NOEXCEPT
{
	(void)loop;
	released_thread = PyEval_SaveThread();
}

static void acquire_lock(struct ev_loop *loop) EV_NOEXCEPT
{
	(void)loop;
	PyEval_RestoreThread(released_thread);
}

static void handle_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct selector *selector = timer->data;

	(void)loop;
	(void)events;
	selector->is_late = true;
}

/** The time of the worker's loop is that of the last turn; what comes now is counted from now. */
static void timer_start(struct selector *selector, double seconds)
{
	selector->is_late = false;
	ev_now_update(selector->worker_loop);
	ev_timer_set(&selector->timer, seconds, 0.);
	ev_timer_start(selector->worker_loop, &selector->timer);
}

/** @return the number of timers that asyncio has, -1 with an exception set */
static Py_ssize_t count_scheduled(const struct selector *selector)
{
	PyObject *scheduled;
	Py_ssize_t count;

	if (selector->loop == NULL)
		return 0;
	scheduled = PyObject_GetAttr(selector->loop, asgi_words._scheduled);
	count = scheduled == NULL ? -1 : PyObject_Size(scheduled);
	Py_XDECREF(scheduled);
	return count;
}

/** @return 1 when loop.stop() has been called, 0 if not, -1 with an exception set */
static int is_stopping(const struct selector *selector)
{
	PyObject *stopping = PyObject_GetAttr(selector->loop, asgi_words._stopping);
	int is = stopping == NULL ? -1 : stopping == Py_True;

	Py_XDECREF(stopping);
	return is;
}

/** Has asyncio something to do? @return 1 or 0, -1 with an exception set */
static int is_needed(const struct selector *selector, Py_ssize_t scheduled)
{
	Py_ssize_t count;

	if (selector->is_late || selector->watches.ready_count > 0 || selector->loop == NULL)
		return 1;
	count = PyObject_Size(selector->ready);
	if (count != 0)
		return count < 0 ? -1 : 1;
	count = count_scheduled(selector);
	if (count != scheduled)
		return count < 0 ? -1 : 1;
	return is_stopping(selector);
}

static int stop_if_wanted(const struct selector *selector)
{
	PyObject *result;

	if (selector->loop == NULL || !selector->is_wanted())
		return 0;
	result = PyObject_CallMethodNoArgs(selector->loop, asgi_words.stop);
	Py_XDECREF(result);
	return result == NULL ? -1 : 1;
}

/** Turns until asyncio is needed. @return below 0 with an exception set */
static int turn(struct selector *selector, bool may_wait)
{
	Py_ssize_t scheduled = count_scheduled(selector);
	int needed = scheduled < 0 ? -1 : stop_if_wanted(selector);
	bool before;

	if (needed < 0)
		return -1;
	may_wait = may_wait && needed == 0;
	do {
		before = asgi_eager_set_turning(true);
		ev_run(selector->worker_loop, may_wait ? EVRUN_ONCE : EVRUN_NOWAIT);
		asgi_eager_set_turning(before);
		if (PyErr_CheckSignals() < 0)
			return -1;
		needed = stop_if_wanted(selector);
		if (needed == 0)
			needed = is_needed(selector, scheduled);
	} while (may_wait && needed == 0);
	return needed;
}

/** select(timeout=None): None waits without a limit, what is not above 0 does not wait. */
static PyObject *selector_select(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	struct selector *selector = (struct selector *)self;
	double seconds = -1;
	bool may_wait = true;
	int status;

	if (count > 0 && arguments[0] != Py_None) {
		seconds = PyFloat_AsDouble(arguments[0]);
		if (seconds == -1. && PyErr_Occurred())
			return NULL;
		may_wait = seconds > 0;
	}
	if (seconds > 0)
		timer_start(selector, seconds);
	status = turn(selector, may_wait);
	ev_timer_stop(selector->worker_loop, &selector->timer);
	selector->is_late = false;
	return status < 0 ? NULL : asgi_watches_collect(&selector->watches);
}

/* ---- registration: what the module selectors says about it */

static PyObject *selector_register(PyObject *self, PyObject *arguments, PyObject *names)
{
	return asgi_watches_register(&((struct selector *)self)->watches, arguments, names);
}

static PyObject *selector_modify(PyObject *self, PyObject *arguments, PyObject *names)
{
	return asgi_watches_modify(&((struct selector *)self)->watches, arguments, names);
}

static PyObject *selector_unregister(PyObject *self, PyObject *file)
{
	return asgi_watches_unregister(&((struct selector *)self)->watches, file);
}

static PyObject *selector_get_key(PyObject *self, PyObject *file)
{
	return asgi_watches_get(&((struct selector *)self)->watches, file);
}

/** get(file, default=None) of the mapping that get_map() returns, which is the selector itself. */
static PyObject *selector_get(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	PyObject *key;

	if (count < 1 || count > 2) {
		PyErr_SetString(PyExc_TypeError, "get() takes 1 or 2 arguments");
		return NULL;
	}
	key = selector_get_key(self, arguments[0]);
	if (key != NULL || !PyErr_ExceptionMatches(PyExc_KeyError))
		return key;
	PyErr_Clear();
	return Py_NewRef(count == 2 ? arguments[1] : Py_None);
}

static PyObject *selector_get_map(PyObject *self, PyObject *unused)
{
	(void)unused;
	return Py_NewRef(self);
}

static Py_ssize_t selector_length(PyObject *self)
{
	return PyDict_Size(((struct selector *)self)->watches.keys);
}

static PyObject *selector_iterate(PyObject *self)
{
	return PyObject_GetIter(((struct selector *)self)->watches.keys);
}

static PyObject *selector_close(PyObject *self, PyObject *unused)
{
	(void)unused;
	asgi_watches_clear(&((struct selector *)self)->watches);
	Py_RETURN_NONE;
}

/* ---- the type */

static void selector_dealloc(PyObject *self)
{
	struct selector *selector = (struct selector *)self;

	asgi_watches_finish(&selector->watches);
	Py_XDECREF(selector->loop);
	Py_XDECREF(selector->ready);
	PyObject_Free(self);
}

#define SELECTOR_METHOD(name, flags)                                                                                   \
	{                                                                                                              \
#name, (PyCFunction)(void (*)(void))selector_##name, (flags), NULL                                     \
	}

static PyMethodDef selector_methods[] = {
	SELECTOR_METHOD(close, METH_NOARGS),
	SELECTOR_METHOD(get, METH_FASTCALL),
	SELECTOR_METHOD(get_key, METH_O),
	SELECTOR_METHOD(get_map, METH_NOARGS),
	SELECTOR_METHOD(modify, METH_VARARGS | METH_KEYWORDS),
	SELECTOR_METHOD(register, METH_VARARGS | METH_KEYWORDS),
	SELECTOR_METHOD(select, METH_FASTCALL),
	SELECTOR_METHOD(unregister, METH_O),
	{ NULL, NULL, 0, NULL },
};

static PyMappingMethods selector_mapping = {
	.mp_length = selector_length,
	.mp_subscript = selector_get_key,
};

static PyTypeObject selector_type = {
	PyVarObject_HEAD_INIT(NULL, 0) /* no comma: the macro has one */
		.tp_name = "unicornd.Selector",
	.tp_basicsize = sizeof(struct selector),
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.tp_dealloc = selector_dealloc,
	.tp_as_mapping = &selector_mapping,
	.tp_iter = selector_iterate,
	.tp_methods = selector_methods,
};

PyObject *asgi_selector_create(struct ev_loop *worker_loop)
{
	struct selector *selector;

	if (PyType_Ready(&selector_type) < 0)
		return NULL;
	selector = PyObject_New(struct selector, &selector_type);
	if (selector == NULL)
		return NULL;
	selector->worker_loop = worker_loop;
	selector->is_late = false;
	selector->loop = NULL;
	selector->ready = NULL;
	selector->is_wanted = NULL;
	ev_timer_init(&selector->timer, handle_timer, 0., 0.);
	selector->timer.data = selector;
	ev_set_loop_release_cb(worker_loop, release_lock, acquire_lock);
	if (asgi_watches_init(&selector->watches, worker_loop) < 0) {
		Py_DECREF(selector);
		return NULL;
	}
	return (PyObject *)selector;
}

int asgi_selector_attach(PyObject *self, PyObject *loop, bool (*is_wanted)(void))
{
	struct selector *selector = (struct selector *)self;
	PyObject *ready = PyObject_GetAttrString(loop, "_ready");

	if (ready == NULL)
		return -1;
	selector->ready = ready;
	selector->is_wanted = is_wanted;
	selector->loop = Py_NewRef(loop);
	return 0;
}

void asgi_selector_detach(PyObject *self)
{
	struct selector *selector = (struct selector *)self;

	ev_set_loop_release_cb(selector->worker_loop, NULL, NULL);
	Py_CLEAR(selector->loop);
	Py_CLEAR(selector->ready);
}
