/*
 * soak_plan.c - see soak_plan.h.
 */
#include "soak_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of "hello\n". */
#define HELLO_BYTES        6
#define SMALL_BODY_BYTES   2000
#define LARGE_BODY_BYTES   150000
#define LARGE_ANSWER_BYTES 300000
/* More than the kernel takes from a server whose client does not read. */
#define HUGE_ANSWER_BYTES  6000000
#define REQUEST_HEAD_BYTES 400

uint32_t soak_random_below(struct soak_random *random, uint32_t limit)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return (uint32_t)((random->state >> 32) % limit);
}

static bool one_in(struct soak_random *random, uint32_t count)
{
	return soak_random_below(random, count) == 0;
}

static bool reserve(struct soak_burst *burst, size_t more)
{
	size_t capacity = (burst->length + more) * 2;
	char *bytes;

	if (burst->length + more <= burst->capacity)
		return true;
	bytes = realloc(burst->bytes, capacity);
	if (bytes == NULL)
		return false;
	burst->bytes = bytes;
	burst->capacity = capacity;
	return true;
}

__attribute__((format(printf, 2, 3))) static bool append(struct soak_burst *burst, const char *format, ...)
{
	va_list arguments;
	int length;

	if (!reserve(burst, REQUEST_HEAD_BYTES))
		return false;
	va_start(arguments, format);
	length = vsnprintf(burst->bytes + burst->length, REQUEST_HEAD_BYTES, format, arguments);
	va_end(arguments);
	burst->length += length < 0 ? 0 : (size_t)length;
	return length >= 0 && length < REQUEST_HEAD_BYTES;
}

static bool append_body(struct soak_burst *burst, size_t length)
{
	if (!reserve(burst, length))
		return false;
	memset(burst->bytes + burst->length, 'x', length);
	burst->length += length;
	return true;
}

static bool append_chunks(struct soak_burst *burst, struct soak_random *random, size_t length)
{
	while (length > 0) {
		size_t piece = 1 + soak_random_below(random, (uint32_t)length);

		if (!append(burst, "%zx\r\n", piece) || !append_body(burst, piece) || !append(burst, "\r\n"))
			return false;
		length -= piece;
	}
	return append(burst, "0\r\n\r\n");
}

static bool append_upload(struct soak_burst *burst, struct soak_random *random, const char *connection,
			  uint64_t *answer_bytes)
{
	uint32_t length = soak_random_below(random, one_in(random, 10) ? LARGE_BODY_BYTES : SMALL_BODY_BYTES);
	static const char head[] = "POST /echo HTTP/1.1\r\nHost: soak\r\n%s";

	*answer_bytes = length;
	if (!append(burst, head, connection))
		return false;
	if (one_in(random, 3))
		return append(burst, "Transfer-Encoding: chunked\r\n\r\n") && append_chunks(burst, random, length);
	return append(burst, "Content-Length: %u\r\n\r\n", length) && append_body(burst, length);
}

static uint32_t answer_limit(struct soak_random *random)
{
	if (one_in(random, 60))
		return HUGE_ANSWER_BYTES;
	return one_in(random, 3) ? LARGE_ANSWER_BYTES : SMALL_BODY_BYTES;
}

static bool append_request(struct soak_burst *burst, struct soak_random *random, bool closes)
{
	const char *connection = closes ? "Connection: close\r\n" : "";
	uint64_t *answer_bytes = &burst->body_bytes[burst->request_count];
	uint32_t kind = soak_random_below(random, 20);
	uint32_t length;
	bool is_right;

	if (kind < 6) {
		is_right = append_upload(burst, random, connection, answer_bytes);
	} else if (kind < 9) {
		length = soak_random_below(random, answer_limit(random));
		*answer_bytes = length;
		is_right = append(burst, "GET /big?n=%u&chunked=%u HTTP/1.1\r\nHost: soak\r\n%s\r\n", length,
				  soak_random_below(random, 2), connection);
	} else {
		*answer_bytes = HELLO_BYTES;
		is_right = append(burst, "GET /hello HTTP/1.1\r\nHost: soak\r\nUser-Agent: unicornd-soak\r\n%s\r\n",
				  connection);
	}
	burst->ends[burst->request_count++] = burst->length;
	return is_right;
}

/** Half of the connections end well. */
static void choose_ending(struct soak_burst *burst, struct soak_random *random)
{
	uint64_t answers = 0;

	for (int i = 0; i < burst->request_count; i++)
		answers += burst->body_bytes[i] + 100;
	burst->ending = (enum soak_ending)(one_in(random, 2) ? 0 : 1 + soak_random_below(random, SOAK_ENDINGS - 1));
	burst->resets = one_in(random, 2);
	burst->reads_slowly = one_in(random, 8);
	burst->sends_up_to = burst->length;
	burst->reads_up_to = SIZE_MAX;
	if (burst->ending == SOAK_QUIT_SENDING)
		burst->sends_up_to = 1 + soak_random_below(random, (uint32_t)burst->length);
	if (burst->ending == SOAK_QUIT_READING)
		burst->reads_up_to = one_in(random, 3) ? 0 : soak_random_below(random, (uint32_t)answers + 1);
}

bool soak_burst_make(struct soak_burst *burst, struct soak_random *random)
{
	int count = one_in(random, 4) ? 2 + (int)soak_random_below(random, SOAK_BURST_MAX - 1) : 1;

	burst->length = 0;
	burst->request_count = 0;
	burst->is_last = one_in(random, 3);
	burst->closes = burst->is_last && one_in(random, 3);
	for (int i = 0; i < count; i++) {
		if (!append_request(burst, random, burst->closes && i == count - 1))
			return false;
	}
	choose_ending(burst, random);
	if (!burst->is_last) {
		burst->ending = SOAK_POLITE;
		burst->sends_up_to = burst->length;
		burst->reads_up_to = SIZE_MAX;
	}
	return true;
}
