/*
 * control_reload.h - reads the configuration again and rolls it in: what `reload` and SIGHUP share.
 */
#ifndef DAEMON_CONTROL_CONTROL_RELOAD_H
#define DAEMON_CONTROL_CONTROL_RELOAD_H

#include "base/text.h"
#include "configuration/configuration_file.h"
#include "supervisor/supervisor.h"

#include <stdint.h>

/**
 * @param problems  appended when the configuration is wrong: one line each; the error then has kind CONFIGURATION and
 *                  as much of them as fits
 * @return the operation, or NULL: nothing has changed
 */
struct operation *control_load_and_reload(struct supervisor *supervisor, const struct configuration_source *source,
					  const struct reload_options *options, int64_t now_ms, struct error *error,
					  struct text *problems);

#endif
