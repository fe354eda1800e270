#include "sha1.h"

#include <string.h>

#define BLOCK_BYTES 64
#define ROUNDS      80

static uint32_t rotate_left(uint32_t word, unsigned count)
{
	return word << count | word >> (32 - count);
}

static uint32_t load_big_endian(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void store_big_endian(uint8_t *bytes, uint64_t value, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		bytes[i] = (uint8_t)(value >> 8 * (count - 1 - i) & 0xff);
}

/** What a round adds, besides the schedule, to the rotated first word. */
static uint32_t round_term(unsigned round, uint32_t b, uint32_t c, uint32_t d)
{
	switch (round / 20) {
	case 0:
		return ((b & c) | (~b & d)) + 0x5a827999;
	case 1:
		return (b ^ c ^ d) + 0x6ed9eba1;
	case 2:
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	default:
		return (b ^ c ^ d) + 0xca62c1d6;
	}
}

static void hash_block(uint32_t hash[5], const uint8_t *block)
{
	uint32_t schedule[ROUNDS];
	uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3], e = hash[4];

	for (unsigned i = 0; i < 16; i++)
		schedule[i] = load_big_endian(block + 4 * (size_t)i);
	for (unsigned i = 16; i < ROUNDS; i++)
		schedule[i] = rotate_left(schedule[i - 3] ^ schedule[i - 8] ^ schedule[i - 14] ^ schedule[i - 16], 1);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint32_t next = rotate_left(a, 5) + round_term(i, b, c, d) + e + schedule[i];

		e = d;
		d = c;
		c = rotate_left(b, 30);
		b = a;
		a = next;
	}
	hash[0] += a;
	hash[1] += b;
	hash[2] += c;
	hash[3] += d;
	hash[4] += e;
}

/** The last bytes, a one bit, zeros and the length in bits: one block or two. */
static void hash_end(uint32_t hash[5], const uint8_t *rest, size_t rest_length, uint64_t length)
{
	uint8_t blocks[2 * BLOCK_BYTES] = { 0 };
	size_t size = rest_length + 9 <= BLOCK_BYTES ? BLOCK_BYTES : 2 * BLOCK_BYTES;

	if (rest_length > 0)
		memcpy(blocks, rest, rest_length);
	blocks[rest_length] = 0x80;
	store_big_endian(blocks + size - 8, length * 8, 8);
	for (size_t at = 0; at < size; at += BLOCK_BYTES)
		hash_block(hash, blocks + at);
}

void sha1_digest(const void *bytes, size_t length, uint8_t digest[SHA1_BYTES])
{
	uint32_t hash[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	const uint8_t *at = bytes;
	size_t left = length;

	for (; left >= BLOCK_BYTES; left -= BLOCK_BYTES, at += BLOCK_BYTES)
		hash_block(hash, at);
	hash_end(hash, at, left, length);
	for (size_t i = 0; i < 5; i++)
		store_big_endian(digest + 4 * i, hash[i], 4);
}
