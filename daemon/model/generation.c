#include "model/generation.h"

#include <assert.h>
#include <stdlib.h>

static bool compile_pattern(struct generation *generation, struct error *error)
{
	const char *pattern = generation->settings->ready.pattern;

	if (generation->settings->ready.kind != READINESS_OUTPUT)
		return true;
	if (regcomp(&generation->pattern, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return error_set(error, ERROR_CONFIGURATION,
				 "%s: pool %s: ready: \"%s\" is not a POSIX extended regular expression",
				 generation->settings->origin, generation->settings->name, pattern);
	generation->has_pattern = true;
	return true;
}

struct generation *generation_create(unsigned number, struct pool_settings *settings, struct error *error)
{
	struct generation *generation = calloc(1, sizeof(*generation));

	if (generation == NULL) {
		error_set(error, ERROR_MEMORY, "no memory for a generation");
		return NULL;
	}
	generation->references = 1;
	generation->number = number;
	generation->settings = pool_settings_reference(settings);
	if (!compile_pattern(generation, error)) {
		generation_destroy(generation);
		return NULL;
	}
	return generation;
}

bool generation_add_listener(struct generation *generation, struct listener *listener)
{
	if (generation->listener_count == GENERATION_LISTENERS_MAX)
		return false;
	generation->listeners[generation->listener_count++] = listener;
	listener->generations++;
	return true;
}

struct generation *generation_reference(struct generation *generation)
{
	generation->references++;
	return generation;
}

bool generation_release(struct generation *generation)
{
	assert(generation->references > 0);
	return --generation->references == 0;
}

void generation_destroy(struct generation *generation)
{
	if (generation == NULL)
		return;
	for (size_t i = 0; i < generation->listener_count; i++)
		generation->listeners[i]->generations--;
	if (generation->has_pattern)
		regfree(&generation->pattern);
	pool_settings_release(generation->settings);
	free(generation);
}

void generation_replace_settings(struct generation *generation, struct pool_settings *settings)
{
	pool_settings_reference(settings);
	pool_settings_release(generation->settings);
	generation->settings = settings;
}
