/*
 * configuration_file.h - text to a candidate configuration, or all its problems with file and line.
 *
 * The only module that knows libConfuse. It changes nothing but its result: a candidate is complete and checked, or it
 * is not there.
 */
#ifndef DAEMON_CONFIGURATION_CONFIGURATION_FILE_H
#define DAEMON_CONFIGURATION_CONFIGURATION_FILE_H

#include "base/text.h"
#include "model/settings.h"

/** Where a site's configuration comes from; kept for the daemon's life, because a reload reads it again. */
struct configuration_source {
	const char *path;         /**< file, or NULL: the options below */
	const char *const *binds; /**< addresses of -b, in order */
	size_t bind_count;
	const char *workers;            /**< of -w, or NULL */
	const char *const *assignments; /**< "NAME=VALUE" of --set, for the pool */
	size_t assignment_count;
	const char *const *command; /**< words behind "--" */
	size_t command_count;
};

/**
 * Reads, parses and checks.
 *
 * Rules across settings (policy/configuration_check.h) are applied too. Users, groups and environment files are looked
 * up, but nothing is bound or started.
 *
 * @param source    file or options
 * @param problems  appended: one line each, "site.conf:12: pool app: ...", ending in a newline
 * @return a configuration that the caller owns, or NULL: then problems is not empty
 */
struct configuration *configuration_load(const struct configuration_source *source, struct text *problems);

/**
 * As configuration_load(), for a text in memory.
 *
 * @param name  file name for the problems; relative paths in the text count from its folder
 */
struct configuration *configuration_parse_text(const char *name, const char *text, struct text *problems);

#endif
