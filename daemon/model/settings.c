#include "model/settings.h"

#include <string.h>

#define DAY_MS         INT64_C(86400000)
#define WORKERS_MAX    10000
#define BACKLOG_MAX    1000000
#define ATTEMPTS_MAX   1000
#define PERMISSION_MAX 0777

static const char *const heartbeat_modes[] = {
	[HEARTBEAT_REQUIRED] = "required",
	[HEARTBEAT_OPTIONAL] = "optional",
	[HEARTBEAT_NONE] = "none",
	NULL,
};

static const char *const output_modes[] = {
	[OUTPUT_CAPTURE] = "capture",
	[OUTPUT_INHERIT] = "inherit",
	[OUTPUT_NULL] = "null",
	NULL,
};

/** In the order of enum log_level. */
static const char *const log_levels[] = { "error", "warning", "notice", "info", "debug", NULL };

#define ROW(block, row_name, structure, member)                                                                        \
	.scope = SETTING_##block, .name = (row_name), .offset = offsetof(struct structure, member)
#define LISTENER(name, member) ROW(LISTENER, name, listener_settings, member)
#define POOL(name, member)     ROW(POOL, name, pool_settings, member)
#define CONTROL(name, member)  ROW(CONTROL, name, control_settings, member)
#define LOG(name, member)      ROW(LOG, name, log_settings, member)

static const struct setting table[] = {
	{ LISTENER("address", address), .kind = SETTING_ADDRESS, .required = true, .effect = EFFECT_REOPEN,
	  .summary = "HOST:PORT, :PORT (all addresses), unix:/PATH, @NAME (abstract) or systemd:NAME (taken over)" },
	{ LISTENER("backlog", backlog), .kind = SETTING_INTEGER, .default_text = "2048", .minimum = 1,
	  .maximum = BACKLOG_MAX, .effect = EFFECT_IN_PLACE,
	  .summary = "Connections that may wait to be accepted; the kernel's somaxconn is a limit too" },
	{ LISTENER("mode", mode), .kind = SETTING_MODE, .default_text = "0660", .maximum = PERMISSION_MAX,
	  .effect = EFFECT_REOPEN, .summary = "Permissions of a Unix socket's file" },
	{ LISTENER("owner", owner), .kind = SETTING_TEXT, .effect = EFFECT_REOPEN,
	  .summary = "User who owns a Unix socket's file" },
	{ LISTENER("group", group), .kind = SETTING_TEXT, .effect = EFFECT_REOPEN,
	  .summary = "Group of a Unix socket's file" },
	{ LISTENER("only_v6", only_v6), .kind = SETTING_BOOLEAN, .default_text = "no", .effect = EFFECT_REOPEN,
	  .summary = "Whether an IPv6 address refuses IPv4 connections" },
	{ LISTENER("no_delay", no_delay), .kind = SETTING_BOOLEAN, .default_text = "yes", .effect = EFFECT_REOPEN,
	  .summary = "Whether connections send small packets at once (TCP_NODELAY)" },
	{ LISTENER("defer_accept", defer_accept), .kind = SETTING_INTEGER, .default_text = "0", .minimum = 0,
	  .maximum = 3600, .effect = EFFECT_REOPEN,
	  .summary = "Seconds for which a connection may wait in the kernel for its first data; 0: not at all" },

	{ POOL("listeners", listeners), .kind = SETTING_STRINGS, .effect = EFFECT_ROLL,
	  .summary = "Names of the listeners that the workers inherit; none for background workers" },
	{ POOL("command", command), .kind = SETTING_COMMAND, .required = true, .effect = EFFECT_ROLL,
	  .summary = "Program and arguments, without a shell; {fd} and {fd:NAME} become descriptor numbers" },
	{ POOL("workers", workers), .kind = SETTING_WORKERS, .default_text = "1", .minimum = 1, .maximum = WORKERS_MAX,
	  .effect = EFFECT_IN_PLACE, .summary = "Number of workers; auto: one for each processor" },
	{ POOL("directory", directory), .kind = SETTING_TEXT, .effect = EFFECT_ROLL,
	  .summary = "Folder in which workers start; a relative path counts from the configuration file's folder" },
	{ POOL("user", user), .kind = SETTING_TEXT, .effect = EFFECT_ROLL, .summary = "User the workers run as" },
	{ POOL("group", group), .kind = SETTING_TEXT, .effect = EFFECT_ROLL,
	  .summary = "Group the workers run as; else the user's own" },
	{ POOL("umask", umask), .kind = SETTING_MODE, .maximum = PERMISSION_MAX, .effect = EFFECT_ROLL,
	  .summary = "Permissions that files of the workers do not get" },
	{ POOL("environment", environment), .kind = SETTING_ENVIRONMENT, .effect = EFFECT_ROLL,
	  .summary = "Variables NAME=value that are added to the daemon's environment" },
	{ POOL("environment_file", environment_file), .kind = SETTING_TEXT, .effect = EFFECT_ROLL,
	  .summary = "File of lines NAME=value, read with the configuration; environment wins; relative as directory" },
	{ POOL("limits", limits), .kind = SETTING_LIMITS, .effect = EFFECT_ROLL,
	  .summary = "Resource limits of setrlimit(2), as nofile=1024, nofile=1024:4096 or core=unlimited" },
	{ POOL("ready", ready), .kind = SETTING_READINESS, .default_text = "auto", .effect = EFFECT_ROLL,
	  .summary = "When a worker serves: message, \"output REGEX\", \"alive TIME\"; auto: as known for the server" },
	{ POOL("ready_timeout", ready_timeout_ms), .kind = SETTING_DURATION, .default_text = "60s", .minimum = 1,
	  .maximum = DAY_MS, .effect = EFFECT_IN_PLACE, .summary = "Longest time from start to readiness" },
	{ POOL("min_ready", min_ready_ms), .kind = SETTING_DURATION, .default_text = "0", .minimum = 0,
	  .maximum = DAY_MS, .effect = EFFECT_IN_PLACE,
	  .summary = "Time for which a new worker must stay ready before a roll counts it as good" },
	{ POOL("heartbeat", heartbeat), .kind = SETTING_CHOICE, .default_text = "optional", .choices = heartbeat_modes,
	  .effect = EFFECT_IN_PLACE,
	  .summary = "Whether workers must beat: required; optional: those that beat once must go on; none" },
	{ POOL("heartbeat_interval", heartbeat_interval_ms), .kind = SETTING_DURATION, .default_text = "1s",
	  .minimum = 1, .maximum = DAY_MS, .effect = EFFECT_IN_PLACE,
	  .summary = "How often a worker is asked to beat" },
	{ POOL("heartbeat_soft", heartbeat_soft_ms), .kind = SETTING_DURATION, .default_text = "10s", .minimum = 1,
	  .maximum = DAY_MS, .effect = EFFECT_IN_PLACE, .summary = "Silence after which a worker is reported as slow" },
	{ POOL("heartbeat_hard", heartbeat_hard_ms), .kind = SETTING_DURATION, .default_text = "30s", .minimum = 1,
	  .maximum = DAY_MS, .effect = EFFECT_IN_PLACE, .summary = "Silence after which a worker is replaced" },
	{ POOL("stop_signal", stop_signal), .kind = SETTING_SIGNAL, .default_text = "TERM", .effect = EFFECT_IN_PLACE,
	  .summary = "Signal that tells a worker to finish what runs and end" },
	{ POOL("drain_timeout", drain_timeout_ms), .kind = SETTING_DURATION, .default_text = "30s", .minimum = 0,
	  .maximum = 7 * DAY_MS, .effect = EFFECT_IN_PLACE,
	  .summary = "Time that a worker has to end after the stop signal before it is killed" },
	{ POOL("abort", abort), .kind = SETTING_BOOLEAN, .default_text = "no", .effect = EFFECT_IN_PLACE,
	  .summary = "Whether a worker that must be killed gets ABRT first, for a core file" },
	{ POOL("abort_timeout", abort_timeout_ms), .kind = SETTING_DURATION, .default_text = "10s", .minimum = 0,
	  .maximum = DAY_MS, .effect = EFFECT_IN_PLACE, .summary = "Time that a worker has to end after ABRT" },
	{ POOL("clean_exits", clean_exits), .kind = SETTING_EXITS, .default_text = "0", .effect = EFFECT_IN_PLACE,
	  .summary = "Exit statuses and signals that are no fault, in addition to status 0" },
	{ POOL("backoff", backoff), .kind = SETTING_PAUSES, .default_text = "100ms 30s", .minimum = 1,
	  .maximum = DAY_MS, .effect = EFFECT_IN_PLACE,
	  .summary = "First and longest pause before the next start after failures; each is twice the last" },
	{ POOL("backoff_reset", backoff_reset_ms), .kind = SETTING_DURATION, .default_text = "60s", .minimum = 0,
	  .maximum = DAY_MS, .effect = EFFECT_IN_PLACE,
	  .summary = "Time for which a worker must be ready to make its failures forgotten" },
	{ POOL("give_up", give_up), .kind = SETTING_RATE, .default_text = "10 in 60s", .minimum = 1, .maximum = 16,
	  .effect = EFFECT_IN_PLACE,
	  .summary = "Failures in a time after which the pool is degraded and starts slowly; or never" },
	{ POOL("surge", surge), .kind = SETTING_SHARE, .default_text = "25%", .maximum = WORKERS_MAX,
	  .effect = EFFECT_IN_PLACE, .summary = "Workers, or percentage, that a roll may start beyond `workers`" },
	{ POOL("max_unavailable", max_unavailable), .kind = SETTING_SHARE, .default_text = "0", .maximum = WORKERS_MAX,
	  .effect = EFFECT_IN_PLACE,
	  .summary = "Workers, or percentage, that a roll may take away before others are ready" },
	{ POOL("roll_attempts", roll_attempts), .kind = SETTING_INTEGER, .default_text = "3", .minimum = 1,
	  .maximum = ATTEMPTS_MAX, .effect = EFFECT_IN_PLACE,
	  .summary = "Failed starts after which a roll is abandoned" },
	{ POOL("roll_timeout", roll_timeout_ms), .kind = SETTING_DURATION, .default_text = "10m", .minimum = 1,
	  .maximum = 7 * DAY_MS, .effect = EFFECT_IN_PLACE,
	  .summary = "Time without progress after which a roll is abandoned" },
	{ POOL("output", output), .kind = SETTING_CHOICE, .default_text = "capture", .choices = output_modes,
	  .effect = EFFECT_ROLL, .summary = "Workers' output: capture into the daemon's log, inherit, or null" },

	{ CONTROL("socket", socket), .kind = SETTING_TEXT, .effect = EFFECT_RESTART,
	  .summary = "Path of the control socket; a relative path counts from the configuration file's folder" },
	{ CONTROL("mode", mode), .kind = SETTING_MODE, .default_text = "0660", .maximum = PERMISSION_MAX,
	  .effect = EFFECT_RESTART, .summary = "Permissions of the control socket's file" },
	{ CONTROL("operator_group", operator_group), .kind = SETTING_TEXT, .effect = EFFECT_RESTART,
	  .summary = "Group whose members may change things" },
	{ CONTROL("observer_group", observer_group), .kind = SETTING_TEXT, .effect = EFFECT_RESTART,
	  .summary = "Group whose members may look; else everybody who can open the socket" },

	{ LOG("file", file), .kind = SETTING_TEXT, .effect = EFFECT_IN_PLACE,
	  .summary = "File to append to, else standard error; a relative path counts from the configuration file's "
		     "folder" },
	{ LOG("level", level), .kind = SETTING_CHOICE, .default_text = "info", .choices = log_levels,
	  .effect = EFFECT_IN_PLACE, .summary = "Least important lines that are written" },
};

const struct setting *settings_table(size_t *count)
{
	*count = sizeof(table) / sizeof(table[0]);
	return table;
}

const struct setting *setting_find(enum setting_scope scope, const char *name)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].scope == scope && strcmp(table[i].name, name) == 0)
			return &table[i];
	}
	return NULL;
}

const char *setting_scope_name(enum setting_scope scope)
{
	static const char *const names[SETTING_SCOPE_COUNT] = {
		[SETTING_LISTENER] = "listener",
		[SETTING_POOL] = "pool",
		[SETTING_CONTROL] = "control",
		[SETTING_LOG] = "log",
	};

	return (unsigned)scope < SETTING_SCOPE_COUNT ? names[scope] : "unknown";
}

enum setting_effect pool_settings_compare(const struct pool_settings *a, const struct pool_settings *b, bool *differs)
{
	enum setting_effect strongest = EFFECT_IN_PLACE;

	*differs = false;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].scope != SETTING_POOL || setting_equal(&table[i], a, b))
			continue;
		*differs = true;
		if (table[i].effect > strongest)
			strongest = table[i].effect;
	}
	return strongest;
}

int share_of(const struct share *share, int workers)
{
	int64_t part;

	if (!share->percent)
		return share->value;
	part = ((int64_t)workers * share->value + 99) / 100;
	if (part == 0 && share->value > 0)
		part = 1;
	return (int)part;
}
