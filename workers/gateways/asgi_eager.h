/*
 * asgi_eager.h - steps of asyncio's tasks that are taken at once, without a turn of asyncio's loop.
 *
 * A task asks loop.call_soon() for its first step, and a future for the next one of the task that waits for it. While
 * one of the two is made or resolved here, what is asked for is caught and called on the spot, in the context that it
 * is meant for. The task is an ordinary one in every other respect; only the time of the step differs.
 *
 * That is allowed while the worker's loop has the word and no Python code is running below. At other times asyncio's
 * own way is taken, with the same outcome.
 */
#ifndef WORKERS_GATEWAYS_ASGI_EAGER_H
#define WORKERS_GATEWAYS_ASGI_EAGER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/** Gets between a loop and its call_soon(). @return 0, or -1 with an exception set */
int asgi_eager_init(PyObject *loop);
void asgi_eager_finish(void);

/** Says whether the worker's loop has the word. @return what was said before */
bool asgi_eager_set_turning(bool is_turning);

/**
 * Makes a task of a coroutine and takes its first step, now or soon.
 *
 * @param name  of the task, a str
 * @return a new reference to the task, which may have ended; NULL with an exception set when none was made
 */
PyObject *asgi_eager_start(PyObject *coroutine, PyObject *name);

/** Gives a future, unless it is done, the result None, and takes the next step of who waits for it, now or soon. */
void asgi_eager_resolve(PyObject *future);

#endif
