/*
 * wsgi_answer.h - what an application has returned, on its way to the client.
 *
 * Each of these wants the exchange's context entered.
 */
#ifndef WORKERS_GATEWAYS_WSGI_ANSWER_H
#define WORKERS_GATEWAYS_WSGI_ANSWER_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct wsgi_exchange;

/** Begins with what the application returned, whose reference is stolen; ended if exchange->is_ended says so. */
void wsgi_answer_start(struct wsgi_exchange *exchange, PyObject *iterable);

/** Goes on iterating, until the end or until the client has to take something first. */
void wsgi_answer_continue(struct wsgi_exchange *exchange);

/** The exception that is set is the end of the answer: 500, or a cut connection when it is too late for that. */
void wsgi_answer_fail(struct wsgi_exchange *exchange);

/** Nobody listens any more: the iterable is closed. */
void wsgi_answer_drop(struct wsgi_exchange *exchange);

#endif
