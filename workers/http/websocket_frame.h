/*
 * websocket_frame.h - the head of a WebSocket frame (RFC 6455 section 5.2) and its mask.
 *
 * Bytes in, bytes out. What may follow what is decided in websocket.c.
 */
#ifndef WORKERS_HTTP_WEBSOCKET_FRAME_H
#define WORKERS_HTTP_WEBSOCKET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum websocket_opcode {
	WEBSOCKET_CONTINUATION = 0,
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10,
};

/* Bits of the first byte, whose low four bits are the opcode. */
#define WEBSOCKET_FIN       0x80U
#define WEBSOCKET_RSV1      0x40U
#define WEBSOCKET_RSV2_RSV3 0x30U
#define WEBSOCKET_OPCODE    0x0fU
/* Bits of the second. */
#define WEBSOCKET_MASKED 0x80U
#define WEBSOCKET_LENGTH 0x7fU

#define WEBSOCKET_HEAD_MAX   14
#define WEBSOCKET_MASK_BYTES 4
/** Bytes in a ping, a pong, a close. */
#define WEBSOCKET_CONTROL_MAX 125

/** @return bytes of the whole head, by its first two */
size_t websocket_frame_head_bytes(const uint8_t head[2]);

/** @return false when the length is not written in the shortest way, or has its top bit set */
bool websocket_frame_payload_bytes(const uint8_t *head, uint64_t *length);

/** Writes the head of a frame without a mask. @return its length */
size_t websocket_frame_write_head(uint8_t head[WEBSOCKET_HEAD_MAX], unsigned first_byte, uint64_t length);

/** Takes the mask off. @param offset  of the source in the frame's payload */
void websocket_frame_unmask(uint8_t *target, const uint8_t *source, size_t length,
			    const uint8_t mask[WEBSOCKET_MASK_BYTES], uint64_t offset);

#endif
