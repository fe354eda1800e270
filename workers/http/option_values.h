/*
 * option_values.h - the values of command line options: durations, sizes, numbers, addresses.
 *
 * The forms are those of the daemon's configuration. Each function takes the whole of `text`, without blanks around it;
 * on failure it leaves its result alone and says in `error` what would have been right. It does not know the option's
 * name, which the caller puts in front of it, and makes no system call: host names are not looked up.
 */
#ifndef WORKERS_HTTP_OPTION_VALUES_H
#define WORKERS_HTTP_OPTION_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/** Holds every text of an error with a value of usual length in it; longer ones are cut. */
#define OPTION_ERROR_SIZE 256

/** A size without a limit, "unlimited". */
#define OPTION_SIZE_UNLIMITED INT64_MAX

/** The least and the greatest number that is accepted. */
struct option_range {
	int64_t minimum;
	int64_t maximum;
};

/** Sum of numbers with units ms, s, m, h, d: "250ms", "30s", "1h30m", "1.5s"; "0" needs no unit. */
bool option_duration_parse(const char *text, int64_t *milliseconds, char *error, size_t error_size);

/** Number of bytes with an optional unit k, m, g (powers of 1024): "65536", "64k"; or "unlimited". */
bool option_size_parse(const char *text, int64_t *bytes, char *error, size_t error_size);

/** Decimal number in a range. */
bool option_number_parse(const char *text, struct option_range range, int64_t *number, char *error, size_t error_size);

/** An address that can be bound or connected to. */
struct option_address {
	struct sockaddr_storage storage;
	socklen_t length;
};

/**
 * "127.0.0.1:8000", "[::1]:8000", "localhost:8000" (127.0.0.1), ":8000" (all addresses: the IPv6 wildcard, which takes
 * IPv4 as well unless the socket says IPV6_V6ONLY), "unix:/PATH" or "/PATH", "@NAME" (abstract). Port 0 is any free
 * one.
 */
bool option_address_parse(const char *text, struct option_address *address, char *error, size_t error_size);

#endif
