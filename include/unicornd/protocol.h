/*
 * protocol.h - the contract between unicornd and a worker, as constants.
 *
 * A worker is any executable. It inherits its listening sockets the way systemd passes them (sd_listen_fds(3)) and may
 * tell the daemon about itself by lines KEY=value on a pipe, in the words of sd_notify(3). See unicornd-worker(7).
 */
#ifndef UNICORND_PROTOCOL_H
#define UNICORND_PROTOCOL_H

/** Version of this contract; grows only when an old worker would misunderstand a new daemon. */
#define UNICORND_PROTOCOL_VERSION 1

/* What the daemon puts into the environment of a worker. */

/**
 * Number of inherited listening sockets. This and the names are left out when the pool's command has {fd} in it: the
 * server is told the number then, and some (Gunicorn 20) take the same socket twice otherwise.
 */
#define UNICORND_ENV_LISTEN_FDS "LISTEN_FDS"
/** The pid these sockets are meant for: the worker's own. */
#define UNICORND_ENV_LISTEN_PID "LISTEN_PID"
/** Names of the listeners, joined by colons, in descriptor order. */
#define UNICORND_ENV_LISTEN_FDNAMES "LISTEN_FDNAMES"
/** Descriptor number of the status pipe's write end. */
#define UNICORND_ENV_STATUS_FD "UNICORND_STATUS_FD"
/** Name of the pool this worker belongs to. */
#define UNICORND_ENV_POOL "UNICORND_POOL"
/** Number of the slot this worker lives in, from 1. */
#define UNICORND_ENV_SLOT "UNICORND_SLOT"
/** Number of the generation this worker belongs to. */
#define UNICORND_ENV_GENERATION "UNICORND_GENERATION"
/** Datagram socket for the same words; a leading '@' stands for an abstract address. */
#define UNICORND_ENV_NOTIFY_SOCKET "NOTIFY_SOCKET"
/** Microseconds within which a heartbeat is expected; beat at half of it. Not set when the pool wants none. */
#define UNICORND_ENV_WATCHDOG_USEC "WATCHDOG_USEC"
/** The pid that WATCHDOG_USEC is meant for. */
#define UNICORND_ENV_WATCHDOG_PID "WATCHDOG_PID"

/** Number of the first inherited listening socket. */
#define UNICORND_FIRST_FD 3
/** Longest line on the status pipe, newline included; Linux's PIPE_BUF, so that one write is one line. */
#define UNICORND_STATUS_LINE_MAX 4096

/* Keys of the status lines; the value's meaning follows. */

/** "1": the worker serves now. A bare newline on the pipe means the same. */
#define UNICORND_KEY_READY "READY"
/** "1": heartbeat; "trigger": the worker condemns itself and wants to be replaced as if it had hung. */
#define UNICORND_KEY_WATCHDOG "WATCHDOG"
/**
 * "1": the worker has had enough and asks for a replacement. It goes on serving until its stop signal comes, which is
 * when its successor is ready. It may also finish what runs and exit by itself; then its slot is empty meanwhile.
 * Neither is a fault. Without a free place (surge 0) it is stopped first, as in a roll.
 */
#define UNICORND_KEY_STOPPING "STOPPING"
/** Free text for people. */
#define UNICORND_KEY_STATUS "STATUS"
/** Microseconds from now for which the running time limit (start or drain) is put off. */
#define UNICORND_KEY_EXTEND_TIMEOUT "EXTEND_TIMEOUT_USEC"
/** Units of work that run now. */
#define UNICORND_KEY_BUSY "BUSY"
/** Open connections. */
#define UNICORND_KEY_CONNECTIONS "CONNECTIONS"
/** Requests answered since the start. */
#define UNICORND_KEY_REQUESTS "REQUESTS"
/** What runs now, for people: "GET /slow"; empty when idle. */
#define UNICORND_KEY_REQUEST "REQUEST"

/** Exit status (EX_CONFIG of sysexits.h): do not start me again with this configuration. */
#define UNICORND_EXIT_CONFIGURATION 78

#endif
