/*
 * wsgi_thread.h - who holds the GIL when.
 *
 * With one thread the worker's own keeps it and lets go of it only while its loop waits, so that a request costs
 * nothing and the application's own threads run meanwhile. With several, each call takes it and gives it back.
 */
#ifndef WORKERS_GATEWAYS_WSGI_THREAD_H
#define WORKERS_GATEWAYS_WSGI_THREAD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

/** The application is loaded and the thread that did it goes back to the worker. */
void wsgi_thread_start(int threads);

/** The GIL is held from here on, for CPython's end. */
void wsgi_thread_stop(void);

/** Around everything that touches Python; may be nested. @return false when out of memory */
bool wsgi_thread_enter(void);
void wsgi_thread_leave(void);

/** Around a call into the worker that may take long; others may run meanwhile. */
PyThreadState *wsgi_thread_release(void);
void wsgi_thread_take(PyThreadState *state);

#endif
