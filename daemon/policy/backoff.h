/*
 * backoff.h - the pause before the next start after failures. Pure.
 */
#ifndef DAEMON_POLICY_BACKOFF_H
#define DAEMON_POLICY_BACKOFF_H

#include "model/settings.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * Pause after the n-th failure in a row: first_ms, doubled with each further failure, at most longest_ms, then spread
 * by +-25 % so that a site's workers do not come back in step.
 *
 * A worker that had served is replaced at once after its first failure: the pause is for those that fail again.
 *
 * @param failures   in a row, the one that just happened included; at least 1
 * @param was_ready  the worker that failed had been ready
 * @param random     0 <= random < 1
 * @return milliseconds
 */
int64_t backoff_pause(const struct pauses *pauses, unsigned failures, bool was_ready, double random);

/** The longest pause with its spread. */
int64_t backoff_longest(const struct pauses *pauses, double random);

#endif
