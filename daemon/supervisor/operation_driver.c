#include "supervisor/operation_driver.h"

#include "supervisor/pool_driver.h"
#include "supervisor/reload.h"

#include <stdio.h>
#include <string.h>

/** Lines of the failed worker's output in an answer. */
#define BLAME_LINES 40

static void forget_oldest(struct supervisor *supervisor)
{
	int count = 0;

	list_for_each (link, &supervisor->operations) {
		(void)link;
		count++;
	}
	list_for_each (link, &supervisor->operations) {
		struct operation *operation = list_entry(link, struct operation, link);
		if (count <= OPERATIONS_KEPT)
			break;
		if (operation_is_running(operation))
			continue;
		operation_destroy(operation);
		count--;
	}
}

struct operation *operation_driver_begin(struct supervisor *supervisor, enum verb verb, int64_t now_ms,
					 struct error *error)
{
	struct operation *operation = operation_create(supervisor->last_operation + 1, verb, now_ms);
	char id[OPERATION_ID_SIZE];

	if (operation == NULL) {
		error_set(error, ERROR_MEMORY, "no memory for an operation");
		return NULL;
	}
	supervisor->last_operation++;
	list_append(&supervisor->operations, &operation->link);
	forget_oldest(supervisor);
	supervisor_note(supervisor, now_ms, EVENT_OPERATION_STARTED, NULL, NULL, "%s %s",
			operation_print_id(operation, id), verb_name(verb));
	return operation;
}

static bool concerns(const struct operation *operation, const struct pool *pool)
{
	return operation_is_running(operation) &&
	       (pool == NULL || pool->operation == operation || operation->phase == OPERATION_OPENING ||
		operation->verb == VERB_STOP);
}

bool operation_driver_may_begin(struct supervisor *supervisor, const struct pool *pool, bool supersede,
				struct error *error)
{
	if (supervisor->stopping)
		return error_set(error, ERROR_STOPPING, "the site is stopping");
	list_for_each (link, &supervisor->operations) {
		struct operation *operation = list_entry(link, struct operation, link);
		char id[OPERATION_ID_SIZE];
		if (!concerns(operation, pool) || supersede)
			continue;
		supervisor->conflict = operation->id;
		return error_set(error, ERROR_CONFLICT, "%s (%s) is still running", operation_print_id(operation, id),
				 verb_name(operation->verb));
	}
	return true;
}

/**
 * The successor answers for all pools of the predecessor. It puts back what that would have put back, as long as that
 * would: one that is already restoring or cleaning has nothing to hand on but the pools that leave.
 */
static void inherit(struct supervisor *supervisor, struct operation *heir, struct operation *operation)
{
	bool can_fail = operation->phase == OPERATION_OPENING || operation->phase == OPERATION_ROLLING;

	heir->changed = heir->changed || operation->changed;
	heir->cleans = heir->cleans || operation->cleans;
	if (can_fail && heir->saved == NULL) {
		heir->saved = operation->saved;
		operation->saved = NULL;
	}
	list_for_each (link, &supervisor->site.pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		if (pool->operation != operation)
			continue;
		if (!can_fail)
			pool_driver_end(supervisor, pool);
		if (can_fail || pool->stopping)
			pool->operation = heir;
	}
}

void operation_driver_supersede(struct supervisor *supervisor, struct operation *heir, const struct pool *pool,
				int64_t now_ms)
{
	list_for_each (link, &supervisor->operations) {
		struct operation *operation = list_entry(link, struct operation, link);
		if (operation == heir || !concerns(operation, pool))
			continue;
		(void)snprintf(operation->message, sizeof(operation->message), "superseded by a later operation");
		reload_discard(supervisor, operation);
		inherit(supervisor, heir, operation);
		operation_driver_finish(supervisor, operation, OUTCOME_SUPERSEDED, now_ms);
	}
}

void operation_driver_blame(struct operation *operation, const struct worker *worker, const struct slot *slot)
{
	(void)snprintf(operation->failed_worker, sizeof(operation->failed_worker), "%s/%d", worker->pool->name,
		       worker->slot);
	(void)snprintf(operation->message, sizeof(operation->message), "%s/%d (pid %d): %s", worker->pool->name,
		       worker->slot, (int)worker->pid, slot->last_exit.text);
	text_finish(&operation->detail);
	output_ring_tail(&slot->last_output, BLAME_LINES, OPERATION_DETAIL_MAX, &operation->detail);
}

/** Exchanges the configuration in effect for the saved one; the failed one goes where the saved one was. */
static void put_configuration_back(struct supervisor *supervisor, struct operation *operation)
{
	struct configuration *failed = supervisor->site.configuration;

	if (operation->saved == NULL)
		return;
	supervisor->site.configuration = operation->saved;
	operation->saved = failed;
	reload_apply_listener_settings(supervisor);
}

void operation_driver_fail(struct supervisor *supervisor, struct operation *operation, int64_t now_ms)
{
	reload_discard(supervisor, operation);
	supervisor->disturbed = true;
	operation->phase = OPERATION_RESTORING;
	put_configuration_back(supervisor, operation);
	list_for_each (link, &supervisor->site.pools) {
		struct pool *member = list_entry(link, struct pool, link);
		if (member->operation == operation)
			pool_driver_restore(supervisor, member, now_ms);
	}
}

static bool is_settled(const struct supervisor *supervisor, const struct operation *operation)
{
	list_for_each (link, &supervisor->site.pools) {
		const struct pool *pool = list_entry(link, struct pool, link);
		if (pool->operation == operation && pool->rolling)
			return false;
	}
	return true;
}

/** An operation that ends well has said nothing so far. */
static void explain(struct operation *operation)
{
	bool done = operation->outcome == OUTCOME_DONE;

	if (operation->message[0] != '\0')
		return;
	if (done && operation->verb == VERB_START)
		(void)snprintf(operation->message, sizeof(operation->message), "listeners are open, workers start");
	else if (done && operation->generation > 0)
		(void)snprintf(operation->message, sizeof(operation->message), "generation %u serves",
			       operation->generation);
	else
		(void)snprintf(operation->message, sizeof(operation->message), "%s", outcome_words(operation->outcome));
}

void operation_driver_finish(struct supervisor *supervisor, struct operation *operation, enum outcome outcome,
			     int64_t now_ms)
{
	char id[OPERATION_ID_SIZE];

	operation->phase = OPERATION_OVER;
	operation->outcome = outcome;
	operation->finished_ms = now_ms;
	list_for_each (link, &supervisor->site.pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		if (pool->operation == operation)
			pool_driver_end(supervisor, pool);
	}
	explain(operation);
	supervisor_note(supervisor, now_ms, EVENT_OPERATION_FINISHED, NULL, NULL, "%s %s: %s: %s",
			operation_print_id(operation, id), verb_name(operation->verb), outcome_name(outcome),
			operation->message);
	list_for_each (link, &supervisor->observers) {
		struct observer *observer = list_entry(link, struct observer, link);
		if (observer->operation_finished != NULL)
			observer->operation_finished(observer->context, operation);
	}
	configuration_destroy(operation->saved);
	operation->saved = NULL;
}

/** Pools that the configuration in effect does not have leave, under the operation's eyes. */
static void remove_pools(struct supervisor *supervisor, struct operation *operation, int64_t now_ms)
{
	list_for_each (link, &supervisor->site.pools) {
		struct pool *pool = list_entry(link, struct pool, link);
		if (pool->removed || pool->target == NULL ||
		    configuration_find_pool(supervisor->site.configuration, pool->name) != NULL)
			continue;
		pool->removed = true;
		pool->operation = operation;
		pool_driver_stop(supervisor, pool, false, now_ms);
	}
}

static enum outcome find_outcome(const struct operation *operation)
{
	if (operation->degraded)
		return OUTCOME_DEGRADED;
	return operation->changed ? OUTCOME_ROLLED_BACK : OUTCOME_UNTOUCHED;
}

static void start_cleaning(struct supervisor *supervisor, struct operation *operation, int64_t now_ms)
{
	bool failed = operation->phase == OPERATION_RESTORING;

	operation->outcome = failed ? find_outcome(operation) : OUTCOME_DONE;
	operation->phase = OPERATION_CLEANING;
	if (operation->cleans)
		remove_pools(supervisor, operation, now_ms);
}

bool operation_driver_advance(struct supervisor *supervisor, struct operation *operation, int64_t now_ms)
{
	switch (operation->phase) {
	case OPERATION_OPENING:
		return operation->opening == 0 && reload_commit(supervisor, operation, now_ms);
	case OPERATION_ROLLING:
	case OPERATION_RESTORING:
		if (!is_settled(supervisor, operation))
			return false;
		start_cleaning(supervisor, operation, now_ms);
		return true;
	case OPERATION_CLEANING:
		if (!is_settled(supervisor, operation))
			return false;
		operation_driver_finish(supervisor, operation, operation->outcome, now_ms);
		return true;
	case OPERATION_OVER:
		break;
	}
	return false;
}
