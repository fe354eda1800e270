#include "asgi_registry.h"

#include "asgi_words.h"
#include "python_host.h"

#include <stdbool.h>

static struct {
	PyObject *tasks; /* the WeakSet; NULL when asyncio has another way */
	PyObject *data;  /* the set within, of weak references */
	PyObject *add;   /* its own method */
	PyObject *entry;
	bool is_open;
} registry;

/** Enters a task without a callback. */
static PyObject *enter(PyObject *task)
{
	PyObject *entry = PyWeakref_NewRef(task, NULL);

	if (entry == NULL || PySet_Add(registry.data, entry) < 0) {
		Py_XDECREF(entry);
		return NULL;
	}
	registry.entry = entry;
	Py_RETURN_NONE;
}

/** What the WeakSet has as its add(task). */
static PyObject *add(PyObject *self, PyObject *task)
{
	(void)self;
	return registry.is_open && registry.entry == NULL ? enter(task) : PyObject_CallOneArg(registry.add, task);
}

void asgi_registry_open(void)
{
	registry.is_open = true;
}

PyObject *asgi_registry_close(void)
{
	PyObject *entry = registry.entry;

	registry.is_open = false;
	registry.entry = NULL;
	return entry;
}

static bool task_is_done(PyObject *task)
{
	PyObject *done = PyObject_CallMethodNoArgs(task, asgi_words.done);
	bool is_done = done == Py_True;

	Py_XDECREF(done);
	return is_done;
}

void asgi_registry_settle(PyObject *entry, PyObject *task)
{
	PyObject *result;

	if (entry == NULL)
		return;
	if (PySet_Discard(registry.data, entry) < 0)
		PyErr_Clear();
	if (task != NULL && !task_is_done(task)) {
		result = PyObject_CallOneArg(registry.add, task);
		Py_XDECREF(result);
	}
	if (PyErr_Occurred())
		python_host_log_exception("asgi: entering a task");
	Py_DECREF(entry);
}

/* ---- start and end */

/** @return the set of all tasks if it is one that is added to in Python, or NULL */
static PyObject *find_tasks(void)
{
	PyObject *module = PyImport_ImportModule("_asyncio");
	PyObject *tasks = module == NULL ? NULL : PyObject_GetAttrString(module, "_all_tasks");

	Py_XDECREF(module);
	if (tasks == NULL)
		PyErr_Clear();
	return tasks;
}

int asgi_registry_init(void)
{
	static PyMethodDef method = { "add", add, METH_O, NULL };
	PyObject *tasks = find_tasks();
	PyObject *function;
	int status;

	if (tasks == NULL)
		return 0;
	registry.tasks = tasks;
	registry.data = PyObject_GetAttrString(tasks, "data");
	registry.add = PyObject_GetAttrString(tasks, "add");
	function = PyCFunction_New(&method, NULL);
	if (registry.data == NULL || !PySet_Check(registry.data) || registry.add == NULL || function == NULL) {
		Py_XDECREF(function);
		return PyErr_Occurred() ? -1 : 0;
	}
	status = PyObject_SetAttrString(tasks, "add", function);
	Py_DECREF(function);
	return status;
}

void asgi_registry_finish(void)
{
	if (registry.tasks != NULL && PyObject_SetAttrString(registry.tasks, "add", NULL) < 0)
		PyErr_Clear();
	Py_CLEAR(registry.add);
	Py_CLEAR(registry.data);
	Py_CLEAR(registry.tasks);
}
