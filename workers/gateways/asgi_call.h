/*
 * asgi_call.h - one call of the application: the coroutine that its task runs, from its first step to its end.
 *
 * To asyncio a call is a coroutine. Its first step calls the application, the others go on in what that returned, and
 * its end, whichever it is, is told to the protocol. So no exception of an application ever reaches asyncio, and no
 * callback is needed to learn that a task has ended.
 *
 * What messages mean is the protocol's business: asgi_http.h, asgi_websocket.h, asgi_lifespan.h.
 */
#ifndef WORKERS_GATEWAYS_ASGI_CALL_H
#define WORKERS_GATEWAYS_ASGI_CALL_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asgi_awaitable;
struct asgi_call;
struct unicorn_request;

/** What an operation of a protocol has come to. */
enum asgi_status {
	ASGI_FAILED = -1, /**< an exception is set */
	ASGI_DONE,
	ASGI_WAIT, /**< not before one of the events of asgi_call_wake() */
};

/** How a call has ended. */
enum asgi_outcome {
	ASGI_RETURNED,
	ASGI_RAISED,    /**< which has been logged, if it was worth it */
	ASGI_CANCELLED, /**< by asgi_call_cancel_all() */
};

struct asgi_protocol {
	const char *name; /**< as the scope's type says it */

	/** receive(): @param message  a new reference when it is ASGI_DONE */
	enum asgi_status (*receive)(struct asgi_call *call, PyObject **message);

	/** send(), whose message is a dict. ASGI_WAIT: it is done, but the application is to wait before the next one.
	 */
	enum asgi_status (*send)(struct asgi_call *call, PyObject *message);

	/** Is an exception that ends a call nothing to be logged? NULL: one of a closed connection is not. */
	bool (*excuses)(const struct asgi_call *call, PyObject *exception);

	void (*ended)(struct asgi_call *call, enum asgi_outcome outcome);
};

/** The answer in HTTP, see asgi_response.h. */
struct asgi_response {
	uint8_t phase;
	bool has_trailers;  /**< some will follow behind the body */
	bool has_body;      /**< some of it has been sent */
	PyObject *trailers; /**< list of those that have come, or NULL */
};

/** How a WebSocket has ended, see asgi_websocket.h. */
struct asgi_close {
	int code; /**< 0: not at all */
	PyObject *reason;
	PyObject *unread; /**< list of the messages that came before, or NULL */
};

struct asgi_call {
	PyObject_HEAD const struct asgi_protocol *protocol;
	struct unicorn_request *request; /**< NULL when it is over, or there never was one */
	PyObject *scope;
	PyObject *coroutine; /**< what the application returned, ready to be stepped */
	PyObject *task;
	struct asgi_awaitable *waiting; /**< those that wait for an event, linked */
	struct asgi_call *previous;
	struct asgi_call *next;
	bool is_running;
	bool is_listed;
	bool is_sending; /**< a message is being read, which may run code of the application */
	uint8_t phase;   /**< of the protocol */
	struct asgi_response response;
	struct asgi_close close;
};

/** Readies the type, and says whom to call. @return 0, or -1 with an exception set */
int asgi_call_init(PyObject *application);
void asgi_call_finish(void);

/**
 * @param request  NULL without one
 * @param scope    a reference that is taken over in any case; may be NULL, with an exception set
 * @return a new reference, or NULL with an exception set
 */
struct asgi_call *asgi_call_create(const struct asgi_protocol *protocol, struct unicorn_request *request,
				   PyObject *scope);

/** Makes the call, as far as it goes without waiting. An exception is logged; ended() is called in any case. */
void asgi_call_start(struct asgi_call *call);

/** Lets go on who waits for one of the events (enum unicorn_event). */
void asgi_call_wake(struct asgi_call *call, unsigned events);

/** Is a call of a request still running? Also when the request is over. */
bool asgi_call_is_any_running(void);

/** Cancels the tasks of those. */
void asgi_call_cancel_all(void);

#endif
