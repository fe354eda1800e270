#include "websocket_offer.h"

#include "http_token.h"

#include <string.h>

/*
 * The window asked of the client where it lets the server ask, as large as the server's own: 4 KB of memory for each
 * connection that receives, where the default is 32.
 */
#define WINDOW_BITS_WANTED 12
#define WINDOW_BITS_MAX    15
/* zlib cannot compress with a window of 256 bytes, but understands what was. */
#define SERVER_WINDOW_BITS_MIN 9
#define CLIENT_WINDOW_BITS_MIN 8

static const char extension_name[] = "permessage-deflate";

/** A parameter: its name, and its value where it has one. */
struct parameter {
	const char *name;
	const char *value; /**< NULL without */
	size_t name_length;
	size_t value_length;
};

/** What has been seen of an offer. */
struct offer {
	bool is_ours;
	bool is_impossible;
	struct websocket_deflate_parameters parameters;
};

static bool equals(const char *text, size_t length, const char *name)
{
	return length == strlen(name) && memcmp(text, name, length) == 0;
}

/** Steps over spaces and tabs and then over `wanted`, if it is there. */
static bool skip_mark(const char **at, const char *end, char wanted)
{
	*at = http_space_end(*at, end);
	if (*at == end || **at != wanted)
		return false;
	(*at)++;
	return true;
}

/** Reads a token, with the spaces in front of it. */
static bool read_token(const char **at, const char *end, const char **token, size_t *length)
{
	*token = http_space_end(*at, end);
	*at = http_token_end(*token, end);
	*length = (size_t)(*at - *token);
	return *length > 0;
}

/** Reads a value, which may stand in quotation marks and must be a token in any case. */
static bool read_value(const char **at, const char *end, struct parameter *parameter)
{
	bool is_quoted = skip_mark(at, end, '"');

	if (!read_token(at, end, &parameter->value, &parameter->value_length))
		return false;
	if (!is_quoted)
		return true;
	if (*at == end || **at != '"')
		return false;
	(*at)++;
	return true;
}

static bool read_parameter(const char **at, const char *end, struct parameter *parameter)
{
	*parameter = (struct parameter){ 0 };
	if (!read_token(at, end, &parameter->name, &parameter->name_length))
		return false;
	return !skip_mark(at, end, '=') || read_value(at, end, parameter);
}

/** @return the window that a value names, 0 when it names none */
static uint8_t window_bits(const struct parameter *parameter, int least)
{
	int bits = 0;

	if (parameter->value == NULL || parameter->value_length > 2 || parameter->value[0] == '0')
		return 0;
	for (size_t i = 0; i < parameter->value_length; i++) {
		if (parameter->value[i] < '0' || parameter->value[i] > '9')
			return 0;
		bits = bits * 10 + (parameter->value[i] - '0');
	}
	return bits >= least && bits <= WINDOW_BITS_MAX ? (uint8_t)bits : 0;
}

/** Takes a parameter without a value, which may come once. */
static bool take_flag(const struct parameter *parameter, bool *flag)
{
	bool is_good = parameter->value == NULL && !*flag;

	*flag = true;
	return is_good;
}

static uint8_t smaller(uint8_t bits)
{
	return bits < WINDOW_BITS_WANTED ? bits : WINDOW_BITS_WANTED;
}

static bool take_server_bits(const struct parameter *parameter, struct offer *offer)
{
	uint8_t bits = window_bits(parameter, SERVER_WINDOW_BITS_MIN);

	if (bits == 0 || offer->parameters.names_server_window)
		return false;
	offer->parameters.names_server_window = true;
	offer->parameters.server_window_bits = smaller(bits);
	return true;
}

static bool take_client_bits(const struct parameter *parameter, struct offer *offer)
{
	uint8_t bits = parameter->value == NULL ? WINDOW_BITS_MAX : window_bits(parameter, CLIENT_WINDOW_BITS_MIN);

	if (bits == 0 || offer->parameters.names_client_window)
		return false;
	offer->parameters.names_client_window = true;
	offer->parameters.client_window_bits = smaller(bits);
	return true;
}

static bool take_parameter(const struct parameter *parameter, struct offer *offer)
{
	const char *name = parameter->name;
	size_t length = parameter->name_length;

	if (equals(name, length, "server_no_context_takeover"))
		return take_flag(parameter, &offer->parameters.server_no_context_takeover);
	if (equals(name, length, "client_no_context_takeover"))
		return take_flag(parameter, &offer->parameters.client_no_context_takeover);
	if (equals(name, length, "server_max_window_bits"))
		return take_server_bits(parameter, offer);
	if (equals(name, length, "client_max_window_bits"))
		return take_client_bits(parameter, offer);
	return false;
}

/** Reads an extension and its parameters. @return false when the text makes no sense from here on */
static bool read_offer(const char **at, const char *end, struct offer *offer)
{
	struct parameter parameter;
	const char *name;
	size_t length;

	*offer = (struct offer){ .parameters = { .server_window_bits = WINDOW_BITS_WANTED,
						 .client_window_bits = WINDOW_BITS_MAX } };
	if (!read_token(at, end, &name, &length))
		return false;
	offer->is_ours = equals(name, length, extension_name);
	while (skip_mark(at, end, ';')) {
		if (!read_parameter(at, end, &parameter))
			return false;
		if (offer->is_ours && !take_parameter(&parameter, offer))
			offer->is_impossible = true;
	}
	return true;
}

bool websocket_offer_find(const char *value, size_t length, struct websocket_deflate_parameters *parameters)
{
	const char *at = value;
	const char *end = value + length;
	struct offer offer;

	do {
		/* A list may have empty places. */
		while (skip_mark(&at, end, ','))
			;
		if (!read_offer(&at, end, &offer) || (at != end && *at != ','))
			return false;
		if (offer.is_ours && !offer.is_impossible) {
			*parameters = offer.parameters;
			return true;
		}
	} while (at != end);
	return false;
}
