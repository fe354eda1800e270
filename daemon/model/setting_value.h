/*
 * setting_value.h - how a value of each setting_kind is read, printed and freed. For settings.h only.
 */
#ifndef DAEMON_MODEL_SETTING_VALUE_H
#define DAEMON_MODEL_SETTING_VALUE_H

#include "model/settings.h"

/** What can be done with a value of one kind; `member` points at the member of the scope's struct. */
struct setting_type {
	bool is_list; /**< takes any number of words, in braces */
	/** Stores a value over the old one, or leaves it alone and returns false. Scalars look at values[0] only. */
	bool (*parse)(const struct setting *setting, void *member, const char *const *values, size_t count,
		      struct error *error);
	void (*print)(const struct setting *setting, const void *member, struct text *text);
	void (*finish)(void *member); /**< NULL: owns nothing */
};

/** @return the type; never NULL for a kind of the table. */
const struct setting_type *setting_type_of(enum setting_kind kind);

/** @return the types that setting_number.c, setting_text.c and setting_list.c know, NULL for a kind they do not. */
const struct setting_type *setting_number_type(enum setting_kind kind);
const struct setting_type *setting_text_type(enum setting_kind kind);
const struct setting_type *setting_list_type(enum setting_kind kind);

/** @return true when a setting of the kind takes a list of words. */
bool setting_kind_is_list(enum setting_kind kind);

/** Stores the defaults into zeroed settings. @return false without memory */
bool settings_set_defaults(enum setting_scope scope, void *target);
/** Frees what the members own; not the struct itself. */
void settings_finish(enum setting_scope scope, void *target);

/** Appends a string in double quotes so that libConfuse reads the same. */
void setting_print_quoted(const char *string, struct text *text);

/** @return the signal's number, 0 for a name that is none; "TERM" and "SIGTERM" are the same. */
int setting_signal_number(const char *name);
/** @return the name without SIG of a signal that setting_signal_number() knows, NULL for others. */
const char *setting_signal_name(int number);

#endif
