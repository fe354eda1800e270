/*
 * What proxies say about clients. The first byte chooses the parser, the rest is its input:
 *
 *   p  a header of the PROXY protocol, which must come out the same however many bytes come behind it or at a time
 *   f  headers, a line each: f, x or s (Forwarded, X-Forwarded-For, X-Forwarded-Proto) and the value
 *   t  a list of trusted addresses
 */
#include "forwarded.h"
#include "proxy_protocol.h"

#include <stdlib.h>
#include <string.h>

/** As many headers are made. */
#define HEADER_COUNT_MAX 16

/** An address that is not trusted. */
#define STRANGER "203.0.113.7"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

/** A copy of exactly this length, so that a read behind it is seen. */
static char *copy_exactly(const char *bytes, size_t length)
{
	char *copy = malloc(length > 0 ? length : 1);

	if (copy == NULL)
		exit(EXIT_FAILURE);
	memcpy(copy, bytes, length);
	return copy;
}

/* ---- PROXY protocol */

static void check_address(const struct sockaddr_storage *address, socklen_t length, bool is_there)
{
	char host[ADDRESS_TEXT_BYTES];

	require((length > 0) == is_there && (address->ss_family != AF_UNSPEC) == is_there);
	(void)address_text_print(address, length, host);
	require(memchr(host, '\0', sizeof(host)) != NULL);
}

static enum proxy_result parse_copy(const char *bytes, size_t length, struct proxy_header *header)
{
	char *copy = copy_exactly(bytes, length);
	const enum proxy_result result = proxy_protocol_parse(copy, length, header);

	free(copy);
	if (result != PROXY_DONE)
		return result;
	require(header->consumed > 0 && header->consumed <= length && header->consumed <= PROXY_HEADER_BYTES_MAX);
	check_address(&header->source, header->source_length, !header->is_local);
	check_address(&header->destination, header->destination_length, !header->is_local);
	return result;
}

/** What has once been decided stays so. */
static void fuzz_proxy(const char *bytes, size_t size)
{
	struct proxy_header whole;
	struct proxy_header part;
	const enum proxy_result result = parse_copy(bytes, size, &whole);

	for (size_t length = 0; length < size && length < 2 * PROXY_LINE_BYTES_MAX; length++) {
		const enum proxy_result early = parse_copy(bytes, length, &part);

		require(early == PROXY_NEED_MORE || early == result);
		require(early != PROXY_DONE || memcmp(&part, &whole, sizeof(part)) == 0);
		require(early != PROXY_NEED_MORE || result != PROXY_DONE || length < whole.consumed);
	}
	require(result != PROXY_NEED_MORE || size < PROXY_HEADER_BYTES_MAX);
}

/* ---- headers */

struct header_list {
	struct unicorn_header headers[HEADER_COUNT_MAX];
	char *values[HEADER_COUNT_MAX];
	uint32_t count;
};

static const char *name_of(char letter)
{
	switch (letter) {
	case 'f':
		return "forwarded";
	case 'x':
		return "x-forwarded-for";
	case 's':
		return "x-forwarded-proto";
	default:
		return "x-forwarded";
	}
}

static void header_add(struct header_list *list, const char *line, size_t length)
{
	struct unicorn_header *header = &list->headers[list->count];

	header->name = name_of(line[0]);
	header->name_length = (uint32_t)strlen(header->name);
	list->values[list->count] = copy_exactly(line + 1, length - 1);
	header->value = list->values[list->count];
	header->value_length = (uint32_t)(length - 1);
	list->count++;
}

static void headers_make(struct header_list *list, const char *bytes, size_t size)
{
	while (size > 0 && list->count < HEADER_COUNT_MAX) {
		const char *end = memchr(bytes, '\n', size);
		const size_t length = end != NULL ? (size_t)(end - bytes) : size;

		if (length > 0)
			header_add(list, bytes, length);
		bytes += length;
		size -= length;
		if (size > 0) {
			bytes++;
			size--;
		}
	}
}

static void headers_free(struct header_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		free(list->values[i]);
}

static struct forwarded_client resolve(const struct unicorn_header *headers, uint32_t count)
{
	struct forwarded_client client = { .host = "127.0.0.1", .port = 1111 };
	struct trusted_peers trusted = { 0 };
	char error[256];

	require(trusted_peers_add(&trusted, "127.0.0.1,10.0.0.0/8,2001:db8::/32", error, sizeof(error)));
	forwarded_resolve(&trusted, headers, count, &client);
	trusted_peers_finish(&trusted);
	return client;
}

/** What comes out is an address in the one form that it has. */
static void check_client(const struct forwarded_client *client)
{
	struct sockaddr_storage address;
	char again[ADDRESS_TEXT_BYTES];

	require(memchr(client->host, '\0', sizeof(client->host)) != NULL);
	require(address_text_parse(client->host, strlen(client->host), &address));
	(void)address_text_print(&address, sizeof(address), again);
	require(strcmp(again, client->host) == 0);
}

/** Whatever a client sends, it can not hide the address that the proxy writes behind it. */
static void check_appended(const struct unicorn_header *header, const char *appended)
{
	const size_t length = strlen(appended);
	struct unicorn_header longer = *header;
	struct forwarded_client client;
	char *value = malloc(header->value_length + length);

	if (value == NULL)
		exit(EXIT_FAILURE);
	memcpy(value, header->value, header->value_length);
	memcpy(value + header->value_length, appended, length);
	longer.value = value;
	longer.value_length = (uint32_t)(header->value_length + length);
	client = resolve(&longer, 1);
	require(strcmp(client.host, STRANGER) == 0 && client.port == 0);
	free(value);
}

static void fuzz_forwarded(const char *bytes, size_t size)
{
	struct header_list list = { .count = 0 };
	struct forwarded_client client;

	headers_make(&list, bytes, size);
	client = resolve(list.headers, list.count);
	check_client(&client);
	for (uint32_t i = 0; i < list.count; i++) {
		if (strcmp(list.headers[i].name, "forwarded") == 0)
			check_appended(&list.headers[i], ", for=" STRANGER);
		else if (strcmp(list.headers[i].name, "x-forwarded-for") == 0)
			check_appended(&list.headers[i], "," STRANGER);
	}
	headers_free(&list);
}

/* ---- lists */

static void fuzz_trusted(const char *bytes, size_t size)
{
	struct trusted_peers trusted = { 0 };
	char error[64] = "";
	char *list = malloc(size + 1);

	if (list == NULL)
		exit(EXIT_FAILURE);
	memcpy(list, bytes, size);
	list[size] = '\0';
	if (trusted_peers_add(&trusted, list, error, sizeof(error))) {
		struct sockaddr_storage address;

		require(error[0] == '\0');
		require(trusted.count > 0 || trusted.trusts_unix || trusted.trusts_everyone);
		/* A single address includes itself. */
		if (address_text_parse(list, strlen(list), &address))
			require(trusted_peers_include(&trusted, &address));
	} else {
		require(error[0] != '\0');
		require(trusted.count == 0 && !trusted.trusts_unix && !trusted.trusts_everyone);
	}
	trusted_peers_finish(&trusted);
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data + 1;

	if (size < 1)
		return 0;
	switch (data[0]) {
	case 'p':
		fuzz_proxy(bytes, size - 1);
		break;
	case 'f':
		fuzz_forwarded(bytes, size - 1);
		break;
	case 't':
		fuzz_trusted(bytes, size - 1);
		break;
	default:
		break;
	}
	return 0;
}
