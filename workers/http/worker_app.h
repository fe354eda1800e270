/*
 * worker_app.h - finds and loads the module that --app names, and the rest of what modules may call: log and loop.
 */
#ifndef WORKERS_HTTP_WORKER_APP_H
#define WORKERS_HTTP_WORKER_APP_H

#include "http_server.h"
#include "unicornd/app.h"

/**
 * Loads a module.
 *
 * @param application  "wsgi:MODULE:NAME", "files:DIR", "PATH.so:ARGUMENT", "MODULE:NAME"
 * @param options      its argument is filled in
 * @return the application, or NULL after logging why: no retry can help
 */
const struct unicorn_app *worker_app_load(const char *application, struct unicorn_app_options *options);

/** Which server unicorn_worker_loop() and its kin speak of. */
void worker_app_set_server(struct http_server *server);

#endif
