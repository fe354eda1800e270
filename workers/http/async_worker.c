/*
 * async_worker.c - unicornd-worker-async: the application runs in the loop.
 */
#include "worker_main.h"

int main(int argc, char **argv)
{
	return worker_main(argc, argv, true);
}
