#include "policy/configuration_check.h"

#include <stdio.h>
#include <string.h>

/** Appends one line about a pool. */
static void complain(struct text *problems, const struct pool_settings *pool, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void complain(struct text *problems, const struct pool_settings *pool, const char *fmt, ...)
{
	va_list arguments;

	text_append(problems, "%s: pool %s: ", pool->origin, pool->name);
	va_start(arguments, fmt);
	text_append_list(problems, fmt, arguments);
	va_end(arguments);
	text_append(problems, "\n");
}

static bool uses_listener(const struct pool_settings *pool, const char *name, size_t length)
{
	for (size_t i = 0; i < pool->listeners.count; i++) {
		if (strlen(pool->listeners.items[i]) == length && strncmp(pool->listeners.items[i], name, length) == 0)
			return true;
	}
	return false;
}

static void check_listeners_exist(const struct configuration *configuration, const struct pool_settings *pool,
				  struct text *problems)
{
	for (size_t i = 0; i < pool->listeners.count; i++) {
		const char *name = pool->listeners.items[i];

		if (configuration_find_listener(configuration, name) == NULL)
			complain(problems, pool, "listeners: there is no listener `%s`", name);
	}
}

/** {fd} and {fd:NAME} in one word of the command must mean a listener of the pool. */
static void check_word(const struct pool_settings *pool, const char *word, struct text *problems)
{
	for (const char *place = strstr(word, "{fd"); place != NULL; place = strstr(place + 1, "{fd")) {
		const char *end = strchr(place, '}');
		const char *name = place + strlen("{fd:");

		if (strncmp(place, "{fd}", 4) == 0) {
			if (pool->listeners.count == 0)
				complain(problems, pool, "command: {fd}, but the pool has no listeners");
		} else if (place[3] == ':' && end != NULL) {
			if (!uses_listener(pool, name, (size_t)(end - name)))
				complain(problems, pool, "command: {fd:%.*s} is not one of the pool's listeners",
					 (int)(end - name), name);
		}
	}
}

static void check_heartbeat(const struct pool_settings *pool, struct text *problems)
{
	if (pool->heartbeat == HEARTBEAT_NONE)
		return;
	if (pool->heartbeat_soft_ms > pool->heartbeat_hard_ms)
		complain(problems, pool, "heartbeat_soft is longer than heartbeat_hard");
	if (pool->heartbeat_interval_ms > pool->heartbeat_soft_ms)
		complain(problems, pool, "heartbeat_interval is longer than heartbeat_soft");
}

static void check_pool(const struct pool_settings *pool, struct text *problems)
{
	for (size_t i = 0; i < pool->command.count; i++)
		check_word(pool, pool->command.items[i], problems);
	check_heartbeat(pool, problems);
	if (pool->surge.value == 0 && pool->max_unavailable.value == 0)
		complain(problems, pool, "surge and max_unavailable are both 0, so that no worker can be replaced");
	if (pool->ready.kind == READINESS_ALIVE && pool->ready.alive_ms > pool->ready_timeout_ms)
		complain(problems, pool, "ready: a worker must be alive for longer than ready_timeout");
	if (pool->ready.kind == READINESS_OUTPUT && pool->output != OUTPUT_CAPTURE)
		complain(problems, pool, "ready: looks at the output, which must be captured: output = capture");
}

/** A listener is known by its address: also two of port 0 would be one. */
static void check_addresses(const struct configuration *configuration, struct text *problems)
{
	char buffer[ADDRESS_TEXT_SIZE];

	for (size_t i = 1; i < configuration->listener_count; i++) {
		const struct listener_settings *listener = configuration->listeners[i];

		for (size_t k = 0; k < i; k++) {
			const struct listener_settings *other = configuration->listeners[k];

			if (address_equal(&listener->address, &other->address))
				text_append(problems, "%s: listener %s: address: %s is that of listener %s\n",
					    listener->origin, listener->name,
					    address_print(&listener->address, buffer, sizeof(buffer)), other->name);
		}
	}
}

bool configuration_check_references(const struct configuration *configuration, struct text *problems)
{
	size_t before = problems->length;

	for (size_t i = 0; i < configuration->pool_count; i++)
		check_listeners_exist(configuration, configuration->pools[i], problems);
	return problems->length == before && !problems->failed;
}

bool configuration_check(const struct configuration *configuration, struct text *problems)
{
	size_t before = problems->length;

	if (configuration->pool_count == 0)
		text_append(problems, "there is no pool: a site needs a block `pool NAME { command = \"...\" }`\n");
	check_addresses(configuration, problems);
	(void)configuration_check_references(configuration, problems);
	for (size_t i = 0; i < configuration->pool_count; i++)
		check_pool(configuration->pools[i], problems);
	return problems->length == before && !problems->failed;
}
