/*
 * load_run.h - runs many clients in one loop, each with one connection and one request at a time.
 */
#ifndef TESTS_TOOLS_LOAD_RUN_H
#define TESTS_TOOLS_LOAD_RUN_H

#include "load_record.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/** What to do. */
struct load_plan {
	struct sockaddr_storage address;
	socklen_t address_length;
	int connections;
	bool keep_alive;
	bool until_eof;     /**< runs until standard input is at its end */
	bool announce;      /**< prints "started" behind the first answer */
	uint64_t requests;  /**< without until_eof: this many */
	int64_t pause_us;   /**< of each client, between an answer and the next request */
	int64_t timeout_us; /**< of one request */
	const char *request;
	size_t request_length;
};

/** Runs to the end and fills the record. @return 0 or a negative errno value */
int load_run(const struct load_plan *plan, struct load_record *record);

/** Microseconds of the monotonic clock. */
int64_t load_now_us(void);

#endif
