/*
 * configuration_build.h - words of a block to settings, wherever the words come from: file or command line.
 */
#ifndef DAEMON_CONFIGURATION_CONFIGURATION_BUILD_H
#define DAEMON_CONFIGURATION_CONFIGURATION_BUILD_H

#include "configuration/problems.h"
#include "model/settings.h"

#include <stdbool.h>
#include <stddef.h>

/** A candidate in the making. */
struct configuration_build {
	struct configuration *configuration;
	struct problem_list problems;
	struct place control; /**< where the block stands; file NULL: not yet */
	struct place log;
};

/** What is said about one row of settings_table(). */
struct given_value {
	bool is_given;
	const char *const *words; /**< NULL when it is given, but wrong, which is already a problem */
	size_t count;
	struct place place;
};

/** A block with all that is said in it. */
struct given_block {
	enum setting_scope scope;
	const char *name; /**< "" for blocks without a name */
	struct place place;
	const char *folder;               /**< relative paths count from here; absolute */
	bool damaged;                     /**< more is said, but wrong: what is missing may be there */
	const struct given_value *values; /**< for each row of settings_table() */
};

/**
 * Makes the settings of a block and puts them into the configuration. Each value is checked, users and groups are
 * looked up, the environment file is read and merged, `ready = auto` is replaced by what is known.
 */
void configuration_build_block(struct configuration_build *build, const struct given_block *block);

#endif
