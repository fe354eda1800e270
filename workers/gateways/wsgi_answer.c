/*
 * wsgi_answer.c - iterables of all kinds, and errors, as answers.
 *
 * A list or tuple of bytes is sent in one go, a file by the kernel; of everything else each part is handed on before
 * the next one is asked for. The iterable's close() is called once, whatever happens, behind the end of the answer.
 */
#include "wsgi_answer.h"

#include "python_host.h"
#include "unicornd/app.h"
#include "wsgi_exchange.h"
#include "wsgi_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** A list of parts that are larger than this together is sent part by part. */
#define JOIN_BYTES 65536
/** Of "GET /path", in the log. */
#define WHAT_BYTES 256

static PyObject *close_name;

/* ---- ends */

/** "wsgi: GET /path detail", for the log. */
static const char *answer_describe(const struct wsgi_exchange *exchange, const char *detail, char text[WHAT_BYTES])
{
	const struct unicorn_head *head = exchange->request != NULL ? unicorn_request_head(exchange->request) : NULL;

	snprintf(text, WHAT_BYTES, "wsgi: %s %.100s %s", head != NULL ? head->method : "a request",
		 head != NULL ? head->target : "that is over", detail);
	return text;
}

/** Calls close() of what the application returned, if it is owed and there is one. */
static void iterable_close(struct wsgi_exchange *exchange)
{
	PyObject *iterable = exchange->iterable;
	PyObject *method, *result = NULL;
	char what[WHAT_BYTES];

	exchange->iterable = NULL;
	Py_CLEAR(exchange->iterator);
	if (iterable == NULL)
		return;
	if (PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable) || PyBytes_CheckExact(iterable)) {
		Py_DECREF(iterable);
		return;
	}
	if (close_name == NULL)
		close_name = PyUnicode_InternFromString("close");
	method = close_name != NULL ? PyObject_GetAttr(iterable, close_name) : NULL;
	if (method != NULL)
		result = PyObject_CallNoArgs(method);
	else if (PyErr_ExceptionMatches(PyExc_AttributeError))
		PyErr_Clear();
	if (PyErr_Occurred() != NULL)
		python_host_log_exception(answer_describe(exchange, "has been answered, but close() raised", what));
	Py_XDECREF(result);
	Py_XDECREF(method);
	Py_DECREF(iterable);
}

/** Ends the answer before the application tidies up, so that the client need not wait for that. */
static void answer_end(struct wsgi_exchange *exchange)
{
	PyThreadState *state;

	exchange->is_ended = true;
	/* To HEAD, the length of nothing is not what a GET would have got. */
	if (!exchange->is_begun && exchange->request != NULL &&
	    !wsgi_exchange_begin(exchange, exchange->is_head ? -1 : 0)) {
		wsgi_answer_fail(exchange);
		return;
	}
	state = wsgi_exchange_release(exchange);
	if (exchange->request != NULL)
		unicorn_answer_end(exchange->request);
	wsgi_exchange_take(exchange, state);
	iterable_close(exchange);
}

void wsgi_answer_drop(struct wsgi_exchange *exchange)
{
	exchange->is_ended = true;
	if (exchange->request != NULL)
		unicorn_answer_abort(exchange->request);
	iterable_close(exchange);
}

/* ---- errors */

/** 500 as long as nothing else has been sent. */
static void answer_refuse(struct unicorn_request *request)
{
	static const struct unicorn_header headers[] = { UNICORN_HEADER("Content-Type", "text/plain; charset=utf-8") };
	static const char body[] = "Internal Server Error\n";

	if (unicorn_answer_is_begun(request) && unicorn_answer_withdraw(request) != 0) {
		unicorn_answer_abort(request);
		return;
	}
	if (unicorn_answer(request, 500, headers, 1, body, sizeof(body) - 1) != 0)
		unicorn_answer_abort(request);
}

static void exception_log(const struct wsgi_exchange *exchange)
{
	char what[WHAT_BYTES];
	const char *detail = "has failed";

	if (PyErr_ExceptionMatches(PyExc_SystemExit))
		detail = "called for the end of the process (SystemExit); it failed, the worker goes on";
	else if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
		detail = "raised KeyboardInterrupt; it failed, the worker goes on";
	python_host_log_exception(answer_describe(exchange, detail, what));
}

void wsgi_answer_fail(struct wsgi_exchange *exchange)
{
	struct unicorn_request *request = exchange->request;

	exchange->is_ended = true;
	if ((request == NULL || unicorn_request_is_gone(request)) && PyErr_ExceptionMatches(PyExc_BrokenPipeError)) {
		PyErr_Clear();
		wsgi_answer_drop(exchange);
		return;
	}
	exception_log(exchange);
	if (request != NULL && unicorn_answer_is_sent(request))
		unicorn_answer_abort(request);
	else if (request != NULL)
		answer_refuse(request);
	iterable_close(exchange);
}

/** More than its Content-Length: the client gets what was promised to it, the log the rest of the story. */
static void answer_log_long(const struct wsgi_exchange *exchange)
{
	char what[WHAT_BYTES];

	unicorn_log(UNICORN_ERROR, "%s than the %lld bytes of its Content-Length; the rest is not sent",
		    answer_describe(exchange, "was answered with more", what),
		    (long long)exchange->headers.content_length);
}

/* ---- whole answers */

/** Can it be told to the worker in one call? Then it has no length of its own, or the right one. */
static bool headers_fit(const struct wsgi_exchange *exchange, size_t length)
{
	const struct wsgi_headers *headers = &exchange->headers;

	if (exchange->is_begun || headers->status_text == NULL || headers->reason != NULL)
		return false;
	return headers->content_length < 0 ? !exchange->is_head || length > 0
					   : (uint64_t)headers->content_length == length;
}

static int bytes_send(struct wsgi_exchange *exchange, const char *bytes, size_t length)
{
	const struct wsgi_headers *headers = &exchange->headers;

	if (headers_fit(exchange, length))
		return unicorn_answer(exchange->request, headers->status, headers->list, headers->count, bytes, length);
	if (length == 0)
		return unicorn_answer_end(exchange->request);
	return unicorn_answer_finish(exchange->request, bytes, length);
}

/** Sends all there is, and ends. */
static void answer_send(struct wsgi_exchange *exchange, const char *bytes, size_t length)
{
	/* Nothing in answer to HEAD says nothing about how long it would have been. */
	int64_t said = exchange->is_head && length == 0 ? -1 : (int64_t)length;
	int64_t wanted = exchange->headers.content_length;
	PyThreadState *state;
	int result;

	if (wanted >= 0 && length > (size_t)wanted && !exchange->is_begun && !exchange->is_head) {
		answer_log_long(exchange);
		length = (size_t)wanted;
	}
	if (!headers_fit(exchange, length) && !wsgi_exchange_begin(exchange, said)) {
		wsgi_answer_fail(exchange);
		return;
	}
	exchange->is_ended = true;
	state = wsgi_exchange_release(exchange);
	result = bytes_send(exchange, bytes, length);
	wsgi_exchange_take(exchange, state);
	if (result == -EMSGSIZE)
		answer_log_long(exchange);
	if (result == 0 || result == -EMSGSIZE || wsgi_exchange_check(exchange, result))
		iterable_close(exchange);
	else
		wsgi_answer_fail(exchange);
}

static void part_complain(PyObject *part)
{
	PyErr_Format(PyExc_TypeError, "the application's iterable must be one of bytes, not of %.100s",
		     Py_TYPE(part)->tp_name);
}

/** @return bytes of all parts, or -1 with an exception set when one of them is not of bytes */
static Py_ssize_t parts_measure(PyObject *const *parts, Py_ssize_t count)
{
	Py_ssize_t sum = 0;

	for (Py_ssize_t i = 0; i < count; i++) {
		if (!PyBytes_Check(parts[i])) {
			part_complain(parts[i]);
			return -1;
		}
		sum += PyBytes_GET_SIZE(parts[i]);
	}
	return sum;
}

static void parts_send(struct wsgi_exchange *exchange, PyObject *const *parts, Py_ssize_t count, Py_ssize_t sum)
{
	char *bytes = PyMem_Malloc((size_t)sum + 1);
	char *end = bytes;

	if (bytes == NULL) {
		PyErr_NoMemory();
		wsgi_answer_fail(exchange);
		return;
	}
	for (Py_ssize_t i = 0; i < count; i++) {
		memcpy(end, PyBytes_AS_STRING(parts[i]), (size_t)PyBytes_GET_SIZE(parts[i]));
		end += PyBytes_GET_SIZE(parts[i]);
	}
	answer_send(exchange, bytes, (size_t)sum);
	PyMem_Free(bytes);
}

/**
 * A list or tuple of bytes, of which all is known beforehand.
 *
 * @param length  bytes of all, for what has to be iterated over after all
 * @return whether it has been sent
 */
static bool sequence_send(struct wsgi_exchange *exchange, PyObject *sequence, Py_ssize_t *length)
{
	PyObject *const *parts = PySequence_Fast_ITEMS(sequence);
	Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);

	*length = parts_measure(parts, count);
	if (*length < 0) {
		wsgi_answer_fail(exchange);
		return true;
	}
	if (count == 1) {
		/* Other threads run meanwhile, and may change a list that all requests share. */
		PyObject *part = Py_NewRef(parts[0]);

		answer_send(exchange, PyBytes_AS_STRING(part), (size_t)*length);
		Py_DECREF(part);
		return true;
	}
	if (*length <= JOIN_BYTES)
		parts_send(exchange, parts, count, *length);
	return *length <= JOIN_BYTES;
}

/* ---- files */

static bool file_send(struct wsgi_exchange *exchange, PyObject *wrapper)
{
	int64_t offset, length, wanted = exchange->headers.content_length;
	PyThreadState *state;
	int fd, result;

	if (exchange->headers.status_text == NULL || exchange->is_begun ||
	    !wsgi_file_open(wrapper, &fd, &offset, &length))
		return false;
	if (!wsgi_exchange_begin(exchange, length)) {
		close(fd);
		wsgi_answer_fail(exchange);
		return true;
	}
	if (wanted >= 0 && wanted < length)
		length = wanted;
	state = wsgi_exchange_release(exchange);
	result = unicorn_answer_file(exchange->request, fd, offset, length);
	wsgi_exchange_take(exchange, state);
	if (wsgi_exchange_check(exchange, result))
		answer_end(exchange);
	else
		wsgi_answer_fail(exchange);
	return true;
}

/* ---- everything else */

/** Hands a part on. @return whether to go on asking for the next */
static bool part_send(struct wsgi_exchange *exchange, PyObject *part)
{
	PyThreadState *state;
	int result;

	if (!PyBytes_Check(part)) {
		part_complain(part);
		wsgi_answer_fail(exchange);
		return false;
	}
	if (PyBytes_GET_SIZE(part) == 0)
		return true;
	if (!wsgi_exchange_begin(exchange, -1)) {
		wsgi_answer_fail(exchange);
		return false;
	}
	if (exchange->is_head) {
		answer_end(exchange);
		return false;
	}
	state = wsgi_exchange_release(exchange);
	result = unicorn_answer_write(exchange->request, PyBytes_AS_STRING(part), (size_t)PyBytes_GET_SIZE(part));
	wsgi_exchange_take(exchange, state);
	if (result == -EMSGSIZE) {
		answer_log_long(exchange);
		answer_end(exchange);
		return false;
	}
	if (wsgi_exchange_check(exchange, result))
		return true;
	wsgi_answer_fail(exchange);
	return false;
}

void wsgi_answer_continue(struct wsgi_exchange *exchange)
{
	bool goes_on = true;

	while (goes_on) {
		PyObject *part;

		if (exchange->request == NULL || unicorn_request_is_gone(exchange->request)) {
			wsgi_answer_drop(exchange);
			return;
		}
		if (unicorn_answer_is_congested(exchange->request))
			return;
		part = PyIter_Next(exchange->iterator);
		if (part == NULL) {
			if (PyErr_Occurred() != NULL)
				wsgi_answer_fail(exchange);
			else
				answer_end(exchange);
			return;
		}
		goes_on = part_send(exchange, part);
		Py_DECREF(part);
	}
}

void wsgi_answer_start(struct wsgi_exchange *exchange, PyObject *iterable)
{
	Py_ssize_t length = -1;

	exchange->iterable = iterable;
	/* Not what PEP 3333 allows, since it iterates over numbers; but what is meant is clear. */
	if (PyBytes_CheckExact(iterable)) {
		answer_send(exchange, PyBytes_AS_STRING(iterable), (size_t)PyBytes_GET_SIZE(iterable));
		return;
	}
	if (PyList_CheckExact(iterable) || PyTuple_CheckExact(iterable)) {
		if (sequence_send(exchange, iterable, &length))
			return;
	} else if (file_send(exchange, iterable)) {
		return;
	}
	if (length >= 0 && !wsgi_exchange_begin(exchange, length)) {
		wsgi_answer_fail(exchange);
		return;
	}
	exchange->iterator = PyObject_GetIter(iterable);
	if (exchange->iterator == NULL)
		wsgi_answer_fail(exchange);
	else
		wsgi_answer_continue(exchange);
}
