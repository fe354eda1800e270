/*
 * wsgi_file.c - the wrapper, and the question whether a file of Python's is what its descriptor says.
 *
 * fileno() alone tells too little: that of a gzip.GzipFile is the compressed file. So only io's own plain files, at
 * their own position, are sent past Python; what wraps one in its attribute `file`, as tempfile and Django do, as well.
 */
#include "wsgi_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES 8192
/** How many objects may stand around a file. */
#define WRAPPERS_MAX 3

struct wsgi_file {
	PyObject_HEAD PyObject *file;
	PyObject *block_size;
};

static PyTypeObject file_type;
static PyObject *plain_types[3]; /* io.FileIO, io.BufferedReader, io.BufferedRandom */

static struct wsgi_file *file_of(PyObject *object)
{
	return (struct wsgi_file *)(void *)object;
}

/* ---- as Python sees it */

static PyObject *file_create(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
	static char file_name[] = "filelike", size_name[] = "blksize";
	static char *names[] = { file_name, size_name, NULL };
	PyObject *file, *self;
	Py_ssize_t size = BLOCK_BYTES;

	if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O|n:FileWrapper", names, &file, &size))
		return NULL;
	self = type->tp_alloc(type, 0);
	if (self == NULL)
		return NULL;
	file_of(self)->file = Py_NewRef(file);
	file_of(self)->block_size = PyLong_FromSsize_t(size > 0 ? size : BLOCK_BYTES);
	if (file_of(self)->block_size == NULL)
		Py_CLEAR(self);
	return self;
}

static int file_traverse(PyObject *self, visitproc visit, void *arg)
{
	Py_VISIT(file_of(self)->file);
	return 0;
}

static int file_clear(PyObject *self)
{
	Py_CLEAR(file_of(self)->file);
	Py_CLEAR(file_of(self)->block_size);
	return 0;
}

static void file_destroy(PyObject *self)
{
	PyObject_GC_UnTrack(self);
	file_clear(self);
	Py_TYPE(self)->tp_free(self);
}

static PyObject *file_next(PyObject *self)
{
	PyObject *block = PyObject_CallMethod(file_of(self)->file, "read", "O", file_of(self)->block_size);

	if (block != NULL && PyObject_Size(block) <= 0)
		Py_CLEAR(block);
	return block;
}

/** Closes the file, if it can be closed. */
static PyObject *file_close(PyObject *self, PyObject *unused)
{
	PyObject *method = PyObject_GetAttrString(file_of(self)->file, "close");
	PyObject *result;

	(void)unused;
	if (method == NULL) {
		if (!PyErr_ExceptionMatches(PyExc_AttributeError))
			return NULL;
		PyErr_Clear();
		Py_RETURN_NONE;
	}
	result = PyObject_CallNoArgs(method);
	Py_DECREF(method);
	return result;
}

static PyMethodDef file_methods[] = {
	{ "close", file_close, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyTypeObject file_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "unicornd.FileWrapper",
	.tp_basicsize = sizeof(struct wsgi_file),
	.tp_dealloc = file_destroy,
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
	.tp_traverse = file_traverse,
	.tp_clear = file_clear,
	.tp_iter = PyObject_SelfIter,
	.tp_iternext = file_next,
	.tp_methods = file_methods,
	.tp_new = file_create,
};

PyObject *wsgi_file_prepare(void)
{
	static const char *const names[] = { "FileIO", "BufferedReader", "BufferedRandom" };
	PyObject *module = PyImport_ImportModule("io");

	for (size_t i = 0; module != NULL && i < 3; i++) {
		plain_types[i] = PyObject_GetAttrString(module, names[i]);
		if (plain_types[i] == NULL)
			Py_CLEAR(module);
	}
	if (module == NULL || PyType_Ready(&file_type) != 0)
		return NULL;
	Py_DECREF(module);
	return (PyObject *)&file_type;
}

/* ---- as the worker sends it */

static bool object_is_plain(PyObject *object, size_t first, size_t last)
{
	for (size_t i = first; i <= last; i++) {
		if ((PyObject *)Py_TYPE(object) == plain_types[i])
			return true;
	}
	return false;
}

/** An io.FileIO, or a buffer over one. */
static bool object_is_plain_file(PyObject *object)
{
	PyObject *raw;
	bool is_plain;

	if (object_is_plain(object, 0, 0))
		return true;
	if (!object_is_plain(object, 1, 2))
		return false;
	raw = PyObject_GetAttrString(object, "raw");
	is_plain = raw != NULL && object_is_plain(raw, 0, 0);
	Py_XDECREF(raw);
	return is_plain;
}

/** Goes to the plain file within wrappers. @return a new reference, or NULL; an exception may be set */
static PyObject *file_unwrap(PyObject *object)
{
	PyObject *file = Py_NewRef(object);

	for (int i = 0; file != NULL && i < WRAPPERS_MAX; i++) {
		PyObject *inner;

		if (object_is_plain_file(file))
			return file;
		inner = PyObject_GetAttrString(file, "file");
		Py_SETREF(file, inner);
	}
	Py_XDECREF(file);
	return NULL;
}

static int64_t number_call(PyObject *object, const char *method)
{
	PyObject *number = PyObject_CallMethod(object, method, NULL);
	int64_t value = number != NULL ? PyLong_AsLongLong(number) : -1;

	Py_XDECREF(number);
	return value;
}

static bool descriptor_open(int descriptor, int64_t offset, int *fd, int64_t *length)
{
	struct stat status;

	if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
		return false;
	*fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
	*length = status.st_size > offset ? status.st_size - offset : 0;
	return *fd >= 0;
}

bool wsgi_file_open(PyObject *object, int *fd, int64_t *offset, int64_t *length)
{
	PyObject *file;
	int64_t descriptor;
	bool is_open = false;

	if (Py_TYPE(object) != &file_type)
		return false;
	file = file_unwrap(file_of(object)->file);
	if (file != NULL) {
		descriptor = number_call(file, "fileno");
		*offset = descriptor >= 0 ? number_call(file, "tell") : -1;
		is_open = *offset >= 0 && descriptor_open((int)descriptor, *offset, fd, length);
		Py_DECREF(file);
	}
	PyErr_Clear();
	return is_open;
}
