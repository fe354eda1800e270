/*
 * wsgi_input.h - wsgi.input: the body of a request as a file that can be read once.
 *
 * It ends where the body ends, whatever is asked for. The body is there to the end before the application is called,
 * so nothing waits here.
 */
#ifndef WORKERS_GATEWAYS_WSGI_INPUT_H
#define WORKERS_GATEWAYS_WSGI_INPUT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

struct unicorn_request;

/** Prepares the type. @return false with an exception set */
bool wsgi_input_prepare(void);

/** @param request  NULL for an input that is at its end. @return a new reference, or NULL with an exception set */
PyObject *wsgi_input_create(struct unicorn_request *request);

/** The request is over: whoever still reads is told so. */
void wsgi_input_detach(PyObject *input);

#endif
