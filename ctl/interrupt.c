/*
 * interrupt.c - signals while unicornctl waits.
 */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };

#define CAUGHT_COUNT (sizeof(caught) / sizeof(caught[0]))

static volatile sig_atomic_t pending_signal;

static void interrupt_note(int number)
{
	pending_signal = number;
}

void interrupt_catch(void)
{
	struct sigaction action = { .sa_handler = interrupt_note };
	struct sigaction previous;

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < CAUGHT_COUNT; i++) {
		if (sigaction(caught[i], NULL, &previous) == 0 && previous.sa_handler != SIG_IGN)
			sigaction(caught[i], &action, NULL);
	}
}

bool interrupt_is_pending(void)
{
	return pending_signal != 0;
}

int interrupt_poll(struct pollfd *descriptor, int64_t timeout_ms)
{
	const struct timespec timeout = { .tv_sec = (time_t)(timeout_ms / 1000),
					  .tv_nsec = (long)(timeout_ms % 1000) * 1000000L };
	sigset_t blocked;
	sigset_t before;
	int result = -1;

	sigemptyset(&blocked);
	for (size_t i = 0; i < CAUGHT_COUNT; i++)
		sigaddset(&blocked, caught[i]);
	/* Blocked from the look at the flag until ppoll() waits, or a signal in between would be overlooked. */
	sigprocmask(SIG_BLOCK, &blocked, &before);
	errno = EINTR;
	if (!interrupt_is_pending())
		result = ppoll(descriptor, 1, timeout_ms < 0 ? NULL : &timeout, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}

void interrupt_die(void)
{
	const int number = pending_signal;

	signal(number, SIG_DFL);
	raise(number);
}
