/*
 * configuration_check.h - rules across settings. Pure.
 */
#ifndef DAEMON_POLICY_CONFIGURATION_CHECK_H
#define DAEMON_POLICY_CONFIGURATION_CHECK_H

#include "base/text.h"
#include "model/settings.h"

/**
 * Checks what no single value shows: a pool without listener, a listener nobody uses (allowed, said as a warning by
 * the caller), two listeners with one address, surge and max_unavailable both 0, soft above hard heartbeat limit, a
 * heartbeat interval above the soft limit, {fd:NAME} of a listener the pool does not have, a site without pools.
 *
 * @param problems  appended: one line for each problem, beginning with the origin of the block
 * @return true when nothing was appended
 */
bool configuration_check(const struct configuration *configuration, struct text *problems);

/**
 * The part that makes sense for a configuration some of whose values were refused: does every name that is used exist?
 * configuration_check() includes it.
 */
bool configuration_check_references(const struct configuration *configuration, struct text *problems);

#endif
