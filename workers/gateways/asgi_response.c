#include "asgi_response.h"

#include "asgi_disconnect.h"
#include "asgi_file.h"
#include "asgi_message.h"
#include "asgi_words.h"

#include <errno.h>
#include <string.h>

static enum asgi_status fail(PyObject *type, const char *text)
{
	PyErr_SetString(type, text);
	return ASGI_FAILED;
}

enum asgi_status asgi_response_fail(int error)
{
	switch (error) {
	case -EPIPE:
	case -ECONNRESET:
		asgi_disconnect_raise();
		break;
	case -EINVAL:
		return fail(PyExc_ValueError, "a status, a header or a code that must not be sent");
	case -EMSGSIZE:
		return fail(PyExc_RuntimeError, "the body is longer than Content-Length says");
	case -ENOMEM:
		PyErr_NoMemory();
		break;
	default:
		errno = -error;
		PyErr_SetFromErrno(PyExc_OSError);
	}
	return ASGI_FAILED;
}

/** The answer is whole; who still receives is told, and nothing is expected any more. Before the worker hears of it. */
static void response_complete(struct asgi_call *call)
{
	call->response.phase = ASGI_RESPONSE_COMPLETE;
	asgi_call_wake(call, UNICORN_GONE);
}

/* ---- messages */

static enum asgi_status send_start(struct asgi_call *call, PyObject *message)
{
	struct asgi_headers headers;
	long long status = 0;
	int error = 0;

	if (call->response.phase != ASGI_RESPONSE_NONE)
		return fail(PyExc_RuntimeError, "the response has been started already");
	if (asgi_message_get_number(message, asgi_words.status, &status) < 0 ||
	    asgi_message_get_flag(message, asgi_words.trailers, &call->response.has_trailers) < 0)
		return ASGI_FAILED;
	if (status < 200 || status > 599)
		return fail(PyExc_ValueError, "the status of a response must be from 200 to 599");
	if (asgi_headers_read(&headers, message, asgi_words.headers) == 0)
		error = unicorn_answer_begin(call->request, (int)status, NULL, headers.items, headers.count);
	asgi_headers_finish(&headers);
	if (error < 0)
		return asgi_response_fail(error);
	if (PyErr_Occurred())
		return ASGI_FAILED;
	call->response.phase = ASGI_RESPONSE_STARTED;
	return ASGI_DONE;
}

/** The status behind a part that has been sent. */
static enum asgi_status send_more(struct asgi_call *call, int error)
{
	if (error < 0)
		return asgi_response_fail(error);
	return call->request != NULL && unicorn_answer_is_congested(call->request) ? ASGI_WAIT : ASGI_DONE;
}

static enum asgi_status send_last(struct asgi_call *call, const void *bytes, size_t length)
{
	int error;

	if (call->request == NULL)
		return asgi_response_fail(-EPIPE);
	if (call->response.has_trailers) {
		call->response.phase = ASGI_RESPONSE_TRAILERS;
		return send_more(call, unicorn_answer_write(call->request, bytes, length));
	}
	response_complete(call);
	error = unicorn_answer_finish(call->request, bytes, length);
	return error < 0 ? asgi_response_fail(error) : ASGI_DONE;
}

static enum asgi_status send_body(struct asgi_call *call, PyObject *message)
{
	Py_buffer bytes = { .buf = NULL, .len = 0 };
	enum asgi_status status;
	bool has_more;
	int has;

	if (asgi_message_get_flag(message, asgi_words.more_body, &has_more) < 0)
		return ASGI_FAILED;
	has = asgi_message_get_bytes(message, asgi_words.body, &bytes);
	if (has < 0)
		return ASGI_FAILED;
	call->response.has_body = true;
	if (!has_more)
		status = send_last(call, bytes.buf, (size_t)bytes.len);
	else if (bytes.len > 0)
		status = send_more(call, unicorn_answer_write(call->request, bytes.buf, (size_t)bytes.len));
	else
		status = ASGI_DONE;
	if (has)
		PyBuffer_Release(&bytes);
	return status;
}

static enum asgi_status send_file(struct asgi_call *call, PyObject *message)
{
	struct asgi_file file;
	bool has_more;
	int error;

	if (asgi_message_get_flag(message, asgi_words.more_body, &has_more) < 0 ||
	    asgi_file_open_given(&file, message) < 0)
		return ASGI_FAILED;
	call->response.has_body = true;
	error = unicorn_answer_file(call->request, file.fd, file.offset, file.length);
	return error < 0 || has_more ? send_more(call, error) : send_last(call, NULL, 0);
}

static enum asgi_status send_path(struct asgi_call *call, PyObject *message)
{
	struct asgi_file file;
	int error;

	if (call->response.has_body)
		return fail(PyExc_RuntimeError, "pathsend must be the only part of a body");
	if (asgi_file_open_path(&file, message) < 0)
		return ASGI_FAILED;
	call->response.has_body = true;
	error = unicorn_answer_file(call->request, file.fd, file.offset, file.length);
	return error < 0 ? asgi_response_fail(error) : send_last(call, NULL, 0);
}

/** Hints for an answer whose head is on its way are too late; that is no error. */
static enum asgi_status send_early_hint(struct asgi_call *call, PyObject *message)
{
	struct asgi_headers headers;
	int error = 0;

	if (asgi_headers_read_values(&headers, message, asgi_words.links, "link") == 0 &&
	    !unicorn_answer_is_sent(call->request))
		error = unicorn_answer_interim(call->request, 103, headers.items, headers.count);
	asgi_headers_finish(&headers);
	if (error < 0)
		return asgi_response_fail(error);
	return PyErr_Occurred() ? ASGI_FAILED : ASGI_DONE;
}

/* ---- trailers, which may come in several messages */

static int trailers_keep(struct asgi_call *call, PyObject *message)
{
	PyObject *more = asgi_message_get(message, asgi_words.headers);
	PyObject *all = call->response.trailers == NULL ? PyList_New(0) : call->response.trailers;
	PyObject *result = NULL;

	call->response.trailers = all;
	if (all == NULL || PyErr_Occurred())
		return -1;
	if (more == NULL)
		return 0;
	result = PyObject_CallMethod(all, "extend", "O", more);
	Py_XDECREF(result);
	return result == NULL ? -1 : 0;
}

static enum asgi_status trailers_send(struct asgi_call *call)
{
	PyObject *message = PyDict_New();
	struct asgi_headers headers;
	int error = 0;

	if (message == NULL || PyDict_SetItem(message, asgi_words.headers, call->response.trailers) < 0) {
		Py_XDECREF(message);
		return ASGI_FAILED;
	}
	if (asgi_headers_read(&headers, message, asgi_words.headers) == 0) {
		response_complete(call);
		error = unicorn_request_head(call->request)->accepts_trailers
				? unicorn_answer_trailers(call->request, headers.items, headers.count)
				: unicorn_answer_end(call->request);
	}
	asgi_headers_finish(&headers);
	Py_DECREF(message);
	/* The call has ended its answer, so nobody else would. */
	if (error < 0 && call->request != NULL)
		unicorn_answer_abort(call->request);
	if (error < 0)
		return asgi_response_fail(error);
	return PyErr_Occurred() ? ASGI_FAILED : ASGI_DONE;
}

static enum asgi_status send_trailers(struct asgi_call *call, PyObject *message)
{
	bool has_more;

	if (asgi_message_get_flag(message, asgi_words.more_trailers, &has_more) < 0 || trailers_keep(call, message) < 0)
		return ASGI_FAILED;
	return has_more ? ASGI_DONE : trailers_send(call);
}

/* ---- which message there is */

#define PHASE(name) (1U << ASGI_RESPONSE_##name)

static const struct {
	const char *name;
	unsigned phases; /* in which it is allowed */
	enum asgi_status (*send)(struct asgi_call *call, PyObject *message);
} kinds[] = {
	{ "start", PHASE(NONE), send_start },
	{ "body", PHASE(STARTED), send_body },
	{ "early_hint", PHASE(NONE) | PHASE(STARTED), send_early_hint },
	{ "pathsend", PHASE(STARTED), send_path },
	{ "trailers", PHASE(TRAILERS), send_trailers },
	{ "zerocopysend", PHASE(STARTED), send_file },
};

enum asgi_status asgi_response_send(struct asgi_call *call, const char *something, PyObject *message)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(something, kinds[i].name) != 0)
			continue;
		if ((kinds[i].phases & (1U << call->response.phase)) != 0)
			return kinds[i].send(call, message);
		PyErr_Format(PyExc_RuntimeError, "http.response.%s must not be sent %s", something,
			     call->response.phase == ASGI_RESPONSE_NONE ? "before http.response.start"
									: "at this point of the response");
		return ASGI_FAILED;
	}
	PyErr_Format(PyExc_RuntimeError, "unknown message: http.response.%s", something);
	return ASGI_FAILED;
}
