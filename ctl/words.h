/*
 * words.h - what the words of vocabulary.def mean to unicornctl: exit statuses, colours, explanations.
 *
 * A word that this version does not know has no colour and the exit status that the caller proposes.
 */
#ifndef CTL_WORDS_H
#define CTL_WORDS_H

#include "output.h"

enum style words_worker_state_style(const char *name);
enum style words_pool_state_style(const char *name);
enum style words_event_style(const char *name);
/** @return true when a worker that ended for this cause is to blame. */
bool words_cause_is_fault(const char *name);
int words_outcome_exit_status(const char *name, int otherwise);
/** @return words that tell a person the outcome; the name itself when it is unknown. */
const char *words_outcome_explain(const char *name);
/** True for an outcome that is none yet. */
bool words_outcome_is_running(const char *name);
/** The name of the outcome that is the best. */
const char *words_outcome_done(void);
/** The name of the outcome that is none yet. */
const char *words_outcome_running(void);
/** @param rpc  JSON-RPC error code, for a daemon that names no kind */
int words_error_exit_status(const char *kind, long long rpc, int otherwise);
/** True when the message of this kind has lines that begin with FILE:LINE. */
bool words_error_has_places(const char *kind);

#endif
