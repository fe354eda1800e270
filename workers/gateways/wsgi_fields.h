/*
 * wsgi_fields.h - headers of a request in environ: "user-agent" becomes HTTP_USER_AGENT.
 *
 * Names come again and again, and so do many values; both are kept as Python objects, in a table that does not grow.
 */
#ifndef WORKERS_GATEWAYS_WSGI_FIELDS_H
#define WORKERS_GATEWAYS_WSGI_FIELDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

struct unicorn_header;

/**
 * Puts a header into environ; one that is there already gets the value behind its own. Left out are names with '_',
 * which could pass for others, `Proxy`, which could pass for a setting, and Transfer-Encoding, which is undone.
 *
 * @return false with an exception set
 */
bool wsgi_fields_add(PyObject *environment, const struct unicorn_header *header);

void wsgi_fields_finish(void);

#endif
