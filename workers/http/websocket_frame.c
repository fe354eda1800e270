#include "websocket_frame.h"

#include <string.h>

/* Values of the seven bits that say that the length follows, in 16 or 64 bits. */
#define LENGTH_16 126
#define LENGTH_64 127

static size_t length_bytes(const uint8_t head[2])
{
	switch (head[1] & WEBSOCKET_LENGTH) {
	case LENGTH_16:
		return 2;
	case LENGTH_64:
		return 8;
	default:
		return 0;
	}
}

size_t websocket_frame_head_bytes(const uint8_t head[2])
{
	return 2 + length_bytes(head) + ((head[1] & WEBSOCKET_MASKED) != 0 ? WEBSOCKET_MASK_BYTES : 0);
}

bool websocket_frame_payload_bytes(const uint8_t *head, uint64_t *length)
{
	size_t count = length_bytes(head);
	uint64_t value = 0;

	if (count == 0) {
		*length = head[1] & WEBSOCKET_LENGTH;
		return true;
	}
	for (size_t i = 0; i < count; i++)
		value = value << 8 | head[2 + i];
	*length = value;
	return count == 2 ? value >= LENGTH_16 : value > UINT16_MAX && value <= INT64_MAX;
}

size_t websocket_frame_write_head(uint8_t head[WEBSOCKET_HEAD_MAX], unsigned first_byte, uint64_t length)
{
	size_t count = length < LENGTH_16 ? 0 : length <= UINT16_MAX ? 2 : 8;

	head[0] = (uint8_t)first_byte;
	head[1] = count == 0 ? (uint8_t)length : count == 2 ? LENGTH_16 : LENGTH_64;
	for (size_t i = 0; i < count; i++)
		head[2 + i] = (uint8_t)(length >> 8 * (count - 1 - i) & 0xff);
	return 2 + count;
}

void websocket_frame_unmask(uint8_t *target, const uint8_t *source, size_t length,
			    const uint8_t mask[WEBSOCKET_MASK_BYTES], uint64_t offset)
{
	uint8_t turned[8];
	uint64_t key;
	size_t i = 0;

	for (unsigned k = 0; k < sizeof(turned); k++)
		turned[k] = mask[(offset + k) % WEBSOCKET_MASK_BYTES];
	memcpy(&key, turned, sizeof(key));
	for (; length - i >= sizeof(key); i += sizeof(key)) {
		uint64_t word;

		memcpy(&word, source + i, sizeof(word));
		word ^= key;
		memcpy(target + i, &word, sizeof(word));
	}
	for (size_t k = 0; i < length; i++, k++)
		target[i] = source[i] ^ turned[k];
}
