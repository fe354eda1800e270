/*
 * configuration_lookup.h - what a value means on this machine: users, groups, limits, files.
 */
#ifndef DAEMON_CONFIGURATION_CONFIGURATION_LOOKUP_H
#define DAEMON_CONFIGURATION_CONFIGURATION_LOOKUP_H

#include "model/settings.h"

#include <stdbool.h>

/** @return true when the row is a path that counts from the configuration file's folder */
bool configuration_is_relative_path(const struct setting *setting);

/**
 * Looks a value up that setting_assign() has taken; all other values of the block are there too. Reads the environment
 * file into the pool's environment.
 *
 * @return true as well for a setting that is nothing to look up
 */
bool configuration_look_up(const struct setting *setting, void *target, struct error *error);

#endif
