#include "trusted_peers.h"

#include "address_text.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Longest entry of a list, its NUL included: an IPv6 address, a slash and three digits. */
#define ENTRY_BYTES 64
/** Bytes in front of an IPv4 address in its IPv6 form. */
#define MAPPED_BYTES 12

/** IPv4 is kept in its IPv6 form, but does not belong to networks of IPv6: ::/0 is not everyone. */
struct trusted_network {
	uint8_t bytes[16];
	unsigned bits; /**< that must be the same, of all 128 */
	bool is_ipv4;
};

/** @return false when the address is not one of IP */
static bool network_from_address(const struct sockaddr_storage *address, struct trusted_network *network)
{
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };

	if (address->ss_family == AF_INET) {
		memcpy(&ipv4, address, sizeof(ipv4));
		memset(&ipv6.sin6_addr.s6_addr[MAPPED_BYTES - 2], 0xff, 2);
		memcpy(&ipv6.sin6_addr.s6_addr[MAPPED_BYTES], &ipv4.sin_addr, sizeof(ipv4.sin_addr));
	} else if (address->ss_family == AF_INET6) {
		memcpy(&ipv6, address, sizeof(ipv6));
	} else {
		return false;
	}
	memcpy(network->bytes, &ipv6.sin6_addr, sizeof(network->bytes));
	network->bits = 128;
	network->is_ipv4 = IN6_IS_ADDR_V4MAPPED(&ipv6.sin6_addr);
	return true;
}

/** Are the first `bits` of both the same? */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	const unsigned whole = bits / 8;
	const unsigned mask = 0xff00U >> bits % 8 & 0xff;

	return memcmp(a, b, whole) == 0 && (mask == 0 || (a[whole] & mask) == (b[whole] & mask));
}

static bool network_includes(const struct trusted_network *network, const struct trusted_network *address)
{
	return network->is_ipv4 == address->is_ipv4 && bits_equal(network->bytes, address->bytes, network->bits);
}

/** Nothing may be set behind the bits: who writes 10.0.0.1/8 means one of two things. */
static bool network_is_exact(const struct trusted_network *network)
{
	uint8_t cut[16] = { 0 };

	memcpy(cut, network->bytes, network->bits / 8);
	if (network->bits % 8 != 0)
		cut[network->bits / 8] = (uint8_t)(network->bytes[network->bits / 8] & 0xff00U >> network->bits % 8);
	return memcmp(cut, network->bytes, sizeof(cut)) == 0;
}

/** @return the number, or -1 when it is none of up to three digits */
static int small_number_parse(const char *text)
{
	int number = 0;
	int digits = 0;

	for (; text[digits] >= '0' && text[digits] <= '9' && digits < 4; digits++)
		number = number * 10 + (text[digits] - '0');
	return digits >= 1 && digits <= 3 && text[digits] == '\0' ? number : -1;
}

/** @param entry  loses its slash on the way */
static bool network_parse(char *entry, struct trusted_network *network, char *error, size_t error_size)
{
	struct sockaddr_storage address;
	char *slash = strchr(entry, '/');
	int bits;
	int bits_max;

	if (slash != NULL)
		*slash = '\0';
	if (!address_text_parse(entry, strlen(entry), &address) || !network_from_address(&address, network)) {
		(void)snprintf(error, error_size,
			       "`%s` is not an IP address: write 127.0.0.1, 10.0.0.0/8, ::1, unix or *", entry);
		return false;
	}
	bits_max = address.ss_family == AF_INET ? 32 : 128;
	bits = slash != NULL ? small_number_parse(slash + 1) : bits_max;
	if (bits < 0 || bits > bits_max) {
		(void)snprintf(error, error_size, "`%s` is not a number of bits of %s: write one from 0 to %d",
			       slash != NULL ? slash + 1 : "", entry, bits_max);
		return false;
	}
	network->bits = (unsigned)(128 - bits_max + bits);
	/* A network that is wider than the mapped addresses is one of IPv6. */
	network->is_ipv4 = network->is_ipv4 && network->bits >= 8 * MAPPED_BYTES;
	if (!network_is_exact(network)) {
		(void)snprintf(error, error_size,
			       "%s/%d has bits set behind its first %d: write %s for this host alone", entry, bits,
			       bits, entry);
		return false;
	}
	return true;
}

static bool network_append(struct trusted_peers *peers, const struct trusted_network *network, char *error,
			   size_t error_size)
{
	struct trusted_network *networks = realloc(peers->networks, (peers->count + 1) * sizeof(*networks));

	if (networks == NULL) {
		(void)snprintf(error, error_size, "there is no memory");
		return false;
	}
	networks[peers->count++] = *network;
	peers->networks = networks;
	return true;
}

static bool entry_add(struct trusted_peers *peers, char *entry, char *error, size_t error_size)
{
	struct trusted_network network;

	if (strcmp(entry, "*") == 0) {
		peers->trusts_everyone = true;
		return true;
	}
	if (strcmp(entry, "unix") == 0) {
		peers->trusts_unix = true;
		return true;
	}
	return network_parse(entry, &network, error, error_size) && network_append(peers, &network, error, error_size);
}

/** Takes what stands in front of the next comma. @return what is behind the comma, NULL when that was the last one */
static const char *entry_take(const char *list, char entry[ENTRY_BYTES])
{
	const size_t span = strcspn(list, ",");
	size_t length = span;
	const char *start = list;

	while (length > 0 && *start == ' ') {
		start++;
		length--;
	}
	while (length > 0 && start[length - 1] == ' ')
		length--;
	/* One that is too long is cut and so is refused as what it is then: no address. */
	if (length >= ENTRY_BYTES)
		length = ENTRY_BYTES - 1;
	memcpy(entry, start, length);
	entry[length] = '\0';
	return list[span] == ',' ? list + span + 1 : NULL;
}

bool trusted_peers_add(struct trusted_peers *peers, const char *list, char *error, size_t error_size)
{
	const struct trusted_peers before = *peers;
	char entry[ENTRY_BYTES];

	while (list != NULL) {
		list = entry_take(list, entry);
		if (!entry_add(peers, entry, error, error_size)) {
			/* The memory may be another one, what was in it is not. */
			peers->count = before.count;
			peers->trusts_unix = before.trusts_unix;
			peers->trusts_everyone = before.trusts_everyone;
			return false;
		}
	}
	return true;
}

bool trusted_peers_include(const struct trusted_peers *peers, const struct sockaddr_storage *address)
{
	struct trusted_network exact;

	if (peers->trusts_everyone)
		return true;
	if (address->ss_family == AF_UNIX)
		return peers->trusts_unix;
	if (peers->count == 0 || !network_from_address(address, &exact))
		return false;
	for (size_t i = 0; i < peers->count; i++) {
		if (network_includes(&peers->networks[i], &exact))
			return true;
	}
	return false;
}

void trusted_peers_finish(struct trusted_peers *peers)
{
	if (peers == NULL)
		return;
	free(peers->networks);
	memset(peers, 0, sizeof(*peers));
}
