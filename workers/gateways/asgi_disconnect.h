/*
 * asgi_disconnect.h - the exception of send() on a closed connection.
 *
 * It is a subclass of OSError, and what it ends is no error of the application.
 */
#ifndef WORKERS_GATEWAYS_ASGI_DISCONNECT_H
#define WORKERS_GATEWAYS_ASGI_DISCONNECT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/** Makes the class. @return 0, or -1 with an exception set */
int asgi_disconnect_init(void);
void asgi_disconnect_finish(void);

/** Raises it. */
void asgi_disconnect_raise(void);

/**
 * Has an exception come of it? True of it, of what was raised while it was handled or because of it, and of a group in
 * which all have.
 */
bool asgi_disconnect_is_cause(PyObject *exception);

#endif
