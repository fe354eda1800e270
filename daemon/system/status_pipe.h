/*
 * status_pipe.h - the worker's words: bytes to messages. The parser is pure (and fuzzed); the reads around it do not
 * block.
 */
#ifndef DAEMON_SYSTEM_STATUS_PIPE_H
#define DAEMON_SYSTEM_STATUS_PIPE_H

#include "model/message.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Bytes of a line that is not complete yet. Zeroed is valid. */
struct status_parser {
	char *partial; /**< owned, NULL when there is none */
	size_t length;
	bool discarding; /**< the current line was too long: drop it to its end */
};

typedef void status_message_function(void *context, const struct status_message *message);

/** Parses bytes of the pipe; calls back for each message of a complete line, but for unknown keys and bad values. */
void status_parser_feed(struct status_parser *parser, const char *bytes, size_t length,
			status_message_function *function, void *context);

/** Frees the memory of an incomplete line. */
void status_parser_finish(struct status_parser *parser);

/** Parses one datagram of the notify socket: lines, the last one without a newline too. */
void status_datagram_parse(const char *bytes, size_t length, status_message_function *function, void *context);

/** Makes the pipe: reader non-blocking, both close-on-exec. @return 0 or an errno value */
int status_pipe_open(int *reader, int *writer);

/**
 * Reads what is there, at most 64 KiB a call, so that one chatty worker cannot hold the loop.
 * @return bytes read, 0 at the end of the pipe, -1 when nothing is there now
 */
ssize_t status_pipe_read(int fd, struct status_parser *parser, status_message_function *function, void *context);

/**
 * Makes a datagram socket of its own for one worker, bound to an unguessable abstract address.
 * @param name  receives the value for NOTIFY_SOCKET ("@...")
 * @return the descriptor (non-blocking, close-on-exec, SO_PASSCRED) or a negative errno value
 */
int notify_socket_open(char *name, size_t size);

/**
 * Reads waiting datagrams (at most 32 a call); drops those whose sender is neither root, nor this user, nor `uid`.
 * Descriptors that come along are closed (a barrier's sender waits for just that).
 */
void notify_socket_read(int fd, uid_t uid, status_message_function *function, void *context);

#endif
