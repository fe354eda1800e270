/*
 * asgi_guest.h - the worker's loop as a guest of another one: of uvloop, or of any loop of asyncio.
 *
 * The other loop watches the descriptor behind the worker's loop, and lets that turn, without waiting, when there is
 * something. libev does not tell when its next timer is due, so it turns every TICK_SECONDS as well.
 */
#ifndef WORKERS_GATEWAYS_ASGI_GUEST_H
#define WORKERS_GATEWAYS_ASGI_GUEST_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

struct ev_loop;

/** @param is_wanted  whether the other loop is to stop; asked after each turn. @return 0, or -1 with an exception set
 */
int asgi_guest_create(PyObject *host, struct ev_loop *worker_loop, bool (*is_wanted)(void));

/** The other loop is about to run, until it is stopped. Nothing without a guest. */
void asgi_guest_run_begins(void);

/** Says that watchers may have been changed outside of a turn: then there is one soon. Nothing without a guest. */
void asgi_guest_touch(void);
void asgi_guest_destroy(void);

#endif
