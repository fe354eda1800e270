/*
 * Requests of a client of the control socket, in random pieces, to a supervisor whose processes exist on paper only.
 *
 * The first byte says who the client is (bits 0-1: observer, operator, admin, nobody), whether workers get ready (bit
 * 2) and how the bytes are cut; the rest is what the client sends. Each answer must be one line of JSON-RPC 2.0.
 */
#include "../unit/control_world.h"

#include "base/log.h"
#include "control/control_input.h"
#include "control/control_request.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** More digits in a row than this are not tried: they may mean thousands of workers, which only takes time. */
#define DIGITS_MAX 2

#define BITS_NOBODY      3
#define BITS_ROLE        3
#define BIT_NEVER_READY  4
#define BITS_WITHOUT_CUT 3

static struct control_world world;
static struct control_hub hub;
static struct control_session session;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_line(void *context, const char *line, size_t length)
{
	json_t *message;

	(void)context;
	require(length > 1 && memchr(line, '\n', length) == line + length - 1);
	message = json_loadb(line, length - 1, JSON_ALLOW_NUL, NULL);
	require(json_is_object(message));
	require(strcmp(json_string_value(json_object_get(message, "jsonrpc")), "2.0") == 0);
	require(json_object_get(message, "method") != NULL ||
		(json_object_get(message, "id") != NULL &&
		 (json_object_get(message, "result") == NULL) != (json_object_get(message, "error") == NULL)));
	json_decref(message);
}

static bool has_large_number(const char *line, size_t length)
{
	size_t digits = 0;

	for (size_t i = 0; i < length && digits <= DIGITS_MAX; i++)
		digits = isdigit((unsigned char)line[i]) ? digits + 1 : 0;
	return digits > DIGITS_MAX;
}

static bool take_line(void *context, const char *line, size_t length)
{
	(void)context;
	if (has_large_number(line, length))
		return true;
	control_request_handle(&hub, &session, line, length, world.now_ms);
	control_world_run(&world);
	return true;
}

/** Feeds copies of exactly a piece's length, so that a read behind it is seen. */
static void feed_in_pieces(const char *bytes, size_t size, uint32_t seed)
{
	struct control_input input = { 0 };
	enum control_input_result result = CONTROL_INPUT_DONE;

	while (size > 0 && result == CONTROL_INPUT_DONE) {
		size_t piece;
		char *copy;

		seed = seed * 1103515245U + 12345U;
		piece = 1 + (seed >> 16) % ((seed & 1) != 0 ? 5000 : 40);
		if (piece > size)
			piece = size;
		copy = malloc(piece);
		if (copy == NULL)
			break;
		memcpy(copy, bytes, piece);
		result = control_input_feed(&input, copy, piece, take_line, NULL);
		free(copy);
		bytes += piece;
		size -= piece;
	}
	if (result == CONTROL_INPUT_TOO_LONG)
		control_request_refuse_length(&session);
	control_input_finish(&input);
}

static void begin(uint8_t options)
{
	static struct control_context context = { .path = "/nowhere", .configuration_name = "site.conf" };

	control_world_init(&world, "2");
	world.never_ready = (options & BIT_NEVER_READY) != 0;
	context.source = &world.source;
	control_hub_init(&hub, &world.supervisor, &context);
	control_session_init(&session);
	session.admitted = (options & BITS_ROLE) != BITS_NOBODY;
	if (session.admitted)
		session.role = (enum role)(options & BITS_ROLE);
	session.send = check_line;
	control_hub_join(&hub, &session);
}

static void end(void)
{
	control_session_finish(&session);
	control_hub_finish(&hub);
	control_world_finish(&world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error;

	if (size < 2)
		return 0;
	/* What the client makes the daemon log is not checked here. */
	require(log_open("/dev/null", LOG_LEVEL_DEBUG, &error));
	begin(data[0]);
	feed_in_pieces((const char *)data + 1, size - 1, data[0] >> BITS_WITHOUT_CUT);
	end();
	return 0;
}
