/*
 * control_report.h - the model as JSON. Reads only. Each function returns NULL without memory.
 */
#ifndef DAEMON_CONTROL_CONTROL_REPORT_H
#define DAEMON_CONTROL_CONTROL_REPORT_H

#include "supervisor/supervisor.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/** Site, listeners, pools, workers. */
json_t *control_report_status(const struct supervisor *supervisor, const char *configuration_name, int64_t now_ms);

/** An operation that is over, or that it goes on. */
json_t *control_report_operation(const struct operation *operation);
/** How far an operation is with a pool, and the event that made it so. */
json_t *control_report_progress(const struct operation *operation, const struct pool *pool, const struct event *event);

json_t *control_report_event(const struct event *event);
/** The kept events after `since`. */
json_t *control_report_events(const struct event_journal *journal, uint64_t since);

/**
 * The last output of each worker, or of a slot's last one while its successor is silent.
 *
 * @param pool  only this one, or NULL
 * @param slot  only this one of the pool, or 0
 */
json_t *control_report_logs(const struct site *site, const struct pool *pool, int slot);
/** Output of a worker as it is written. */
json_t *control_report_output(const struct worker *worker, const char *bytes, size_t length);

json_t *control_report_configuration(const struct site *site);
json_t *control_report_version(void);

#endif
