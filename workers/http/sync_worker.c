/*
 * sync_worker.c - unicornd-worker-sync: the application is called, and the call blocks; connections wait in the loop
 * meanwhile.
 */
#include "worker_main.h"

int main(int argc, char **argv)
{
	return worker_main(argc, argv, false);
}
