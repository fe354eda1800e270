#include "option_values.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/** Digits behind the decimal point of a duration that can matter; more are refused. */
#define FRACTION_DIGITS 6

/** Where a function says what is wrong. */
struct complaint {
	char *text;
	size_t size;
};

/** @return false always, so that a caller can write `return complain(...)` */
static bool __attribute__((format(printf, 2, 3))) complain(struct complaint complaint, const char *fmt, ...)
{
	va_list arguments;

	va_start(arguments, fmt);
	(void)vsnprintf(complaint.text, complaint.size, fmt, arguments);
	va_end(arguments);
	return false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ---- numbers */

/** Takes digits, at least one. */
static bool digits_take(const char **cursor, int64_t *number)
{
	int64_t sum = 0;

	if (!is_digit(**cursor))
		return false;
	for (; is_digit(**cursor); (*cursor)++) {
		if (__builtin_mul_overflow(sum, (int64_t)10, &sum) ||
		    __builtin_add_overflow(sum, (int64_t)(**cursor - '0'), &sum))
			return false;
	}
	*number = sum;
	return true;
}

bool option_number_parse(const char *text, struct option_range range, int64_t *number, char *error, size_t error_size)
{
	const struct complaint complaint = { error, error_size };
	const bool is_negative = *text == '-';
	const char *cursor = text + (is_negative ? 1 : 0);
	int64_t value;

	if (!digits_take(&cursor, &value) || *cursor != '\0')
		return complain(complaint, "`%s` is not a number: write one from %" PRId64 " to %" PRId64, text,
				range.minimum, range.maximum);
	if (is_negative)
		value = -value;
	if (value < range.minimum || value > range.maximum)
		return complain(complaint, "%s is out of range: write a number from %" PRId64 " to %" PRId64, text,
				range.minimum, range.maximum);
	*number = value;
	return true;
}

/* ---- durations */

/* "ms" comes before "m", which is its beginning. */
static const struct unit {
	const char *name;
	int64_t milliseconds;
} units[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 }, { "h", 60 * 60 * 1000 }, { "d", 24 * 60 * 60 * 1000 },
};

static const struct unit *unit_take(const char **cursor)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		const size_t length = strlen(units[i].name);

		if (strncmp(*cursor, units[i].name, length) == 0) {
			*cursor += length;
			return &units[i];
		}
	}
	return NULL;
}

/** Takes ".5" or nothing. */
static bool fraction_take(const char **cursor, int64_t *millionths)
{
	int digits = 0;

	*millionths = 0;
	if (**cursor != '.')
		return true;
	for ((*cursor)++; is_digit(**cursor) && digits < FRACTION_DIGITS; (*cursor)++, digits++)
		*millionths = *millionths * 10 + (**cursor - '0');
	for (int i = digits; i < FRACTION_DIGITS; i++)
		*millionths *= 10;
	return digits > 0;
}

/** Takes "1.5s" and adds it to the sum. */
static bool duration_part_take(const char **cursor, int64_t *sum)
{
	const struct unit *unit;
	int64_t whole;
	int64_t millionths;

	if (!digits_take(cursor, &whole) || !fraction_take(cursor, &millionths))
		return false;
	unit = unit_take(cursor);
	return unit != NULL && !__builtin_mul_overflow(whole, unit->milliseconds, &whole) &&
	       !__builtin_add_overflow(*sum, whole, sum) &&
	       !__builtin_add_overflow(*sum, millionths * unit->milliseconds / 1000000, sum);
}

bool option_duration_parse(const char *text, int64_t *milliseconds, char *error, size_t error_size)
{
	const struct complaint complaint = { error, error_size };
	const char *cursor = text;
	int64_t sum = 0;

	if (strcmp(text, "0") != 0) {
		do {
			if (!duration_part_take(&cursor, &sum))
				return complain(complaint, "`%s` is not a duration: write 250ms, 30s, 5m or 1h30m",
						text);
		} while (*cursor != '\0');
	}
	*milliseconds = sum;
	return true;
}

/* ---- sizes */

/** @return the factor of a unit, 0 when there is no such unit */
static int64_t size_unit_factor(const char *unit)
{
	if (*unit == '\0')
		return 1;
	if (unit[1] != '\0')
		return 0;
	switch (*unit | 0x20) {
	case 'k':
		return 1024;
	case 'm':
		return 1024 * 1024;
	case 'g':
		return 1024 * 1024 * 1024;
	default:
		return 0;
	}
}

bool option_size_parse(const char *text, int64_t *bytes, char *error, size_t error_size)
{
	const struct complaint complaint = { error, error_size };
	const char *cursor = text;
	int64_t number = OPTION_SIZE_UNLIMITED;

	if (strcmp(text, "unlimited") != 0) {
		int64_t factor;

		if (!digits_take(&cursor, &number))
			factor = 0;
		else
			factor = size_unit_factor(cursor);
		if (factor == 0 || __builtin_mul_overflow(number, factor, &number))
			return complain(complaint, "`%s` is not a size: write 65536, 64k, 512m, 1g or unlimited", text);
	}
	*bytes = number;
	return true;
}

/* ---- addresses */

/** @param name  a path, or an abstract name behind its '@' */
static bool unix_parse(const char *name, struct option_address *address, struct complaint complaint)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	const bool is_abstract = *name == '@';
	const size_t length = strlen(name);

	if (!is_abstract && *name != '/')
		return complain(complaint, "the path of a Unix socket begins with /: unix:/run/app.sock");
	if (length < 2)
		return complain(complaint, "the name of the Unix socket is missing: unix:/run/app.sock");
	if (length >= sizeof(local.sun_path))
		return complain(complaint, "the path of a Unix socket has at most %zu characters",
				sizeof(local.sun_path) - 1);
	memcpy(local.sun_path, name, length);
	if (is_abstract)
		local.sun_path[0] = '\0';
	memcpy(&address->storage, &local, sizeof(local));
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
	return true;
}

static bool port_parse(const char *text, in_port_t *port, struct complaint complaint)
{
	const char *cursor = text;
	int64_t number;

	if (!digits_take(&cursor, &number) || *cursor != '\0' || number > UINT16_MAX)
		return complain(complaint, "`%s` is not a port: write a number from 0 to 65535", text);
	*port = htons((uint16_t)number);
	return true;
}

/** @param host  what stands between the brackets; "" is the wildcard */
static bool ipv6_parse(const char *host, in_port_t port, struct option_address *address, struct complaint complaint)
{
	struct sockaddr_in6 inet = { .sin6_family = AF_INET6, .sin6_port = port };

	if (*host != '\0' && inet_pton(AF_INET6, host, &inet.sin6_addr) != 1)
		return complain(complaint, "`%s` is not an IPv6 address: write [::1]:8000", host);
	memcpy(&address->storage, &inet, sizeof(inet));
	address->length = sizeof(inet);
	return true;
}

static bool ipv4_parse(const char *host, in_port_t port, struct option_address *address, struct complaint complaint)
{
	struct sockaddr_in inet = { .sin_family = AF_INET, .sin_port = port };

	if (strcmp(host, "localhost") == 0)
		inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (strcmp(host, "*") == 0)
		return complain(complaint, "write :PORT for all addresses");
	else if (strchr(host, ':') != NULL)
		return complain(complaint, "an IPv6 address stands in brackets: [::1]:8000");
	else if (inet_pton(AF_INET, host, &inet.sin_addr) != 1)
		return complain(complaint, "`%s` is not an IP address; host names are not looked up, except localhost",
				host);
	memcpy(&address->storage, &inet, sizeof(inet));
	address->length = sizeof(inet);
	return true;
}

static bool tcp_parse(const char *text, struct option_address *address, struct complaint complaint)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	in_port_t port = 0;
	size_t length;

	if (colon == NULL)
		return complain(complaint, "`%s` is not an address: write HOST:PORT, :PORT or unix:/PATH", text);
	length = (size_t)(colon - text);
	if (length >= sizeof(host))
		return complain(complaint, "the host has more than %zu characters: write an IP address",
				sizeof(host) - 1);
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] == '[' && host[length - 1] != ']')
		return complain(complaint, "`%s` is not an address: an IPv6 address is written [::1]:8000", text);
	if (!port_parse(colon + 1, &port, complaint))
		return false;
	if (host[0] == '\0')
		return ipv6_parse("", port, address, complaint);
	if (host[0] != '[')
		return ipv4_parse(host, port, address, complaint);
	host[length - 1] = '\0';
	if (host[1] == '\0')
		return complain(complaint, "there is nothing in the brackets: write [::1]:8000, or :8000 for all");
	return ipv6_parse(host + 1, port, address, complaint);
}

bool option_address_parse(const char *text, struct option_address *address, char *error, size_t error_size)
{
	const struct complaint complaint = { error, error_size };
	struct option_address parsed = { .length = 0 };
	bool is_good;

	if (strncmp(text, "unix:", 5) == 0)
		is_good = unix_parse(text + 5, &parsed, complaint);
	else if (*text == '/' || *text == '@')
		is_good = unix_parse(text, &parsed, complaint);
	else
		is_good = tcp_parse(text, &parsed, complaint);
	if (is_good)
		*address = parsed;
	return is_good;
}
