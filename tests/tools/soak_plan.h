/*
 * soak_plan.h - what one connection of unicornd-soak says, at random: requests in bursts, and how it ends. No I/O.
 */
#ifndef TESTS_TOOLS_SOAK_PLAN_H
#define TESTS_TOOLS_SOAK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Requests that are sent at once. */
#define SOAK_BURST_MAX 6

enum soak_ending {
	SOAK_POLITE,       /**< all answers are read */
	SOAK_HALF_CLOSE,   /**< says that nothing more comes, and reads what comes */
	SOAK_QUIT_SENDING, /**< within a head, a body or between two requests */
	SOAK_QUIT_READING, /**< before the answer, within it or behind it */
	SOAK_ENDINGS,
};

/** One burst; `is_last` with the end of the connection. */
struct soak_burst {
	char *bytes;
	size_t length;
	size_t capacity;
	int request_count;
	size_t ends[SOAK_BURST_MAX];         /**< where each request ends in the bytes */
	uint64_t body_bytes[SOAK_BURST_MAX]; /**< of each answer */
	bool is_last;
	bool closes; /**< the last request says so */
	enum soak_ending ending;
	bool resets;        /**< instead of closing */
	bool reads_slowly;  /**< with a small buffer */
	size_t sends_up_to; /**< of the bytes */
	size_t reads_up_to; /**< of the answers' bytes */
};

/** A generator of random numbers; any seed but 0. */
struct soak_random {
	uint64_t state;
};

uint32_t soak_random_below(struct soak_random *random, uint32_t limit);

/** Makes the next burst in the memory of the last. @return false without memory */
bool soak_burst_make(struct soak_burst *burst, struct soak_random *random);

#endif
