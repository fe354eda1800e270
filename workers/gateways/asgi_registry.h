/*
 * asgi_registry.h - asyncio's set of all tasks, for tasks that end as soon as they begin.
 *
 * Up to Python 3.11 a task enters a WeakSet written in Python, which costs as much as everything else about the task.
 * One that is made between asgi_registry_open() and asgi_registry_close() is entered without a callback for its end,
 * and asgi_registry_settle() either takes it out or enters it properly. asyncio.all_tasks() shows it at any time.
 */
#ifndef WORKERS_GATEWAYS_ASGI_REGISTRY_H
#define WORKERS_GATEWAYS_ASGI_REGISTRY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/** Gets between asyncio and its set, where there is one like that. @return 0, or -1 with an exception set */
int asgi_registry_init(void);
void asgi_registry_finish(void);

/** A task that has been entered without a callback. */
struct asgi_registry_entry {
	PyObject *task; /**< NULL: none yet */
	PyObject *reference;
};

/** From here to asgi_registry_close() the next task that is made becomes this entry. */
void asgi_registry_open(struct asgi_registry_entry *entry);
void asgi_registry_close(void);

/** Lets go of the entry, whose task has taken its first step. An exception that is set stays. */
void asgi_registry_settle(struct asgi_registry_entry *entry);

#endif
