/*
 * wsgi_thread.c - the GIL around the loop, or around each call.
 */
#include "wsgi_thread.h"

#include "python_host.h"
#include "unicornd/app.h"

#include <ev.h>

static bool is_threaded;
/** With one thread: its state while the loop waits. */
static PyThreadState *waiting_state;
/** With several: the state of each between two calls, and how deep in calls it is. */
static _Thread_local PyThreadState *own_state;
static _Thread_local int depth;
static PyInterpreterState *interpreter;

static void loop_release(struct ev_loop *loop)
{
	(void)loop;
	waiting_state = PyEval_SaveThread();
}

static void loop_acquire(struct ev_loop *loop)
{
	(void)loop;
	PyEval_RestoreThread(waiting_state);
	/* Signal handlers of the application run here when the loop was idle. */
	if (PyErr_CheckSignals() != 0)
		python_host_log_exception("wsgi: a signal handler of the application raised");
}

void wsgi_thread_start(int threads)
{
	interpreter = PyInterpreterState_Get();
	is_threaded = threads > 1;
	if (is_threaded)
		own_state = PyEval_SaveThread();
	else
		ev_set_loop_release_cb(unicorn_worker_loop(), loop_release, loop_acquire);
}

void wsgi_thread_stop(void)
{
	if (is_threaded)
		PyEval_RestoreThread(own_state);
	else
		ev_set_loop_release_cb(unicorn_worker_loop(), NULL, NULL);
	is_threaded = false;
}

bool wsgi_thread_enter(void)
{
	if (!is_threaded || depth++ > 0)
		return true;
	if (own_state == NULL)
		own_state = PyThreadState_New(interpreter);
	if (own_state == NULL) {
		depth--;
		return false;
	}
	PyEval_RestoreThread(own_state);
	return true;
}

void wsgi_thread_leave(void)
{
	if (is_threaded && --depth == 0)
		own_state = PyEval_SaveThread();
}

PyThreadState *wsgi_thread_release(void)
{
	return is_threaded ? PyEval_SaveThread() : NULL;
}

void wsgi_thread_take(PyThreadState *state)
{
	if (state != NULL)
		PyEval_RestoreThread(state);
}
