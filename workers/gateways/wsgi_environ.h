/*
 * wsgi_environ.h - the environ of a request, as PEP 3333 and custom want it.
 *
 * A template holds what the last request had; for the next one only what differs is set, and the whole is copied.
 */
#ifndef WORKERS_GATEWAYS_WSGI_ENVIRON_H
#define WORKERS_GATEWAYS_WSGI_ENVIRON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

struct unicorn_app_options;
struct unicorn_request;

/**
 * Makes the template.
 *
 * @param early_hints  what becomes wsgi.early_hints
 * @return false with an exception set
 */
bool wsgi_environ_prepare(const struct unicorn_app_options *options, PyObject *early_hints);

/**
 * @param input  a new reference to its wsgi.input when it has a body, else NULL
 * @return a new reference, or NULL with an exception set
 */
PyObject *wsgi_environ_create(struct unicorn_request *request, PyObject **input);

void wsgi_environ_finish(void);

#endif
