/*
 * strays.h - processes that a worker left behind outside of its process group ("forked away").
 *
 * They become children of this subreaper when the worker ends, and would hold its listening sockets for ever.
 */
#ifndef DAEMON_SUPERVISOR_STRAYS_H
#define DAEMON_SUPERVISOR_STRAYS_H

#include "supervisor/supervisor.h"

/** Kills the children of this process that were started by a worker which is gone. */
void strays_kill(struct supervisor *supervisor);

#endif
