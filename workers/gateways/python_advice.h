/*
 * python_advice.h - what would be right, for somebody who named a module or an attribute that is not there.
 */
#ifndef WORKERS_GATEWAYS_PYTHON_ADVICE_H
#define WORKERS_GATEWAYS_PYTHON_ADVICE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/**
 * "there is no module ..., looked for in ...; near: ...". Leaves no exception set.
 *
 * @return text to be freed; NULL when out of memory
 */
char *python_advise_module(const char *module);

/** "... has no attribute ...; near: ..."; likewise. */
char *python_advise_attribute(PyObject *module, const char *module_name, const char *attribute);

#endif
