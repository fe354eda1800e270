/*
 * asgi_http.h - calls of the application for requests: the protocol of scopes of type "http".
 */
#ifndef WORKERS_GATEWAYS_ASGI_HTTP_H
#define WORKERS_GATEWAYS_ASGI_HTTP_H

#include "asgi_call.h"

extern const struct asgi_protocol asgi_http;

#endif
