/*
 * wsgi_file.h - wsgi.file_wrapper: an iterable over a file, which the worker can send without Python reading it.
 */
#ifndef WORKERS_GATEWAYS_WSGI_FILE_H
#define WORKERS_GATEWAYS_WSGI_FILE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

/** Prepares the type. @return it, a borrowed reference, or NULL with an exception set */
PyObject *wsgi_file_prepare(void);

/**
 * Is this a wrapper around a regular file, which can be sent as it is? Others are for iterating over.
 *
 * @param fd  a new descriptor, of the caller's
 * @param offset, length  from the file's position to its end
 */
bool wsgi_file_open(PyObject *object, int *fd, int64_t *offset, int64_t *length);

#endif
