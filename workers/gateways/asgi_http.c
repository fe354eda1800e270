#include "asgi_http.h"

#include "asgi_disconnect.h"
#include "asgi_message.h"
#include "asgi_response.h"
#include "asgi_words.h"
#include "unicornd/app.h"

#include <errno.h>
#include <string.h>

/* How much of a body is given to the application at a time, and how much is asked for when it is not known. */
#define PIECE_BYTES       ((size_t)256 * 1024)
#define PIECE_GUESS_BYTES ((size_t)4096)

enum phase {
	PHASE_BODY,  /* there is a message with a part of the body to come */
	PHASE_ASKED, /* it has been handed over to its end */
};

static bool is_gone(const struct asgi_call *call)
{
	return call->request == NULL || unicorn_request_is_gone(call->request);
}

/* ---- receive() */

static enum asgi_status tell_body(struct asgi_call *call, PyObject *body, PyObject **message)
{
	bool has_more = call->request == NULL || !unicorn_body_is_finished(call->request);

	*message = asgi_message_create(asgi_words.http_request);
	if (*message == NULL)
		Py_DECREF(body);
	else if (asgi_message_add(*message, asgi_words.body, body) < 0 ||
		 asgi_message_add(*message, asgi_words.more_body, PyBool_FromLong(has_more)) < 0)
		Py_CLEAR(*message);
	if (*message == NULL)
		return ASGI_FAILED;
	if (!has_more)
		call->phase = PHASE_ASKED;
	return ASGI_DONE;
}

static enum asgi_status tell_disconnect(PyObject **message)
{
	*message = asgi_message_create(asgi_words.http_disconnect);
	return *message == NULL ? ASGI_FAILED : ASGI_DONE;
}

static enum asgi_status receive_body(struct asgi_call *call, PyObject **message)
{
	size_t size = unicorn_body_available(call->request);
	PyObject *body;
	int64_t count;

	if (unicorn_body_is_finished(call->request))
		return tell_body(call, Py_NewRef(asgi_words.no_bytes), message);
	if (size == 0)
		size = PIECE_GUESS_BYTES;
	else if (size > PIECE_BYTES)
		size = PIECE_BYTES;
	body = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
	if (body == NULL)
		return ASGI_FAILED;
	count = unicorn_body_read(call->request, PyBytes_AS_STRING(body), size);
	if (count < 0) {
		Py_DECREF(body);
		return count == -EAGAIN && !is_gone(call) ? ASGI_WAIT : tell_disconnect(message);
	}
	if ((size_t)count < size && _PyBytes_Resize(&body, (Py_ssize_t)count) < 0)
		return ASGI_FAILED;
	return tell_body(call, body, message);
}

static enum asgi_status http_receive(struct asgi_call *call, PyObject **message)
{
	if (is_gone(call) || call->response.phase == ASGI_RESPONSE_COMPLETE)
		return tell_disconnect(message);
	return call->phase == PHASE_BODY ? receive_body(call, message) : ASGI_WAIT;
}

/* ---- send() */

static enum asgi_status http_send(struct asgi_call *call, PyObject *message)
{
	static const char prefix[] = "http.response.";
	size_t length;
	const char *type = asgi_message_type(message, &length);

	if (type == NULL)
		return ASGI_FAILED;
	if (call->response.phase == ASGI_RESPONSE_COMPLETE)
		return ASGI_DONE;
	if (strncmp(type, prefix, sizeof(prefix) - 1) != 0) {
		PyErr_Format(PyExc_RuntimeError, "unknown message: %.100s", type);
		return ASGI_FAILED;
	}
	if (is_gone(call)) {
		asgi_disconnect_raise();
		return ASGI_FAILED;
	}
	return asgi_response_send(call, type + sizeof(prefix) - 1, message);
}

/* ---- the end */

static void http_ended(struct asgi_call *call, enum asgi_outcome outcome)
{
	const struct unicorn_head *head;

	if (call->request == NULL || call->response.phase == ASGI_RESPONSE_COMPLETE)
		return;
	head = unicorn_request_head(call->request);
	if (outcome == ASGI_RETURNED && !is_gone(call))
		unicorn_log(UNICORN_ERROR, "asgi: http %s %s: the application returned without %s response",
			    head->method, head->path,
			    call->response.phase == ASGI_RESPONSE_NONE ? "a" : "completing its");
	unicorn_answer_abort(call->request);
}

const struct asgi_protocol asgi_http = {
	.name = "http",
	.receive = http_receive,
	.send = http_send,
	.ended = http_ended,
};
