/*
 * asgi_loop.h - asyncio's loop: which one there is, running it together with the worker's, and its end.
 *
 * asyncio's own loop has the worker's as its selector (asgi_selector.h); uvloop has it as a guest (asgi_guest.h). There
 * is one loop in a process.
 */
#ifndef WORKERS_GATEWAYS_ASGI_LOOP_H
#define WORKERS_GATEWAYS_ASGI_LOOP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/**
 * Makes the loop and sets it as the one of this thread.
 *
 * @param kind  "auto", "asyncio" or "uvloop"
 * @return 0 or enum unicorn_start, after saying why
 */
int asgi_loop_create(const char *kind);

/** Ends what still runs in it, and closes it: tasks get a time to end, threads are joined. Nothing without one. */
void asgi_loop_destroy(void);

/** @return a new reference, or NULL with an exception set */
PyObject *asgi_loop_create_future(void);

/** Runs it until something is so; that is asked after each turn, and must be cheap. Exceptions are logged. */
void asgi_loop_run(bool (*is_done)(void));

/** Says that something of the worker has been used, which may have changed what its loop has to watch. */
void asgi_loop_touch(void);

#endif
