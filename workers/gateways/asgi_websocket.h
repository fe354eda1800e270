/*
 * asgi_websocket.h - calls of the application for WebSockets: the protocol of scopes of type "websocket".
 */
#ifndef WORKERS_GATEWAYS_ASGI_WEBSOCKET_H
#define WORKERS_GATEWAYS_ASGI_WEBSOCKET_H

#include "asgi_call.h"

extern const struct asgi_protocol asgi_websocket;

/** Something has happened to the request of a call: bits of enum unicorn_event. */
void asgi_websocket_resume(struct asgi_call *call, unsigned events);

/** The request is over. */
void asgi_websocket_closed(struct asgi_call *call);

#endif
