#include "forwarded.h"

#include <string.h>
#include <strings.h>

/** A part of a header's value. */
struct part {
	const char *text;
	size_t length;
};

static bool part_equals(struct part part, const char *text)
{
	return part.length == strlen(text) && strncasecmp(part.text, text, part.length) == 0;
}

static struct part part_trim(struct part part)
{
	while (part.length > 0 && (*part.text == ' ' || *part.text == '\t')) {
		part.text++;
		part.length--;
	}
	while (part.length > 0 && (part.text[part.length - 1] == ' ' || part.text[part.length - 1] == '\t'))
		part.length--;
	return part;
}

/* ---- the elements of all headers of a name, the last one first */

struct walk {
	const struct unicorn_header *headers;
	uint32_t header; /**< this one and those behind it have been walked */
	struct part name;
	struct part left; /**< of the header's value, in front of what has been walked */
	bool has_value;
};

static struct walk walk_begin(const struct unicorn_header *headers, uint32_t count, const char *name)
{
	const struct walk walk = { .headers = headers, .header = count, .name = { name, strlen(name) } };

	return walk;
}

static bool walk_next_header(struct walk *walk)
{
	while (walk->header > 0) {
		const struct unicorn_header *header = &walk->headers[--walk->header];

		if (header->name_length == walk->name.length &&
		    memcmp(header->name, walk->name.text, walk->name.length) == 0) {
			walk->left = (struct part){ header->value, header->value_length };
			walk->has_value = true;
			return true;
		}
	}
	return false;
}

/**
 * Takes what is behind the last comma that is not in quotes. From the right a quote that the client has left open can
 * not hide what the proxy has written behind it.
 */
static struct part walk_take_last(struct walk *walk)
{
	const char *start = walk->left.text;
	size_t at = walk->left.length;
	bool is_quoted = false;
	struct part element;

	while (at > 0 && (is_quoted || start[at - 1] != ',')) {
		if (start[at - 1] == '"')
			is_quoted = !is_quoted;
		at--;
	}
	element = part_trim((struct part){ start + at, walk->left.length - at });
	walk->has_value = at > 0;
	walk->left.length = at > 0 ? at - 1 : 0;
	return element;
}

/** Empty elements are skipped. @return false at the end */
static bool walk_next(struct walk *walk, struct part *element)
{
	while (walk->has_value || walk_next_header(walk)) {
		*element = walk_take_last(walk);
		if (element->length > 0)
			return true;
	}
	return false;
}

static uint32_t walk_count(struct walk walk)
{
	struct part element;
	uint32_t count = 0;

	while (walk_next(&walk, &element))
		count++;
	return count;
}

/* ---- nodes: 192.0.2.1   192.0.2.1:80   2001:db8::1   [2001:db8::1]   [2001:db8::1]:80 */

/** What a hop is known as. */
struct node {
	struct sockaddr_storage address;
	uint16_t port;
};

/** @return false when it is not a port in digits; "_name" is one that is hidden: 0 */
static bool port_parse(struct part part, uint16_t *port)
{
	unsigned number = 0;

	*port = 0;
	if (part.length > 1 && *part.text == '_')
		return true;
	if (part.length < 1 || part.length > 5)
		return false;
	for (size_t i = 0; i < part.length; i++) {
		if (part.text[i] < '0' || part.text[i] > '9')
			return false;
		number = number * 10 + (unsigned)(part.text[i] - '0');
	}
	*port = (uint16_t)number;
	return number <= UINT16_MAX;
}

/** Splits a node into its host, without brackets, and its port, empty when there is none. */
static bool node_split(struct part part, struct part *host, struct part *port)
{
	const char *end = part.text + part.length;
	const char *colon = memchr(part.text, ':', part.length);
	const char *bracket = memchr(part.text, ']', part.length);

	*host = part;
	*port = (struct part){ end, 0 };
	if (part.length > 0 && *part.text == '[') {
		if (bracket == NULL || (bracket + 1 < end && bracket[1] != ':'))
			return false;
		*host = (struct part){ part.text + 1, (size_t)(bracket - part.text) - 1 };
		colon = bracket + 1 < end ? bracket + 1 : NULL;
		if (memchr(host->text, ':', host->length) == NULL)
			return false;
	} else if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon) - 1) != NULL) {
		/* More than one: an IPv6 address as X-Forwarded-For has it. */
		return true;
	} else {
		host->length = colon != NULL ? (size_t)(colon - part.text) : part.length;
	}
	if (colon != NULL)
		*port = (struct part){ colon + 1, (size_t)(end - colon) - 1 };
	return colon == NULL || port->length > 0;
}

static bool node_parse(struct part part, struct node *node)
{
	struct part host;
	struct part port;

	node->port = 0;
	if (!node_split(part, &host, &port) || !address_text_parse(host.text, host.length, &node->address))
		return false;
	return port.length == 0 || port_parse(port, &node->port);
}

/** Takes the word of a trusted hop. @return whether the walk goes on: the node is trusted as well */
static bool node_accept(struct part part, const struct trusted_peers *trusted, struct forwarded_client *client)
{
	struct node node;

	if (!node_parse(part, &node))
		return false;
	(void)address_text_print(&node.address, sizeof(node.address), client->host);
	client->port = node.port;
	return trusted_peers_include(trusted, &node.address);
}

/** "wss" and "ws" are what some proxies say of a WebSocket. Other words say nothing. */
static void scheme_accept(struct part scheme, struct forwarded_client *client)
{
	if (part_equals(scheme, "https") || part_equals(scheme, "wss"))
		client->is_https = true;
	else if (part_equals(scheme, "http") || part_equals(scheme, "ws"))
		client->is_https = false;
}

/* ---- Forwarded: for=192.0.2.1;proto=https, for="[2001:db8::1]:80" */

/** Of one element; empty when it is not there. */
struct pairs {
	struct part node;
	struct part scheme;
};

static bool is_token_character(char c)
{
	/* Colons and brackets should be in quotes, but what is meant is clear. */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~:[]", c) != NULL);
}

static struct part token_take(struct part *left)
{
	struct part token = { left->text, 0 };

	while (token.length < left->length && is_token_character(left->text[token.length]))
		token.length++;
	left->text += token.length;
	left->length -= token.length;
	return token;
}

/** Takes a token or what is in quotes. No value that matters needs a backslash, so one with it is refused. */
static bool value_take(struct part *left, struct part *value)
{
	const char *end;

	if (left->length == 0 || *left->text != '"') {
		*value = token_take(left);
		return value->length > 0;
	}
	end = memchr(left->text + 1, '"', left->length - 1);
	if (end == NULL)
		return false;
	*value = (struct part){ left->text + 1, (size_t)(end - left->text) - 1 };
	left->length -= value->length + 2;
	left->text += value->length + 2;
	return memchr(value->text, '\\', value->length) == NULL;
}

/** Keeps a pair that matters; a name may be there once. */
static bool pair_keep(struct part name, struct part value, struct pairs *pairs)
{
	struct part *place = NULL;

	if (part_equals(name, "for"))
		place = &pairs->node;
	else if (part_equals(name, "proto"))
		place = &pairs->scheme;
	if (place == NULL)
		return true;
	if (place->text != NULL)
		return false;
	*place = value;
	return true;
}

/** @return false when the element is malformed; then nothing in it counts */
static bool pairs_parse(struct part element, struct pairs *pairs)
{
	*pairs = (struct pairs){ { NULL, 0 }, { NULL, 0 } };
	while (element.length > 0) {
		const struct part name = token_take(&element);
		struct part value;

		if (name.length == 0 || element.length == 0 || *element.text != '=')
			return false;
		element = (struct part){ element.text + 1, element.length - 1 };
		if (!value_take(&element, &value) || !pair_keep(name, value, pairs))
			return false;
		element = part_trim(element);
		if (element.length == 0)
			break;
		if (*element.text != ';')
			return false;
		element = part_trim((struct part){ element.text + 1, element.length - 1 });
	}
	return true;
}

static void standard_resolve(const struct trusted_peers *trusted, struct walk walk, struct forwarded_client *client)
{
	struct part element;
	struct pairs pairs;

	while (walk_next(&walk, &element) && pairs_parse(element, &pairs)) {
		scheme_accept(pairs.scheme, client);
		if (pairs.node.text == NULL || !node_accept(pairs.node, trusted, client))
			break;
	}
}

/* ---- X-Forwarded-For and X-Forwarded-Proto */

/** @return how many hops in front of the last one the client is */
static uint32_t addresses_resolve(const struct trusted_peers *trusted, struct walk walk,
				  struct forwarded_client *client)
{
	struct part element;
	uint32_t hops = 0;

	while (walk_next(&walk, &element) && node_accept(element, trusted, client))
		hops++;
	return hops;
}

/** Where every proxy adds its scheme as it adds an address, the one at the same place counts, else the last one. */
static void schemes_resolve(struct walk walk, uint32_t address_count, uint32_t hops, struct forwarded_client *client)
{
	struct part element;

	if (walk_count(walk) != address_count)
		hops = 0;
	for (uint32_t i = 0; walk_next(&walk, &element); i++) {
		if (i <= hops)
			scheme_accept(element, client);
	}
}

void forwarded_resolve(const struct trusted_peers *trusted, const struct unicorn_header *headers, uint32_t count,
		       struct forwarded_client *client)
{
	const struct walk addresses = walk_begin(headers, count, "x-forwarded-for");
	const uint32_t address_count = walk_count(addresses);
	uint32_t hops = 0;

	if (address_count > 0)
		hops = addresses_resolve(trusted, addresses, client);
	else
		standard_resolve(trusted, walk_begin(headers, count, "forwarded"), client);
	schemes_resolve(walk_begin(headers, count, "x-forwarded-proto"), address_count, hops, client);
}
