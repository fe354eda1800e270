/*
 * load_answer.c - see load_answer.h.
 */
#include "load_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void load_answer_reset(struct load_answer *answer)
{
	memset(answer, 0, offsetof(struct load_answer, line));
}

static bool number_parse(const char *digits, int base, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(digits, &end, base);
	/* A chunk's size may be followed by extensions. */
	return end != digits && *digits != '-' && errno == 0 && (*end == '\0' || *end == ';' || *end == ' ');
}

static enum load_answer_state status_line_read(struct load_answer *answer)
{
	uint64_t status;

	if (strncmp(answer->line, "HTTP/1.", 7) != 0 || answer->line_length < 12 ||
	    !number_parse(answer->line + 9, 10, &status))
		return LOAD_ANSWER_MALFORMED;
	answer->status = (int)(status % 1000);
	answer->will_close = answer->line[7] == '0';
	return LOAD_ANSWER_FIELDS;
}

static bool field_is(const struct load_answer *answer, const char *name, const char **value)
{
	size_t length = strlen(name);

	if (strncasecmp(answer->line, name, length) != 0 || answer->line[length] != ':')
		return false;
	*value = answer->line + length + 1;
	*value += strspn(*value, " \t");
	return true;
}

static enum load_answer_state field_read(struct load_answer *answer)
{
	const char *value;

	if (field_is(answer, "connection", &value))
		answer->will_close = strcasestr(value, "close") != NULL || strcasestr(value, "keep-alive") == NULL;
	if (field_is(answer, "transfer-encoding", &value))
		answer->is_chunked = strcasestr(value, "chunked") != NULL;
	if (field_is(answer, "content-length", &value)) {
		answer->has_length = true;
		if (!number_parse(value, 10, &answer->left))
			return LOAD_ANSWER_MALFORMED;
	}
	return LOAD_ANSWER_FIELDS;
}

/** The blank line: what the fields said decides where the body ends. */
static enum load_answer_state fields_end(struct load_answer *answer)
{
	if (answer->status >= 100 && answer->status < 200) {
		load_answer_reset(answer);
		answer->has_begun = true;
		return LOAD_ANSWER_STATUS_LINE;
	}
	if (answer->status == 204 || answer->status == 304)
		return LOAD_ANSWER_COMPLETE;
	if (answer->is_chunked)
		return LOAD_ANSWER_CHUNK_SIZE;
	if (answer->has_length)
		return answer->left == 0 ? LOAD_ANSWER_COMPLETE : LOAD_ANSWER_BODY;
	answer->will_close = true;
	return LOAD_ANSWER_BODY_TO_END;
}

static enum load_answer_state chunk_size_read(struct load_answer *answer)
{
	if (!number_parse(answer->line, 16, &answer->left))
		return LOAD_ANSWER_MALFORMED;
	return answer->left == 0 ? LOAD_ANSWER_TRAILER : LOAD_ANSWER_CHUNK;
}

static enum load_answer_state line_read(struct load_answer *answer)
{
	switch (answer->state) {
	case LOAD_ANSWER_STATUS_LINE:
		return status_line_read(answer);
	case LOAD_ANSWER_FIELDS:
		return answer->line_length == 0 ? fields_end(answer) : field_read(answer);
	case LOAD_ANSWER_CHUNK_SIZE:
		return chunk_size_read(answer);
	case LOAD_ANSWER_CHUNK_END:
		return answer->line_length == 0 ? LOAD_ANSWER_CHUNK_SIZE : LOAD_ANSWER_MALFORMED;
	case LOAD_ANSWER_TRAILER:
		return answer->line_length == 0 ? LOAD_ANSWER_COMPLETE : LOAD_ANSWER_TRAILER;
	case LOAD_ANSWER_BODY:
	case LOAD_ANSWER_BODY_TO_END:
	case LOAD_ANSWER_CHUNK:
	case LOAD_ANSWER_COMPLETE:
	case LOAD_ANSWER_MALFORMED:
		break;
	}
	return LOAD_ANSWER_MALFORMED;
}

/** Collects a line; at its end reads it. @return bytes taken */
static size_t line_feed(struct load_answer *answer, const char *bytes, size_t length)
{
	const char *newline = memchr(bytes, '\n', length);
	size_t count = newline != NULL ? (size_t)(newline - bytes) : length;

	if (count >= sizeof(answer->line) - answer->line_length) {
		answer->state = LOAD_ANSWER_MALFORMED;
		return 0;
	}
	memcpy(answer->line + answer->line_length, bytes, count);
	answer->line_length += count;
	if (newline == NULL)
		return count;
	if (answer->line_length > 0 && answer->line[answer->line_length - 1] == '\r')
		answer->line_length--;
	answer->line[answer->line_length] = '\0';
	answer->state = line_read(answer);
	answer->line_length = 0;
	return count + 1;
}

static size_t body_feed(struct load_answer *answer, const char *bytes, size_t length)
{
	size_t room = sizeof(answer->body) - answer->body_length;

	if (answer->state != LOAD_ANSWER_BODY_TO_END) {
		length = length < answer->left ? length : (size_t)answer->left;
		answer->left -= length;
		if (answer->left == 0)
			answer->state =
				answer->state == LOAD_ANSWER_BODY ? LOAD_ANSWER_COMPLETE : LOAD_ANSWER_CHUNK_END;
	}
	answer->body_bytes += length;
	room = room < length ? room : length;
	memcpy(answer->body + answer->body_length, bytes, room);
	answer->body_length += room;
	return length;
}

static bool is_body_state(enum load_answer_state state)
{
	return state == LOAD_ANSWER_BODY || state == LOAD_ANSWER_BODY_TO_END || state == LOAD_ANSWER_CHUNK;
}

size_t load_answer_feed(struct load_answer *answer, const char *bytes, size_t length)
{
	size_t taken = 0;

	while (taken < length && answer->state != LOAD_ANSWER_COMPLETE && answer->state != LOAD_ANSWER_MALFORMED) {
		answer->has_begun = true;
		if (is_body_state(answer->state))
			taken += body_feed(answer, bytes + taken, length - taken);
		else
			taken += line_feed(answer, bytes + taken, length - taken);
	}
	return taken;
}

bool load_answer_end(struct load_answer *answer)
{
	if (answer->state == LOAD_ANSWER_BODY_TO_END)
		answer->state = LOAD_ANSWER_COMPLETE;
	return answer->state == LOAD_ANSWER_COMPLETE;
}
