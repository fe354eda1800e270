/*
 * asgi_message.h - messages: what is in those of an application, and how those for it are made.
 *
 * Functions that read return -1 with an exception set for what is not as it should be. What an application leaves out
 * has the default that the specification says. Which messages there are is not known here.
 */
#ifndef WORKERS_GATEWAYS_ASGI_MESSAGE_H
#define WORKERS_GATEWAYS_ASGI_MESSAGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "unicornd/app.h"

#include <stdbool.h>
#include <stddef.h>

/** @return a new reference to a dict with a mapping's content; NULL with an exception set when it is none */
PyObject *asgi_message_check(PyObject *message);

/** @return the type, valid as long as the message is; NULL with an exception set */
const char *asgi_message_type(PyObject *message, size_t *length);

/** @return a borrowed reference; NULL when it is missing or None, and with an exception set on an error */
PyObject *asgi_message_get(PyObject *message, PyObject *key);

int asgi_message_get_flag(PyObject *message, PyObject *key, bool *flag);

/** @param number  left alone when the key is missing */
int asgi_message_get_number(PyObject *message, PyObject *key, long long *number);

/** @param text  UTF-8, valid as long as the message is; left alone when the key is missing */
int asgi_message_get_text(PyObject *message, PyObject *key, const char **text, size_t *length);

/** @return 1 when there are bytes, to be released with PyBuffer_Release(); 0 when the key is missing; -1 */
int asgi_message_get_bytes(PyObject *message, PyObject *key, Py_buffer *bytes);

/* ---- headers */

#define ASGI_HEADERS_INLINE 32

/** Headers of a message; they point into it. */
struct asgi_headers {
	struct unicorn_header inlined[ASGI_HEADERS_INLINE];
	struct unicorn_header *items;
	size_t count;
	PyObject *list; /**< or tuple, which was read */
};

/** @return 0 or -1; asgi_headers_finish() is due in either case */
int asgi_headers_read(struct asgi_headers *headers, PyObject *message, PyObject *key);

/** Reads values that all have the same name. */
int asgi_headers_read_values(struct asgi_headers *headers, PyObject *message, PyObject *key, const char *name);
void asgi_headers_finish(struct asgi_headers *headers);

/* ---- messages for the application */

/** @return a new message with a type alone, or NULL */
PyObject *asgi_message_create(PyObject *type);

/** Adds what may be NULL, with an exception set; takes it over. @return 0 or -1 */
int asgi_message_add(PyObject *message, PyObject *key, PyObject *value);

#endif
