/*
 * load_record.c - see load_record.h.
 */
#include "load_record.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *const failure_names[] = {
#define LOAD_FAILURE_NAME(id, name) name,
	LOAD_FAILURES(LOAD_FAILURE_NAME)
#undef LOAD_FAILURE_NAME
};

/** Small values have a class each; above, each doubling has LOAD_LATENCY_STEPS classes. */
static size_t latency_class(uint64_t microseconds)
{
	size_t shift = 0;
	size_t number;

	while ((microseconds >> shift) >= 2 * LOAD_LATENCY_STEPS)
		shift++;
	number = shift * LOAD_LATENCY_STEPS + (size_t)(microseconds >> shift);
	return number < LOAD_LATENCY_CLASSES ? number : LOAD_LATENCY_CLASSES - 1;
}

/** Largest value of a class. */
static uint64_t latency_of_class(size_t number)
{
	size_t shift = number < 2 * LOAD_LATENCY_STEPS ? 0 : number / LOAD_LATENCY_STEPS - 1;
	uint64_t base = number - shift * LOAD_LATENCY_STEPS;

	return ((base + 1) << shift) - 1;
}

void load_record_latency(struct load_record *record, uint64_t microseconds)
{
	record->latencies[latency_class(microseconds)]++;
	if (microseconds > record->latency_max_us)
		record->latency_max_us = microseconds;
}

static uint64_t latency_percentile(const struct load_record *record, unsigned percent)
{
	uint64_t total = 0;
	uint64_t seen = 0;

	for (size_t i = 0; i < LOAD_LATENCY_CLASSES; i++)
		total += record->latencies[i];
	for (size_t i = 0; i < LOAD_LATENCY_CLASSES && total > 0; i++) {
		seen += record->latencies[i];
		if (seen * 100 >= total * percent)
			return latency_of_class(i) < record->latency_max_us ? latency_of_class(i)
									    : record->latency_max_us;
	}
	return 0;
}

/** Place of the body in the table, or the free place where it belongs. */
static struct load_body *body_find(struct load_record *record, const char *bytes, size_t length)
{
	const size_t places = sizeof(record->bodies) / sizeof(record->bodies[0]);
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	/* Half of the places stay free, so this ends. */
	for (size_t i = (size_t)(hash % places);; i = (i + 1) % places) {
		struct load_body *body = &record->bodies[i];

		if (body->text == NULL || (body->length == length && memcmp(body->text, bytes, length) == 0))
			return body;
	}
}

void load_record_body(struct load_record *record, const char *bytes, size_t length)
{
	struct load_body *body = body_find(record, bytes, length);

	if (body->text == NULL && record->body_count < LOAD_BODIES_MAX) {
		body->text = malloc(length + 1);
		if (body->text != NULL) {
			memcpy(body->text, bytes, length);
			body->length = length;
			record->body_count++;
		}
	}
	if (body->text == NULL)
		record->other_bodies++;
	else
		body->count++;
}

uint64_t load_record_failed(const struct load_record *record)
{
	uint64_t failed = 0;

	for (size_t i = 0; i < LOAD_FAILURE_COUNT; i++)
		failed += record->failed[i];
	return failed;
}

/** All that is not plain ASCII is escaped by its byte: it is for comparing, not for reading. */
static void string_print(const char *bytes, size_t length, FILE *stream)
{
	(void)fputc('"', stream);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte == '"' || byte == '\\')
			(void)fprintf(stream, "\\%c", byte);
		else if (byte >= 0x20 && byte < 0x7f)
			(void)fputc(byte, stream);
		else
			(void)fprintf(stream, "\\u%04x", (unsigned)byte);
	}
	(void)fputc('"', stream);
}

static void bodies_print(const struct load_record *record, FILE *stream)
{
	const char *separator = "";

	(void)fprintf(stream, "\"bodies\": {");
	for (size_t i = 0; i < sizeof(record->bodies) / sizeof(record->bodies[0]); i++) {
		const struct load_body *body = &record->bodies[i];

		if (body->text == NULL)
			continue;
		(void)fputs(separator, stream);
		string_print(body->text, body->length, stream);
		(void)fprintf(stream, ": %" PRIu64, body->count);
		separator = ", ";
	}
	(void)fprintf(stream, "}, \"other_bodies\": %" PRIu64, record->other_bodies);
}

static void figure_print(const char *name, uint64_t value, FILE *stream)
{
	(void)fprintf(stream, "\"%s\": %" PRIu64 ", ", name, value);
}

void load_record_print(const struct load_record *record, int64_t duration_ms, FILE *stream)
{
	(void)fputc('{', stream);
	figure_print("ok", record->ok, stream);
	figure_print("failed", load_record_failed(record), stream);
	(void)fputs("\"failures\": {", stream);
	for (size_t i = 0; i < LOAD_FAILURE_COUNT; i++)
		(void)fprintf(stream, "%s\"%s\": %" PRIu64, i > 0 ? ", " : "", failure_names[i], record->failed[i]);
	(void)fputs("}, ", stream);
	figure_print("connections", record->connections, stream);
	figure_print("reused", record->reused, stream);
	figure_print("closed_idle", record->closed_idle, stream);
	figure_print("reset_after_answer", record->reset_after_answer, stream);
	figure_print("connect_retries", record->connect_retries, stream);
	figure_print("latency_p50_us", latency_percentile(record, 50), stream);
	figure_print("latency_p99_us", latency_percentile(record, 99), stream);
	figure_print("latency_max_us", record->latency_max_us, stream);
	figure_print("duration_ms", (uint64_t)duration_ms, stream);
	figure_print("distinct_bodies", record->body_count, stream);
	bodies_print(record, stream);
	(void)fputs("}\n", stream);
}

void load_record_finish(struct load_record *record)
{
	for (size_t i = 0; i < sizeof(record->bodies) / sizeof(record->bodies[0]); i++)
		free(record->bodies[i].text);
}
