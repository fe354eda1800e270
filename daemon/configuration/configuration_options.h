/*
 * configuration_options.h - a site from the command line: unicornd -b :8000 -w 4 -- PROGRAM ARGUMENTS.
 */
#ifndef DAEMON_CONFIGURATION_CONFIGURATION_OPTIONS_H
#define DAEMON_CONFIGURATION_CONFIGURATION_OPTIONS_H

#include "configuration/configuration_build.h"
#include "configuration/configuration_file.h"

/** Builds the listeners web, web2, ... and the pool app. Relative paths count from `folder`. */
void configuration_build_options(struct configuration_build *build, const struct configuration_source *source,
				 const char *folder);

#endif
