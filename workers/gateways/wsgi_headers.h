/*
 * wsgi_headers.h - what an application gives to start_response(), checked and made into what the worker takes.
 *
 * Nothing is copied: the strings of Python are kept alive instead, as long as the headers are.
 */
#ifndef WORKERS_GATEWAYS_WSGI_HEADERS_H
#define WORKERS_GATEWAYS_WSGI_HEADERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "unicornd/app.h"

#include <stdbool.h>
#include <stdint.h>

/** So many need no memory of their own. */
#define WSGI_HEADERS_FEW 16

struct wsgi_headers {
	PyObject *status_text; /**< NULL: none are set */
	const char *reason;    /**< within it; NULL for the usual one */
	int status;
	int64_t content_length; /**< -1 without one */
	size_t count;
	size_t capacity;
	struct unicorn_header *list; /**< with room for one more than is asked for */
	PyObject **owners;           /**< the tuples whose strings the list points to */
	struct unicorn_header few_list[WSGI_HEADERS_FEW + 1];
	PyObject *few_owners[WSGI_HEADERS_FEW];
	char length_text[24];
};

void wsgi_headers_init(struct wsgi_headers *headers);

/** Lets go of what is set; it can be set anew. */
void wsgi_headers_clear(struct wsgi_headers *headers);

/** Takes over a list of tuples of two strings. @return false with an exception set, then nothing is set */
bool wsgi_headers_set_fields(struct wsgi_headers *headers, PyObject *list);

/** Takes over "200 OK" and the list. @return likewise */
bool wsgi_headers_set(struct wsgi_headers *headers, PyObject *status, PyObject *list);

/** Puts a Content-Length behind the headers, which have none. @return how many there are with it */
size_t wsgi_headers_add_length(struct wsgi_headers *headers, int64_t length);

#endif
