#include "asgi_guest.h"

#include "asgi_eager.h"
#include "asgi_words.h"
#include "python_host.h"

#include <ev.h>

/* How late a timer of the worker may be; its timers are those of slow clients, in seconds. */
#define TICK_SECONDS 0.1
/* Watchers that a turn starts are known to the kernel only with the next one. */
#define ROUNDS_MAX 8

static struct {
	struct ev_loop *worker_loop; /* NULL without a guest */
	PyObject *host;
	PyObject *turn_function;
	PyObject *tick_function;
	PyObject *tick_handle;
	bool (*is_wanted)(void);
	int descriptor;
	bool is_turning;
	bool is_turn_due;
	bool is_stopping;
	bool has_handled;
} guest;

/** Called several times in a turn; the last time is for what the kernel and the timers have to tell. */
static void handle_pending(struct ev_loop *loop) EV_NOEXCEPT
{
	guest.has_handled = ev_pending_count(loop) > 0;
	ev_invoke_pending(loop);
}

/** Once for each run: uvloop only notes a stop, and one that is too many would end the next run at its beginning. */
static void stop_if_wanted(void)
{
	PyObject *result;

	if (guest.is_stopping || !guest.is_wanted())
		return;
	guest.is_stopping = true;
	result = PyObject_CallMethodNoArgs(guest.host, asgi_words.stop);
	if (result == NULL)
		python_host_log_exception("asgi: stopping the event loop");
	Py_XDECREF(result);
}

static void turn(void)
{
	bool before = asgi_eager_set_turning(true);
	int rounds = 0;

	guest.is_turning = true;
	guest.is_turn_due = false;
	do {
		guest.has_handled = false;
		ev_run(guest.worker_loop, EVRUN_NOWAIT);
	} while (guest.has_handled && ++rounds < ROUNDS_MAX);
	guest.is_turning = false;
	asgi_eager_set_turning(before);
	if (guest.has_handled)
		asgi_guest_touch();
	stop_if_wanted();
}

/** As what the other loop calls: when there is something, and when a turn is due. */
static PyObject *handle_turn(PyObject *self, PyObject *unused)
{
	(void)self;
	(void)unused;
	if (guest.worker_loop != NULL && !guest.is_turning)
		turn();
	Py_RETURN_NONE;
}

static int schedule_tick(void)
{
	Py_XSETREF(guest.tick_handle,
		   PyObject_CallMethod(guest.host, "call_later", "dO", TICK_SECONDS, guest.tick_function));
	return guest.tick_handle == NULL ? -1 : 0;
}

static PyObject *handle_tick(PyObject *self, PyObject *unused)
{
	PyObject *result = handle_turn(self, unused);

	if (guest.worker_loop != NULL && schedule_tick() < 0)
		Py_CLEAR(result);
	return result;
}

/** Also called while an exception is on its way. */
void asgi_guest_touch(void)
{
	PyObject *type;
	PyObject *value;
	PyObject *traceback;
	PyObject *handle;

	if (guest.worker_loop == NULL || guest.is_turning || guest.is_turn_due)
		return;
	PyErr_Fetch(&type, &value, &traceback);
	handle = PyObject_CallMethodOneArg(guest.host, asgi_words.call_soon, guest.turn_function);
	guest.is_turn_due = handle != NULL;
	if (handle == NULL)
		python_host_log_exception("asgi: the event loop");
	Py_XDECREF(handle);
	PyErr_Restore(type, value, traceback);
}

void asgi_guest_run_begins(void)
{
	guest.is_stopping = false;
	/* What has been started before the run is not known to the kernel yet. */
	asgi_guest_touch();
}

/* ---- start and end */

/** libev does not tell its descriptor, but shows it to a loop that it is to be embedded in. @return -1 without one */
static int find_descriptor(struct ev_loop *worker_loop)
{
	struct ev_loop *other;
	ev_embed embed;
	int fd;

	if ((ev_backend(worker_loop) & ev_embeddable_backends()) == 0)
		return -1;
	other = ev_loop_new(EVFLAG_NOENV);
	if (other == NULL)
		return -1;
	ev_embed_init(&embed, NULL, worker_loop);
	ev_embed_start(other, &embed);
	fd = embed.io.fd;
	ev_embed_stop(other, &embed);
	ev_loop_destroy(other);
	return fd;
}

static int guest_start(void)
{
	static PyMethodDef turn_method = { "turn", handle_turn, METH_NOARGS, NULL };
	static PyMethodDef tick_method = { "tick", handle_tick, METH_NOARGS, NULL };
	PyObject *result;

	guest.descriptor = find_descriptor(guest.worker_loop);
	if (guest.descriptor < 0) {
		PyErr_SetString(PyExc_RuntimeError, "the worker's event loop has no descriptor");
		return -1;
	}
	guest.turn_function = PyCFunction_New(&turn_method, NULL);
	guest.tick_function = PyCFunction_New(&tick_method, NULL);
	if (guest.turn_function == NULL || guest.tick_function == NULL)
		return -1;
	result = PyObject_CallMethod(guest.host, "add_reader", "iO", guest.descriptor, guest.turn_function);
	Py_XDECREF(result);
	return result == NULL ? -1 : schedule_tick();
}

int asgi_guest_create(PyObject *host, struct ev_loop *worker_loop, bool (*is_wanted)(void))
{
	guest.host = Py_NewRef(host);
	guest.worker_loop = worker_loop;
	guest.is_wanted = is_wanted;
	ev_set_invoke_pending_cb(worker_loop, handle_pending);
	if (guest_start() == 0)
		return 0;
	guest.worker_loop = NULL;
	return -1;
}

void asgi_guest_destroy(void)
{
	PyObject *removed;

	if (guest.worker_loop == NULL)
		return;
	removed = PyObject_CallMethod(guest.host, "remove_reader", "i", guest.descriptor);
	if (removed == NULL)
		PyErr_Clear();
	Py_XDECREF(removed);
	removed = PyObject_CallMethodNoArgs(guest.tick_handle, asgi_words.cancel);
	if (removed == NULL)
		PyErr_Clear();
	Py_XDECREF(removed);
	ev_set_invoke_pending_cb(guest.worker_loop, ev_invoke_pending);
	guest.worker_loop = NULL;
	Py_CLEAR(guest.tick_handle);
	Py_CLEAR(guest.tick_function);
	Py_CLEAR(guest.turn_function);
	Py_CLEAR(guest.host);
}
