/*
 * vocabulary.h - the enums made from vocabulary.def, and their printed names.
 */
#ifndef DAEMON_MODEL_VOCABULARY_H
#define DAEMON_MODEL_VOCABULARY_H

#include "base/log.h"

#include <stdbool.h>

enum worker_state {
#define WORKER_STATE(id, name) WORKER_##id,
#include "unicornd/vocabulary.def"
	WORKER_STATE_COUNT
};

enum pool_state {
#define POOL_STATE(id, name) POOL_##id,
#include "unicornd/vocabulary.def"
	POOL_STATE_COUNT
};

enum cause {
#define CAUSE(id, name, words, fault) CAUSE_##id,
#include "unicornd/vocabulary.def"
	CAUSE_COUNT
};

enum event_kind {
#define EVENT(id, name, level) EVENT_##id,
#include "unicornd/vocabulary.def"
	EVENT_KIND_COUNT
};

enum verb {
#define VERB(id, name) VERB_##id,
#include "unicornd/vocabulary.def"
	VERB_COUNT
};

enum outcome {
#define OUTCOME(id, name, exit_code, words) OUTCOME_##id,
#include "unicornd/vocabulary.def"
	OUTCOME_COUNT
};

enum role {
#define ROLE(id, name) ROLE_##id,
#include "unicornd/vocabulary.def"
	ROLE_COUNT
};

const char *worker_state_name(enum worker_state state);
const char *pool_state_name(enum pool_state state);
const char *cause_name(enum cause cause);
/** @return the cause in words for people. */
const char *cause_words(enum cause cause);
/** @return true when this way to end counts against a worker. */
bool cause_is_fault(enum cause cause);
const char *event_kind_name(enum event_kind kind);
enum log_level event_kind_level(enum event_kind kind);
const char *verb_name(enum verb verb);
const char *outcome_name(enum outcome outcome);
const char *outcome_words(enum outcome outcome);
/** @return the exit status that unicornctl ends with. */
int outcome_exit_code(enum outcome outcome);
const char *role_name(enum role role);

#endif
