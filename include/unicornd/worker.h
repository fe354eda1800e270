/*
 * worker.h - C library for workers of unicornd (libunicornworker).
 *
 * Take the listening sockets, say that you are ready, beat, and learn that the end was ordered. All of it is optional:
 * the contract is environment variables and lines on a pipe (protocol.h); a worker started by hand, without unicornd,
 * works unchanged, all messages then go nowhere.
 *
 * Not thread safe: call it from one thread, except the unicorn_worker_* message functions, each of which is one
 * write(2) and may be called from any thread after unicorn_worker_init().
 */
#ifndef UNICORND_WORKER_H
#define UNICORND_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the daemon told this worker; filled by unicorn_worker_init(), plain data, nothing to free. */
struct unicorn_worker {
	int listener_count;   /**< inherited listening sockets; 0 when there are none */
	int first_listener;   /**< descriptor of the first; the others follow it (UNICORND_FIRST_FD) */
	int status_fd;        /**< write end of the status pipe, or -1 without unicornd */
	int slot;             /**< number of the slot, from 1; 0 without unicornd */
	int generation;       /**< number of the generation, from 1; 0 without unicornd */
	int64_t heartbeat_ms; /**< beat this often, in milliseconds; 0 when no heartbeat is wanted */
	char pool[64];        /**< name of the pool, empty without unicornd */
};

/**
 * Reads the environment, marks all inherited descriptors close-on-exec, ignores SIGPIPE and installs a handler for
 * SIGTERM that only remembers that it came (see unicorn_worker_is_stopping).
 *
 * @param worker  filled in
 * @return 0, or a negative errno value: -EINVAL when the environment contradicts itself
 */
int unicorn_worker_init(struct unicorn_worker *worker);

/**
 * Descriptor of a listener by its name in the site's configuration.
 *
 * @param worker  from unicorn_worker_init()
 * @param name    NULL for the first
 * @return the descriptor, or -1 when there is none of that name
 */
int unicorn_worker_listener(const struct unicorn_worker *worker, const char *name);

/** Says READY=1. @return 0 or a negative errno value; -EPIPE means that the daemon is gone. */
int unicorn_worker_ready(const struct unicorn_worker *worker);

/** Beats once (WATCHDOG=1); call it every heartbeat_ms. Returns as unicorn_worker_ready(). */
int unicorn_worker_beat(const struct unicorn_worker *worker);

/**
 * Says STOPPING=1: I have had enough (requests, memory), replace me. Once is enough. Go on serving and beating until
 * unicorn_worker_is_stopping(): the stop signal comes when the successor is ready, be that soon or, when it does not
 * start, late. Returns as unicorn_worker_ready(); when nobody listens (status_fd -1, -EPIPE), nobody will replace you.
 */
int unicorn_worker_stopping(const struct unicorn_worker *worker);

/** Says STATUS=text; text without newlines, cut to fit one line. Returns as unicorn_worker_ready(). */
int unicorn_worker_status(const struct unicorn_worker *worker, const char *text);

/** Says REQUEST=text: what runs now; empty when idle. Returns as unicorn_worker_ready(). */
int unicorn_worker_request(const struct unicorn_worker *worker, const char *text);

/** Says BUSY, CONNECTIONS and REQUESTS in one write. Returns as unicorn_worker_ready(). */
int unicorn_worker_figures(const struct unicorn_worker *worker, uint64_t busy, uint64_t connections, uint64_t requests);

/** Asks for more time to start or to drain: milliseconds from now. Returns as unicorn_worker_ready(). */
int unicorn_worker_extend(const struct unicorn_worker *worker, int64_t milliseconds);

/** @return true once SIGTERM came or unicorn_worker_order_stop() was called: accept no more, finish, exit 0. */
bool unicorn_worker_is_stopping(void);

/** Makes unicorn_worker_is_stopping() true; async-signal-safe, for pools with another stop_signal. */
void unicorn_worker_order_stop(void);

/**
 * Waits for a connection on any inherited listener, beats meanwhile, and accepts it.
 *
 * Tolerates what other processes do to the shared sockets: O_NONBLOCK set by a neighbour, a connection taken by
 * somebody else, a client that left.
 *
 * @param worker  from unicorn_worker_init()
 * @return a connected, blocking, close-on-exec descriptor that the caller owns; -1 when the end was ordered or the
 *         daemon is gone; another negative errno value when accepting is impossible
 */
int unicorn_worker_accept(const struct unicorn_worker *worker);

#ifdef __cplusplus
}
#endif

#endif
