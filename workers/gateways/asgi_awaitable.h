/*
 * asgi_awaitable.h - what receive() and send() return: something to be awaited, once.
 *
 * Nothing happens before it is awaited, as with a coroutine. What can be done at once is done without asyncio noticing;
 * otherwise a future of the loop stands in until asgi_awaitable_wake(), and the operation is tried again. A message is
 * only taken when it is handed over, so one that is cancelled loses none.
 *
 * Below are also the manners of a coroutine that asgi_call.h shares.
 */
#ifndef WORKERS_GATEWAYS_ASGI_AWAITABLE_H
#define WORKERS_GATEWAYS_ASGI_AWAITABLE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct asgi_awaitable;
struct asgi_call;

/** Readies the type. @return 0, or -1 with an exception set */
int asgi_awaitable_init(void);

/** @param message  what to send; NULL to receive. @return a new reference, or NULL with an exception set */
PyObject *asgi_awaitable_create(struct asgi_call *call, PyObject *message);

/** Lets those of a chain go on that wait for one of the events (enum unicorn_event). */
void asgi_awaitable_wake(struct asgi_awaitable **waiting, unsigned events);

/** Lets go of a whole chain, whose members will not be woken any more. */
void asgi_awaitable_forget(struct asgi_awaitable **waiting);

/** Raises what throw() was given. @param arguments  (exception), or (type, value, traceback) */
void asgi_awaitable_raise(PyObject *arguments);

/** Does the same within a coroutine or iterator. @return what that yields; NULL with an exception set */
PyObject *asgi_awaitable_throw_into(PyObject *coroutine, PyObject *arguments);

/** The outcome of a step, in the way of a method in Python: an end is StopIteration. Takes over result. */
PyObject *asgi_awaitable_tell(PySendResult status, PyObject *result);

#endif
