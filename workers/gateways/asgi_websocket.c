#include "asgi_websocket.h"

#include "asgi_disconnect.h"
#include "asgi_message.h"
#include "asgi_response.h"
#include "asgi_words.h"
#include "python_host.h"
#include "unicornd/app.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Close codes of RFC 6455. */
enum { CODE_NORMAL = 1000, CODE_NONE = 1005, CODE_LOST = 1006, CODE_ERROR = 1011, CODE_RESTART = 1012 };

/* What a close frame has room for. */
#define REASON_BYTES_MAX 123

enum phase {
	PHASE_NEW,
	PHASE_CONNECTING, /* the application has been told of it */
	PHASE_ACCEPTED,
	PHASE_DENIED, /* there is an answer in HTTP */
	PHASE_CLOSED, /* by the application */
};

static bool is_gone(const struct asgi_call *call)
{
	return call->request == NULL || call->close.code != 0 || unicorn_request_is_gone(call->request);
}

/* ---- receive() */

static void close_note(struct asgi_call *call, int code, const char *reason)
{
	if (call->close.code != 0)
		return;
	call->close.code = code;
	call->close.reason = PyUnicode_DecodeUTF8(reason, (Py_ssize_t)strlen(reason), "replace");
	if (call->close.reason == NULL)
		PyErr_Clear();
}

static void close_find(struct asgi_call *call)
{
	const char *reason = NULL;
	int code;

	if (call->close.code != 0)
		return;
	if (call->phase != PHASE_ACCEPTED || call->request == NULL) {
		close_note(call, CODE_LOST, "");
		return;
	}
	code = unicorn_websocket_close_code(call->request, &reason);
	close_note(call, code == 0 ? CODE_NONE : code, reason == NULL ? "" : reason);
}

static enum asgi_status tell_disconnect(struct asgi_call *call, PyObject **message)
{
	PyObject *reason;

	close_find(call);
	reason = call->close.reason == NULL ? PyUnicode_FromStringAndSize(NULL, 0) : Py_NewRef(call->close.reason);
	*message = asgi_message_create(asgi_words.websocket_disconnect);
	if (*message == NULL) {
		Py_XDECREF(reason);
		return ASGI_FAILED;
	}
	if (asgi_message_add(*message, asgi_words.reason, reason) < 0 ||
	    asgi_message_add(*message, asgi_words.code, PyLong_FromLong(call->close.code)) < 0)
		Py_CLEAR(*message);
	return *message == NULL ? ASGI_FAILED : ASGI_DONE;
}

/** Takes a message from the worker. @return a new reference; NULL when there is none, or with an exception set */
static PyObject *take_message(struct asgi_call *call)
{
	enum unicorn_message_type type;
	const void *bytes;
	size_t length;
	PyObject *content;
	PyObject *message;

	if (call->request == NULL || unicorn_websocket_receive(call->request, &type, &bytes, &length) != 1)
		return NULL;
	content = type == UNICORN_TEXT ? PyUnicode_DecodeUTF8(bytes, (Py_ssize_t)length, "replace")
				       : PyBytes_FromStringAndSize(bytes, (Py_ssize_t)length);
	message = content == NULL ? NULL : asgi_message_create(asgi_words.websocket_receive);
	if (message == NULL)
		Py_XDECREF(content);
	else if (asgi_message_add(message, type == UNICORN_TEXT ? asgi_words.text : asgi_words.bytes, content) < 0)
		Py_CLEAR(message);
	return message;
}

/** The worker forgets messages when the WebSocket ends, but the application has a right to those that came before. */
static void keep_unread(struct asgi_call *call)
{
	PyObject *list = call->close.unread == NULL ? PyList_New(0) : call->close.unread;
	PyObject *message;

	call->close.unread = list;
	while (list != NULL && (message = take_message(call)) != NULL) {
		(void)PyList_Append(list, message);
		Py_DECREF(message);
	}
	if (PyErr_Occurred())
		python_host_log_exception("asgi: a message of a WebSocket");
}

static PyObject *take_unread(struct asgi_call *call)
{
	PyObject *list = call->close.unread;
	PyObject *message;

	if (list == NULL || PyList_GET_SIZE(list) == 0)
		return NULL;
	message = Py_NewRef(PyList_GET_ITEM(list, 0));
	if (PyList_SetSlice(list, 0, 1, NULL) < 0)
		Py_CLEAR(message);
	return message;
}

static enum asgi_status receive_message(struct asgi_call *call, PyObject **message)
{
	*message = take_unread(call);
	if (*message == NULL && !PyErr_Occurred())
		*message = take_message(call);
	if (*message != NULL)
		return ASGI_DONE;
	if (PyErr_Occurred())
		return ASGI_FAILED;
	return is_gone(call) ? tell_disconnect(call, message) : ASGI_WAIT;
}

static enum asgi_status websocket_receive(struct asgi_call *call, PyObject **message)
{
	switch ((enum phase)call->phase) {
	case PHASE_NEW:
		call->phase = PHASE_CONNECTING;
		*message = asgi_message_create(asgi_words.websocket_connect);
		return *message == NULL ? ASGI_FAILED : ASGI_DONE;
	case PHASE_ACCEPTED:
		return receive_message(call, message);
	case PHASE_DENIED:
		if (call->response.phase == ASGI_RESPONSE_COMPLETE)
			return tell_disconnect(call, message);
		break;
	case PHASE_CLOSED:
		return tell_disconnect(call, message);
	case PHASE_CONNECTING:
		break;
	}
	return is_gone(call) ? tell_disconnect(call, message) : ASGI_WAIT;
}

/* ---- send() */

/** The subprotocol has a key of its own, and must not come as a header. */
static bool has_subprotocol(const struct asgi_headers *headers)
{
	static const char name[] = "sec-websocket-protocol";

	for (size_t i = 0; i < headers->count; i++)
		if (headers->items[i].name_length == sizeof(name) - 1 && strcasecmp(headers->items[i].name, name) == 0)
			return true;
	return false;
}

static enum asgi_status send_accept(struct asgi_call *call, PyObject *message)
{
	struct asgi_headers headers;
	const char *subprotocol = NULL;
	size_t length;
	int error = 0;

	/* The text is the message's, which may change while headers are iterated over. */
	if (asgi_headers_read(&headers, message, asgi_words.headers) == 0 &&
	    asgi_message_get_text(message, asgi_words.subprotocol, &subprotocol, &length) == 0)
		error = has_subprotocol(&headers)
				? -EINVAL
				: unicorn_websocket_accept(call->request, subprotocol, headers.items, headers.count);
	asgi_headers_finish(&headers);
	if (error < 0)
		return asgi_response_fail(error);
	if (PyErr_Occurred())
		return ASGI_FAILED;
	call->phase = PHASE_ACCEPTED;
	return ASGI_DONE;
}

static enum asgi_status send_content(struct asgi_call *call, enum unicorn_message_type type, const void *bytes,
				     size_t length)
{
	int error = unicorn_websocket_send(call->request, type, bytes, length);

	if (error < 0)
		return asgi_response_fail(error);
	return call->request != NULL && unicorn_answer_is_congested(call->request) ? ASGI_WAIT : ASGI_DONE;
}

static enum asgi_status send_message(struct asgi_call *call, PyObject *message)
{
	enum asgi_status status;
	const char *text = NULL;
	size_t length = 0;
	Py_buffer bytes;
	int has_bytes;

	if (asgi_message_get_text(message, asgi_words.text, &text, &length) < 0)
		return ASGI_FAILED;
	has_bytes = asgi_message_get_bytes(message, asgi_words.bytes, &bytes);
	if (has_bytes < 0)
		return ASGI_FAILED;
	if (text != NULL && !has_bytes)
		return send_content(call, UNICORN_TEXT, text, length);
	if (!has_bytes) {
		PyErr_SetString(PyExc_ValueError, "websocket.send must have a text or bytes");
		return ASGI_FAILED;
	}
	if (text == NULL) {
		status = send_content(call, UNICORN_BINARY, bytes.buf, (size_t)bytes.len);
	} else {
		PyErr_SetString(PyExc_ValueError, "websocket.send must not have both a text and bytes");
		status = ASGI_FAILED;
	}
	PyBuffer_Release(&bytes);
	return status;
}

/** RFC 6455, 7.4: some stand for that there was none, some for nothing yet. */
static bool code_may_be_sent(long long code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/** Copies as much as there is room for, without cutting a character in two. */
static void copy_reason(char *copy, const char *reason, size_t length)
{
	if (length > REASON_BYTES_MAX) {
		length = REASON_BYTES_MAX;
		while (length > 0 && ((unsigned char)reason[length] & 0xc0) == 0x80)
			length--;
	}
	if (length > 0)
		memcpy(copy, reason, length);
	copy[length] = '\0';
}

static enum asgi_status send_close(struct asgi_call *call, PyObject *message)
{
	char copy[REASON_BYTES_MAX + 1];
	long long code = CODE_NORMAL;
	const char *reason = NULL;
	size_t length = 0;
	int error;

	if (asgi_message_get_number(message, asgi_words.code, &code) < 0 ||
	    asgi_message_get_text(message, asgi_words.reason, &reason, &length) < 0)
		return ASGI_FAILED;
	copy_reason(copy, reason, length);
	if (!code_may_be_sent(code))
		return asgi_response_fail(-EINVAL);
	error = unicorn_websocket_close(call->request, (int)code, copy[0] == '\0' ? NULL : copy);
	if (error < 0)
		return asgi_response_fail(error);
	call->phase = PHASE_CLOSED;
	close_note(call, (int)code, copy);
	asgi_call_wake(call, UNICORN_GONE);
	return ASGI_DONE;
}

/** A WebSocket that is closed before it was accepted is forbidden. */
static enum asgi_status send_forbidden(struct asgi_call *call, PyObject *message)
{
	(void)message;
	call->phase = PHASE_DENIED;
	call->response.phase = ASGI_RESPONSE_COMPLETE;
	asgi_call_wake(call, UNICORN_GONE);
	(void)unicorn_answer(call->request, 403, NULL, 0, NULL, 0);
	return ASGI_DONE;
}

static enum asgi_status send_denial(struct asgi_call *call, const char *something, PyObject *message)
{
	enum asgi_status status;

	if (strcmp(something, "start") != 0 && strcmp(something, "body") != 0) {
		PyErr_Format(PyExc_RuntimeError, "unknown message: websocket.http.response.%s", something);
		return ASGI_FAILED;
	}
	status = asgi_response_send(call, something, message);
	if (call->response.phase != ASGI_RESPONSE_NONE)
		call->phase = PHASE_DENIED;
	return status;
}

/** On a connection that is closed: to close it once more does no harm. */
static enum asgi_status send_too_late(const char *type)
{
	if (strcmp(type, "websocket.close") == 0)
		return ASGI_DONE;
	asgi_disconnect_raise();
	return ASGI_FAILED;
}

static enum asgi_status send_unexpected(const char *type)
{
	PyErr_Format(PyExc_RuntimeError, "%.100s must not be sent now, or is unknown", type);
	return ASGI_FAILED;
}

static enum asgi_status websocket_send(struct asgi_call *call, PyObject *message)
{
	static const char denial[] = "websocket.http.response.";
	size_t length;
	const char *type = asgi_message_type(message, &length);
	bool is_accepted = call->phase == PHASE_ACCEPTED;

	if (type == NULL)
		return ASGI_FAILED;
	if (call->response.phase == ASGI_RESPONSE_COMPLETE)
		return ASGI_DONE;
	if (is_gone(call) || call->phase == PHASE_CLOSED)
		return send_too_late(type);
	if (is_accepted && strcmp(type, "websocket.send") == 0)
		return send_message(call, message);
	if (is_accepted && strcmp(type, "websocket.close") == 0)
		return send_close(call, message);
	if (is_accepted)
		return send_unexpected(type);
	if (strncmp(type, denial, sizeof(denial) - 1) == 0)
		return send_denial(call, type + sizeof(denial) - 1, message);
	if (call->phase == PHASE_DENIED)
		return send_unexpected(type);
	if (strcmp(type, "websocket.accept") == 0)
		return send_accept(call, message);
	return strcmp(type, "websocket.close") == 0 ? send_forbidden(call, message) : send_unexpected(type);
}

/* ---- events and the end */

void asgi_websocket_resume(struct asgi_call *call, unsigned events)
{
	if ((events & UNICORN_GONE) != 0 && call->phase == PHASE_ACCEPTED) {
		keep_unread(call);
		close_find(call);
	}
	asgi_call_wake(call, events);
}

void asgi_websocket_closed(struct asgi_call *call)
{
	close_find(call);
}

static int code_of(enum asgi_outcome outcome)
{
	switch (outcome) {
	case ASGI_RETURNED:
		return CODE_NORMAL;
	case ASGI_CANCELLED:
		return CODE_RESTART;
	case ASGI_RAISED:
		break;
	}
	return CODE_ERROR;
}

static void websocket_ended(struct asgi_call *call, enum asgi_outcome outcome)
{
	if (call->request == NULL || call->phase == PHASE_CLOSED || call->response.phase == ASGI_RESPONSE_COMPLETE)
		return;
	if (call->phase == PHASE_ACCEPTED) {
		if (!is_gone(call))
			(void)unicorn_websocket_close(call->request, code_of(outcome), NULL);
		else
			unicorn_answer_abort(call->request);
		return;
	}
	if (outcome == ASGI_RETURNED && !is_gone(call))
		unicorn_log(UNICORN_ERROR, "asgi: websocket %s: the application returned without %s",
			    unicorn_request_head(call->request)->path,
			    call->phase == PHASE_DENIED ? "completing its response" : "accepting or closing it");
	unicorn_answer_abort(call->request);
}

const struct asgi_protocol asgi_websocket = {
	.name = "websocket",
	.receive = websocket_receive,
	.send = websocket_send,
	.ended = websocket_ended,
};
