#include "asgi_lifespan.h"

#include "asgi_call.h"
#include "asgi_loop.h"
#include "asgi_message.h"
#include "asgi_scope.h"
#include "asgi_words.h"
#include "python_host.h"
#include "unicornd/app.h"

#include <string.h>

/* The log takes so much of a line. */
#define PIECE_BYTES 2048

enum phase {
	PHASE_NONE, /* the application goes without */
	PHASE_STARTING,
	PHASE_FAILED, /* it said so */
	PHASE_SERVING,
	PHASE_STOPPING,
};

static struct {
	struct asgi_call *call;
	enum phase phase;
	bool is_demanded; /* --lifespan on */
	bool is_startup_told;
	bool is_shutdown_told;
} lifespan;

/* ---- receive() */

static enum asgi_status tell(PyObject *type, bool *is_told, PyObject **message)
{
	*is_told = true;
	*message = asgi_message_create(type);
	return *message == NULL ? ASGI_FAILED : ASGI_DONE;
}

static enum asgi_status lifespan_receive(struct asgi_call *call, PyObject **message)
{
	(void)call;
	if (!lifespan.is_startup_told)
		return tell(asgi_words.lifespan_startup, &lifespan.is_startup_told, message);
	if (lifespan.phase == PHASE_STOPPING && !lifespan.is_shutdown_told)
		return tell(asgi_words.lifespan_shutdown, &lifespan.is_shutdown_told, message);
	return ASGI_WAIT;
}

/* ---- send() */

/** What an application says may be a whole traceback; it is logged line by line where it is long. */
static void log_text(const char *what, const char *text)
{
	while (strlen(text) > PIECE_BYTES) {
		const char *end = memrchr(text, '\n', PIECE_BYTES);
		int length = end == NULL ? PIECE_BYTES : (int)(end - text);

		unicorn_log(UNICORN_ERROR, "%s: %.*s", what, length, text);
		text += end == NULL ? length : length + 1;
	}
	unicorn_log(UNICORN_ERROR, "%s%s%s", what, *text == '\0' ? "" : ": ", text);
}

static int log_message(const char *what, PyObject *message)
{
	const char *text = "";
	size_t length;

	if (asgi_message_get_text(message, asgi_words.message, &text, &length) < 0)
		return -1;
	log_text(what, text);
	return 0;
}

static enum asgi_status send_failure(PyObject *message, const char *what, enum phase phase)
{
	if (log_message(what, message) < 0)
		return ASGI_FAILED;
	lifespan.phase = phase;
	return ASGI_DONE;
}

static enum asgi_status lifespan_send(struct asgi_call *call, PyObject *message)
{
	static const char startup_failed[] = "lifespan.startup.failed";
	static const char shutdown_failed[] = "lifespan.shutdown.failed";
	size_t length;
	const char *type = asgi_message_type(message, &length);

	(void)call;
	if (type == NULL)
		return ASGI_FAILED;
	if (lifespan.phase == PHASE_STARTING && strcmp(type, "lifespan.startup.complete") == 0)
		lifespan.phase = PHASE_SERVING;
	else if (lifespan.phase == PHASE_STARTING && strcmp(type, startup_failed) == 0)
		return send_failure(message, "asgi: the application's startup failed", PHASE_FAILED);
	else if (lifespan.phase == PHASE_STOPPING && strcmp(type, "lifespan.shutdown.complete") == 0)
		lifespan.phase = PHASE_NONE;
	else if (lifespan.phase == PHASE_STOPPING && strcmp(type, shutdown_failed) == 0)
		return send_failure(message, "asgi: the application's shutdown failed", PHASE_NONE);
	else {
		PyErr_Format(PyExc_RuntimeError, "%.100s must not be sent now, or is unknown", type);
		return ASGI_FAILED;
	}
	return ASGI_DONE;
}

/* ---- the end */

/** An application that does not know this protocol raises before it asks for anything, and is excused. */
static bool lifespan_excuses(const struct asgi_call *call, PyObject *exception)
{
	PyObject *text;
	const char *utf8;

	(void)call;
	if (lifespan.phase == PHASE_FAILED)
		return true;
	if (lifespan.is_demanded || lifespan.is_startup_told)
		return false;
	text = PyObject_Str(exception);
	utf8 = text == NULL ? NULL : PyUnicode_AsUTF8(text);
	unicorn_log(UNICORN_INFO, "asgi: the application has no lifespan (%.100s: %.200s)", Py_TYPE(exception)->tp_name,
		    utf8 == NULL ? "?" : utf8);
	PyErr_Clear();
	Py_XDECREF(text);
	return true;
}

static void lifespan_ended(struct asgi_call *call, enum asgi_outcome outcome)
{
	(void)call;
	if (lifespan.phase == PHASE_STARTING && lifespan.is_demanded) {
		unicorn_log(UNICORN_ERROR, "asgi: --lifespan on: the application %s before it had started",
			    outcome == ASGI_RETURNED ? "returned" : "raised an exception");
		lifespan.phase = PHASE_FAILED;
	} else if (lifespan.phase != PHASE_FAILED) {
		lifespan.phase = PHASE_NONE;
	}
}

static const struct asgi_protocol protocol = {
	.name = "lifespan",
	.receive = lifespan_receive,
	.send = lifespan_send,
	.excuses = lifespan_excuses,
	.ended = lifespan_ended,
};

/* ---- start and stop */

static bool is_started(void)
{
	return lifespan.phase != PHASE_STARTING || unicorn_worker_is_finished();
}

static bool is_stopped(void)
{
	return lifespan.phase != PHASE_STOPPING;
}

int asgi_lifespan_start(const char *mode)
{
	if (strcmp(mode, "off") == 0)
		return 0;
	lifespan.is_demanded = strcmp(mode, "on") == 0;
	lifespan.call = asgi_call_create(&protocol, NULL, asgi_scope_create_lifespan());
	if (lifespan.call == NULL) {
		python_host_log_exception("asgi: lifespan");
		return UNICORN_START_FAILED;
	}
	lifespan.phase = PHASE_STARTING;
	asgi_call_start(lifespan.call);
	asgi_loop_run(is_started);
	return lifespan.phase == PHASE_FAILED ? UNICORN_START_FAILED : 0;
}

void asgi_lifespan_stop(void)
{
	if (lifespan.call == NULL)
		return;
	if (lifespan.phase == PHASE_SERVING) {
		lifespan.phase = PHASE_STOPPING;
		asgi_call_wake(lifespan.call, UNICORN_MESSAGE);
		asgi_loop_run(is_stopped);
	}
	lifespan.phase = PHASE_NONE;
	Py_CLEAR(lifespan.call);
}
