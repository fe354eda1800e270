#include "model/address.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool copy_name(struct address *address, const char *name, const char *what, struct error *error)
{
	if (*name == '\0')
		return error_set(error, ERROR_CONFIGURATION, "%s is empty", what);
	if (strlen(name) >= sizeof(address->path))
		return error_set(error, ERROR_CONFIGURATION, "%s is longer than %zu characters", what,
				 sizeof(address->path) - 1);
	memcpy(address->path, name, strlen(name) + 1);
	return true;
}

static bool parse_unix(struct address *address, const char *name, struct error *error)
{
	if (*name == '@') {
		address->kind = ADDRESS_ABSTRACT;
		return copy_name(address, name + 1, "the abstract name", error);
	}
	address->kind = ADDRESS_UNIX;
	if (*name != '/')
		return error_set(error, ERROR_CONFIGURATION, "the path of a Unix socket must begin with /");
	return copy_name(address, name, "the path", error);
}

static bool parse_systemd(struct address *address, const char *name, struct error *error)
{
	address->kind = ADDRESS_SYSTEMD;
	for (const char *c = name; *c != '\0'; c++) {
		if (!isgraph((unsigned char)*c) || *c == ':')
			return error_set(error, ERROR_CONFIGURATION, "a systemd name has no blank and no colon");
	}
	return copy_name(address, name, "the systemd name", error);
}

static bool parse_port(struct address *address, const char *port, struct error *error)
{
	int64_t number;

	if (!isdigit((unsigned char)*port) || !text_parse_integer(port, &number) || number > UINT16_MAX)
		return error_set(error, ERROR_CONFIGURATION, "`%s` is not a port: a number from 0 to 65535", port);
	address->port = (uint16_t)number;
	return true;
}

static bool parse_scope(struct address *address, const char *scope, struct error *error)
{
	int64_t number;

	if (!text_parse_integer(scope, &number) || number < 1 || number > UINT32_MAX)
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is not the number of an interface (see ip -o link; names may change)", scope);
	address->scope = (uint32_t)number;
	return true;
}

/** `host` is what stands between the brackets. */
static bool parse_host6(struct address *address, char *host, struct error *error)
{
	char *scope = strchr(host, '%');

	address->kind = ADDRESS_TCP6;
	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, host, address->host) != 1)
		return error_set(error, ERROR_CONFIGURATION, "`%s` is not an IPv6 address", host);
	return scope == NULL || parse_scope(address, scope, error);
}

static bool parse_host4(struct address *address, const char *host, struct error *error)
{
	address->kind = ADDRESS_TCP4;
	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, address->host) == 1)
		return true;
	if (strcmp(host, "*") == 0)
		return error_set(error, ERROR_CONFIGURATION, "write :PORT for all addresses");
	if (strchr(host, ':') != NULL)
		return error_set(error, ERROR_CONFIGURATION, "an IPv6 address stands in brackets: [::1]:8000");
	return error_set(error, ERROR_CONFIGURATION,
			 "`%s` is not an IP address; host names are not looked up, except localhost", host);
}

/** Splits HOST:PORT; an empty host is the IPv6 wildcard, which takes IPv4 too unless only_v6 is set. */
static bool parse_tcp(struct address *address, const char *string, struct error *error)
{
	const char *colon = strrchr(string, ':');
	char host[ADDRESS_TEXT_SIZE];
	size_t length;

	if (colon == NULL)
		return error_set(error, ERROR_CONFIGURATION,
				 "`%s` is not an address: HOST:PORT, :PORT, unix:/PATH, @NAME or systemd:NAME", string);
	length = (size_t)(colon - string);
	if (length >= sizeof(host))
		return error_set(error, ERROR_CONFIGURATION, "the host is longer than %zu characters",
				 sizeof(host) - 1);
	memcpy(host, string, length);
	host[length] = '\0';
	if (!parse_port(address, colon + 1, error))
		return false;
	if (length == 0) {
		address->kind = ADDRESS_TCP6;
		return true;
	}
	if (host[0] != '[')
		return parse_host4(address, host, error);
	if (length < 2 || host[length - 1] != ']')
		return error_set(error, ERROR_CONFIGURATION, "the closing ] is missing");
	host[length - 1] = '\0';
	return parse_host6(address, host + 1, error);
}

static bool parse_any(struct address *address, const char *string, struct error *error)
{
	if (strncmp(string, "unix:", 5) == 0)
		return parse_unix(address, string + 5, error);
	if (strncmp(string, "systemd:", 8) == 0)
		return parse_systemd(address, string + 8, error);
	if (*string == '/' || *string == '@')
		return parse_unix(address, string, error);
	return parse_tcp(address, string, error);
}

bool address_parse(struct address *address, const char *string, struct error *error)
{
	struct address parsed = { .kind = ADDRESS_NONE };

	if (!parse_any(&parsed, string, error))
		return false;
	*address = parsed;
	return true;
}

static void print_tcp6(const struct address *address, char *buffer, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";
	char scope[16] = "";

	(void)inet_ntop(AF_INET6, address->host, host, sizeof(host));
	if (address->scope != 0)
		(void)snprintf(scope, sizeof(scope), "%%%u", address->scope);
	(void)snprintf(buffer, size, "[%s%s]:%u", host, scope, (unsigned)address->port);
}

const char *address_print(const struct address *address, char *buffer, size_t size)
{
	char host[INET_ADDRSTRLEN] = "";

	switch (address->kind) {
	case ADDRESS_TCP4:
		(void)inet_ntop(AF_INET, address->host, host, sizeof(host));
		(void)snprintf(buffer, size, "%s:%u", host, (unsigned)address->port);
		break;
	case ADDRESS_TCP6:
		print_tcp6(address, buffer, size);
		break;
	case ADDRESS_UNIX:
		(void)snprintf(buffer, size, "unix:%s", address->path);
		break;
	case ADDRESS_ABSTRACT:
		(void)snprintf(buffer, size, "@%s", address->path);
		break;
	case ADDRESS_SYSTEMD:
		(void)snprintf(buffer, size, "systemd:%s", address->path);
		break;
	case ADDRESS_NONE:
	default:
		(void)snprintf(buffer, size, "none");
		break;
	}
	return buffer;
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == ADDRESS_TCP4 || a->kind == ADDRESS_TCP6)
		return a->port == b->port && a->scope == b->scope &&
		       memcmp(a->host, b->host, a->kind == ADDRESS_TCP4 ? 4 : 16) == 0;
	return strcmp(a->path, b->path) == 0;
}
