/*
 * python_host.h - CPython within a worker: starting it, finding the application, telling what it raised.
 *
 * What both Python gateways share. It knows neither WSGI nor ASGI and no request. All functions but python_host_start()
 * want the GIL; python_host_start() returns with it held.
 */
#ifndef WORKERS_GATEWAYS_PYTHON_HOST_H
#define WORKERS_GATEWAYS_PYTHON_HOST_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct unicorn_app_options;

/**
 * Starts CPython as `python3` of the virtual environment (--virtualenv or $VIRTUAL_ENV) or of the system would, with
 * --app-dir or the working directory first on sys.path, without its signal handlers. Does nothing the second time.
 *
 * @param kind  "wsgi" or "asgi": the name in the log, and which attributes are looked for when none is named
 * @return 0 or enum unicorn_start, after saying why
 */
int python_host_start(const struct unicorn_app_options *options, const char *kind);

/**
 * Imports what --app names: "module", "module:attribute.attribute" or "path/to/file.py:attribute"; with --factory,
 * calls it.
 *
 * @param start_result  0 or enum unicorn_start
 * @return a new reference to something callable, or NULL after saying why
 */
PyObject *python_host_load(const struct unicorn_app_options *options, int *start_result);

/** What has been loaded stays: the garbage collector need not look through it again and again. */
void python_host_freeze(void);

/**
 * Writes the exception that is set to the log, behind `what`, with its traceback and causes; clears it. Does not return
 * from SystemExit in a process that the application has forked: that is its end.
 */
void python_host_log_exception(const char *what);

/** The exception that is set, with its traceback; clears it. @return a new reference, or NULL when none is set */
PyObject *python_host_take_exception(void);

/** Ends CPython: threads are joined, atexit functions run. Does nothing when it has not been started. */
void python_host_finish(void);

#endif
