/*
 * interrupt.h - SIGINT, SIGTERM and SIGHUP while unicornctl waits: the wait ends, so that the last words can be said.
 */
#ifndef CTL_INTERRUPT_H
#define CTL_INTERRUPT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/** Catches the signals from now on; one that was ignored stays ignored. */
void interrupt_catch(void);

/** @return true when one of the signals came. */
bool interrupt_is_pending(void);

/**
 * Waits for one descriptor; a signal that comes at any moment ends the wait.
 *
 * @param timeout_ms  negative for ever
 * @return as poll(2)
 */
int interrupt_poll(struct pollfd *descriptor, int64_t timeout_ms);

/** Dies of the signal that came, as the shell and scripts expect. */
void interrupt_die(void);

#endif
