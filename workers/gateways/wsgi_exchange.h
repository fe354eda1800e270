/*
 * wsgi_exchange.h - a request on its way through a WSGI application, and start_response(), which is the same object.
 *
 * start_response() returns the object again as write(): called with one argument it writes, with two or three it starts
 * the answer, so that a request needs one object for both.
 */
#ifndef WORKERS_GATEWAYS_WSGI_EXCHANGE_H
#define WORKERS_GATEWAYS_WSGI_EXCHANGE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "wsgi_headers.h"

#include <stdbool.h>

struct unicorn_request;

struct wsgi_exchange {
	PyObject_HEAD vectorcallfunc call;
	struct unicorn_request *request; /**< NULL: it is over */
	PyObject *context;               /**< of contextvars, entered around each call of the application */
	PyObject *input;                 /**< wsgi.input, or NULL */
	PyObject *iterable;              /**< what the application returned, as long as its close() is owed */
	PyObject *iterator;
	bool is_running; /**< one of the functions of the application is on the stack */
	bool is_begun;   /**< the worker has the status and the headers */
	bool is_ended;   /**< nothing more is to be done but closing */
	bool is_head;    /**< HEAD: no body is wanted */
	bool is_sending; /**< its thread is in the worker, without the GIL */
	struct wsgi_headers headers;
};

/** Prepares the type. @return false with an exception set */
bool wsgi_exchange_prepare(void);

/** @return a new reference, its context not entered, or NULL with an exception set */
struct wsgi_exchange *wsgi_exchange_create(struct unicorn_request *request);

/** Makes the contextvars of this request the thread's, and leaves them. */
bool wsgi_exchange_enter(struct wsgi_exchange *exchange);
void wsgi_exchange_leave(struct wsgi_exchange *exchange);

/**
 * Around a call of the worker's that sends: other threads may run meanwhile, but not send as well. A thread that is not
 * the one of the request keeps the GIL.
 */
PyThreadState *wsgi_exchange_release(struct wsgi_exchange *exchange);
void wsgi_exchange_take(struct wsgi_exchange *exchange, PyThreadState *state);

/** The request is over; what the application still holds of it is told so. */
void wsgi_exchange_detach(struct wsgi_exchange *exchange);

/** Gives status and headers to the worker, when that is not done. @return false with an exception set */
bool wsgi_exchange_begin(struct wsgi_exchange *exchange, int64_t length);

/**
 * What a call of the worker came to.
 *
 * @return false with an exception set: BrokenPipeError when the client has gone, ValueError when it cannot be sent
 */
bool wsgi_exchange_check(struct wsgi_exchange *exchange, int result);

/** wsgi.early_hints, for the request of this thread. @return a new reference */
PyObject *wsgi_exchange_early_hints(void);

void wsgi_exchange_finish(void);

#endif
