/*
 * asgi_watch.h - the descriptors that asyncio watches, as watchers of the worker's loop.
 *
 * The registry behind asgi_selector.h. Keys are those of the module selectors; what is ready is noted here until it is
 * collected, by descriptor, since what is registered may have changed in the meantime.
 */
#ifndef WORKERS_GATEWAYS_ASGI_WATCH_H
#define WORKERS_GATEWAYS_ASGI_WATCH_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>

struct asgi_watch;
struct ev_loop;

struct asgi_watches {
	struct ev_loop *loop;
	PyObject *key_type; /* selectors.SelectorKey */
	PyObject *keys;     /* dict: descriptor to key */
	struct asgi_watch **by_fd;
	size_t fd_count;          /* size of by_fd */
	struct asgi_watch *ready; /* those with something to tell, linked */
	size_t ready_count;
};

/** @return 0, or -1 with an exception set; finish is due in either case */
int asgi_watches_init(struct asgi_watches *watches, struct ev_loop *loop);
void asgi_watches_clear(struct asgi_watches *watches);
void asgi_watches_finish(struct asgi_watches *watches);

/** Methods of a selector: register and modify of (fileobj, events, data=None). @return a key, NULL with an exception */
PyObject *asgi_watches_register(struct asgi_watches *watches, PyObject *arguments, PyObject *names);
PyObject *asgi_watches_modify(struct asgi_watches *watches, PyObject *arguments, PyObject *names);
PyObject *asgi_watches_unregister(struct asgi_watches *watches, PyObject *file);
PyObject *asgi_watches_get(struct asgi_watches *watches, PyObject *file);

/** @return a list of (key, events) of what has become ready since the last time; NULL with an exception set */
PyObject *asgi_watches_collect(struct asgi_watches *watches);

#endif
