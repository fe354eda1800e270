#include "websocket_handshake.h"

#include "http_head.h"
#include "http_token.h"
#include "sha1.h"
#include "websocket_offer.h"

#include <stdio.h>
#include <string.h>

/* RFC 6455 section 1.3: what shows that the server has understood. */
static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static const char key_name[] = "sec-websocket-key";
static const char version_name[] = "sec-websocket-version";
static const char extensions_name[] = "sec-websocket-extensions";
static const char subprotocol_name[] = "sec-websocket-protocol";

/** The headers that matter. */
struct found {
	const struct unicorn_header *key;
	const struct unicorn_header *version;
	bool has_upgrade;
	bool has_connection;
	bool is_repeated; /**< key or version stand there twice */
};

static bool name_is(const struct unicorn_header *header, const char *name)
{
	return header->name_length == strlen(name) && memcmp(header->name, name, header->name_length) == 0;
}

static void find_once(const struct unicorn_header **place, const struct unicorn_header *header, struct found *found)
{
	found->is_repeated |= *place != NULL;
	*place = header;
}

static void find_headers(const struct unicorn_head *head, struct found *found)
{
	for (uint32_t i = 0; i < head->header_count; i++) {
		const struct unicorn_header *header = &head->headers[i];

		if (name_is(header, key_name))
			find_once(&found->key, header, found);
		else if (name_is(header, version_name))
			find_once(&found->version, header, found);
		else if (name_is(header, "upgrade"))
			found->has_upgrade |= http_head_has_token(header, "websocket");
		else if (name_is(header, "connection"))
			found->has_connection |= http_head_has_token(header, "upgrade");
	}
}

/** Sixteen bytes in base64: 22 digits and two signs that nothing follows. */
static bool key_is_good(const struct unicorn_header *key)
{
	if (key == NULL || key->value_length != WEBSOCKET_KEY_BYTES)
		return false;
	for (size_t i = 0; i < WEBSOCKET_KEY_BYTES - 2; i++) {
		if (key->value[i] == '\0' || strchr(base64_digits, key->value[i]) == NULL)
			return false;
	}
	return memcmp(key->value + WEBSOCKET_KEY_BYTES - 2, "==", 2) == 0;
}

static bool version_is_good(const struct unicorn_header *version)
{
	return version != NULL && version->value_length == 2 && memcmp(version->value, "13", 2) == 0;
}

static void find_offer(struct websocket_handshake *handshake, const struct unicorn_head *head)
{
	for (uint32_t i = 0; i < head->header_count && !handshake->has_deflate; i++) {
		const struct unicorn_header *header = &head->headers[i];

		if (name_is(header, extensions_name))
			handshake->has_deflate =
				websocket_offer_find(header->value, header->value_length, &handshake->deflate);
	}
}

enum websocket_request websocket_handshake_parse(struct websocket_handshake *handshake, const struct unicorn_head *head)
{
	struct found found = { 0 };

	find_headers(head, &found);
	if (!found.has_upgrade || !found.has_connection || head->minor_version < 1 || strcmp(head->method, "GET") != 0)
		return WEBSOCKET_REQUEST_NONE;
	if (!found.is_repeated && !version_is_good(found.version))
		return WEBSOCKET_REQUEST_VERSION;
	/* A body would be taken for frames. */
	if (found.is_repeated || !key_is_good(found.key) || head->content_length != 0)
		return WEBSOCKET_REQUEST_BAD;
	*handshake = (struct websocket_handshake){ 0 };
	memcpy(handshake->key, found.key->value, WEBSOCKET_KEY_BYTES);
	find_offer(handshake, head);
	return WEBSOCKET_REQUEST_GOOD;
}

int websocket_handshake_refusal(const struct unicorn_head *head)
{
	struct websocket_handshake handshake;
	enum websocket_request kind = websocket_handshake_parse(&handshake, head);

	if (kind == WEBSOCKET_REQUEST_VERSION)
		return 426;
	return kind == WEBSOCKET_REQUEST_BAD ? 400 : 0;
}

/** Writes four digits for three bytes. */
static void encode_group(char digits[4], const uint8_t bytes[3])
{
	uint32_t group = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];

	for (unsigned i = 0; i < 4; i++)
		digits[i] = base64_digits[group >> (18 - 6 * i) & 63];
}

void websocket_handshake_accept_value(const struct websocket_handshake *handshake, char value[WEBSOCKET_ACCEPT_SIZE])
{
	char text[WEBSOCKET_KEY_BYTES + sizeof(magic) - 1];
	/* One byte more than the digest has, for a whole number of groups. */
	uint8_t digest[SHA1_BYTES + 1] = { 0 };

	memcpy(text, handshake->key, WEBSOCKET_KEY_BYTES);
	memcpy(text + WEBSOCKET_KEY_BYTES, magic, sizeof(magic) - 1);
	sha1_digest(text, sizeof(text), digest);
	for (size_t i = 0; i < 7; i++)
		encode_group(value + 4 * i, digest + 3 * i);
	value[WEBSOCKET_ACCEPT_SIZE - 2] = '=';
	value[WEBSOCKET_ACCEPT_SIZE - 1] = '\0';
}

static void append(char *value, size_t *length, const char *text)
{
	size_t more = strlen(text);

	memcpy(value + *length, text, more + 1);
	*length += more;
}

static void append_bits(char *value, size_t *length, const char *name, unsigned bits)
{
	char text[40];

	(void)snprintf(text, sizeof(text), "; %s=%u", name, bits);
	append(value, length, text);
}

size_t websocket_handshake_extensions(const struct websocket_handshake *handshake,
				      char value[WEBSOCKET_EXTENSIONS_SIZE])
{
	const struct websocket_deflate_parameters *deflate = &handshake->deflate;
	size_t length = 0;

	value[0] = '\0';
	if (!handshake->has_deflate)
		return 0;
	append(value, &length, "permessage-deflate");
	if (deflate->server_no_context_takeover)
		append(value, &length, "; server_no_context_takeover");
	if (deflate->client_no_context_takeover)
		append(value, &length, "; client_no_context_takeover");
	if (deflate->names_server_window)
		append_bits(value, &length, "server_max_window_bits", deflate->server_window_bits);
	if (deflate->names_client_window)
		append_bits(value, &length, "client_max_window_bits", deflate->client_window_bits);
	return length;
}

/** Finds a token in a header's value from the offset on. @return false behind the last one */
static bool find_subprotocol(struct websocket_subprotocol *subprotocol, const struct unicorn_header *header)
{
	const char *end = header->value + header->value_length;
	const char *at = header->value + subprotocol->offset;

	while (at < end && (*at == ' ' || *at == '\t' || *at == ','))
		at++;
	subprotocol->name = at;
	at = http_token_end(at, end);
	subprotocol->length = (size_t)(at - subprotocol->name);
	subprotocol->offset = (uint32_t)(at - header->value);
	return subprotocol->length > 0;
}

bool websocket_subprotocol_next(struct websocket_subprotocol *subprotocol, const struct unicorn_head *head)
{
	for (; subprotocol->header < head->header_count; subprotocol->header++) {
		const struct unicorn_header *header = &head->headers[subprotocol->header];

		if (name_is(header, subprotocol_name) && find_subprotocol(subprotocol, header))
			return true;
		subprotocol->offset = 0;
	}
	return false;
}

bool websocket_subprotocol_is_offered(const struct unicorn_head *head, const char *name)
{
	struct websocket_subprotocol offered = { 0 };

	while (websocket_subprotocol_next(&offered, head)) {
		if (offered.length == strlen(name) && memcmp(offered.name, name, offered.length) == 0)
			return true;
	}
	return false;
}
