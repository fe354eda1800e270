/*
 * suggestion.h - the word that somebody probably meant.
 */
#ifndef DAEMON_CONFIGURATION_SUGGESTION_H
#define DAEMON_CONFIGURATION_SUGGESTION_H

#include "base/text.h"
#include "model/settings.h"

/**
 * Appends "; did you mean `drain_timeout`?" to a problem about a setting that is not known, or the block that has a
 * setting of this name, or nothing.
 */
void suggestion_append_setting(enum setting_scope scope, const char *word, struct text *text);

/** The same for the name of a block. */
void suggestion_append_block(const char *word, struct text *text);

#endif
