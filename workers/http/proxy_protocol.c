#include "proxy_protocol.h"

#include "address_text.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>

static const char line_start[] = "PROXY ";
#define LINE_START_BYTES (sizeof(line_start) - 1)

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
#define SIGNATURE_BYTES (sizeof(signature) - 1)
/** Signature, version and command, family, length. */
#define BINARY_START_BYTES (SIGNATURE_BYTES + 4)

static bool begins_alike(const char *bytes, size_t length, const char *start, size_t start_length)
{
	return memcmp(bytes, start, length < start_length ? length : start_length) == 0;
}

/* ---- version 1: PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n */

/** What is left of the line, without its end. */
struct line {
	const char *text;
	size_t length;
};

/** Takes a word and, unless it is the last one, exactly one blank behind it. An empty word is one. */
static struct line word_take(struct line *line)
{
	const char *blank = memchr(line->text, ' ', line->length);
	struct line word = { line->text, blank != NULL ? (size_t)(blank - line->text) : line->length };
	const size_t taken = word.length + (blank != NULL ? 1 : 0);

	line->text += taken;
	line->length -= taken;
	return word;
}

static bool word_equals(struct line word, const char *text)
{
	return word.length == strlen(text) && memcmp(word.text, text, word.length) == 0;
}

static bool address_take(struct line *line, sa_family_t family, struct sockaddr_storage *address)
{
	const struct line word = word_take(line);

	return address_text_parse(word.text, word.length, address) && address->ss_family == family;
}

/** Digits without a zero in front. */
static bool port_take(struct line *line, struct sockaddr_storage *address)
{
	const struct line word = word_take(line);
	unsigned number = 0;
	in_port_t port;

	if (word.length < 1 || word.length > 5 || (word.text[0] == '0' && word.length > 1))
		return false;
	for (size_t i = 0; i < word.length; i++) {
		if (word.text[i] < '0' || word.text[i] > '9')
			return false;
		number = number * 10 + (unsigned)(word.text[i] - '0');
	}
	if (number > UINT16_MAX)
		return false;
	port = htons((uint16_t)number);
	_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
		       "the port is at the same place in both families");
	memcpy((char *)address + offsetof(struct sockaddr_in, sin_port), &port, sizeof(port));
	return true;
}

static enum proxy_result line_parse(struct line line, struct proxy_header *header)
{
	const struct line protocol = word_take(&line);
	const bool is_ipv4 = word_equals(protocol, "TCP4");
	const sa_family_t family = is_ipv4 ? AF_INET : AF_INET6;

	if (word_equals(protocol, "UNKNOWN")) {
		header->is_local = true;
		return PROXY_DONE;
	}
	if (!is_ipv4 && !word_equals(protocol, "TCP6"))
		return PROXY_BAD;
	if (!address_take(&line, family, &header->source) || !address_take(&line, family, &header->destination) ||
	    !port_take(&line, &header->source) || !port_take(&line, &header->destination))
		return PROXY_BAD;
	/* A blank behind the last port has been taken as well. */
	if (line.length > 0 || line.text[-1] == ' ')
		return PROXY_BAD;
	header->source_length = is_ipv4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	header->destination_length = header->source_length;
	return PROXY_DONE;
}

/** Everything in front of the line's end must be printable. @return the place of the first byte that is not */
static size_t printable_span(const char *bytes, size_t length)
{
	size_t span = 0;

	while (span < length && bytes[span] >= ' ' && bytes[span] <= '~')
		span++;
	return span;
}

static enum proxy_result version_1_parse(const char *bytes, size_t length, struct proxy_header *header)
{
	const size_t limit = length < PROXY_LINE_BYTES_MAX ? length : PROXY_LINE_BYTES_MAX;
	const size_t end = printable_span(bytes, limit);
	struct line line = { bytes + LINE_START_BYTES, 0 };

	if (end < limit && bytes[end] != '\r')
		return PROXY_BAD;
	if (end + 1 >= limit)
		return limit < PROXY_LINE_BYTES_MAX ? PROXY_NEED_MORE : PROXY_BAD;
	if (bytes[end + 1] != '\n' || end < LINE_START_BYTES)
		return PROXY_BAD;
	line.length = end - LINE_START_BYTES;
	header->consumed = end + 2;
	return line_parse(line, header);
}

/* ---- version 2: signature, version and command, family, length, addresses, TLVs */

/** Addresses of Unix sockets are always that long here. */
#define UNIX_PATH_BYTES 108

static void ipv4_fill(const char *host, const char *port, struct sockaddr_storage *address)
{
	struct sockaddr_in inet = { .sin_family = AF_INET };

	memcpy(&inet.sin_addr, host, sizeof(inet.sin_addr));
	memcpy(&inet.sin_port, port, sizeof(inet.sin_port));
	memcpy(address, &inet, sizeof(inet));
}

static void ipv6_fill(const char *host, const char *port, struct sockaddr_storage *address)
{
	struct sockaddr_in6 inet = { .sin6_family = AF_INET6 };

	memcpy(&inet.sin6_addr, host, sizeof(inet.sin6_addr));
	memcpy(&inet.sin6_port, port, sizeof(inet.sin6_port));
	memcpy(address, &inet, sizeof(inet));
}

static void unix_fill(const char *path, struct sockaddr_storage *address)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };

	_Static_assert(sizeof(local.sun_path) == UNIX_PATH_BYTES, "the path has the length that the protocol says");
	memcpy(local.sun_path, path, UNIX_PATH_BYTES);
	memcpy(address, &local, sizeof(local));
}

static bool addresses_parse(unsigned family, const char *bytes, size_t length, struct proxy_header *header)
{
	socklen_t address_length;

	if (family == 1 && length >= 12) {
		ipv4_fill(bytes, bytes + 8, &header->source);
		ipv4_fill(bytes + 4, bytes + 10, &header->destination);
		address_length = sizeof(struct sockaddr_in);
	} else if (family == 2 && length >= 36) {
		ipv6_fill(bytes, bytes + 32, &header->source);
		ipv6_fill(bytes + 16, bytes + 34, &header->destination);
		address_length = sizeof(struct sockaddr_in6);
	} else if (family == 3 && length >= 2 * (size_t)UNIX_PATH_BYTES) {
		unix_fill(bytes, &header->source);
		unix_fill(bytes + UNIX_PATH_BYTES, &header->destination);
		address_length = sizeof(struct sockaddr_un);
	} else {
		return false;
	}
	header->source_length = address_length;
	header->destination_length = address_length;
	return true;
}

/** Version 2; LOCAL or PROXY. */
static bool command_is_known(unsigned command)
{
	return command == 0x20 || command == 0x21;
}

/** Family in the upper half: unspecified, IPv4, IPv6, Unix; in the lower one stream or datagram (of HTTP/3's proxies).
 */
static bool family_is_known(unsigned family)
{
	return family == 0 || (family >> 4 >= 1 && family >> 4 <= 3 && ((family & 15) == 1 || (family & 15) == 2));
}

static enum proxy_result version_2_parse(const char *bytes, size_t length, struct proxy_header *header)
{
	const unsigned char *start = (const unsigned char *)bytes + SIGNATURE_BYTES;
	const size_t known = length - SIGNATURE_BYTES;
	size_t rest;

	/* What LOCAL says about the family is to be ignored. */
	if (known >= 1 && !command_is_known(start[0]))
		return PROXY_BAD;
	if (known >= 2 && start[0] == 0x21 && !family_is_known(start[1]))
		return PROXY_BAD;
	if (known < 4)
		return PROXY_NEED_MORE;
	rest = (size_t)start[2] << 8 | start[3];
	if (rest > PROXY_HEADER_BYTES_MAX - BINARY_START_BYTES)
		return PROXY_BAD;
	if (length < BINARY_START_BYTES + rest)
		return PROXY_NEED_MORE;
	header->consumed = BINARY_START_BYTES + rest;
	header->is_local = start[0] == 0x20 || start[1] == 0;
	if (!header->is_local && !addresses_parse(start[1] >> 4, bytes + BINARY_START_BYTES, rest, header))
		return PROXY_BAD;
	return PROXY_DONE;
}

enum proxy_result proxy_protocol_parse(const char *bytes, size_t length, struct proxy_header *header)
{
	memset(header, 0, sizeof(*header));
	if (length == 0)
		return PROXY_NEED_MORE;
	if (begins_alike(bytes, length, line_start, LINE_START_BYTES))
		return length < LINE_START_BYTES ? PROXY_NEED_MORE : version_1_parse(bytes, length, header);
	if (begins_alike(bytes, length, signature, SIGNATURE_BYTES))
		return length < SIGNATURE_BYTES ? PROXY_NEED_MORE : version_2_parse(bytes, length, header);
	return PROXY_BAD;
}
