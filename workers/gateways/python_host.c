/*
 * python_host.c - CPython from its start to its end, and exceptions on their way into the log.
 */
#include "python_host.h"

#include "python_load.h"
#include "unicornd/app.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PYTHON_VERSION Py_STRINGIFY(PY_MAJOR_VERSION) "." Py_STRINGIFY(PY_MINOR_VERSION)

static bool is_started;
static pid_t host_pid; /* of the worker; what the application forks has another one */
static const char *host_kind = "python";

/* ---- which Python */

/** @return "FOLDER/bin/PROGRAM", to be freed, if it can be run; else NULL with errno set */
static char *program_at(const char *folder, const char *program)
{
	char *path;
	int error;

	if (asprintf(&path, "%s/bin/%s", folder, program) < 0) {
		errno = ENOMEM;
		return NULL;
	}
	if (access(path, X_OK) == 0)
		return path;
	error = errno;
	free(path);
	errno = error;
	return NULL;
}

/**
 * The interpreter that belongs to the library in use. PATH is not asked, since what stands first there may be another
 * one, whose modules in C do not fit.
 *
 * @return its path, to be freed, or NULL
 */
static char *program_find(void)
{
	Dl_info library;
	char *program = NULL;
	char *folder;

	if (dladdr(&PyType_Type, &library) == 0 || library.dli_fname == NULL)
		return NULL;
	folder = realpath(library.dli_fname, NULL);
	for (char *slash = folder != NULL ? strrchr(folder, '/') : NULL; slash != NULL && program == NULL;
	     slash = strrchr(folder, '/')) {
		*slash = '\0';
		program = program_at(folder, "python" PYTHON_VERSION);
	}
	free(folder);
	return program;
}

/** @return 0 when DIR/NAME can be read, or an errno value */
static int file_probe(const char *directory, const char *name)
{
	char *path;
	int error;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return ENOMEM;
	error = access(path, R_OK) == 0 ? 0 : errno;
	free(path);
	return error;
}

/** @return whether DIR is a virtual environment of this version, after saying why not */
static bool virtualenv_is_usable(const char *directory, enum unicorn_level level)
{
	static const char modules[] = "lib/python" PYTHON_VERSION;
	int error = file_probe(directory, "pyvenv.cfg");

	if (error != 0) {
		unicorn_log(level, "%s: %s is no virtual environment: pyvenv.cfg: %s", host_kind, directory,
			    strerror(error));
		return false;
	}
	error = file_probe(directory, modules);
	if (error != 0) {
		unicorn_log(level, "%s: the virtual environment %s is not one of Python " PYTHON_VERSION ": %s/%s: %s",
			    host_kind, directory, directory, modules, strerror(error));
		return false;
	}
	return true;
}

/**
 * $VIRTUAL_ENV may be meant for somebody else, so one that does not fit is only warned of; --virtualenv is not.
 *
 * @param directory  the virtual environment that is wanted, or NULL
 * @return 0 or enum unicorn_start
 */
static int virtualenv_choose(const struct unicorn_app_options *options, const char **directory)
{
	*directory = options->virtualenv;
	if (*directory != NULL)
		return virtualenv_is_usable(*directory, UNICORN_ERROR) ? 0 : UNICORN_START_REFUSED;
	*directory = getenv("VIRTUAL_ENV");
	if (*directory != NULL && (**directory == '\0' || !virtualenv_is_usable(*directory, UNICORN_WARNING)))
		*directory = NULL;
	return 0;
}

/** @param program  the path, to be freed; NULL when it is to be found by its name. @return 0 or enum unicorn_start */
static int program_choose(const struct unicorn_app_options *options, char **program)
{
	const char *directory;
	char *absolute;
	int result = virtualenv_choose(options, &directory);

	*program = NULL;
	if (result != 0)
		return result;
	if (directory == NULL) {
		*program = program_find();
		return 0;
	}
	absolute = realpath(directory, NULL);
	*program = absolute != NULL ? program_at(absolute, "python3") : NULL;
	if (*program == NULL)
		unicorn_log(UNICORN_ERROR, "%s: %s/bin/python3: %s", host_kind, directory, strerror(errno));
	free(absolute);
	return *program != NULL ? 0 : UNICORN_START_REFUSED;
}

/* ---- start */

static PyStatus config_fill(PyConfig *config, const struct unicorn_app_options *options, const char *program)
{
	char name[] = "unicornd-worker-async";
	char *arguments[] = { name };
	PyStatus status;

	if (!options->is_async)
		snprintf(name, sizeof(name), "unicornd-worker-sync");
	config->install_signal_handlers = 0;
	config->faulthandler = 1;
	config->parse_argv = 0;
	config->pathconfig_warnings = 0;
	status = PyConfig_SetBytesString(config, &config->program_name, program);
	if (!PyStatus_Exception(status))
		status = PyConfig_SetBytesArgv(config, 1, arguments);
	return status;
}

static int interpreter_start(const struct unicorn_app_options *options, const char *program)
{
	PyConfig config;
	PyStatus status;

	PyConfig_InitPythonConfig(&config);
	status = config_fill(&config, options, program);
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (!PyStatus_Exception(status))
		return 0;
	unicorn_log(UNICORN_ERROR, "%s: Python " PYTHON_VERSION " cannot start as %s: %s", host_kind, program,
		    status.err_msg != NULL ? status.err_msg : "it wants to exit");
	return UNICORN_START_REFUSED;
}

/** So that a line that is printed is in the log at once, also where that is a pipe. */
static bool output_flush_lines(void)
{
	PyObject *output = PySys_GetObject("stdout");
	PyObject *arguments, *keywords, *method, *result = NULL;

	if (output == NULL || output == Py_None)
		return true;
	arguments = PyTuple_New(0);
	keywords = Py_BuildValue("{sO}", "line_buffering", Py_True);
	method = PyObject_GetAttrString(output, "reconfigure");
	if (arguments != NULL && keywords != NULL && method != NULL)
		result = PyObject_Call(method, arguments, keywords);
	Py_XDECREF(arguments);
	Py_XDECREF(keywords);
	Py_XDECREF(method);
	Py_XDECREF(result);
	return result != NULL;
}

static bool path_prepend(const char *directory)
{
	char *absolute = realpath(directory, NULL);
	PyObject *path = PySys_GetObject("path");
	PyObject *entry;
	bool is_done;

	if (absolute == NULL) {
		PyErr_SetFromErrnoWithFilename(PyExc_OSError, directory);
		return false;
	}
	entry = PyUnicode_DecodeFSDefault(absolute);
	free(absolute);
	is_done = entry != NULL && path != NULL && PyList_Insert(path, 0, entry) == 0;
	Py_XDECREF(entry);
	return is_done;
}

int python_host_start(const struct unicorn_app_options *options, const char *kind)
{
	char *program;
	int result;

	if (is_started)
		return 0;
	host_kind = kind;
	/* libev's default loop reaps all children; those of the application are its own, with their exit status. */
	(void)signal(SIGCHLD, SIG_DFL);
	result = program_choose(options, &program);
	if (result == 0)
		result = interpreter_start(options, program != NULL ? program : "python" PYTHON_VERSION);
	free(program);
	if (result != 0)
		return result;
	is_started = true;
	host_pid = getpid();
	/* What Python's own handlers would have done: an application that writes to a dead peer wants an exception. */
	signal(SIGPIPE, SIG_IGN);
	if (!output_flush_lines())
		python_host_log_exception("python: sys.stdout cannot be told to flush lines");
	if (!path_prepend(options->directory != NULL ? options->directory : ".")) {
		python_host_log_exception("python: the directory of the application");
		return UNICORN_START_REFUSED;
	}
	return 0;
}

PyObject *python_host_load(const struct unicorn_app_options *options, int *start_result)
{
	return python_load_application(options, host_kind, start_result);
}

void python_host_freeze(void)
{
	PyObject *module = PyImport_ImportModule("gc");
	PyObject *done = NULL;

	PyGC_Collect();
	if (module != NULL)
		done = PyObject_CallMethod(module, "freeze", NULL);
	PyErr_Clear();
	Py_XDECREF(done);
	Py_XDECREF(module);
}

void python_host_finish(void)
{
	if (!is_started)
		return;
	is_started = false;
	if (Py_FinalizeEx() < 0)
		unicorn_log(UNICORN_WARNING, "%s: what Python had to flush at its end could not be", host_kind);
}

/* ---- exceptions */

/** traceback.format_exception() of the exception, in one string. @return a new reference or NULL */
static PyObject *exception_format(PyObject *exception)
{
	PyObject *module = PyImport_ImportModule("traceback");
	PyObject *lines = NULL, *text = NULL;
	PyObject *separator = PyUnicode_FromString("");

	if (module != NULL && separator != NULL)
		lines = PyObject_CallMethod(module, "format_exception", "O", exception);
	if (lines != NULL)
		text = PyUnicode_Join(separator, lines);
	Py_XDECREF(module);
	Py_XDECREF(separator);
	Py_XDECREF(lines);
	return text;
}

PyObject *python_host_take_exception(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	return PyErr_GetRaisedException();
#else
	PyObject *type, *value, *traceback;

	PyErr_Fetch(&type, &value, &traceback);
	PyErr_NormalizeException(&type, &value, &traceback);
	if (value != NULL && traceback != NULL)
		PyException_SetTraceback(value, traceback);
	Py_XDECREF(type);
	Py_XDECREF(traceback);
	return value;
#endif
}

static void log_text(const char *what, PyObject *text)
{
	PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
	const char *start;
	int length;

	if (bytes == NULL)
		return;
	start = PyBytes_AS_STRING(bytes);
	length = PyBytes_GET_SIZE(bytes) > INT_MAX ? INT_MAX : (int)PyBytes_GET_SIZE(bytes);
	while (length > 0 && start[length - 1] == '\n')
		length--;
	Py_BEGIN_ALLOW_THREADS unicorn_log(UNICORN_ERROR, "%s\n%.*s", what, length, start);
	Py_END_ALLOW_THREADS Py_DECREF(bytes);
}

/** What sys.exit() was called with, as an exit status. */
static int exit_status(PyObject *exception)
{
	PyObject *code = PyObject_GetAttrString(exception, "code");
	int status = 1;

	if (code == Py_None)
		status = 0;
	else if (code != NULL && PyLong_Check(code))
		status = (int)PyLong_AsLong(code);
	else if (code != NULL)
		PySys_FormatStderr("%S\n", code);
	Py_XDECREF(code);
	return status;
}

static void stream_flush(const char *name)
{
	PyObject *stream = PySys_GetObject(name);

	if (stream != NULL)
		Py_XDECREF(PyObject_CallMethod(stream, "flush", NULL));
	PyErr_Clear();
}

/**
 * sys.exit() in a process that the application has forked ends that one. It must not go on with the worker's sockets as
 * if it were a second worker, and what is registered with atexit is the worker's.
 */
static void child_end(PyObject *exception)
{
	int status = exit_status(exception);

	stream_flush("stdout");
	stream_flush("stderr");
	_exit(status);
}

void python_host_log_exception(const char *what)
{
	PyObject *exception = python_host_take_exception();
	PyObject *text = NULL;

	if (exception != NULL && getpid() != host_pid && is_started &&
	    PyErr_GivenExceptionMatches(exception, PyExc_SystemExit))
		child_end(exception);
	if (exception != NULL)
		text = exception_format(exception);
	if (text != NULL)
		log_text(what, text);
	if (text == NULL || PyErr_Occurred() != NULL) {
		/* Out of memory, most likely; the type alone needs none. */
		PyErr_Clear();
		unicorn_log(UNICORN_ERROR, "%s: %s (its traceback cannot be shown)", what,
			    exception != NULL ? Py_TYPE(exception)->tp_name : "no exception");
	}
	Py_XDECREF(text);
	Py_XDECREF(exception);
}
