#include "websocket_deflate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

/*
 * A window of 4 KB and level 5 of zlib's memory: 40 KB for each connection that sends, where zlib's defaults are 264
 * KB. Messages are small; what a wider window would find in them is not worth that.
 */
#define DEFLATE_MEMORY_LEVEL 5
#define DEFLATE_LEVEL        3

/* zlib's inflate refuses a window of 256 bytes in older versions, and a larger one understands the smaller. */
#define INFLATE_WINDOW_BITS_MIN 9
#define WINDOW_BYTES_MAX        32768

/* What zlib's data_type says: between two blocks (128), and how many bits of the last byte are left (none). */
#define BLOCK_STATE    (128 | 63)
#define BETWEEN_BLOCKS 128

/* Pieces that fit in zlib's counters. */
#define PIECE_BYTES_MAX (1U << 30)

/* Ends every message, and is not sent (RFC 7692 section 7.2.1). */
static const uint8_t tail[4] = { 0x00, 0x00, 0xff, 0xff };

struct websocket_deflate {
	struct websocket_deflate_parameters parameters;
	bool has_deflater;
	bool has_inflater;
	bool is_at_end; /**< the last deflate block was marked as the last one of all, and no other has come */
	z_stream deflater;
	z_stream inflater;
};

struct websocket_deflate *websocket_deflate_create(const struct websocket_deflate_parameters *parameters)
{
	struct websocket_deflate *deflate = calloc(1, sizeof(*deflate));

	if (deflate != NULL)
		deflate->parameters = *parameters;
	return deflate;
}

static void drop_deflater(struct websocket_deflate *deflate)
{
	if (deflate->has_deflater)
		(void)deflateEnd(&deflate->deflater);
	deflate->has_deflater = false;
}

static void drop_inflater(struct websocket_deflate *deflate)
{
	if (deflate->has_inflater)
		(void)inflateEnd(&deflate->inflater);
	deflate->has_inflater = false;
}

void websocket_deflate_destroy(struct websocket_deflate *deflate)
{
	if (deflate == NULL)
		return;
	drop_deflater(deflate);
	drop_inflater(deflate);
	free(deflate);
}

void websocket_deflate_shrink(struct websocket_deflate *deflate)
{
	/* Who compresses may always forget what was sent before; who inflates only when the client forgets as well. */
	drop_deflater(deflate);
	if (deflate->parameters.client_no_context_takeover)
		drop_inflater(deflate);
}

/* ---- out */

static bool need_deflater(struct websocket_deflate *deflate)
{
	if (deflate->has_deflater)
		return true;
	deflate->deflater = (z_stream){ 0 };
	deflate->has_deflater =
		deflateInit2(&deflate->deflater, DEFLATE_LEVEL, Z_DEFLATED, -deflate->parameters.server_window_bits,
			     DEFLATE_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
	return deflate->has_deflater;
}

static bool packed_grow(struct websocket_packed *packed, size_t capacity)
{
	uint8_t *bytes;

	if (capacity <= packed->capacity)
		return true;
	bytes = packed->bytes == packed->space ? malloc(capacity) : realloc(packed->bytes, capacity);
	if (bytes == NULL)
		return false;
	if (packed->bytes == packed->space)
		memcpy(bytes, packed->space, packed->length);
	packed->bytes = bytes;
	packed->capacity = capacity;
	return true;
}

void websocket_packed_finish(struct websocket_packed *packed)
{
	if (packed->bytes != packed->space)
		free(packed->bytes);
	packed->bytes = packed->space;
}

static unsigned piece_bytes(size_t length)
{
	return length < PIECE_BYTES_MAX ? (unsigned)length : PIECE_BYTES_MAX;
}

/** Deflates the stream's input until all of it is in `packed`. */
static int pack_piece(z_stream *stream, int flush, struct websocket_packed *packed)
{
	do {
		size_t room;

		if (packed->length == packed->capacity && !packed_grow(packed, packed->capacity * 2))
			return -ENOMEM;
		room = piece_bytes(packed->capacity - packed->length);
		stream->next_out = packed->bytes + packed->length;
		stream->avail_out = (unsigned)room;
		/* Z_BUF_ERROR says that nothing was left to do, and no other can come. */
		(void)deflate(stream, flush);
		packed->length += room - stream->avail_out;
	} while (stream->avail_out == 0);
	return 0;
}

static int pack_all(z_stream *stream, const uint8_t *bytes, size_t length, struct websocket_packed *packed)
{
	int result;

	/* What zlib expects at most, so that nearly always one call does; its bound does not count the flush. */
	if (!packed_grow(packed, deflateBound(stream, length) + 16))
		return -ENOMEM;
	do {
		unsigned piece = piece_bytes(length);

		stream->next_in = bytes;
		stream->avail_in = piece;
		bytes += piece;
		length -= piece;
		result = pack_piece(stream, length > 0 ? Z_NO_FLUSH : Z_SYNC_FLUSH, packed);
	} while (result == 0 && length > 0);
	return result;
}

int websocket_deflate_pack(struct websocket_deflate *deflate, const void *bytes, size_t length,
			   struct websocket_packed *packed)
{
	int result;

	packed->bytes = packed->space;
	packed->capacity = sizeof(packed->space);
	packed->length = 0;
	if (!need_deflater(deflate))
		return -ENOMEM;
	result = pack_all(&deflate->deflater, bytes, length, packed);
	if (result != 0) {
		/* The client would miss what the next messages refer to. */
		drop_deflater(deflate);
		return result;
	}
	packed->length -= sizeof(tail);
	if (deflate->parameters.server_no_context_takeover)
		(void)deflateReset(&deflate->deflater);
	return 0;
}

/* ---- in */

static bool need_inflater(struct websocket_deflate *deflate)
{
	int bits = deflate->parameters.client_window_bits;

	if (deflate->has_inflater)
		return true;
	deflate->inflater = (z_stream){ 0 };
	deflate->is_at_end = false;
	deflate->has_inflater = inflateInit2(&deflate->inflater,
					     bits < INFLATE_WINDOW_BITS_MIN ? -INFLATE_WINDOW_BITS_MIN : -bits) == Z_OK;
	return deflate->has_inflater;
}

/** Goes on behind a block that was marked as the last one, without forgetting what came before it. */
static int restart_inflater(z_stream *stream)
{
	uint8_t *window = malloc(WINDOW_BYTES_MAX);
	unsigned length = WINDOW_BYTES_MAX;
	bool is_good;

	if (window == NULL)
		return -ENOMEM;
	is_good = inflateGetDictionary(stream, window, &length) == Z_OK && inflateReset(stream) == Z_OK &&
		  inflateSetDictionary(stream, window, length) == Z_OK;
	free(window);
	return is_good ? 0 : -ENOMEM;
}

/** Inflates as much as there is room for. @return 0 or a negative errno value */
static int unpack_step(struct websocket_deflate *deflate, struct websocket_queue *queue, size_t limit)
{
	z_stream *stream = &deflate->inflater;
	size_t left = limit - websocket_queue_message_bytes(queue);
	size_t wanted = (size_t)stream->avail_in * 4 + 64;
	/* One more than may be, to see that it is too much. */
	size_t room = piece_bytes(wanted <= left ? wanted : left + 1);
	int result;

	stream->next_out = websocket_queue_reserve(queue, room);
	if (stream->next_out == NULL)
		return -ENOMEM;
	/* The memory may be larger than what was asked for. */
	if (queue->capacity - queue->length > room)
		room = piece_bytes(queue->capacity - queue->length <= left ? queue->capacity - queue->length
									   : left + 1);
	stream->avail_out = (unsigned)room;
	result = inflate(stream, Z_SYNC_FLUSH);
	websocket_queue_add(queue, room - stream->avail_out);
	if (result == Z_MEM_ERROR)
		return -ENOMEM;
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return -EBADMSG;
	deflate->is_at_end = result == Z_STREAM_END;
	return room - stream->avail_out > left ? -EMSGSIZE : 0;
}

/** Inflates the stream's input. */
static int unpack_all(struct websocket_deflate *deflate, struct websocket_queue *queue, size_t limit)
{
	z_stream *stream = &deflate->inflater;
	int result;

	do {
		if (deflate->is_at_end && stream->avail_in > 0) {
			result = restart_inflater(stream);
			if (result != 0)
				return result;
			deflate->is_at_end = false;
		}
		result = unpack_step(deflate, queue, limit);
	} while (result == 0 && (stream->avail_in > 0 || (stream->avail_out == 0 && !deflate->is_at_end)));
	return result;
}

int websocket_deflate_unpack(struct websocket_deflate *deflate, const void *bytes, size_t length,
			     struct websocket_queue *queue, size_t limit)
{
	const uint8_t *at = bytes;
	int result = 0;

	if (!need_inflater(deflate))
		return -ENOMEM;
	while (length > 0 && result == 0) {
		unsigned piece = piece_bytes(length);

		deflate->inflater.next_in = at;
		deflate->inflater.avail_in = piece;
		result = unpack_all(deflate, queue, limit);
		at += piece;
		length -= piece;
	}
	return result;
}

int websocket_deflate_unpack_end(struct websocket_deflate *deflate, struct websocket_queue *queue, size_t limit)
{
	int result = 0;

	if (!need_inflater(deflate))
		return -ENOMEM;
	/* The end of a stream that was marked as such and then left alone: nothing is missing. */
	if (!deflate->is_at_end)
		result = websocket_deflate_unpack(deflate, tail, sizeof(tail), queue, limit);
	if (result == 0 && !deflate->is_at_end && (deflate->inflater.data_type & BLOCK_STATE) != BETWEEN_BLOCKS)
		result = -EBADMSG;
	if (result == 0 && deflate->parameters.client_no_context_takeover) {
		(void)inflateReset(&deflate->inflater);
		deflate->is_at_end = false;
	}
	return result;
}
