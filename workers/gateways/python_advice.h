/*
 * python_advice.h - what would be right, for somebody who named a module or an attribute that is not there.
 */
#ifndef WORKERS_GATEWAYS_PYTHON_ADVICE_H
#define WORKERS_GATEWAYS_PYTHON_ADVICE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>

/** Enough for any advice; longer ones are cut. */
#define PYTHON_ADVICE_BYTES 2048

/** "there is no module ..., looked for in ...; near: ..."; never fails, and leaves no exception set. */
void python_advise_module(const char *module, char *advice, size_t size);

/** "... has no attribute ...; near: ..."; likewise. */
void python_advise_attribute(PyObject *module, const char *module_name, const char *attribute, char *advice,
			     size_t size);

#endif
