/*
 * message.h - what a worker says about itself.
 */
#ifndef DAEMON_MODEL_MESSAGE_H
#define DAEMON_MODEL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status_key {
	STATUS_READY,
	STATUS_HEARTBEAT,
	STATUS_TRIGGER, /**< WATCHDOG=trigger */
	STATUS_STOPPING,
	STATUS_TEXT,
	STATUS_EXTEND, /**< number: milliseconds, rounded up */
	STATUS_BUSY,
	STATUS_CONNECTIONS,
	STATUS_REQUESTS,
	STATUS_REQUEST,
	STATUS_KEY_COUNT
};

struct status_message {
	enum status_key key;
	uint64_t number;  /**< of BUSY, CONNECTIONS, REQUESTS, EXTEND */
	const char *text; /**< of TEXT and REQUEST; not terminated; control characters are replaced by '?' */
	size_t length;
};

#endif
