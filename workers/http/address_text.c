#include "address_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

bool address_text_parse(const char *text, size_t length, struct sockaddr_storage *address)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
	char copy[INET6_ADDRSTRLEN];

	if (length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, copy, &ipv4.sin_addr) == 1) {
		memcpy(address, &ipv4, sizeof(ipv4));
		return true;
	}
	if (inet_pton(AF_INET6, copy, &ipv6.sin6_addr) == 1) {
		memcpy(address, &ipv6, sizeof(ipv6));
		return true;
	}
	return false;
}

static void print_unix(const struct sockaddr_storage *address, socklen_t length, char host[ADDRESS_TEXT_BYTES])
{
	struct sockaddr_un local;
	size_t path_length;

	if (length <= offsetof(struct sockaddr_un, sun_path) || length > sizeof(local))
		return;
	memcpy(&local, address, sizeof(local));
	path_length = length - offsetof(struct sockaddr_un, sun_path);
	if (local.sun_path[0] == '\0')
		local.sun_path[0] = '@';
	path_length = strnlen(local.sun_path, path_length);
	if (path_length == 1 && local.sun_path[0] == '@')
		return;
	if (path_length >= ADDRESS_TEXT_BYTES)
		path_length = ADDRESS_TEXT_BYTES - 1;
	memcpy(host, local.sun_path, path_length);
	host[path_length] = '\0';
}

static uint16_t print_ipv6(const struct sockaddr_storage *address, char host[ADDRESS_TEXT_BYTES])
{
	struct sockaddr_in6 inet;

	memcpy(&inet, address, sizeof(inet));
	if (IN6_IS_ADDR_V4MAPPED(&inet.sin6_addr))
		(void)inet_ntop(AF_INET, &inet.sin6_addr.s6_addr[12], host, ADDRESS_TEXT_BYTES);
	else
		(void)inet_ntop(AF_INET6, &inet.sin6_addr, host, ADDRESS_TEXT_BYTES);
	return ntohs(inet.sin6_port);
}

uint16_t address_text_print(const struct sockaddr_storage *address, socklen_t length, char host[ADDRESS_TEXT_BYTES])
{
	struct sockaddr_in inet;

	host[0] = '\0';
	switch (address->ss_family) {
	case AF_INET:
		memcpy(&inet, address, sizeof(inet));
		(void)inet_ntop(AF_INET, &inet.sin_addr, host, ADDRESS_TEXT_BYTES);
		return ntohs(inet.sin_port);
	case AF_INET6:
		return print_ipv6(address, host);
	case AF_UNIX:
		print_unix(address, length, host);
		return 0;
	default:
		return 0;
	}
}
