/*
 * Status lines in random pieces, and the same bytes as one datagram.
 *
 * The first byte is the seed of the pieces' lengths, the rest is the input. However the input is cut, the parser must
 * hear the same messages.
 */
#include "system/status_pipe.h"

#include "unicornd/protocol.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** What was heard, as a checksum. */
struct hearing {
	uint64_t sum;
	size_t messages;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_text(const struct status_message *message)
{
	require(message->length < UNICORND_STATUS_LINE_MAX);
	for (size_t i = 0; i < message->length; i++)
		require((unsigned char)message->text[i] >= 0x20 && message->text[i] != 0x7f);
}

static void hear(void *context, const struct status_message *message)
{
	struct hearing *hearing = context;

	require(message->key < STATUS_KEY_COUNT);
	hearing->messages++;
	hearing->sum = (hearing->sum * 31 + message->key) * 31 + message->number;
	if (message->key != STATUS_TEXT && message->key != STATUS_REQUEST)
		return;
	check_text(message);
	for (size_t i = 0; i < message->length; i++)
		hearing->sum = hearing->sum * 31 + (unsigned char)message->text[i];
}

/** Feeds a copy of exactly the piece's length, so that a read behind it is seen. */
static void feed_copy(struct status_parser *parser, const char *bytes, size_t length, struct hearing *hearing)
{
	char *copy = malloc(length);

	if (copy == NULL)
		return;
	memcpy(copy, bytes, length);
	status_parser_feed(parser, copy, length, hear, hearing);
	free(copy);
}

static void feed_in_pieces(const char *bytes, size_t size, uint32_t seed, struct hearing *hearing)
{
	struct status_parser parser = { 0 };

	while (size > 0) {
		size_t piece;

		seed = seed * 1103515245U + 12345U;
		piece = 1 + (seed >> 16) % ((seed & 1) != 0 ? 5000 : 9);
		if (piece > size)
			piece = size;
		feed_copy(&parser, bytes, piece, hearing);
		require(parser.length < UNICORND_STATUS_LINE_MAX);
		bytes += piece;
		size -= piece;
	}
	status_parser_finish(&parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hearing whole = { 0 }, pieces = { 0 }, datagram = { 0 };
	struct status_parser parser = { 0 };
	const char *bytes = (const char *)data + 1;

	if (size < 2)
		return 0;
	status_parser_feed(&parser, bytes, size - 1, hear, &whole);
	status_parser_finish(&parser);
	feed_in_pieces(bytes, size - 1, data[0], &pieces);
	require(whole.sum == pieces.sum && whole.messages == pieces.messages);
	status_datagram_parse(bytes, size - 1, hear, &datagram);
	return 0;
}
