/*
 * address.h - where a listener listens: parse, print and compare. No system call is made here.
 *
 *   0.0.0.0:8000   [::1]:8000   localhost:8000   :8000 (all addresses, IPv6 and IPv4)   8000 is refused
 *   unix:/run/app.sock   /run/app.sock   @name or unix:@name (abstract)   systemd:NAME (taken over from systemd)
 */
#ifndef DAEMON_MODEL_ADDRESS_H
#define DAEMON_MODEL_ADDRESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum address_kind { ADDRESS_NONE, ADDRESS_TCP4, ADDRESS_TCP6, ADDRESS_UNIX, ADDRESS_ABSTRACT, ADDRESS_SYSTEMD };

/** Longest text of an address, terminator included. */
#define ADDRESS_TEXT_SIZE 128

struct address {
	enum address_kind kind;
	uint16_t port;    /**< host order */
	uint8_t host[16]; /**< network order; 4 bytes for TCP4 */
	uint32_t scope;   /**< interface of a link-local address */
	char path[108];   /**< Unix path, abstract name without '@', or the systemd name */
};

/** Parses; host names other than "localhost" (127.0.0.1) are refused: a site must not depend on a resolver. */
bool address_parse(struct address *address, const char *string, struct error *error);

/** Writes the canonical form. @return buffer */
const char *address_print(const struct address *address, char *buffer, size_t size);

bool address_equal(const struct address *a, const struct address *b);

#endif
