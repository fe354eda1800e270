/*
 * settings.h - the settings table: one row for each setting of a site, and the structs that the rows fill.
 *
 * The table is the only place that knows a setting's name, type, default, range and meaning of a change; the parser of
 * the configuration file, `unicornd -T`, the answer of `unicornctl config` and the manual's tables are made from it.
 * Nothing here reads files or knows libConfuse.
 */
#ifndef DAEMON_MODEL_SETTINGS_H
#define DAEMON_MODEL_SETTINGS_H

#include "base/error.h"
#include "base/text.h"
#include "model/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Which block of the file a setting stands in. */
enum setting_scope { SETTING_LISTENER, SETTING_POOL, SETTING_CONTROL, SETTING_LOG, SETTING_SCOPE_COUNT };

/** Type of a setting's value; the comment names the type of the struct member. */
enum setting_kind {
	SETTING_BOOLEAN,     /* bool */
	SETTING_INTEGER,     /* int; minimum..maximum */
	SETTING_WORKERS,     /* int; a number, or "auto": the processors this process may run on */
	SETTING_SHARE,       /* struct share; a number or a percentage, "2" or "25%" */
	SETTING_DURATION,    /* int64_t, milliseconds; minimum..maximum */
	SETTING_PAUSES,      /* struct pauses; "100ms 30s": first and longest */
	SETTING_RATE,        /* struct rate; "10 in 60s" or "never" */
	SETTING_TEXT,        /* char *, owned, NULL when not set */
	SETTING_MODE,        /* int; octal, -1 when not set */
	SETTING_SIGNAL,      /* int; "TERM" or "SIGTERM" */
	SETTING_CHOICE,      /* int; index into the row's choices */
	SETTING_ADDRESS,     /* struct address */
	SETTING_READINESS,   /* struct readiness */
	SETTING_STRINGS,     /* struct string_list */
	SETTING_COMMAND,     /* struct string_list; a list, or one string that is split into words */
	SETTING_ENVIRONMENT, /* struct string_list of "NAME=value" */
	SETTING_LIMITS,      /* struct string_list of "nofile=1024" or "nofile=1024:4096"; names of setrlimit(2) */
	SETTING_EXITS        /* struct exit_set; numbers 0..255 and signal names */
};

/** What a change of the setting asks for when the configuration is read again. */
enum setting_effect {
	EFFECT_IN_PLACE, /**< running workers go on, the new value counts from now */
	EFFECT_ROLL,     /**< workers must be replaced */
	EFFECT_REOPEN,   /**< the listener must be bound anew */
	EFFECT_RESTART   /**< only a restart of the daemon takes it over; a reload that changes it says so */
};

struct setting {
	enum setting_scope scope;
	const char *name;
	enum setting_kind kind;
	size_t offset;            /**< of the member in the scope's struct */
	const char *default_text; /**< as it would stand in the file; NULL: not set; a list is written with blanks */
	int64_t minimum;          /**< for integers and durations */
	int64_t maximum;
	const char *const *choices; /**< NULL-terminated, for SETTING_CHOICE */
	bool required;
	enum setting_effect effect;
	const char *summary; /**< one line for the manual */
};

/** A number, or a percentage of the pool's workers (rounded up, at least 1 when the percentage is not 0). */
struct share {
	int value;
	bool percent;
};

struct pauses {
	int64_t first_ms;
	int64_t longest_ms;
};

/** `count` times within `window_ms`; count 0 means never. */
struct rate {
	int count;
	int64_t window_ms;
};

enum readiness_kind {
	READINESS_AUTO, /**< by the name of a known server (known_servers.def), else by message; resolved when loaded */
	READINESS_MESSAGE, /**< READY=1 on the status pipe or the notify socket */
	READINESS_OUTPUT,  /**< a line of output matches the POSIX extended regular expression `pattern` */
	READINESS_ALIVE    /**< has lived for alive_ms */
};

struct readiness {
	enum readiness_kind kind;
	char *pattern; /**< owned */
	int64_t alive_ms;
};

enum heartbeat_mode { HEARTBEAT_REQUIRED, HEARTBEAT_OPTIONAL, HEARTBEAT_NONE };
enum output_mode { OUTPUT_CAPTURE, OUTPUT_INHERIT, OUTPUT_NULL };

/** Ways to end that are not a fault: exit statuses as bits, signals as bits. */
struct exit_set {
	uint64_t statuses[4];
	uint64_t signals;
};

struct listener_settings {
	int references;
	char *name;
	char *origin; /**< "site.conf:12", for messages */
	struct address address;
	int backlog;
	int mode;    /**< of a Unix socket's file, -1: 0666 less umask is not used; default 0660 */
	char *owner; /**< user of a Unix socket's file, NULL: as created */
	char *group;
	bool only_v6;     /**< IPV6_V6ONLY */
	bool no_delay;    /**< TCP_NODELAY on the listener, inherited by accepted sockets */
	int defer_accept; /**< seconds of TCP_DEFER_ACCEPT, 0: off */
};

struct pool_settings {
	int references;
	char *name;
	char *origin;
	struct string_list listeners;
	struct string_list command;
	int workers;
	char *directory;
	char *user;
	char *group;
	int umask;
	struct string_list environment;
	char *environment_file;
	struct string_list limits;
	struct readiness ready;
	int64_t ready_timeout_ms;
	int64_t min_ready_ms;
	int heartbeat; /**< enum heartbeat_mode */
	int64_t heartbeat_interval_ms;
	int64_t heartbeat_soft_ms;
	int64_t heartbeat_hard_ms;
	int stop_signal;
	int64_t drain_timeout_ms;
	bool abort; /**< send ABRT and wait abort_timeout before KILL, for a core */
	int64_t abort_timeout_ms;
	struct exit_set clean_exits;
	struct pauses backoff;
	int64_t backoff_reset_ms; /**< a worker ready for so long makes its slot's failures forgotten */
	struct rate give_up;
	struct share surge;
	struct share max_unavailable;
	int roll_attempts;       /**< failed starts that end a roll */
	int64_t roll_timeout_ms; /**< a roll without progress for so long is abandoned */
	int output;              /**< enum output_mode */
};

struct control_settings {
	char *socket;         /**< path, NULL: the default */
	int mode;             /**< of the socket's file */
	char *operator_group; /**< members are operators, NULL: nobody */
	char *observer_group; /**< members are observers, NULL: everybody who can open the socket */
};

struct log_settings {
	char *file; /**< path, NULL: standard error */
	int level;  /**< enum log_level */
};

/** The whole of one configuration; what a reload replaces. */
struct configuration {
	struct listener_settings **listeners; /**< in the order of the file */
	size_t listener_count;
	struct pool_settings **pools;
	size_t pool_count;
	struct control_settings control;
	struct log_settings log;
};

/** @return the table; *count is set. Rows of one scope stand together. */
const struct setting *settings_table(size_t *count);

/** @return the row or NULL. */
const struct setting *setting_find(enum setting_scope scope, const char *name);

/** @return "listener", "pool", "control", "log". */
const char *setting_scope_name(enum setting_scope scope);

/**
 * Parses a value and stores it, replacing what was there.
 *
 * @param target  struct of the row's scope
 * @param values  the value's words: one for scalar kinds, any number for lists
 * @return false with a text that says what is wrong and what would be right; target then keeps its old value
 */
bool setting_assign(const struct setting *setting, void *target, const char *const *values, size_t count,
		    struct error *error);

/**
 * Appends the value as it would stand in a configuration file, without the name. Nothing is appended for a value
 * that is not set.
 */
void setting_print(const struct setting *setting, const void *source, struct text *text);

/** @return true when two structs of the row's scope have the same value. */
bool setting_equal(const struct setting *setting, const void *a, const void *b);

/** @return new settings with all defaults and one reference, or NULL without memory. Names and origin are copied. */
struct listener_settings *listener_settings_create(const char *name, const char *origin);
struct pool_settings *pool_settings_create(const char *name, const char *origin);

struct listener_settings *listener_settings_reference(struct listener_settings *settings);
struct pool_settings *pool_settings_reference(struct pool_settings *settings);
/** Gives a reference back; the last one frees. NULL is allowed. */
void listener_settings_release(struct listener_settings *settings);
void pool_settings_release(struct pool_settings *settings);

/** @return an empty configuration with the defaults of control and log, or NULL without memory. */
struct configuration *configuration_create(void);
/** Frees; releases its references. NULL is allowed. */
void configuration_destroy(struct configuration *configuration);

/** Appends; the configuration takes over one reference. @return false without memory (reference not taken). */
bool configuration_add_listener(struct configuration *configuration, struct listener_settings *settings);
bool configuration_add_pool(struct configuration *configuration, struct pool_settings *settings);

struct listener_settings *configuration_find_listener(const struct configuration *configuration, const char *name);
struct pool_settings *configuration_find_pool(const struct configuration *configuration, const char *name);

/** The strongest effect (EFFECT_ROLL before EFFECT_IN_PLACE) of what differs; *differs says whether anything does. */
enum setting_effect pool_settings_compare(const struct pool_settings *a, const struct pool_settings *b, bool *differs);

/** A share in workers, for a pool of that many. */
int share_of(const struct share *share, int workers);

/** Prints a whole configuration as a file that reads back to the same, each setting with its default or value. */
void configuration_print(const struct configuration *configuration, struct text *text);

#endif
