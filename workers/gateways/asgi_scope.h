/*
 * asgi_scope.h - scopes: what an application is told of a request before its first message.
 *
 * What is the same in each request is made once and copied; names of headers, methods and addresses come from a cache.
 */
#ifndef WORKERS_GATEWAYS_ASGI_SCOPE_H
#define WORKERS_GATEWAYS_ASGI_SCOPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

struct unicorn_request;

/** @param root_path  where the application is mounted, without a slash at its end. @return 0, or -1 with an exception
 */
int asgi_scope_init(const char *root_path);
void asgi_scope_finish(void);

/** @return a new reference to a dict of a kind of scope, or NULL with an exception set */
PyObject *asgi_scope_create_http(struct unicorn_request *request);
PyObject *asgi_scope_create_websocket(struct unicorn_request *request);

/** The one of lifespan. What the application keeps in its state is in all scopes that are made later. */
PyObject *asgi_scope_create_lifespan(void);

#endif
