/*
 * address_text.h - IP addresses in words and as socket addresses.
 *
 * An IPv4 address that came through an IPv6 socket (::ffff:192.0.2.1) is written as the IPv4 address that it is, so
 * that applications and logs see one form of it. No ports in the text, no names of hosts.
 */
#ifndef WORKERS_HTTP_ADDRESS_TEXT_H
#define WORKERS_HTTP_ADDRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** Longest text of an address and its NUL. A Unix path that is longer is cut. */
#define ADDRESS_TEXT_BYTES 64

/** Reads an IPv4 or IPv6 address without brackets, port or scope. @return false when it is none */
bool address_text_parse(const char *text, size_t length, struct sockaddr_storage *address);

/**
 * Writes the host: of a Unix socket its path, "@NAME" of an abstract one, "" of one without a name and of anything
 * else.
 *
 * @param length  as the kernel told it
 * @return the port, 0 without one
 */
uint16_t address_text_print(const struct sockaddr_storage *address, socklen_t length, char host[ADDRESS_TEXT_BYTES]);

#endif
