/*
 * python_load.h - from "module:attribute" to the object, and what to say when there is none.
 *
 * It starts nothing; python_host.h does.
 */
#ifndef WORKERS_GATEWAYS_PYTHON_LOAD_H
#define WORKERS_GATEWAYS_PYTHON_LOAD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct unicorn_app_options;

/**
 * @param kind    "wsgi" or "asgi"
 * @param result  0 or enum unicorn_start
 * @return a new reference to something callable, or NULL after saying why
 */
PyObject *python_load_application(const struct unicorn_app_options *options, const char *kind, int *result);

#endif
