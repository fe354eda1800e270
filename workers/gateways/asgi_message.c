#include "asgi_message.h"

#include "asgi_words.h"

#include <stdint.h>
#include <string.h>

/* ---- fields */

PyObject *asgi_message_check(PyObject *message)
{
	PyObject *copy;

	if (PyDict_Check(message))
		return Py_NewRef(message);
	if (!PyMapping_Check(message)) {
		PyErr_Format(PyExc_TypeError, "a message must be a dict, not %.100s", Py_TYPE(message)->tp_name);
		return NULL;
	}
	copy = PyDict_New();
	if (copy != NULL && PyDict_Update(copy, message) < 0)
		Py_CLEAR(copy);
	return copy;
}

const char *asgi_message_type(PyObject *message, size_t *length)
{
	PyObject *type = PyDict_GetItemWithError(message, asgi_words.type);
	Py_ssize_t size = 0;
	const char *text;

	if (type == NULL || !PyUnicode_Check(type)) {
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_TypeError, "a message must have a type, which is a str");
		return NULL;
	}
	text = PyUnicode_AsUTF8AndSize(type, &size);
	*length = (size_t)size;
	return text;
}

PyObject *asgi_message_get(PyObject *message, PyObject *key)
{
	PyObject *value = PyDict_GetItemWithError(message, key);

	return value == Py_None ? NULL : value;
}

static int wrong_type(PyObject *key, const char *wanted, PyObject *value)
{
	if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_TypeError))
		PyErr_Format(PyExc_TypeError, "%U must be %s, not %.100s", key, wanted, Py_TYPE(value)->tp_name);
	return -1;
}

int asgi_message_get_flag(PyObject *message, PyObject *key, bool *flag)
{
	PyObject *value = PyDict_GetItemWithError(message, key);
	int is_true = value == NULL ? 0 : PyObject_IsTrue(value);

	*flag = is_true > 0;
	return is_true < 0 || (value == NULL && PyErr_Occurred()) ? -1 : 0;
}

int asgi_message_get_number(PyObject *message, PyObject *key, long long *number)
{
	PyObject *value = asgi_message_get(message, key);
	long long found;

	if (value == NULL)
		return PyErr_Occurred() ? -1 : 0;
	found = PyLong_AsLongLong(value);
	if (found == -1 && PyErr_Occurred())
		return wrong_type(key, "an int", value);
	*number = found;
	return 0;
}

int asgi_message_get_text(PyObject *message, PyObject *key, const char **text, size_t *length)
{
	PyObject *value = asgi_message_get(message, key);
	Py_ssize_t size = 0;

	if (value == NULL)
		return PyErr_Occurred() ? -1 : 0;
	if (!PyUnicode_Check(value))
		return wrong_type(key, "a str", value);
	*text = PyUnicode_AsUTF8AndSize(value, &size);
	*length = (size_t)size;
	return *text == NULL ? -1 : 0;
}

int asgi_message_get_bytes(PyObject *message, PyObject *key, Py_buffer *bytes)
{
	PyObject *value = asgi_message_get(message, key);

	if (value == NULL)
		return PyErr_Occurred() ? -1 : 0;
	if (PyObject_GetBuffer(value, bytes, PyBUF_SIMPLE) < 0)
		return wrong_type(key, "bytes", value);
	return 1;
}

/* ---- headers */

static int read_bytes(PyObject *object, const char **bytes, uint32_t *length)
{
	if (!PyBytes_Check(object)) {
		PyErr_Format(PyExc_TypeError, "names and values of headers must be bytes, not %.100s",
			     Py_TYPE(object)->tp_name);
		return -1;
	}
	if (PyBytes_GET_SIZE(object) > INT32_MAX) {
		PyErr_SetString(PyExc_ValueError, "a header is too long");
		return -1;
	}
	*bytes = PyBytes_AS_STRING(object);
	*length = (uint32_t)PyBytes_GET_SIZE(object);
	return 0;
}

/** @param pair  a list or tuple */
static int read_pair(PyObject *pair, struct unicorn_header *header)
{
	if (PySequence_Fast_GET_SIZE(pair) != 2) {
		PyErr_SetString(PyExc_ValueError, "a header must have a name and a value");
		return -1;
	}
	if (read_bytes(PySequence_Fast_GET_ITEM(pair, 0), &header->name, &header->name_length) < 0)
		return -1;
	return read_bytes(PySequence_Fast_GET_ITEM(pair, 1), &header->value, &header->value_length);
}

static bool pairs_are_plain(PyObject *list)
{
	for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); i++) {
		PyObject *pair = PySequence_Fast_GET_ITEM(list, i);

		if (!PyTuple_Check(pair) && !PyList_Check(pair))
			return false;
	}
	return true;
}

/**
 * To iterate over a pair that is neither list nor tuple runs code of the application, which may change what it has
 * given. So then all of it is copied before anything is read.
 */
static PyObject *pairs_copy(PyObject *list)
{
	PyObject *copy = PySequence_List(list);

	for (Py_ssize_t i = 0; copy != NULL && i < PyList_GET_SIZE(copy); i++) {
		PyObject *pair = PySequence_Tuple(PyList_GET_ITEM(copy, i));

		if (pair == NULL || PyList_SetItem(copy, i, pair) < 0)
			Py_CLEAR(copy);
	}
	return copy;
}

/** Gets the elements and the room for them. @return their number, or -1 */
static Py_ssize_t headers_open(struct asgi_headers *headers, PyObject *message, PyObject *key, bool are_pairs)
{
	PyObject *given = asgi_message_get(message, key);
	Py_ssize_t count;

	headers->items = headers->inlined;
	headers->count = 0;
	headers->list = NULL;
	if (given == NULL)
		return PyErr_Occurred() ? -1 : 0;
	headers->list = PySequence_Fast(given, "headers must be iterable");
	if (headers->list != NULL && are_pairs && !pairs_are_plain(headers->list))
		Py_SETREF(headers->list, pairs_copy(headers->list));
	if (headers->list == NULL)
		return -1;
	count = PySequence_Fast_GET_SIZE(headers->list);
	if (count > ASGI_HEADERS_INLINE) {
		headers->items = PyMem_Calloc((size_t)count, sizeof(*headers->items));
		if (headers->items == NULL) {
			PyErr_NoMemory();
			return -1;
		}
	}
	return count;
}

int asgi_headers_read(struct asgi_headers *headers, PyObject *message, PyObject *key)
{
	Py_ssize_t count = headers_open(headers, message, key, true);

	for (Py_ssize_t i = 0; i < count; i++)
		if (read_pair(PySequence_Fast_GET_ITEM(headers->list, i), &headers->items[i]) < 0)
			return -1;
	headers->count = count < 0 ? 0 : (size_t)count;
	return count < 0 ? -1 : 0;
}

int asgi_headers_read_values(struct asgi_headers *headers, PyObject *message, PyObject *key, const char *name)
{
	Py_ssize_t count = headers_open(headers, message, key, false);

	for (Py_ssize_t i = 0; i < count; i++) {
		struct unicorn_header *header = &headers->items[i];

		header->name = name;
		header->name_length = (uint32_t)strlen(name);
		if (read_bytes(PySequence_Fast_GET_ITEM(headers->list, i), &header->value, &header->value_length) < 0)
			return -1;
	}
	headers->count = count < 0 ? 0 : (size_t)count;
	return count < 0 ? -1 : 0;
}

void asgi_headers_finish(struct asgi_headers *headers)
{
	if (headers->items != headers->inlined)
		PyMem_Free(headers->items);
	Py_CLEAR(headers->list);
}

/* ---- messages for the application */

PyObject *asgi_message_create(PyObject *type)
{
	PyObject *message = PyDict_New();

	if (message != NULL && PyDict_SetItem(message, asgi_words.type, type) < 0)
		Py_CLEAR(message);
	return message;
}

int asgi_message_add(PyObject *message, PyObject *key, PyObject *value)
{
	int status = value == NULL ? -1 : PyDict_SetItem(message, key, value);

	Py_XDECREF(value);
	return status;
}
