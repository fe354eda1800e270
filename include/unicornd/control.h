/*
 * control.h - the control protocol as constants.
 *
 * Newline-delimited JSON-RPC 2.0 over an AF_UNIX stream socket: one object a line. Commands are in commands.def, words
 * in vocabulary.def. unicornctl(1) describes the answers.
 */
#ifndef UNICORND_CONTROL_H
#define UNICORND_CONTROL_H

/** Version of the control protocol; grows only when an old client would misunderstand a new daemon. */
#define UNICORND_CONTROL_VERSION 1

/** Folder of the control sockets when the daemon runs as root. */
#define UNICORND_RUNTIME_DIRECTORY "/run/unicornd"
/** Name of the folder below $XDG_RUNTIME_DIR otherwise. */
#define UNICORND_RUNTIME_NAME "unicornd"
/** A control socket is called SITE followed by this. */
#define UNICORND_SOCKET_SUFFIX ".sock"

/** Longest request or answer in bytes, newline included, that a client may send. */
#define UNICORND_CONTROL_LINE_MAX (1024 * 1024)
/** Deepest nesting of a request. */
#define UNICORND_CONTROL_DEPTH_MAX 32
/** Clients served at a time; when one more comes, the one that has been silent for longest is cut off. */
#define UNICORND_CONTROL_CLIENTS_MAX 64
/** Longest line that the daemon sends, newline included. */
#define UNICORND_CONTROL_BACKLOG_MAX (8 * 1024 * 1024)
/** A client that has left more bytes than this unread is cut off when the next line for it comes. */
#define UNICORND_CONTROL_UNREAD_MAX (1024 * 1024)

/* Exit statuses of unicornctl that no row of vocabulary.def gives. */

/** The command line is wrong. */
#define UNICORNCTL_EXIT_USAGE 2
/** No daemon answers. */
#define UNICORNCTL_EXIT_NOT_RUNNING 3
/** The socket may not be opened. */
#define UNICORNCTL_EXIT_DENIED 4
/** The time given by --timeout is over; the operation goes on. */
#define UNICORNCTL_EXIT_TIMED_OUT 8

/* Exit statuses of unicornd (sysexits.h). */

/** The configuration is wrong (EX_CONFIG). */
#define UNICORND_EXIT_BAD_CONFIGURATION 78
/** An address is in use or may not be bound (EX_UNAVAILABLE). */
#define UNICORND_EXIT_UNAVAILABLE 69

#endif
