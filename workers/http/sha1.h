/*
 * sha1.h - SHA-1 (FIPS 180-4) of bytes that are all there.
 *
 * The WebSocket handshake asks for it. It protects nothing there, and must not be used where it should.
 */
#ifndef WORKERS_HTTP_SHA1_H
#define WORKERS_HTTP_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_BYTES 20

void sha1_digest(const void *bytes, size_t length, uint8_t digest[SHA1_BYTES]);

#endif
