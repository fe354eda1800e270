/*
 * load_record.h - what became of the requests: counts by kind, latencies, and who answered.
 */
#ifndef TESTS_TOOLS_LOAD_RECORD_H
#define TESTS_TOOLS_LOAD_RECORD_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* How a request fails, and its name in the report. */
#define LOAD_FAILURES(ROW)                                                                                             \
	ROW(REFUSED, "connect_refused")                                                                                \
	ROW(CONNECT, "connect_failed")                                                                                 \
	ROW(RESET_BEFORE, "reset_before_answer")                                                                       \
	ROW(CLOSED_BEFORE, "closed_before_answer")                                                                     \
	ROW(CLOSED_REUSED, "closed_before_answer_reused")                                                              \
	ROW(RESET_WITHIN, "reset_within_answer")                                                                       \
	ROW(SHORT, "short_answer")                                                                                     \
	ROW(MALFORMED, "malformed_answer")                                                                             \
	ROW(STATUS, "status_not_200")                                                                                  \
	ROW(TIMEOUT, "timeout")

enum load_failure {
#define LOAD_FAILURE_ID(id, name) LOAD_FAILURE_##id,
	LOAD_FAILURES(LOAD_FAILURE_ID)
#undef LOAD_FAILURE_ID
		LOAD_FAILURE_COUNT
};

/* Latencies are counted in classes whose width is 1/32 of their size or less. */
#define LOAD_LATENCY_STEPS   32
#define LOAD_LATENCY_CLASSES (LOAD_LATENCY_STEPS * 40)

/* Distinct bodies that are told apart; the rest is one figure. */
#define LOAD_BODIES_MAX 1024

struct load_body {
	char *text; /**< owned, NULL in a free place */
	size_t length;
	uint64_t count;
};

/** Zeroed is valid; large: keep it static. */
struct load_record {
	uint64_t ok;
	uint64_t failed[LOAD_FAILURE_COUNT];
	uint64_t connections;        /**< opened */
	uint64_t reused;             /**< requests on a connection that had answered before */
	uint64_t closed_idle;        /**< connections closed by the server while nothing was asked */
	uint64_t reset_after_answer; /**< resets after a complete last answer */
	uint64_t connect_retries;    /**< connects put off for a lack on this side, or a full queue of a Unix socket */
	uint64_t latency_max_us;
	uint64_t latencies[LOAD_LATENCY_CLASSES];
	struct load_body bodies[LOAD_BODIES_MAX * 2]; /**< hash table with open addressing */
	size_t body_count;
	uint64_t other_bodies;
};

void load_record_latency(struct load_record *record, uint64_t microseconds);
void load_record_body(struct load_record *record, const char *bytes, size_t length);
uint64_t load_record_failed(const struct load_record *record);

/** Prints the whole as one line of JSON. */
void load_record_print(const struct load_record *record, int64_t duration_ms, FILE *stream);

void load_record_finish(struct load_record *record);

#endif
