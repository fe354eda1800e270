/*
 * source_names.h - which names in a source tree are source, for development mode. Pure.
 *
 * It looks at names only. What it does not know is source: a needless roll costs less than one that does not come.
 */
#ifndef DAEMON_POLICY_SOURCE_NAMES_H
#define DAEMON_POLICY_SOURCE_NAMES_H

#include <stdbool.h>

/** @return false for hidden folders and those that tools fill: .git, __pycache__, node_modules. */
bool source_folder_matters(const char *name);

/** @return false for hidden files, what editors write for themselves, bytecode, and what applications write. */
bool source_file_matters(const char *name);

#endif
