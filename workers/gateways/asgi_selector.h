/*
 * asgi_selector.h - the selector of asyncio's loop, which is the worker's loop.
 *
 * To asyncio it is a selector like those of the module selectors: descriptors are registered, select() tells which are
 * ready. Within select() the worker's loop turns, so that HTTP is served there, and as long as asyncio has nothing to
 * do select() does not return.
 *
 * It knows nothing of ASGI and of requests.
 */
#ifndef WORKERS_GATEWAYS_ASGI_SELECTOR_H
#define WORKERS_GATEWAYS_ASGI_SELECTOR_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

struct ev_loop;

/** @return a new selector over the worker's loop; NULL with an exception set */
PyObject *asgi_selector_create(struct ev_loop *worker_loop);

/**
 * Tells the selector whose it is, which is known only after the loop has been made with it. Without that it returns
 * after each turn.
 *
 * @param is_wanted  whether asyncio's loop is to stop; asked between turns
 * @return 0, or -1 with an exception set
 */
int asgi_selector_attach(PyObject *selector, PyObject *loop, bool (*is_wanted)(void));

/** Forgets the loop, and with it the circle of references. */
void asgi_selector_detach(PyObject *selector);

#endif
