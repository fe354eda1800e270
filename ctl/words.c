/*
 * words.c - what the words of vocabulary.def mean to unicornctl.
 */
#include "words.h"

#include <string.h>

enum worker_state {
#define WORKER_STATE(id, name) WORKER_STATE_##id,
#include "unicornd/vocabulary.def"
	WORKER_STATE_COUNT
};

static const char *const worker_state_names[] = {
#define WORKER_STATE(id, name) name,
#include "unicornd/vocabulary.def"
};

enum pool_state {
#define POOL_STATE(id, name) POOL_STATE_##id,
#include "unicornd/vocabulary.def"
	POOL_STATE_COUNT
};

static const char *const pool_state_names[] = {
#define POOL_STATE(id, name) name,
#include "unicornd/vocabulary.def"
};

enum event_level { EVENT_LEVEL_ERROR, EVENT_LEVEL_WARNING, EVENT_LEVEL_NOTICE, EVENT_LEVEL_INFO };

static const struct {
	const char *name;
	enum event_level level;
} events[] = {
#define EVENT(id, name, level) { name, EVENT_LEVEL_##level },
#include "unicornd/vocabulary.def"
};

static const struct {
	const char *name;
	bool fault;
} causes[] = {
#define CAUSE(id, name, words, fault) { name, fault },
#include "unicornd/vocabulary.def"
};

enum outcome {
#define OUTCOME(id, name, exit_code, words) OUTCOME_##id,
#include "unicornd/vocabulary.def"
	OUTCOME_COUNT
};

static const struct {
	const char *name;
	int exit_status;
	const char *words;
} outcomes[] = {
#define OUTCOME(id, name, exit_code, words) { name, exit_code, words },
#include "unicornd/vocabulary.def"
};

enum error_kind {
#define ERROR_KIND(id, name, rpc, exit_code) ERROR_KIND_##id,
#include "unicornd/vocabulary.def"
	ERROR_KIND_COUNT
};

static const struct {
	const char *name;
	long long rpc;
	int exit_status;
} error_kinds[] = {
#define ERROR_KIND(id, name, rpc, exit_code) { name, rpc, exit_code },
#include "unicornd/vocabulary.def"
};

static unsigned int name_find(const char *const *names, unsigned int count, const char *name)
{
	for (unsigned int i = 0; i < count; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return count;
}

enum style words_worker_state_style(const char *name)
{
	switch ((enum worker_state)name_find(worker_state_names, WORKER_STATE_COUNT, name)) {
	case WORKER_STATE_READY:
		return STYLE_GOOD;
	case WORKER_STATE_STARTING:
	case WORKER_STATE_DRAINING:
		return STYLE_CHANGING;
	case WORKER_STATE_ABORTING:
	case WORKER_STATE_KILLING:
	case WORKER_STATE_GONE:
		return STYLE_BAD;
	case WORKER_STATE_COUNT:
		break;
	}
	return STYLE_PLAIN;
}

enum style words_pool_state_style(const char *name)
{
	switch ((enum pool_state)name_find(pool_state_names, POOL_STATE_COUNT, name)) {
	case POOL_STATE_STEADY:
		return STYLE_GOOD;
	case POOL_STATE_ROLLING:
	case POOL_STATE_STOPPING:
		return STYLE_CHANGING;
	case POOL_STATE_DEGRADED:
		return STYLE_BAD;
	case POOL_STATE_COUNT:
		break;
	}
	return STYLE_PLAIN;
}

static enum style level_style(enum event_level level)
{
	switch (level) {
	case EVENT_LEVEL_ERROR:
		return STYLE_BAD;
	case EVENT_LEVEL_WARNING:
		return STYLE_CHANGING;
	case EVENT_LEVEL_NOTICE:
		return STYLE_STRONG;
	case EVENT_LEVEL_INFO:
		break;
	}
	return STYLE_PLAIN;
}

enum style words_event_style(const char *name)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (strcmp(events[i].name, name) == 0)
			return level_style(events[i].level);
	}
	return STYLE_PLAIN;
}

bool words_cause_is_fault(const char *name)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (strcmp(causes[i].name, name) == 0)
			return causes[i].fault;
	}
	return false;
}

static size_t outcome_find(const char *name)
{
	size_t i = 0;

	while (i < OUTCOME_COUNT && strcmp(outcomes[i].name, name) != 0)
		i++;
	return i;
}

int words_outcome_exit_status(const char *name, int otherwise)
{
	const size_t row = outcome_find(name);

	return row < OUTCOME_COUNT ? outcomes[row].exit_status : otherwise;
}

const char *words_outcome_explain(const char *name)
{
	const size_t row = outcome_find(name);

	return row < OUTCOME_COUNT ? outcomes[row].words : name;
}

bool words_outcome_is_running(const char *name)
{
	return outcome_find(name) == OUTCOME_RUNNING;
}

const char *words_outcome_done(void)
{
	return outcomes[OUTCOME_DONE].name;
}

const char *words_outcome_running(void)
{
	return outcomes[OUTCOME_RUNNING].name;
}

int words_error_exit_status(const char *kind, long long rpc, int otherwise)
{
	for (size_t i = 0; i < ERROR_KIND_COUNT; i++) {
		if (strcmp(error_kinds[i].name, kind) == 0 || (kind[0] == '\0' && error_kinds[i].rpc == rpc))
			return error_kinds[i].exit_status;
	}
	return otherwise;
}

bool words_error_has_places(const char *kind)
{
	return strcmp(error_kinds[ERROR_KIND_CONFIGURATION].name, kind) == 0;
}
