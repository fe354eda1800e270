#include "http_deadlines.h"

#include <stddef.h>

void http_deadlines_clear(struct http_deadlines *deadlines, struct http_deadline *deadline)
{
	enum http_deadline_kind kind = deadline->kind;

	if (kind == HTTP_DEADLINE_NONE)
		return;
	if (deadline->previous != NULL)
		deadline->previous->next = deadline->next;
	else
		deadlines->first[kind] = deadline->next;
	if (deadline->next != NULL)
		deadline->next->previous = deadline->previous;
	else
		deadlines->last[kind] = deadline->previous;
	*deadline = (struct http_deadline){ .kind = HTTP_DEADLINE_NONE };
}

void http_deadlines_set(struct http_deadlines *deadlines, struct http_deadline *deadline, enum http_deadline_kind kind,
			int64_t now_ms)
{
	http_deadlines_clear(deadlines, deadline);
	if (deadlines->after_ms[kind] <= 0)
		return;
	deadline->kind = kind;
	deadline->at_ms = now_ms + deadlines->after_ms[kind];
	deadline->previous = deadlines->last[kind];
	if (deadline->previous != NULL)
		deadline->previous->next = deadline;
	else
		deadlines->first[kind] = deadline;
	deadlines->last[kind] = deadline;
}

struct http_deadline *http_deadlines_take_due(struct http_deadlines *deadlines, int64_t now_ms,
					      enum http_deadline_kind *kind)
{
	for (int i = 0; i < HTTP_DEADLINE_KINDS; i++) {
		struct http_deadline *first = deadlines->first[i];

		if (first != NULL && first->at_ms <= now_ms) {
			*kind = (enum http_deadline_kind)i;
			http_deadlines_clear(deadlines, first);
			return first;
		}
	}
	return NULL;
}

int64_t http_deadlines_earliest(const struct http_deadlines *deadlines)
{
	int64_t earliest = -1;

	for (int kind = 0; kind < HTTP_DEADLINE_KINDS; kind++) {
		const struct http_deadline *first = deadlines->first[kind];

		if (first != NULL && (earliest < 0 || first->at_ms < earliest))
			earliest = first->at_ms;
	}
	return earliest;
}
