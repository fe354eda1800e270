/*
 * allocation.h - counts the allocations of the program under test and lets the n-th of them fail.
 *
 * Works on what is linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup: our own
 * objects, not the C library and not libcheck.
 */
#ifndef TESTS_SIMULATION_ALLOCATION_H
#define TESTS_SIMULATION_ALLOCATION_H

#include <stdbool.h>

/** Counts from 0 again; the allocation with number `fail_at` (from 1) fails, 0: none does. */
void allocation_count_from_now(unsigned fail_at);
/** As above, but so many in a row fail: memory stays short for a while. */
void allocation_fail_in_a_row(unsigned fail_at, unsigned count);
/** @return how many were asked for since. */
unsigned allocation_counted(void);
/** While paused nothing is counted and nothing fails. @return whether it was paused before */
bool allocation_pause(bool pause);

#endif
