#include "http_answers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** What is left to read. */
struct reader {
	const char *at;
	const char *end;
};

/** A head that is being read. */
struct answer_head {
	int status;
	int64_t length; /* -1 without Content-Length */
	int64_t number; /* the application's, -1 without one */
	bool is_chunked;
	bool closes;
	int singles; /* bits of the headers that may stand there once */
	uint64_t sum;
};

enum single { SINGLE_LENGTH = 1, SINGLE_CODING = 2, SINGLE_DATE = 4, SINGLE_SERVER = 8, SINGLE_CONNECTION = 16 };

/** @return the length of a line that ends with CR LF, both of them not counted, or -1 */
static ptrdiff_t line_length(const struct reader *reader)
{
	size_t rest = (size_t)(reader->end - reader->at);
	const char *end = rest < 2 ? NULL : memmem(reader->at, rest, "\r\n", 2);

	return end == NULL ? -1 : end - reader->at;
}

static int64_t number_of(const char *text, size_t length, int base)
{
	char digits[20];
	char *end;
	int64_t number;

	require(length > 0 && length < sizeof(digits));
	memcpy(digits, text, length);
	digits[length] = '\0';
	require(digits[0] != '-' && digits[0] != '+' && digits[0] != ' ');
	number = strtoll(digits, &end, base);
	require(*end == '\0');
	return number;
}

static bool name_is(const char *name, size_t length, const char *wanted)
{
	return length == strlen(wanted) && strncasecmp(name, wanted, length) == 0;
}

static void once(struct answer_head *head, int single)
{
	require((head->singles & single) == 0);
	head->singles |= single;
}

static void take_header(struct answer_head *head, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	size_t name = colon == NULL ? 0 : (size_t)(colon - line);
	const char *value = line + name + 2;
	size_t value_length = length - name - 2;

	require(name > 0 && length >= name + 2 && colon[1] == ' ');
	for (size_t i = 0; i < length; i++)
		require((unsigned char)line[i] >= ' ' && line[i] != 0x7f && (i >= name || line[i] != ' '));
	if (name_is(line, name, "content-length")) {
		once(head, SINGLE_LENGTH);
		head->length = number_of(value, value_length, 10);
	} else if (name_is(line, name, "transfer-encoding")) {
		once(head, SINGLE_CODING);
		require(name_is(value, value_length, "chunked"));
		head->is_chunked = true;
	} else if (name_is(line, name, "connection")) {
		once(head, SINGLE_CONNECTION);
		head->closes = name_is(value, value_length, "close");
	} else if (name_is(line, name, "date")) {
		once(head, SINGLE_DATE);
		require(value_length == 29);
		return;
	} else if (name_is(line, name, "server")) {
		once(head, SINGLE_SERVER);
	} else if (name_is(line, name, "x-number")) {
		head->number = number_of(value, value_length, 10);
	}
	head->sum = sum_bytes(head->sum, line, length);
}

/** @return false when the head is not whole */
static bool read_head(struct reader *reader, struct answer_head *head)
{
	ptrdiff_t length = line_length(reader);

	*head = (struct answer_head){ .length = -1, .number = -1 };
	if (length < 0)
		return false;
	require(length >= 13 && memcmp(reader->at, "HTTP/1.1 ", 9) == 0 && reader->at[12] == ' ');
	head->status = (int)number_of(reader->at + 9, 3, 10);
	head->sum = sum_bytes(1, reader->at, (size_t)length);
	reader->at += length + 2;
	while ((length = line_length(reader)) > 0) {
		take_header(head, reader->at, (size_t)length);
		reader->at += length + 2;
	}
	if (length < 0)
		return false;
	reader->at += 2;
	require(head->length < 0 || !head->is_chunked);
	require(head->status < 200 || (head->singles & (SINGLE_DATE | SINGLE_SERVER)) == (SINGLE_DATE | SINGLE_SERVER));
	return true;
}

/** @return false when it ends early */
static bool read_bytes(struct reader *reader, int64_t length, uint64_t *sum)
{
	if (reader->end - reader->at < length)
		return false;
	for (int64_t i = 0; i < length; i++)
		*sum = sum_bytes(*sum, reader->at + i, 1);
	reader->at += length;
	return true;
}

static bool read_chunks(struct reader *reader, uint64_t *sum)
{
	for (;;) {
		ptrdiff_t length = line_length(reader);
		int64_t size;

		if (length < 0)
			return false;
		size = number_of(reader->at, (size_t)length, 16);
		reader->at += length + 2;
		if (size == 0)
			break;
		if (!read_bytes(reader, size, sum) || reader->end - reader->at < 2)
			return false;
		require(memcmp(reader->at, "\r\n", 2) == 0);
		reader->at += 2;
	}
	for (ptrdiff_t length; (length = line_length(reader)) != 0; reader->at += length + 2) {
		if (length < 0)
			return false;
		*sum = sum_bytes(*sum, reader->at, (size_t)length);
	}
	reader->at += 2;
	return true;
}

static bool read_body(struct reader *reader, struct answer_head *head, bool is_head)
{
	if (head->status == 204)
		require(head->length < 0 && !head->is_chunked);
	if (is_head || head->status == 204 || head->status == 304)
		return true;
	if (head->is_chunked)
		return read_chunks(reader, &head->sum);
	if (head->length >= 0)
		return read_bytes(reader, head->length, &head->sum);
	require(head->closes);
	return read_bytes(reader, reader->end - reader->at, &head->sum);
}

/** A final answer that the application has not numbered is one of the worker's. */
static void check_place(struct heard_answers *heard, const struct answer_head *head,
			const struct application *application)
{
	size_t place = heard->count;

	if (head->number >= 0) {
		require((size_t)head->number == place && place < application->handled_count);
		return;
	}
	if (head->status == 500 && place < application->handled_count && application->seen[place].is_aborted)
		return;
	require(head->status >= 400 && head->closes);
	heard->is_refused = true;
}

/** @return false when nothing more can be read */
static bool read_answer(struct reader *reader, struct heard_answers *heard, const struct application *application)
{
	size_t place = heard->count;
	const struct seen_request *seen = place < application->handled_count ? &application->seen[place] : NULL;
	struct answer_head head;
	bool is_head;

	if (!read_head(reader, &head)) {
		heard->is_cut = true;
		return false;
	}
	if (head.status == 101) {
		require(seen != NULL && seen->is_upgraded);
		return false;
	}
	if (head.status < 200) {
		require(head.length < 0 && !head.is_chunked && !heard->is_refused);
		return true;
	}
	check_place(heard, &head, application);
	/* Whether what was refused would have been a HEAD is not known here: then there is no body. */
	is_head = seen != NULL ? seen->is_head : heard->is_refused && reader->at == reader->end;
	if (heard->is_refused && reader->at == reader->end)
		is_head = true;
	if (!read_body(reader, &head, is_head)) {
		heard->is_cut = true;
		return false;
	}
	heard->sums[heard->count++] = heard->is_refused ? 0 : head.sum;
	require(!head.closes || reader->at == reader->end);
	require(head.closes || seen == NULL || !seen->is_last);
	return !head.closes;
}

void heard_answers_read(struct heard_answers *heard, const char *bytes, size_t length,
			const struct application *application)
{
	struct reader reader = { bytes, bytes + length };

	*heard = (struct heard_answers){ 0 };
	while (reader.at < reader.end && heard->count <= application->handled_count &&
	       read_answer(&reader, heard, application))
		continue;
	require(heard->count <= application->handled_count + (heard->is_refused ? 1 : 0));
	if (heard->is_cut && heard->count < application->handled_count)
		require(application->seen[heard->count].is_cut);
	else
		require(!heard->is_cut);
}
