/*
 * asgi_lifespan.h - the call of the application that lasts from start to end: the protocol "lifespan".
 */
#ifndef WORKERS_GATEWAYS_ASGI_LIFESPAN_H
#define WORKERS_GATEWAYS_ASGI_LIFESPAN_H

/**
 * Lets the application start, and waits for it.
 *
 * @param mode  "auto": one that knows nothing of lifespan goes without it; "on": it must; "off": it is not asked
 * @return 0, also when the worker is to end meanwhile; or enum unicorn_start, after saying why
 */
int asgi_lifespan_start(const char *mode);

/** Tells the application to end, if it has started, and waits until it has. Nothing the second time. */
void asgi_lifespan_stop(void);

#endif
