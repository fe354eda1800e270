#include "asgi_registry.h"

#include "asgi_words.h"
#include "python_host.h"

static struct {
	PyObject *tasks;                  /* the WeakSet; NULL when asyncio has another way */
	PyObject *data;                   /* the set within, of weak references */
	PyObject *add;                    /* its own method */
	struct asgi_registry_entry *open; /* while it is: where to put a task */
} registry;

/** Enters a task without a callback. */
static PyObject *enter(struct asgi_registry_entry *entry, PyObject *task)
{
	PyObject *reference = PyWeakref_NewRef(task, NULL);

	if (reference == NULL || PySet_Add(registry.data, reference) < 0) {
		Py_XDECREF(reference);
		return NULL;
	}
	entry->task = Py_NewRef(task);
	entry->reference = reference;
	Py_RETURN_NONE;
}

/** What the WeakSet has as its add(task). */
static PyObject *add(PyObject *self, PyObject *task)
{
	(void)self;
	return registry.open != NULL && registry.open->task == NULL ? enter(registry.open, task)
								    : PyObject_CallOneArg(registry.add, task);
}

void asgi_registry_open(struct asgi_registry_entry *entry)
{
	entry->task = NULL;
	entry->reference = NULL;
	registry.open = entry;
}

void asgi_registry_close(void)
{
	registry.open = NULL;
}

/** Enters a task properly, unless it is done. */
static void task_add(PyObject *task)
{
	PyObject *done = PyObject_CallMethodNoArgs(task, asgi_words.done);
	PyObject *result = done == Py_False ? PyObject_CallOneArg(registry.add, task) : NULL;

	Py_XDECREF(done);
	Py_XDECREF(result);
	if (PyErr_Occurred())
		python_host_log_exception("asgi: entering a task");
}

void asgi_registry_settle(struct asgi_registry_entry *entry)
{
	PyObject *type;
	PyObject *value;
	PyObject *traceback;

	if (entry->task == NULL)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	if (PySet_Discard(registry.data, entry->reference) < 0)
		PyErr_Clear();
	task_add(entry->task);
	Py_CLEAR(entry->reference);
	Py_CLEAR(entry->task);
	PyErr_Restore(type, value, traceback);
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
