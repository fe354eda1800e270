#include "asgi_watch.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

/* EVENT_READ and EVENT_WRITE of the module selectors are the bits that libev uses. */
enum { EVENT_READ = 1, EVENT_WRITE = 2, EVENT_BOTH = 3 };

_Static_assert((int)EVENT_READ == (int)EV_READ && (int)EVENT_WRITE == (int)EV_WRITE, "bits differ");

struct asgi_watch {
	ev_io io;
	struct asgi_watches *watches;
	PyObject *key;
	int wanted;
	int got;
	struct asgi_watch *next_ready;
};

static void handle_io(struct ev_loop *loop, ev_io *io, int events)
{
	struct asgi_watch *watch = io->data;
	struct asgi_watches *watches = watch->watches;

	(void)loop;
	if (watch->got == 0) {
		watch->next_ready = watches->ready;
		watches->ready = watch;
		watches->ready_count++;
	}
	watch->got |= events & EVENT_BOTH;
}

/* ---- finding */

static struct asgi_watch *watch_at(const struct asgi_watches *watches, long fd)
{
	return fd >= 0 && (size_t)fd < watches->fd_count ? watches->by_fd[fd] : NULL;
}

/** A file that has been closed does not know its number any more; whoever forgets it then still may. */
static struct asgi_watch *watch_of_closed_file(const struct asgi_watches *watches, PyObject *file)
{
	for (size_t fd = 0; fd < watches->fd_count; fd++)
		if (watches->by_fd[fd] != NULL && PyTuple_GET_ITEM(watches->by_fd[fd]->key, 0) == file)
			return watches->by_fd[fd];
	return NULL;
}

/** @return NULL with KeyError set, or the error of a thing that is no file */
static struct asgi_watch *watch_find(const struct asgi_watches *watches, PyObject *file)
{
	int fd = PyObject_AsFileDescriptor(file);
	struct asgi_watch *watch = fd < 0 ? watch_of_closed_file(watches, file) : watch_at(watches, fd);

	if (watch != NULL)
		PyErr_Clear();
	else if (fd >= 0)
		PyErr_Format(PyExc_KeyError, "%R is not registered", file);
	return watch;
}

static bool find_room(struct asgi_watches *watches, size_t fd)
{
	size_t count = watches->fd_count == 0 ? 64 : watches->fd_count;
	struct asgi_watch **bigger;

	if (fd < watches->fd_count)
		return true;
	while (count <= fd)
		count *= 2;
	bigger = realloc(watches->by_fd, count * sizeof(struct asgi_watch *));
	if (bigger == NULL) {
		PyErr_NoMemory();
		return false;
	}
	for (size_t i = watches->fd_count; i < count; i++)
		bigger[i] = NULL;
	watches->by_fd = bigger;
	watches->fd_count = count;
	return true;
}

/* ---- one watch */

static void watch_unlink(struct asgi_watch *watch)
{
	struct asgi_watches *watches = watch->watches;

	if (watch->got == 0)
		return;
	for (struct asgi_watch **at = &watches->ready; *at != NULL; at = &(*at)->next_ready) {
		if (*at == watch) {
			*at = watch->next_ready;
			watches->ready_count--;
			break;
		}
	}
	watch->got = 0;
}

static void watch_destroy(struct asgi_watch *watch)
{
	ev_io_stop(watch->watches->loop, &watch->io);
	watch_unlink(watch);
	watch->watches->by_fd[watch->io.fd] = NULL;
	Py_DECREF(watch->key);
	free(watch);
}

static void watch_start(struct asgi_watch *watch, int fd, int events)
{
	struct ev_loop *loop = watch->watches->loop;

	ev_io_stop(loop, &watch->io);
	ev_io_set(&watch->io, fd, events);
	ev_io_start(loop, &watch->io);
	watch->wanted = events;
}

static struct asgi_watch *watch_create(struct asgi_watches *watches, int fd, int events, PyObject *key)
{
	struct asgi_watch *watch = calloc(1, sizeof(*watch));

	if (watch == NULL) {
		PyErr_NoMemory();
		return NULL;
	}
	watch->watches = watches;
	watch->key = Py_NewRef(key);
	ev_init(&watch->io, handle_io);
	watch->io.data = watch;
	watch_start(watch, fd, events);
	watches->by_fd[fd] = watch;
	return watch;
}

/* ---- the registry */

static PyObject *key_create(const struct asgi_watches *watches, PyObject *file, int fd, int events, PyObject *data)
{
	return PyObject_CallFunction(watches->key_type, "OiiO", file, fd, events, data);
}

/** Sets what a descriptor has in the dictionary; NULL removes it. */
static int key_store(const struct asgi_watches *watches, int fd, PyObject *key)
{
	PyObject *number = PyLong_FromLong(fd);
	int status;

	if (number == NULL)
		return -1;
	status = key == NULL ? PyDict_DelItem(watches->keys, number) : PyDict_SetItem(watches->keys, number, key);
	Py_DECREF(number);
	return status;
}

static bool parse(PyObject *arguments, PyObject *names, PyObject **file, int *events, PyObject **data)
{
	static char file_name[] = "fileobj";
	static char events_name[] = "events";
	static char data_name[] = "data";
	static char *known[] = { file_name, events_name, data_name, NULL };

	*data = Py_None;
	if (!PyArg_ParseTupleAndKeywords(arguments, names, "Oi|O", known, file, events, data))
		return false;
	if ((*events & EVENT_BOTH) == 0 || (*events & ~EVENT_BOTH) != 0) {
		PyErr_Format(PyExc_ValueError, "invalid events: %i", *events);
		return false;
	}
	return true;
}

/** @return the descriptor, if it can be watched and is not yet; -1 with an exception set */
static int parse_new_file(struct asgi_watches *watches, PyObject *file)
{
	int fd = PyObject_AsFileDescriptor(file);

	if (fd < 0)
		return -1;
	if (watch_at(watches, fd) != NULL) {
		PyErr_Format(PyExc_KeyError, "%R (descriptor %i) is already registered", file, fd);
		return -1;
	}
	if (fcntl(fd, F_GETFD) < 0) {
		PyErr_SetFromErrno(PyExc_OSError);
		return -1;
	}
	return find_room(watches, (size_t)fd) ? fd : -1;
}

PyObject *asgi_watches_register(struct asgi_watches *watches, PyObject *arguments, PyObject *names)
{
	PyObject *file;
	PyObject *data;
	PyObject *key;
	int events;
	int fd;

	if (!parse(arguments, names, &file, &events, &data))
		return NULL;
	fd = parse_new_file(watches, file);
	if (fd < 0)
		return NULL;
	key = key_create(watches, file, fd, events, data);
	if (key == NULL || key_store(watches, fd, key) < 0) {
		Py_XDECREF(key);
		return NULL;
	}
	if (watch_create(watches, fd, events, key) == NULL) {
		(void)key_store(watches, fd, NULL);
		Py_CLEAR(key);
	}
	return key;
}

PyObject *asgi_watches_modify(struct asgi_watches *watches, PyObject *arguments, PyObject *names)
{
	struct asgi_watch *watch;
	PyObject *file;
	PyObject *data;
	PyObject *key;
	int events;

	if (!parse(arguments, names, &file, &events, &data))
		return NULL;
	watch = watch_find(watches, file);
	if (watch == NULL)
		return NULL;
	key = key_create(watches, PyTuple_GET_ITEM(watch->key, 0), watch->io.fd, events, data);
	if (key == NULL || key_store(watches, watch->io.fd, key) < 0) {
		Py_XDECREF(key);
		return NULL;
	}
	if (watch->wanted != events)
		watch_start(watch, watch->io.fd, events);
	Py_SETREF(watch->key, Py_NewRef(key));
	return key;
}

PyObject *asgi_watches_unregister(struct asgi_watches *watches, PyObject *file)
{
	struct asgi_watch *watch = watch_find(watches, file);
	PyObject *key;

	if (watch == NULL || key_store(watches, watch->io.fd, NULL) < 0)
		return NULL;
	key = Py_NewRef(watch->key);
	watch_destroy(watch);
	return key;
}

PyObject *asgi_watches_get(struct asgi_watches *watches, PyObject *file)
{
	struct asgi_watch *watch = watch_find(watches, file);

	return watch == NULL ? NULL : Py_NewRef(watch->key);
}

/** Takes the first of those that are ready. @return (key, events) */
static PyObject *collect_one(struct asgi_watches *watches)
{
	struct asgi_watch *watch = watches->ready;
	int got = watch->got & watch->wanted;

	watches->ready = watch->next_ready;
	watches->ready_count--;
	watch->got = 0;
	return Py_BuildValue("(Oi)", watch->key, got);
}

PyObject *asgi_watches_collect(struct asgi_watches *watches)
{
	PyObject *list = PyList_New(0);

	while (list != NULL && watches->ready != NULL) {
		PyObject *item = collect_one(watches);

		if (item == NULL || PyList_Append(list, item) < 0)
			Py_CLEAR(list);
		Py_XDECREF(item);
	}
	return list;
}

/* ---- start and end */

int asgi_watches_init(struct asgi_watches *watches, struct ev_loop *loop)
{
	PyObject *selectors = PyImport_ImportModule("selectors");

	*watches = (struct asgi_watches){ .loop = loop };
	if (selectors == NULL)
		return -1;
	watches->key_type = PyObject_GetAttrString(selectors, "SelectorKey");
	Py_DECREF(selectors);
	watches->keys = PyDict_New();
	return watches->key_type == NULL || watches->keys == NULL ? -1 : 0;
}

void asgi_watches_clear(struct asgi_watches *watches)
{
	for (size_t fd = 0; fd < watches->fd_count; fd++)
		if (watches->by_fd[fd] != NULL)
			watch_destroy(watches->by_fd[fd]);
	if (watches->keys != NULL)
		PyDict_Clear(watches->keys);
}

void asgi_watches_finish(struct asgi_watches *watches)
{
	asgi_watches_clear(watches);
	free(watches->by_fd);
	Py_CLEAR(watches->key_type);
	Py_CLEAR(watches->keys);
}
