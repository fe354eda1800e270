#include "files_answer.h"

#include "files_condition.h"
#include "files_headers.h"
#include "files_multipart.h"
#include "files_range.h"
#include "http_date.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** The common headers of all answers about a file, and what their values need while they are written. */
struct answer {
	struct unicorn_request *request;
	const struct files_choice *choice;
	const struct files_fields *fields;
	struct files_validators validators;
	bool is_head; /* the method: no part of the file goes out */
	struct files_headers headers;
	char date[HTTP_DATE_BYTES + 1];
};

static void add_validators(struct answer *answer, const char *cache_control)
{
	files_headers_add(&answer->headers, "etag", answer->validators.tag);
	if (cache_control != NULL)
		files_headers_add(&answer->headers, "cache-control", cache_control);
	if (answer->choice->type->is_compressible)
		files_headers_add(&answer->headers, "vary", "accept-encoding");
}

static void add_description(struct answer *answer)
{
	const char *coding = files_coding_name(answer->choice->coding);

	http_date_format(answer->validators.modified_s, answer->date);
	files_headers_add(&answer->headers, "last-modified", answer->date);
	files_headers_add(&answer->headers, "accept-ranges", "bytes");
	files_headers_add(&answer->headers, "x-content-type-options", "nosniff");
	if (coding != NULL)
		files_headers_add(&answer->headers, "content-encoding", coding);
}

/** One stretch of the file: the whole of it with 200, a part with 206. */
static void send_range(struct answer *answer, int status, struct files_range range)
{
	const int64_t size = answer->choice->size;
	char length[24];
	char place[72];

	(void)snprintf(length, sizeof(length), "%" PRId64, range.length);
	if (status == 206) {
		(void)snprintf(place, sizeof(place), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, range.first,
			       range.first + range.length - 1, size);
		files_headers_add(&answer->headers, "content-range", place);
	}
	files_headers_add(&answer->headers, "content-type", answer->choice->type->name);
	files_headers_add(&answer->headers, "content-length", length);
	if (unicorn_answer_begin(answer->request, status, NULL, answer->headers.items, answer->headers.count) != 0) {
		(void)close(answer->choice->fd);
		unicorn_answer_abort(answer->request);
		return;
	}
	if (range.length == 0 || answer->is_head)
		(void)close(answer->choice->fd);
	else if (unicorn_answer_file(answer->request, answer->choice->fd, range.first, range.length) == -EPIPE)
		return;
	(void)unicorn_answer_end(answer->request);
}

static void send_ranges(struct answer *answer, const struct files_range *ranges, size_t count)
{
	struct files_multipart *multipart = files_multipart_create(answer->choice->fd, answer->choice->type->name,
								   answer->choice->size, ranges, count);

	if (multipart == NULL) {
		unicorn_answer_abort(answer->request);
		return;
	}
	unicorn_request_set_context(answer->request, multipart);
	if (files_multipart_begin(multipart, answer->request, &answer->headers) != 0)
		unicorn_answer_abort(answer->request);
	else
		files_multipart_send(multipart, answer->request);
}

static void refuse_range(struct answer *answer)
{
	struct files_headers headers = { .count = 0 };
	char place[40];

	(void)close(answer->choice->fd);
	(void)snprintf(place, sizeof(place), "bytes */%" PRId64, answer->choice->size);
	files_headers_add(&headers, "content-range", place);
	files_headers_answer(&headers, answer->request, 416);
}

static void refuse_precondition(struct answer *answer)
{
	(void)close(answer->choice->fd);
	files_headers_answer(&answer->headers, answer->request, 412);
}

static void say_not_modified(struct answer *answer)
{
	(void)close(answer->choice->fd);
	if (unicorn_answer(answer->request, 304, answer->headers.items, answer->headers.count, NULL, 0) != 0)
		unicorn_answer_abort(answer->request);
}

/** The parts that are asked for; of HEAD and with a stale If-Range there are none. */
static enum files_range_verdict find_ranges(const struct answer *answer, struct files_range *ranges, size_t *count)
{
	const struct unicorn_header *header = files_fields_only(answer->fields, FILES_RANGE);

	if (header == NULL || answer->is_head || !files_condition_allows_range(answer->fields, &answer->validators))
		return FILES_RANGE_IGNORED;
	return files_range_parse(header->value, header->value_length, answer->choice->size, ranges, count);
}

static void send_wanted(struct answer *answer)
{
	struct files_range ranges[FILES_RANGES_MAX];
	size_t count = 0;
	const enum files_range_verdict verdict = find_ranges(answer, ranges, &count);

	if (verdict == FILES_RANGE_REFUSED) {
		refuse_range(answer);
		return;
	}
	add_description(answer);
	if (verdict == FILES_RANGE_IGNORED)
		send_range(answer, 200, (struct files_range){ .first = 0, .length = answer->choice->size });
	else if (count == 1)
		send_range(answer, 206, ranges[0]);
	else
		send_ranges(answer, ranges, count);
}

void files_answer(struct unicorn_request *request, const struct files_fields *fields, const struct files_choice *choice,
		  const char *cache_control)
{
	struct answer answer = { .request = request, .choice = choice, .fields = fields };

	answer.is_head = strcmp(fields->head->method, "HEAD") == 0;
	files_validators_init(&answer.validators, &choice->modified, choice->size, choice->coding);
	add_validators(&answer, cache_control);
	switch (files_condition_check(fields, &answer.validators)) {
	case FILES_NOT_MODIFIED:
		say_not_modified(&answer);
		break;
	case FILES_PRECONDITION_FAILED:
		refuse_precondition(&answer);
		break;
	case FILES_WANTED:
	default:
		send_wanted(&answer);
		break;
	}
}
