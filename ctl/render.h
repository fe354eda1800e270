/*
 * render.h - what the daemon says, for people and for programs.
 */
#ifndef CTL_RENDER_H
#define CTL_RENDER_H

#include "command_table.h"
#include "output.h"
#include "progress.h"

#include <jansson.h>
#include <stdbool.h>

struct render {
	struct output out;
	struct output complaints;
	struct progress progress;
	bool json;  /**< what the daemon says is printed as it came */
	bool waits; /**< an operation was asked for together with its outcome */
};

void render_init(struct render *render, bool json, bool colour_wanted, bool waits);
/** Takes the progress away, writes everything out. @return false when something could not be written. */
bool render_finish(struct render *render);

/** Tells the user of a trouble, on standard error, behind the name of the program. */
void render_complain(struct render *render, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Shows the result of a command. @return the exit status that it means. */
int render_result(struct render *render, const struct command *command, const json_t *result);
/** Shows the `error` object of an answer. @return the exit status that it means; never 0. */
int render_error(struct render *render, const json_t *error);
/** Shows a notification; a method that is not known is left out. */
void render_notification(struct render *render, const char *method, const json_t *params);

/** Shows an operation that goes on without us: its id. @param operation  "" when it is not known */
void render_operation_runs(struct render *render, const char *operation);
/** Shows that the daemon has ended while its stop was waited for. */
void render_stopped(struct render *render, const char *operation);

/* Parts of render_result() and render_notification() that have their own files. */

/** render_status.c @param now  seconds since 1970 */
void render_status(struct output *output, const json_t *result, double now);
/** render_stream.c */
void render_event(struct output *output, const json_t *event);
/** render_stream.c */
void render_log(struct output *output, const json_t *log);
/** render_operation.c */
void render_operation(struct render *render, const json_t *result);
/** render_operation.c */
int render_operation_exit_status(const struct render *render, const json_t *result);

#endif
