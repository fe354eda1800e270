/*
 * clock.h - the only reader of the clock. Everybody else is told the time as an argument.
 */
#ifndef DAEMON_BASE_CLOCK_H
#define DAEMON_BASE_CLOCK_H

#include <stdint.h>

/** @return milliseconds of CLOCK_MONOTONIC: never goes back, stands still while the machine sleeps. */
int64_t clock_monotonic_ms(void);

/** @return milliseconds since 1970, for people; may jump. */
int64_t clock_wall_ms(void);

#endif
