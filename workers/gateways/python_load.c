/*
 * python_load.c - imports the application's module and finds the application in it.
 *
 * What no retry can mend is refused: a module that is not there, one that is not Python, a name that it does not have.
 * What else goes wrong may be the database's fault, and is tried again by whoever supervises the worker.
 */
#include "python_load.h"

#include "python_advice.h"
#include "python_host.h"
#include "unicornd/app.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What --app names, taken apart. */
struct load_target {
	const char *kind;
	char *module;    /**< "package.module" or "path/to/file.py" */
	char *attribute; /**< "app", "make.app"; "" when none is named */
	bool is_file;
	bool is_factory;
};

/** @param advice  taken over; NULL when there was no memory for it */
static void load_log_advice(const struct load_target *target, char *advice)
{
	unicorn_log(UNICORN_ERROR, "%s: %s", target->kind, advice != NULL ? advice : target->module);
	free(advice);
}

/** Logs the exception as `what module: detail`. */
static void load_log_exception(const struct load_target *target, const char *detail)
{
	char *what;

	if (asprintf(&what, "%s: %s: %s", target->kind, target->module, detail) < 0)
		what = NULL;
	python_host_log_exception(what != NULL ? what : detail);
	free(what);
}

/* ---- what is named */

/** "make()" is a factory as well, as users of other servers write it. */
static void attribute_strip_call(struct load_target *target)
{
	size_t length = strlen(target->attribute);

	if (length > 2 && strcmp(target->attribute + length - 2, "()") == 0) {
		target->attribute[length - 2] = '\0';
		target->is_factory = true;
	}
}

/** @return whether it can be the name of an application, after saying why not; target_finish() is due in either case */
static bool target_parse(struct load_target *target, const char *argument)
{
	const char *colon = strrchr(argument, ':');
	size_t length = colon != NULL ? (size_t)(colon - argument) : strlen(argument);

	if (length == 0) {
		unicorn_log(UNICORN_ERROR,
			    "%s: \"%s\" names no application; wanted is MODULE:CALLABLE, such as main:app",
			    target->kind, argument);
		return false;
	}
	target->module = strndup(argument, length);
	target->attribute = strdup(colon != NULL ? colon + 1 : "");
	if (target->module == NULL || target->attribute == NULL) {
		unicorn_log(UNICORN_ERROR, "%s: out of memory", target->kind);
		return false;
	}
	attribute_strip_call(target);
	target->is_file =
		strchr(target->module, '/') != NULL || (length > 3 && strcmp(target->module + length - 3, ".py") == 0);
	return true;
}

static void target_finish(struct load_target *target)
{
	free(target->module);
	free(target->attribute);
}

/* ---- the module */

static const char file_code[] = "import importlib.util, os, sys\n"
				"path = os.path.abspath(os.path.join(sys.path[0], os.fsdecode(path)))\n"
				"if not os.path.isfile(path):\n"
				"    raise FileNotFoundError(path)\n"
				"sys.path.insert(0, os.path.dirname(path))\n"
				"name = os.path.splitext(os.path.basename(path))[0]\n"
				"if name in sys.modules:\n"
				"    name = 'unicornd_' + name\n"
				"spec = importlib.util.spec_from_file_location(name, path)\n"
				"if spec is None:\n"
				"    raise ImportError(f'{path} does not end in .py')\n"
				"module = importlib.util.module_from_spec(spec)\n"
				"sys.modules[name] = module\n";

/** Runs a module that has been made from a file. */
static PyObject *file_execute(PyObject *variables)
{
	PyObject *module = PyDict_GetItemString(variables, "module");
	PyObject *spec = PyDict_GetItemString(variables, "spec");
	PyObject *loader, *done = NULL;

	if (module == NULL || spec == NULL)
		return NULL;
	loader = PyObject_GetAttrString(spec, "loader");
	if (loader != NULL)
		done = PyObject_CallMethod(loader, "exec_module", "O", module);
	Py_XDECREF(loader);
	Py_XDECREF(done);
	return done != NULL ? Py_NewRef(module) : NULL;
}

/**
 * Imports a file by its path, as if its folder stood first on sys.path.
 *
 * @param is_missing  there is no such file; then no exception is left
 */
static PyObject *file_import(const char *path, bool *is_missing)
{
	PyObject *variables = Py_BuildValue("{sy}", "path", path);
	PyObject *done = variables != NULL ? PyRun_String(file_code, Py_file_input, variables, variables) : NULL;
	PyObject *module = NULL;

	*is_missing = done == NULL && PyErr_ExceptionMatches(PyExc_FileNotFoundError);
	if (*is_missing)
		PyErr_Clear();
	if (done != NULL)
		module = file_execute(variables);
	Py_XDECREF(done);
	Py_XDECREF(variables);
	return module;
}

/** Is the exception that is set about this module itself, or a package that it is in, not being there? */
static bool exception_is_missing_module(const struct load_target *target)
{
	PyObject *exception, *name;
	const char *missing = NULL;
	bool is_missing = false;

	if (!PyErr_ExceptionMatches(PyExc_ModuleNotFoundError))
		return false;
	exception = python_host_take_exception();
	name = PyObject_GetAttrString(exception, "name");
	if (name != NULL && PyUnicode_Check(name))
		missing = PyUnicode_AsUTF8(name);
	if (missing != NULL) {
		size_t length = strlen(missing);

		is_missing = strncmp(target->module, missing, length) == 0 &&
			     (target->module[length] == '\0' || target->module[length] == '.');
	}
	Py_XDECREF(name);
	PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
	Py_DECREF(exception);
	return is_missing;
}

/** @return how the start has failed, after saying so; the exception is cleared */
static int module_explain(const struct load_target *target)
{
	if (PyErr_ExceptionMatches(PyExc_SyntaxError)) {
		load_log_exception(target, "cannot be imported, for it is not Python " Py_STRINGIFY(
						   PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION));
		return UNICORN_START_REFUSED;
	}
	if (PyErr_ExceptionMatches(PyExc_SystemExit)) {
		load_log_exception(target, "ended itself while it was imported");
		return UNICORN_START_FAILED;
	}
	load_log_exception(target, "its import has failed");
	return UNICORN_START_FAILED;
}

static PyObject *module_import(const struct load_target *target, int *result)
{
	bool is_missing = false;
	PyObject *module =
		target->is_file ? file_import(target->module, &is_missing) : PyImport_ImportModule(target->module);

	if (module != NULL)
		return module;
	*result = UNICORN_START_REFUSED;
	if (is_missing) {
		unicorn_log(UNICORN_ERROR, "%s: there is no file %s", target->kind, target->module);
	} else if (!target->is_file && exception_is_missing_module(target)) {
		PyErr_Clear();
		load_log_advice(target, python_advise_module(target->module));
	} else {
		*result = module_explain(target);
	}
	return NULL;
}

/* ---- the attribute */

/** Follows "a.b.c". @return a new reference or NULL with the exception set */
static PyObject *attribute_get(PyObject *module, const char *path)
{
	PyObject *object = Py_NewRef(module);

	while (object != NULL) {
		const char *dot = strchr(path, '.');
		PyObject *name = PyUnicode_FromStringAndSize(path, dot != NULL ? dot - path : (Py_ssize_t)strlen(path));
		PyObject *next = name != NULL ? PyObject_GetAttr(object, name) : NULL;

		Py_XDECREF(name);
		Py_DECREF(object);
		object = next;
		if (dot == NULL)
			break;
		path = dot + 1;
	}
	return object;
}

static PyObject *attribute_explain(const struct load_target *target, PyObject *module, const char *name, int *result)
{
	if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
		PyErr_Clear();
		load_log_advice(target, python_advise_attribute(module, target->module, name));
		*result = UNICORN_START_REFUSED;
	} else {
		load_log_exception(target, "the application cannot be had from it");
		*result = UNICORN_START_FAILED;
	}
	return NULL;
}

static PyObject *attribute_find(const struct load_target *target, PyObject *module, int *result)
{
	bool is_asgi = strcmp(target->kind, "asgi") == 0;
	const char *name = target->attribute;
	PyObject *object;

	if (*name != '\0') {
		object = attribute_get(module, name);
		return object != NULL ? object : attribute_explain(target, module, name, result);
	}
	object = attribute_get(module, is_asgi ? "app" : "application");
	if (object == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
		PyErr_Clear();
		object = attribute_get(module, is_asgi ? "application" : "app");
	}
	return object != NULL ? object
			      : attribute_explain(target, module, is_asgi ? "app or application" : "application or app",
						  result);
}

/* ---- the application */

static PyObject *factory_call(const struct load_target *target, PyObject *factory, int *result)
{
	PyObject *application = PyObject_CallNoArgs(factory);

	if (application == NULL) {
		load_log_exception(target, "the factory has failed");
		*result = UNICORN_START_FAILED;
	}
	return application;
}

/** @param object  taken over, may be NULL. @return it when it can be called, or NULL after saying why not */
static PyObject *object_check(const struct load_target *target, PyObject *object, const char *what, int *result)
{
	if (object == NULL || PyCallable_Check(object))
		return object;
	unicorn_log(UNICORN_ERROR, "%s: %s: %s%s is no application but of type %s, which cannot be called",
		    target->kind, target->module, what, target->attribute, Py_TYPE(object)->tp_name);
	*result = UNICORN_START_REFUSED;
	Py_DECREF(object);
	return NULL;
}

/** @return a new reference to what is named, or to what it makes; NULL after saying why */
static PyObject *target_load(const struct load_target *target, int *result)
{
	PyObject *module = module_import(target, result);
	PyObject *object = module != NULL ? attribute_find(target, module, result) : NULL;

	Py_XDECREF(module);
	object = object_check(target, object, "", result);
	if (object != NULL && target->is_factory) {
		Py_SETREF(object, factory_call(target, object, result));
		object = object_check(target, object, "what is made by ", result);
	}
	if (object != NULL)
		*result = 0;
	return object;
}

PyObject *python_load_application(const struct unicorn_app_options *options, const char *kind, int *result)
{
	struct load_target target = { .kind = kind, .is_factory = options->is_factory };
	PyObject *application = NULL;

	*result = UNICORN_START_REFUSED;
	if (target_parse(&target, options->argument))
		application = target_load(&target, result);
	target_finish(&target);
	return application;
}
