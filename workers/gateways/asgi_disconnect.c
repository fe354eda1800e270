#include "asgi_disconnect.h"

#include <errno.h>

/* How far causes are followed; frameworks wrap an exception a few times. */
#define DEPTH_MAX 16

static PyObject *disconnect_class;

int asgi_disconnect_init(void)
{
	disconnect_class =
		PyErr_NewExceptionWithDoc("unicornd.ClientDisconnected",
					  "The connection is closed; what was sent goes nowhere.", PyExc_OSError, NULL);
	return disconnect_class == NULL ? -1 : 0;
}

void asgi_disconnect_finish(void)
{
	Py_CLEAR(disconnect_class);
}

void asgi_disconnect_raise(void)
{
	PyObject *exception = PyObject_CallFunction(disconnect_class, "is", EPIPE, "the client has disconnected");

	if (exception == NULL)
		return;
	PyErr_SetObject(disconnect_class, exception);
	Py_DECREF(exception);
}

static bool is_cause(PyObject *exception, int depth);

/** @return 1 when it is a group of nothing else, 0 when it is a group, -1 when it is none */
static int is_cause_of_group(PyObject *exception, int depth)
{
	PyObject *members = PyObject_HasAttrString(exception, "exceptions")
				    ? PyObject_GetAttrString(exception, "exceptions")
				    : NULL;
	int is_all = -1;

	if (members == NULL || !PyTuple_Check(members)) {
		PyErr_Clear();
		Py_XDECREF(members);
		return -1;
	}
	is_all = PyTuple_GET_SIZE(members) > 0;
	for (Py_ssize_t i = 0; is_all && i < PyTuple_GET_SIZE(members); i++)
		is_all = is_cause(PyTuple_GET_ITEM(members, i), depth - 1);
	Py_DECREF(members);
	return is_all;
}

static bool is_cause(PyObject *exception, int depth)
{
	PyObject *before;
	bool is;
	int is_group;

	if (depth <= 0 || !PyExceptionInstance_Check(exception))
		return false;
	if (PyErr_GivenExceptionMatches(exception, disconnect_class))
		return true;
	is_group = is_cause_of_group(exception, depth);
	if (is_group >= 0)
		return is_group > 0;
	before = PyException_GetCause(exception);
	if (before == NULL)
		before = PyException_GetContext(exception);
	is = before != NULL && is_cause(before, depth - 1);
	Py_XDECREF(before);
	return is;
}

bool asgi_disconnect_is_cause(PyObject *exception)
{
	return exception != NULL && is_cause(exception, DEPTH_MAX);
}
