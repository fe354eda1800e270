#include "supervisor/launch.h"

#include "unicornd/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Where the shipped workers are; configure sets it. */
#ifndef BINDIR
#define BINDIR "/usr/local/bin"
#endif

/** Names that are the contract's; what the daemon itself was given under them is not for workers. */
static const char *const owned_names[] = {
	UNICORND_ENV_LISTEN_FDS,    UNICORND_ENV_LISTEN_PID,   UNICORND_ENV_LISTEN_FDNAMES, UNICORND_ENV_STATUS_FD,
	UNICORND_ENV_POOL,          UNICORND_ENV_SLOT,         UNICORND_ENV_GENERATION,     UNICORND_ENV_NOTIFY_SOCKET,
	UNICORND_ENV_WATCHDOG_USEC, UNICORND_ENV_WATCHDOG_PID,
};

int launch_status_fd(const struct generation *generation)
{
	return UNICORND_FIRST_FD + (int)generation->listener_count;
}

static int find_fd(const struct pool_settings *settings, const char *name, size_t length)
{
	for (size_t i = 0; i < settings->listeners.count; i++) {
		const char *listener = settings->listeners.items[i];
		if (strlen(listener) == length && memcmp(listener, name, length) == 0)
			return UNICORND_FIRST_FD + (int)i;
	}
	return -1;
}

/** The descriptor that the placeholder at `word` stands for; *length is its length. -1: not a placeholder. */
static int read_placeholder(const struct pool_settings *settings, const char *word, size_t *length)
{
	const char *end;

	if (strncmp(word, "{fd}", 4) == 0) {
		*length = 4;
		return settings->listeners.count > 0 ? UNICORND_FIRST_FD : -1;
	}
	end = strchr(word, '}');
	if (strncmp(word, "{fd:", 4) != 0 || end == NULL)
		return -1;
	*length = (size_t)(end - word) + 1;
	return find_fd(settings, word + 4, *length - 5);
}

bool launch_expand(const struct pool_settings *settings, const char *word, struct text *text)
{
	while (*word != '\0') {
		size_t length = 0;
		int fd = *word == '{' ? read_placeholder(settings, word, &length) : -1;
		if (fd >= 0) {
			text_append(text, "%d", fd);
			word += length;
		} else {
			text_append_bytes(text, word++, 1);
		}
	}
	return !text->failed;
}

static bool expand_arguments(struct launch *launch, const struct pool_settings *settings)
{
	bool good = true;

	for (size_t i = 0; i < settings->command.count && good; i++) {
		struct text word = { 0 };
		good = launch_expand(settings, settings->command.items[i], &word) &&
		       string_list_append(&launch->arguments, text_string(&word));
		text_finish(&word);
	}
	return good;
}

static size_t name_length(const char *variable)
{
	const char *equals = strchr(variable, '=');

	return equals != NULL ? (size_t)(equals - variable) : strlen(variable);
}

static bool is_owned(const char *variable)
{
	for (size_t i = 0; i < sizeof(owned_names) / sizeof(owned_names[0]); i++) {
		if (strlen(owned_names[i]) == name_length(variable) &&
		    strncmp(owned_names[i], variable, name_length(variable)) == 0)
			return true;
	}
	return false;
}

static bool is_overridden(const struct string_list *environment, const char *variable)
{
	for (size_t i = 0; i < environment->count; i++) {
		const char *other = environment->items[i];
		if (name_length(other) == name_length(variable) && strncmp(other, variable, name_length(variable)) == 0)
			return true;
	}
	return false;
}

static bool add_inherited(struct launch *launch, const struct pool_settings *settings, char *const *environment)
{
	for (; *environment != NULL; environment++) {
		if (is_owned(*environment) || is_overridden(&settings->environment, *environment))
			continue;
		if (!string_list_append(&launch->environment, *environment))
			return false;
	}
	for (size_t i = 0; i < settings->environment.count; i++) {
		if (!is_owned(settings->environment.items[i]) &&
		    !string_list_append(&launch->environment, settings->environment.items[i]))
			return false;
	}
	return true;
}

static bool add_variable(struct launch *launch, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool add_variable(struct launch *launch, const char *fmt, ...)
{
	struct text text = { 0 };
	va_list arguments;
	bool good;

	va_start(arguments, fmt);
	text_append_list(&text, fmt, arguments);
	va_end(arguments);
	good = !text.failed && string_list_append(&launch->environment, text_string(&text));
	text_finish(&text);
	return good;
}

static bool add_names(struct launch *launch, const struct pool_settings *settings)
{
	struct text names = { 0 };
	bool good;

	for (size_t i = 0; i < settings->listeners.count; i++)
		text_append(&names, "%s%s", i > 0 ? ":" : "", settings->listeners.items[i]);
	good = !names.failed && add_variable(launch, UNICORND_ENV_LISTEN_FDNAMES "=%s", text_string(&names));
	text_finish(&names);
	return good;
}

/** Whether {fd} or {fd:NAME} stood in the command. */
static bool is_told_numbers(const struct launch *launch, const struct pool_settings *settings)
{
	return !string_list_equal(&launch->arguments, &settings->command);
}

static bool add_contract(struct launch *launch, const struct generation *generation)
{
	const struct pool_settings *settings = generation->settings;
	long long watchdog_usec = (long long)settings->heartbeat_interval_ms * 2 * 1000;

	/* A command that is told the number must not find the socket again: Gunicorn 20 takes both and fails. */
	if (!is_told_numbers(launch, settings) &&
	    !(add_names(launch, settings) &&
	      add_variable(launch, UNICORND_ENV_LISTEN_FDS "=%zu", generation->listener_count)))
		return false;
	/* sd_watchdog_enabled(3) tells its users to beat at half of the period: twice our interval makes that ours. */
	return add_variable(launch, UNICORND_ENV_LISTEN_PID "=" SPAWN_PID_RESERVED) &&
	       add_variable(launch, UNICORND_ENV_STATUS_FD "=%d", launch_status_fd(generation)) &&
	       add_variable(launch, UNICORND_ENV_POOL "=%s", settings->name) &&
	       add_variable(launch, UNICORND_ENV_GENERATION "=%u", generation->number) &&
	       (settings->heartbeat == HEARTBEAT_NONE ||
		(add_variable(launch, UNICORND_ENV_WATCHDOG_USEC "=%lld", watchdog_usec) &&
		 add_variable(launch, UNICORND_ENV_WATCHDOG_PID "=" SPAWN_PID_RESERVED)));
}

static bool build_block(struct launch *launch)
{
	size_t count = launch->environment.count;

	launch->block = calloc(count + 3, sizeof(char *));
	if (launch->block == NULL)
		return false;
	for (size_t i = 0; i < count; i++)
		launch->block[i] = launch->environment.items[i];
	launch->block[count] = launch->slot;
	launch->block[count + 1] = launch->notify;
	return true;
}

static bool add_limits(struct launch *launch, const struct pool_settings *settings, const struct rlimit *descriptors,
		       struct error *error)
{
	launch->limits[launch->limit_count++] =
		(struct spawn_limit){ .resource = RLIMIT_NOFILE, .value = *descriptors };
	for (size_t i = 0; i < settings->limits.count; i++) {
		if (launch->limit_count == LAUNCH_LIMITS_MAX)
			return error_set(error, ERROR_CONFIGURATION, "more than %d limits", LAUNCH_LIMITS_MAX - 1);
		if (!spawn_limit_parse(settings->limits.items[i], &launch->limits[launch->limit_count++], error))
			return false;
	}
	return true;
}

static bool find_user(struct launch *launch, const struct pool_settings *settings, struct error *error)
{
	if (settings->user == NULL && settings->group == NULL)
		return true;
	if (!privileges_resolve(settings->user, settings->group, &launch->privileges, error))
		return false;
	launch->changes_user = !privileges_are_current(&launch->privileges);
	return true;
}

static bool fill(struct launch *launch, const struct generation *generation, char *const *environment,
		 const struct rlimit *descriptor_limit, struct error *error)
{
	const struct pool_settings *settings = generation->settings;

	if (!spawn_find_program(settings->command.items[0], settings->directory, BINDIR, launch->program,
				sizeof(launch->program), error) ||
	    !find_user(launch, settings, error) || !add_limits(launch, settings, descriptor_limit, error))
		return false;
	if (expand_arguments(launch, settings) && add_inherited(launch, settings, environment) &&
	    add_contract(launch, generation) && build_block(launch))
		return true;
	return error_set(error, ERROR_MEMORY, "no memory for the environment of workers");
}

struct launch *launch_create(const struct generation *generation, char *const *environment,
			     const struct rlimit *descriptor_limit, struct error *error)
{
	struct launch *launch = calloc(1, sizeof(*launch));

	if (launch == NULL) {
		error_set(error, ERROR_MEMORY, "no memory for the environment of workers");
		return NULL;
	}
	if (fill(launch, generation, environment, descriptor_limit, error))
		return launch;
	error_wrap(error, "%s: pool %s", generation->settings->origin, generation->settings->name);
	if (error->kind != ERROR_MEMORY)
		error->kind = ERROR_CONFIGURATION;
	launch_destroy(launch);
	return NULL;
}

void launch_destroy(struct launch *launch)
{
	if (launch == NULL)
		return;
	string_list_finish(&launch->arguments);
	string_list_finish(&launch->environment);
	free(launch->block);
	free(launch);
}
