/*
 * control_answer.h - the envelopes of JSON-RPC 2.0.
 *
 * Each function takes over the content it is given, also when it fails, and returns NULL without memory.
 */
#ifndef DAEMON_CONTROL_CONTROL_ANSWER_H
#define DAEMON_CONTROL_CONTROL_ANSWER_H

#include "base/error.h"

#include <jansson.h>
#include <stddef.h>

/** @param id  of the request */
json_t *control_answer_result(json_t *id, json_t *result);

/**
 * @param id         of the request; NULL: it is not known
 * @param error      kind and text
 * @param message    stands in for the error's text when that is too short for it; NULL: the error's text
 * @param operation  id of the operation that stands in the way, or NULL
 */
json_t *control_answer_error(json_t *id, const struct error *error, const char *message, const char *operation);

json_t *control_answer_notification(const char *method, json_t *params);

/** Writes the line that is left to say when there is no memory for an answer. @return its length */
size_t control_answer_print_no_memory(char *buffer, size_t size);

#endif
