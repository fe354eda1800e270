#include "asgi_eager.h"

#include "asgi_registry.h"
#include "asgi_words.h"
#include "python_host.h"

/** A call that somebody wants to be made soon. */
struct step {
	PyObject *callback;
	PyObject *argument; /* NULL without one */
	PyObject *context;
};

static struct {
	PyObject *loop;
	PyObject *call_soon; /* the loop's own */
	PyObject *task_type;
	PyObject *task_names; /* of the arguments of a task given by name */
	bool is_turning;
	bool is_stepping;
	struct step *wanted; /* while something is to be caught: where to put it */
} eager;

/* ---- catching */

static bool can_catch(Py_ssize_t count, PyObject *names)
{
	return eager.wanted != NULL && eager.wanted->callback == NULL && (count == 1 || count == 2) && names != NULL &&
	       PyTuple_GET_SIZE(names) == 1 && PyUnicode_Compare(PyTuple_GET_ITEM(names, 0), asgi_words.context) == 0;
}

/** What the loop has as its call_soon(callback, *arguments, context=None). */
static PyObject *call_soon(PyObject *self, PyObject *const *arguments, Py_ssize_t count, PyObject *names)
{
	(void)self;
	if (!can_catch(count, names) || !PyContext_CheckExact(arguments[count]))
		return PyObject_Vectorcall(eager.call_soon, arguments, (size_t)count, names);
	eager.wanted->callback = Py_NewRef(arguments[0]);
	eager.wanted->argument = count == 2 ? Py_NewRef(arguments[1]) : NULL;
	eager.wanted->context = Py_NewRef(arguments[count]);
	Py_RETURN_NONE;
}

static bool step_is_allowed(void)
{
	return eager.is_turning && !eager.is_stepping;
}

static void step_clear(struct step *step)
{
	Py_CLEAR(step->callback);
	Py_CLEAR(step->argument);
	Py_CLEAR(step->context);
}

/** Makes the call that was caught, if any. What it raises, a task has kept already, or nobody would ever hear of it. */
static void step_take(struct step *step)
{
	PyObject *result = NULL;

	if (step->callback == NULL)
		return;
	if (PyContext_Enter(step->context) == 0) {
		eager.is_stepping = true;
		result = step->argument == NULL ? PyObject_CallNoArgs(step->callback)
						: PyObject_CallOneArg(step->callback, step->argument);
		eager.is_stepping = false;
		if (result == NULL)
			python_host_log_exception("asgi: a task");
		if (PyContext_Exit(step->context) < 0)
			PyErr_Clear();
	} else {
		python_host_log_exception("asgi: the context of a task");
	}
	Py_XDECREF(result);
	step_clear(step);
}

/* ---- tasks and futures */

/** @return 1 when the application wants its tasks made in its own way (loop.set_task_factory()), 0 if not, -1 */
static int has_factory(void)
{
	PyObject *factory = PyObject_GetAttr(eager.loop, asgi_words._task_factory);
	int has = factory != NULL && factory != Py_None;

	Py_XDECREF(factory);
	if (factory != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
		return factory == NULL ? -1 : has;
	PyErr_Clear();
	factory = PyObject_CallMethod(eager.loop, "get_task_factory", NULL);
	has = factory == NULL ? -1 : factory != Py_None;
	Py_XDECREF(factory);
	return has;
}

static PyObject *create_task(PyObject *coroutine, PyObject *name)
{
	PyObject *arguments[] = { NULL, coroutine, eager.loop, name };
	int has = has_factory();

	if (has < 0)
		return NULL;
	if (has)
		return PyObject_CallMethodOneArg(eager.loop, asgi_words.create_task, coroutine);
	return PyObject_Vectorcall(eager.task_type, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET,
				   eager.task_names);
}

PyObject *asgi_eager_start(PyObject *coroutine, PyObject *name)
{
	struct step step = { NULL, NULL, NULL };
	struct step *outer = eager.wanted;
	struct asgi_registry_entry entry;
	PyObject *task;

	if (!step_is_allowed())
		return create_task(coroutine, name);
	eager.wanted = &step;
	asgi_registry_open(&entry);
	task = create_task(coroutine, name);
	asgi_registry_close();
	eager.wanted = outer;
	/* A factory may have made one and failed then: its exception is set, and nobody waits for that task. */
	if (task != NULL)
		step_take(&step);
	else
		step_clear(&step);
	asgi_registry_settle(&entry);
	return task;
}

static bool future_is_done(PyObject *future)
{
	PyObject *done = PyObject_CallMethodNoArgs(future, asgi_words.done);
	bool is_done = done != Py_False;

	if (done == NULL)
		PyErr_Clear();
	Py_XDECREF(done);
	return is_done;
}

void asgi_eager_resolve(PyObject *future)
{
	struct step step = { NULL, NULL, NULL };
	struct step *outer = eager.wanted;
	PyObject *result;

	if (future_is_done(future))
		return;
	eager.wanted = step_is_allowed() ? &step : NULL;
	result = PyObject_CallMethodOneArg(future, asgi_words.set_result, Py_None);
	eager.wanted = outer;
	if (result == NULL)
		python_host_log_exception("asgi: waking a task");
	Py_XDECREF(result);
	step_take(&step);
}

bool asgi_eager_set_turning(bool is_turning)
{
	bool before = eager.is_turning;

	eager.is_turning = is_turning;
	return before;
}

/* ---- start and end */

static PyObject *task_type_get(void)
{
	PyObject *asyncio = PyImport_ImportModule("asyncio");
	PyObject *type = asyncio == NULL ? NULL : PyObject_GetAttrString(asyncio, "Task");

	Py_XDECREF(asyncio);
	return type;
}

int asgi_eager_init(PyObject *loop)
{
	static PyMethodDef method = { "call_soon", (PyCFunction)(void (*)(void))call_soon,
				      METH_FASTCALL | METH_KEYWORDS, NULL };
	PyObject *catcher;
	int status;

	eager.loop = Py_NewRef(loop);
	eager.task_names = PyTuple_Pack(2, asgi_words.loop, asgi_words.name);
	eager.task_type = task_type_get();
	eager.call_soon = PyObject_GetAttr(loop, asgi_words.call_soon);
	catcher = PyCFunction_New(&method, NULL);
	if (eager.task_names == NULL || eager.task_type == NULL || eager.call_soon == NULL || catcher == NULL) {
		Py_XDECREF(catcher);
		return -1;
	}
	status = PyObject_SetAttr(loop, asgi_words.call_soon, catcher);
	Py_DECREF(catcher);
	return status < 0 ? -1 : asgi_registry_init();
}

void asgi_eager_finish(void)
{
	asgi_registry_finish();
	if (eager.loop != NULL && PyObject_SetAttr(eager.loop, asgi_words.call_soon, NULL) < 0)
		PyErr_Clear();
	Py_CLEAR(eager.call_soon);
	Py_CLEAR(eager.task_type);
	Py_CLEAR(eager.task_names);
	Py_CLEAR(eager.loop);
}
