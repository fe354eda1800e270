/*
 * wsgi_input.c - read(), readline(), readlines(), readinto() and iteration over the body that the worker has.
 *
 * Lines are looked for in a small buffer of our own; whoever only calls read() never needs it.
 */
#include "wsgi_input.h"

#include "unicornd/app.h"
#include "wsgi_thread.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/** So much is fetched at a time while the end of a line is looked for. */
#define LINE_BYTES 8192
/** So much is read before other threads may run. */
#define PIECE_BYTES ((size_t)256 * 1024)

struct wsgi_input {
	PyObject_HEAD struct unicorn_request *request; /**< NULL: none, or over */
	bool is_over;
	char *buffer; /**< of lines, or NULL */
	size_t start;
	size_t length;
	size_t capacity;
};

static PyTypeObject input_type;

static struct wsgi_input *input_of(PyObject *object)
{
	return (struct wsgi_input *)(void *)object;
}

/* ---- from the worker */

/**
 * The GIL is kept, for nothing waits here, and threads of the application may read, or the request end, once it is not.
 *
 * @return bytes read, 0 at the end, -1 with an exception set
 */
static Py_ssize_t body_read(struct wsgi_input *input, char *bytes, size_t size)
{
	int64_t count;

	if (input->request == NULL || size == 0)
		return 0;
	count = unicorn_body_read(input->request, bytes, size);
	if (count >= 0)
		return (Py_ssize_t)count;
	errno = (int)-count;
	PyErr_SetFromErrno(PyExc_OSError);
	return -1;
}

/** What read() would return at most. */
static size_t input_available(const struct wsgi_input *input)
{
	return input->length + (input->request != NULL ? unicorn_body_available(input->request) : 0);
}

/** Takes bytes, those of the line buffer first. @return as body_read() */
static Py_ssize_t input_take(struct wsgi_input *input, char *bytes, size_t size)
{
	size_t taken = input->length < size ? input->length : size;

	if (taken > 0) {
		memcpy(bytes, input->buffer + input->start, taken);
		input->start += taken;
		input->length -= taken;
	}
	while (taken < size) {
		size_t left = size - taken;
		Py_ssize_t count = body_read(input, bytes + taken, left < PIECE_BYTES ? left : PIECE_BYTES);

		if (count < 0)
			return -1;
		if (count == 0)
			break;
		taken += (size_t)count;
		if (taken < size)
			wsgi_thread_take(wsgi_thread_release());
	}
	return (Py_ssize_t)taken;
}

static bool input_is_usable(const struct wsgi_input *input)
{
	if (!input->is_over)
		return true;
	PyErr_SetString(PyExc_ValueError, "wsgi.input: the request is over");
	return false;
}

/** An optional size of read() and the like: None and what is negative mean everything. */
static bool size_parse(PyObject *const *arguments, Py_ssize_t count, const char *method, size_t *size)
{
	Py_ssize_t number;

	*size = SIZE_MAX;
	if (count > 1) {
		PyErr_Format(PyExc_TypeError, "wsgi.input.%s() takes one argument at most, not %zd", method, count);
		return false;
	}
	if (count == 0 || arguments[0] == Py_None)
		return true;
	number = PyNumber_AsSsize_t(arguments[0], PyExc_OverflowError);
	if (number == -1 && PyErr_Occurred() != NULL)
		return false;
	if (number >= 0)
		*size = (size_t)number;
	return true;
}

/* ---- methods */

static PyObject *input_read(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	struct wsgi_input *input = input_of(self);
	PyObject *bytes;
	Py_ssize_t taken;
	size_t size;

	if (!input_is_usable(input) || !size_parse(arguments, count, "read", &size))
		return NULL;
	if (size > input_available(input))
		size = input_available(input);
	bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
	if (bytes == NULL)
		return NULL;
	taken = input_take(input, PyBytes_AS_STRING(bytes), size);
	if (taken < 0)
		Py_CLEAR(bytes);
	else if ((size_t)taken < size)
		_PyBytes_Resize(&bytes, taken);
	return bytes;
}

static PyObject *input_readinto(PyObject *self, PyObject *target)
{
	struct wsgi_input *input = input_of(self);
	Py_ssize_t taken;
	Py_buffer view;

	if (!input_is_usable(input) || PyObject_GetBuffer(target, &view, PyBUF_WRITABLE) != 0)
		return NULL;
	taken = input_take(input, view.buf, (size_t)view.len);
	PyBuffer_Release(&view);
	return taken < 0 ? NULL : PyLong_FromSsize_t(taken);
}

/** Makes room behind what is buffered, moving it to the front or doubling. */
static bool buffer_reserve(struct wsgi_input *input)
{
	size_t capacity = input->capacity * 2;
	char *grown;

	if (input->start > 0) {
		memmove(input->buffer, input->buffer + input->start, input->length);
		input->start = 0;
	}
	if (input->length < input->capacity)
		return true;
	if (capacity == 0)
		capacity = LINE_BYTES;
	grown = PyMem_Realloc(input->buffer, capacity);
	if (grown == NULL) {
		PyErr_NoMemory();
		return false;
	}
	input->buffer = grown;
	input->capacity = capacity;
	return true;
}

/** Buffers until there is a whole line, or `limit` bytes, or the end. @return bytes of the line, -1 with an exception
 */
static Py_ssize_t line_find(struct wsgi_input *input, size_t limit)
{
	size_t searched = 0;

	while (searched < limit) {
		const char *end = input->length > searched ? memchr(input->buffer + input->start + searched, '\n',
								    input->length - searched)
							   : NULL;
		Py_ssize_t count;

		if (end != NULL) {
			size_t length = (size_t)(end - input->buffer) - input->start + 1;

			return (Py_ssize_t)(length < limit ? length : limit);
		}
		searched = input->length;
		if (searched >= limit)
			break;
		if (!buffer_reserve(input))
			return -1;
		count = body_read(input, input->buffer + input->length, input->capacity - input->length);
		if (count <= 0)
			return count < 0 ? -1 : (Py_ssize_t)input->length;
		input->length += (size_t)count;
	}
	return (Py_ssize_t)limit;
}

static PyObject *line_read(struct wsgi_input *input, size_t limit)
{
	Py_ssize_t length = line_find(input, limit);
	PyObject *line;

	if (length < 0)
		return NULL;
	if (length == 0)
		return PyBytes_FromStringAndSize(NULL, 0);
	line = PyBytes_FromStringAndSize(input->buffer + input->start, length);
	if (line == NULL)
		return NULL;
	input->start += (size_t)length;
	input->length -= (size_t)length;
	return line;
}

static PyObject *input_readline(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	size_t size;

	if (!input_is_usable(input_of(self)) || !size_parse(arguments, count, "readline", &size))
		return NULL;
	return line_read(input_of(self), size);
}

static PyObject *input_next(PyObject *self)
{
	PyObject *line = input_is_usable(input_of(self)) ? line_read(input_of(self), SIZE_MAX) : NULL;

	if (line != NULL && PyBytes_GET_SIZE(line) == 0)
		Py_CLEAR(line);
	return line;
}

static PyObject *input_readlines(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
	size_t hint, taken = 0;
	PyObject *lines, *line;

	if (!size_parse(arguments, count, "readlines", &hint))
		return NULL;
	if (hint == 0)
		hint = SIZE_MAX;
	lines = PyList_New(0);
	while (lines != NULL && taken < hint && (line = input_next(self)) != NULL) {
		taken += (size_t)PyBytes_GET_SIZE(line);
		if (PyList_Append(lines, line) != 0)
			Py_CLEAR(lines);
		Py_DECREF(line);
	}
	if (PyErr_Occurred() != NULL)
		Py_CLEAR(lines);
	return lines;
}

/* ---- the type */

static void input_destroy(PyObject *self)
{
	PyMem_Free(input_of(self)->buffer);
	PyObject_Free(self);
}

#define FAST(function_) (PyCFunction)(void (*)(void))(function_)

static PyMethodDef input_methods[] = {
	{ "read", FAST(input_read), METH_FASTCALL, NULL },
	{ "readinto", input_readinto, METH_O, NULL },
	{ "readline", FAST(input_readline), METH_FASTCALL, NULL },
	{ "readlines", FAST(input_readlines), METH_FASTCALL, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyTypeObject input_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "unicornd.Input",
	.tp_basicsize = sizeof(struct wsgi_input),
	.tp_dealloc = input_destroy,
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
	.tp_iter = PyObject_SelfIter,
	.tp_iternext = input_next,
	.tp_methods = input_methods,
};

bool wsgi_input_prepare(void)
{
	return PyType_Ready(&input_type) == 0;
}

PyObject *wsgi_input_create(struct unicorn_request *request)
{
	struct wsgi_input *input = PyObject_New(struct wsgi_input, &input_type);

	if (input == NULL)
		return NULL;
	input->request = request;
	input->is_over = false;
	input->buffer = NULL;
	input->start = 0;
	input->length = 0;
	input->capacity = 0;
	return (PyObject *)input;
}

void wsgi_input_detach(PyObject *input)
{
	input_of(input)->request = NULL;
	input_of(input)->is_over = true;
}
