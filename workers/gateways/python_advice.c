/*
 * python_advice.c - looks for near names, with Python's own difflib and pkgutil.
 */
#include "python_advice.h"

#include <stdio.h>
#include <string.h>

static const char module_code[] =
	"import difflib, importlib, pkgutil, sys\n"
	"text = f'there is no module \"{name}\"'\n"
	"head, path, known = '', [sys.path[0]], []\n"
	"for part in name.split('.'):\n"
	"    known = [module.name for module in pkgutil.iter_modules(path)]\n"
	"    if part not in known:\n"
	"        break\n"
	"    head += part + '.'\n"
	"    path = list(getattr(importlib.import_module(head[:-1]), '__path__', []))\n"
	"else:\n"
	"    part = ''\n"
	"where = ' or '.join(path) if path else head[:-1] + ', which is no package'\n"
	"near = difflib.get_close_matches(part, known, 3, 0.5) or sorted(known)[:8]\n"
	"text += f' in {where}' + ('' if head else ' or elsewhere on sys.path')\n"
	"if near:\n"
	"    text += '; there is ' + ', '.join(head + other for other in near)\n"
	"if not head:\n"
	"    text += '; --app-dir names the directory that modules are looked for in first'\n";

static const char attribute_code[] =
	"import difflib\n"
	"where, known, parts = module, [], name.split('.')\n"
	"while len(parts) > 1 and hasattr(where, parts[0]):\n"
	"    where = getattr(where, parts.pop(0))\n"
	"known = [other for other in dir(where) if not other.startswith('_')]\n"
	"known = [other for other in known if callable(getattr(where, other, None))]\n"
	"near = difflib.get_close_matches(parts[0], known, 3, 0.5)\n"
	"own = [other for other in known if getattr(getattr(where, other), '__module__', None) == module.__name__]\n"
	"text = f'{module_name} ({getattr(module, \"__file__\", \"built in\")}) has no attribute {name}'\n"
	"if near or own or known:\n"
	"    text += '; there is ' + ', '.join(near or own[:8] or known[:8])\n";

/** Runs code that is given variables and leaves `text`. @return a copy of that, or NULL */
static char *advice_run(const char *code, PyObject *variables)
{
	PyObject *done = PyRun_String(code, Py_file_input, variables, variables);
	PyObject *text = done != NULL ? PyDict_GetItemString(variables, "text") : NULL;
	PyObject *bytes = text != NULL ? PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace") : NULL;
	char *advice = bytes != NULL ? strdup(PyBytes_AS_STRING(bytes)) : NULL;

	Py_XDECREF(bytes);
	Py_XDECREF(done);
	PyErr_Clear();
	return advice;
}

char *python_advise_module(const char *module)
{
	PyObject *variables = Py_BuildValue("{ss}", "name", module);
	char *advice = variables != NULL ? advice_run(module_code, variables) : NULL;

	if (advice == NULL && asprintf(&advice, "there is no module \"%s\" on sys.path", module) < 0)
		advice = NULL;
	Py_XDECREF(variables);
	PyErr_Clear();
	return advice;
}

char *python_advise_attribute(PyObject *module, const char *module_name, const char *attribute)
{
	PyObject *variables =
		Py_BuildValue("{sssssO}", "name", attribute, "module_name", module_name, "module", module);
	char *advice = variables != NULL ? advice_run(attribute_code, variables) : NULL;

	if (advice == NULL && asprintf(&advice, "%s has no attribute %s", module_name, attribute) < 0)
		advice = NULL;
	Py_XDECREF(variables);
	PyErr_Clear();
	return advice;
}
