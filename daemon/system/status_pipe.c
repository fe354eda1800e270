#include "system/status_pipe.h"

#include "base/ownership.h"
#include "unicornd/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Longest line without its newline. */
#define LINE_MAX_BYTES (UNICORND_STATUS_LINE_MAX - 1)
/** What one call of status_pipe_read() takes. */
#define READ_MAX_BYTES ((size_t)64 * 1024)

enum value_kind { VALUE_WORD, VALUE_NUMBER, VALUE_MICROSECONDS, VALUE_TEXT };

static const struct {
	const char *name;
	enum status_key key;
	enum value_kind kind;
	const char *word; /**< of VALUE_WORD: the only value that counts */
} status_rows[] = {
	{ UNICORND_KEY_READY, STATUS_READY, VALUE_WORD, "1" },
	{ UNICORND_KEY_WATCHDOG, STATUS_HEARTBEAT, VALUE_WORD, "1" },
	{ UNICORND_KEY_WATCHDOG, STATUS_TRIGGER, VALUE_WORD, "trigger" },
	{ UNICORND_KEY_STOPPING, STATUS_STOPPING, VALUE_WORD, "1" },
	{ UNICORND_KEY_STATUS, STATUS_TEXT, VALUE_TEXT, NULL },
	{ UNICORND_KEY_EXTEND_TIMEOUT, STATUS_EXTEND, VALUE_MICROSECONDS, NULL },
	{ UNICORND_KEY_BUSY, STATUS_BUSY, VALUE_NUMBER, NULL },
	{ UNICORND_KEY_CONNECTIONS, STATUS_CONNECTIONS, VALUE_NUMBER, NULL },
	{ UNICORND_KEY_REQUESTS, STATUS_REQUESTS, VALUE_NUMBER, NULL },
	{ UNICORND_KEY_REQUEST, STATUS_REQUEST, VALUE_TEXT, NULL },
};

/** Who hears of messages. */
struct listener {
	status_message_function *function;
	void *context;
};

static void say(const struct listener *listener, const struct status_message *message)
{
	listener->function(listener->context, message);
}

static bool parse_number(const char *bytes, size_t length, uint64_t *number)
{
	uint64_t value = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint64_t digit;

		if (bytes[i] < '0' || bytes[i] > '9')
			return false;
		digit = (uint64_t)(bytes[i] - '0');
		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

/** Bytes of a UTF-8 sequence by its first byte, 0 when none starts with it. */
static size_t sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/** @return the length of the character at `bytes`, or 0 for a control character or what is not UTF-8. */
static size_t printable_length(const char *bytes, size_t available)
{
	static const uint32_t smallest[] = { 0, 0x20, 0xa0, 0x800, 0x10000 };
	size_t length = sequence_length((unsigned char)bytes[0]);
	uint32_t code = (unsigned char)bytes[0];

	if (length == 0 || length > available)
		return 0;
	if (length > 1)
		code &= 0x7fU >> length;
	for (size_t i = 1; i < length; i++) {
		unsigned char next = (unsigned char)bytes[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (next & 0x3f);
	}
	if (code < smallest[length] || code == 0x7f || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	return length;
}

/** Length of the part at the start that can be shown as it is. */
static size_t printable_span(const char *bytes, size_t length)
{
	size_t position = 0;

	while (position < length) {
		size_t step = printable_length(bytes + position, length - position);

		if (step == 0)
			break;
		position += step;
	}
	return position;
}

/** Passes text on; terminals and JSON must not meet control characters or broken UTF-8, so those become '?'. */
static void say_text(const struct listener *listener, enum status_key key, const char *bytes, size_t length)
{
	struct status_message message = { .key = key, .text = bytes, .length = length };
	size_t position = printable_span(bytes, length);
	owned_memory char *copy = NULL;

	if (position < length) {
		copy = malloc(length);
		if (copy == NULL)
			return;
		memcpy(copy, bytes, length);
		while (position < length) {
			copy[position++] = '?';
			position += printable_span(copy + position, length - position);
		}
		message.text = copy;
	}
	say(listener, &message);
}

static void say_value(const struct listener *listener, size_t row, const char *value, size_t length)
{
	struct status_message message = { .key = status_rows[row].key };
	const char *word = status_rows[row].word;

	switch (status_rows[row].kind) {
	case VALUE_WORD:
		if (strlen(word) == length && memcmp(word, value, length) == 0)
			say(listener, &message);
		break;
	case VALUE_NUMBER:
		if (parse_number(value, length, &message.number))
			say(listener, &message);
		break;
	case VALUE_MICROSECONDS:
		if (parse_number(value, length, &message.number)) {
			message.number = message.number / 1000 + (message.number % 1000 != 0);
			say(listener, &message);
		}
		break;
	case VALUE_TEXT:
	default:
		say_text(listener, message.key, value, length);
		break;
	}
}

/** One line KEY=value without its newline. */
static void parse_line(const struct listener *listener, const char *line, size_t length)
{
	const char *equals = memchr(line, '=', length);
	size_t name_length;

	if (equals == NULL)
		return;
	name_length = (size_t)(equals - line);
	for (size_t row = 0; row < sizeof(status_rows) / sizeof(status_rows[0]); row++)
		if (strlen(status_rows[row].name) == name_length &&
		    memcmp(status_rows[row].name, line, name_length) == 0)
			say_value(listener, row, equals + 1, length - name_length - 1);
}

/** A complete line of the pipe. An empty one is readiness, as s6 has it. */
static void parse_pipe_line(const struct listener *listener, const char *line, size_t length)
{
	const struct status_message ready = { .key = STATUS_READY };

	if (length == 0)
		say(listener, &ready);
	else
		parse_line(listener, line, length);
}

/** Keeps the start of a line until the rest comes; drops the line when it is too long or there is no memory. */
static void keep_partial(struct status_parser *parser, const char *bytes, size_t length)
{
	if (parser->discarding || length == 0)
		return;
	if (parser->partial == NULL)
		parser->partial = malloc(LINE_MAX_BYTES);
	if (parser->partial == NULL || length > LINE_MAX_BYTES - parser->length) {
		status_parser_finish(parser);
		parser->discarding = true;
		return;
	}
	memcpy(parser->partial + parser->length, bytes, length);
	parser->length += length;
}

/** The last piece of a line has come. */
static void end_line(struct status_parser *parser, const char *bytes, size_t length, const struct listener *listener)
{
	if (parser->partial != NULL) {
		keep_partial(parser, bytes, length);
		if (!parser->discarding)
			parse_pipe_line(listener, parser->partial, parser->length);
	} else if (!parser->discarding && length <= LINE_MAX_BYTES) {
		parse_pipe_line(listener, bytes, length);
	}
	status_parser_finish(parser); /* most workers are silent most of the time: no memory is kept for them */
}

void status_parser_feed(struct status_parser *parser, const char *bytes, size_t length,
			status_message_function *function, void *context)
{
	const struct listener listener = { .function = function, .context = context };

	while (length > 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t used;

		if (newline == NULL) {
			keep_partial(parser, bytes, length);
			return;
		}
		used = (size_t)(newline - bytes);
		end_line(parser, bytes, used, &listener);
		bytes += used + 1;
		length -= used + 1;
	}
}

void status_parser_finish(struct status_parser *parser)
{
	free(parser->partial);
	parser->partial = NULL;
	parser->length = 0;
	parser->discarding = false;
}

void status_datagram_parse(const char *bytes, size_t length, status_message_function *function, void *context)
{
	const struct listener listener = { .function = function, .context = context };

	/* Some senders count the terminator of their string in. */
	while (length > 0 && bytes[length - 1] == '\0')
		length--;
	while (length > 0) {
		const char *newline = memchr(bytes, '\n', length);
		size_t used = newline != NULL ? (size_t)(newline - bytes) : length;

		if (used <= LINE_MAX_BYTES)
			parse_line(&listener, bytes, used);
		if (newline == NULL)
			return;
		bytes += used + 1;
		length -= used + 1;
	}
}

int status_pipe_open(int *reader, int *writer)
{
	int ends[2];
	int code;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return errno;
	/* Not the writer: a worker that writes to a full pipe shall wait, not lose its words. */
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
		code = errno;
		(void)close(ends[0]);
		(void)close(ends[1]);
		return code;
	}
	*reader = ends[0];
	*writer = ends[1];
	return 0;
}

static ssize_t read_again(int fd, char *buffer, size_t size)
{
	ssize_t length;

	do {
		length = read(fd, buffer, size);
	} while (length < 0 && errno == EINTR);
	return length;
}

ssize_t status_pipe_read(int fd, struct status_parser *parser, status_message_function *function, void *context)
{
	char buffer[2048];
	size_t total = 0;

	for (;;) {
		ssize_t length = read_again(fd, buffer, sizeof(buffer));

		if (length <= 0 && total > 0)
			return (ssize_t)total;
		if (length <= 0)
			return length < 0 && errno == EAGAIN ? -1 : 0;
		status_parser_feed(parser, buffer, (size_t)length, function, context);
		total += (size_t)length;
		if ((size_t)length < sizeof(buffer) || total >= READ_MAX_BYTES)
			return (ssize_t)total;
	}
}
