/*
 * asgi_response.h - the answer in HTTP: what is behind send() of a request, and of a WebSocket that is denied.
 */
#ifndef WORKERS_GATEWAYS_ASGI_RESPONSE_H
#define WORKERS_GATEWAYS_ASGI_RESPONSE_H

#include "asgi_call.h"

/** How far an answer is: struct asgi_response.phase. */
enum asgi_response_phase {
	ASGI_RESPONSE_NONE,
	ASGI_RESPONSE_STARTED,
	ASGI_RESPONSE_TRAILERS, /**< the body has ended */
	ASGI_RESPONSE_COMPLETE,
};

/**
 * Does what a message "http.response.SOMETHING" says.
 *
 * @param something  the last part of its type
 */
enum asgi_status asgi_response_send(struct asgi_call *call, const char *something, PyObject *message);

/** Sets an exception for an error of the worker. */
enum asgi_status asgi_response_fail(int error);

#endif
