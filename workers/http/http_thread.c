#include "http_thread.h"

#include <signal.h>

bool http_thread_start(pthread_t *thread, void *(*run)(void *), void *argument)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
	sigset_t blocked;
	sigset_t before;
	int result;

	(void)sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(&blocked, faults[i]);
	(void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
	result = pthread_create(thread, NULL, run, argument);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result == 0;
}
