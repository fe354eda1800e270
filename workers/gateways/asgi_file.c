#include "asgi_file.h"

#include "asgi_message.h"
#include "asgi_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

/** Closes the file; errno says why. @return -1 with OSError set */
static int fail(struct asgi_file *file, PyObject *path)
{
	if (path == NULL)
		PyErr_SetFromErrno(PyExc_OSError);
	else
		PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
	if (file->fd >= 0)
		close(file->fd);
	return -1;
}

/** @return the size of a regular file, or -1 with errno set */
static int64_t size_of(int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -1;
	if (!S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : ESPIPE;
		return -1;
	}
	return status.st_size;
}

int asgi_file_open_path(struct asgi_file *file, PyObject *message)
{
	PyObject *path = asgi_message_get(message, asgi_words.path);
	PyObject *name = NULL;

	if (path == NULL) {
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_TypeError, "pathsend must have a path");
		return -1;
	}
	if (!PyUnicode_FSConverter(path, &name))
		return -1;
	/* What is no regular file must not make the loop wait. */
	file->fd = open(PyBytes_AS_STRING(name), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	Py_DECREF(name);
	if (file->fd < 0)
		return fail(file, path);
	file->offset = 0;
	file->length = size_of(file->fd);
	return file->length < 0 ? fail(file, path) : 0;
}

/* ---- zerocopysend */

/** The position of a file object is not always that of its descriptor, as it may have read ahead. */
static long long position_get(PyObject *given, int fd)
{
	long long position;
	PyObject *told;

	if (PyLong_Check(given)) {
		position = lseek(fd, 0, SEEK_CUR);
		if (position < 0)
			PyErr_SetFromErrno(PyExc_OSError);
		return position;
	}
	told = PyObject_CallMethodNoArgs(given, asgi_words.tell);
	position = told == NULL ? -1 : PyLong_AsLongLong(told);
	Py_XDECREF(told);
	if (position < 0 && !PyErr_Occurred())
		PyErr_SetString(PyExc_ValueError, "the position of a file must not be negative");
	return position;
}

static int position_set(PyObject *given, int fd, long long position)
{
	PyObject *result;

	if (PyLong_Check(given)) {
		if (lseek(fd, position, SEEK_SET) >= 0)
			return 0;
		PyErr_SetFromErrno(PyExc_OSError);
		return -1;
	}
	result = PyObject_CallMethod(given, "seek", "L", position);
	Py_XDECREF(result);
	return result == NULL ? -1 : 0;
}

/**
 * Finds out which part is meant; as with os.sendfile(), it ends where the file does.
 *
 * @return 0, or -1 with an exception set
 */
static int find_part(struct asgi_file *file, PyObject *given, PyObject *message)
{
	long long offset = -1;
	long long count = -1;
	int64_t size;
	bool has_offset;

	if (asgi_message_get_number(message, asgi_words.offset, &offset) < 0 ||
	    asgi_message_get_number(message, asgi_words.count, &count) < 0)
		return -1;
	has_offset = offset >= 0;
	if (!has_offset)
		offset = position_get(given, file->fd);
	if (offset < 0)
		return -1;
	size = size_of(file->fd);
	if (size < 0) {
		PyErr_SetFromErrno(PyExc_OSError);
		return -1;
	}
	file->offset = offset;
	file->length = size > offset ? size - offset : 0;
	if (count >= 0 && count < file->length)
		file->length = count;
	return has_offset ? 0 : position_set(given, file->fd, offset + file->length);
}

int asgi_file_open_given(struct asgi_file *file, PyObject *message)
{
	PyObject *given = asgi_message_get(message, asgi_words.file);
	int fd;

	if (given == NULL) {
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_TypeError, "zerocopysend must have a file");
		return -1;
	}
	fd = PyObject_AsFileDescriptor(given);
	if (fd < 0)
		return -1;
	file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (file->fd < 0)
		return fail(file, NULL);
	if (find_part(file, given, message) == 0)
		return 0;
	close(file->fd);
	return -1;
}
