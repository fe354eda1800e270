#include "policy/reload_plan.h"

#include <string.h>

enum pool_change reload_plan_pool(const struct pool_settings *before, const struct pool_settings *after,
				  bool only_changed)
{
	bool differs = false;
	enum setting_effect effect;

	if (!only_changed)
		return POOL_CHANGE_ROLL;
	effect = pool_settings_compare(before, after, &differs);
	if (!differs)
		return POOL_CHANGE_NONE;
	return effect == EFFECT_IN_PLACE ? POOL_CHANGE_IN_PLACE : POOL_CHANGE_ROLL;
}

static bool texts_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/** The name of the first setting that is fixed when a socket is bound and that differs, or NULL. */
static const char *find_fixed(const struct listener_settings *before, const struct listener_settings *after)
{
	bool has_file = before->address.kind == ADDRESS_UNIX;

	if (before->only_v6 != after->only_v6)
		return "only_v6";
	if (has_file && before->mode != after->mode)
		return "mode";
	if (has_file && !texts_equal(before->owner, after->owner))
		return "owner";
	return has_file && !texts_equal(before->group, after->group) ? "group" : NULL;
}

bool reload_plan_listener(const struct listener_settings *before, const struct listener_settings *after,
			  struct error *error)
{
	const char *fixed = find_fixed(before, after);

	if (fixed == NULL)
		return true;
	return error_set(error, ERROR_CONFIGURATION,
			 "%s: listener %s: %s cannot change while the address stays bound; restart the daemon, or "
			 "change the address",
			 after->origin, after->name, fixed);
}

const char *reload_plan_needs_restart(const struct configuration *before, const struct configuration *after)
{
	size_t count;
	const struct setting *table = settings_table(&count);

	for (size_t i = 0; i < count; i++) {
		const struct setting *row = &table[i];
		bool control = row->scope == SETTING_CONTROL;
		const void *a = control ? (const void *)&before->control : (const void *)&before->log;
		const void *b = control ? (const void *)&after->control : (const void *)&after->log;

		if ((control || row->scope == SETTING_LOG) && row->effect == EFFECT_RESTART &&
		    !setting_equal(row, a, b))
			return row->name;
	}
	return NULL;
}
