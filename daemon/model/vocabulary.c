#include "model/vocabulary.h"

static const char *const worker_state_names[] = {
#define WORKER_STATE(id, name) [WORKER_##id] = name,
#include "unicornd/vocabulary.def"
};

static const char *const pool_state_names[] = {
#define POOL_STATE(id, name) [POOL_##id] = name,
#include "unicornd/vocabulary.def"
};

static const struct {
	const char *name;
	const char *words;
	bool fault;
} causes[] = {
#define CAUSE(id, name, words, fault) [CAUSE_##id] = { name, words, fault },
#include "unicornd/vocabulary.def"
};

static const struct {
	const char *name;
	enum log_level level;
} event_kinds[] = {
#define EVENT(id, name, level) [EVENT_##id] = { name, LOG_LEVEL_##level },
#include "unicornd/vocabulary.def"
};

static const char *const verb_names[] = {
#define VERB(id, name) [VERB_##id] = name,
#include "unicornd/vocabulary.def"
};

static const struct {
	const char *name;
	int exit_code;
	const char *words;
} outcomes[] = {
#define OUTCOME(id, name, exit_code, words) [OUTCOME_##id] = { name, exit_code, words },
#include "unicornd/vocabulary.def"
};

static const char *const role_names[] = {
#define ROLE(id, name) [ROLE_##id] = name,
#include "unicornd/vocabulary.def"
};

const char *worker_state_name(enum worker_state state)
{
	return worker_state_names[state];
}

const char *pool_state_name(enum pool_state state)
{
	return pool_state_names[state];
}

const char *cause_name(enum cause cause)
{
	return causes[cause].name;
}

const char *cause_words(enum cause cause)
{
	return causes[cause].words;
}

bool cause_is_fault(enum cause cause)
{
	return causes[cause].fault;
}

const char *event_kind_name(enum event_kind kind)
{
	return event_kinds[kind].name;
}

enum log_level event_kind_level(enum event_kind kind)
{
	return event_kinds[kind].level;
}

const char *verb_name(enum verb verb)
{
	return verb_names[verb];
}

const char *outcome_name(enum outcome outcome)
{
	return outcomes[outcome].name;
}

const char *outcome_words(enum outcome outcome)
{
	return outcomes[outcome].words;
}

int outcome_exit_code(enum outcome outcome)
{
	return outcomes[outcome].exit_code;
}

const char *role_name(enum role role)
{
	return role_names[role];
}
