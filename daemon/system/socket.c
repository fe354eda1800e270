#include "system/socket.h"

#include "base/ownership.h"
#include "system/socket_holder.h"
#include "system/socket_unix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/** Any address of a listener, as the kernel takes it. */
struct endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	} address;
	socklen_t length;
};

static void endpoint_from_address(struct endpoint *endpoint, const struct address *address)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (address->kind == ADDRESS_TCP4) {
		endpoint->address.v4.sin_family = AF_INET;
		endpoint->address.v4.sin_port = htons(address->port);
		memcpy(&endpoint->address.v4.sin_addr, address->host, 4);
		endpoint->length = sizeof(endpoint->address.v4);
	} else if (address->kind == ADDRESS_TCP6) {
		endpoint->address.v6.sin6_family = AF_INET6;
		endpoint->address.v6.sin6_port = htons(address->port);
		endpoint->address.v6.sin6_scope_id = address->scope;
		memcpy(&endpoint->address.v6.sin6_addr, address->host, 16);
		endpoint->length = sizeof(endpoint->address.v6);
	} else if (address->kind == ADDRESS_ABSTRACT) {
		size_t length = strnlen(address->path, sizeof(endpoint->address.local.sun_path) - 1);

		endpoint->address.local.sun_family = AF_UNIX;
		memcpy(endpoint->address.local.sun_path + 1, address->path, length);
		endpoint->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
	}
}

/** Knocks at an abstract address, because only the kernel knows who is behind it. */
static pid_t find_abstract_holder(const struct address *address)
{
	owned_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct endpoint endpoint;

	endpoint_from_address(&endpoint, address);
	if (fd < 0 || connect(fd, &endpoint.address.any, endpoint.length) < 0)
		return 0;
	return socket_holder_of_peer(fd);
}

static bool is_in_use(const struct address *address, struct error *error)
{
	pid_t pid = address->kind == ADDRESS_ABSTRACT ? find_abstract_holder(address) : socket_holder_of_tcp(address);
	char text[ADDRESS_TEXT_SIZE];
	char holder[SOCKET_HOLDER_SIZE];

	return error_set(error, ERROR_ADDRESS, "cannot listen on %s: %s (%s)",
			 address_print(address, text, sizeof(text)), strerror(EADDRINUSE),
			 socket_holder_print(pid, address->kind, holder, sizeof(holder)));
}

/** Says in words what a person can do about a refused bind(2) or listen(2). */
static bool bind_failed(const struct listener_settings *settings, int code, struct error *error)
{
	const struct address *address = &settings->address;
	char text[ADDRESS_TEXT_SIZE];
	const char *hint = "";

	if (code == EADDRINUSE)
		return is_in_use(address, error);
	if (code == EACCES && address->kind != ADDRESS_ABSTRACT && address->port < 1024)
		hint = " (ports below 1024 need root, CAP_NET_BIND_SERVICE or a socket passed by systemd)";
	else if (code == EADDRNOTAVAIL)
		hint = " (no network interface of this machine has that address now)";
	return error_set(error, ERROR_ADDRESS, "cannot listen on %s: %s%s", address_print(address, text, sizeof(text)),
			 strerror(code), hint);
}

static bool set_option(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

/** Options that accepted sockets inherit. */
static bool apply_tcp_options(int fd, const struct listener_settings *settings)
{
	if (settings->no_delay && !set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1))
		return false;
	return settings->defer_accept == 0 || set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, settings->defer_accept);
}

static bool bind_tcp(int fd, const struct listener_settings *settings, struct error *error)
{
	struct endpoint endpoint;

	endpoint_from_address(&endpoint, &settings->address);
	if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
	    (settings->address.kind == ADDRESS_TCP6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, settings->only_v6)) ||
	    !apply_tcp_options(fd, settings) || bind(fd, &endpoint.address.any, endpoint.length) < 0 ||
	    listen(fd, settings->backlog) < 0)
		return bind_failed(settings, errno, error);
	return true;
}

static bool bind_abstract(int fd, const struct listener_settings *settings, struct error *error)
{
	struct endpoint endpoint;

	endpoint_from_address(&endpoint, &settings->address);
	if (bind(fd, &endpoint.address.any, endpoint.length) < 0 || listen(fd, settings->backlog) < 0)
		return bind_failed(settings, errno, error);
	return true;
}

typedef bool bind_function(int fd, const struct listener_settings *settings, struct error *error);

static int open_as(int family, const struct listener_settings *settings, bind_function *bind_to, struct error *error)
{
	owned_fd fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		(void)bind_failed(settings, errno, error);
		return -1;
	}
	return bind_to(fd, settings, error) ? take_fd(&fd) : -1;
}

/** @return true when the address means everybody and the kernel has no IPv6 at all: then IPv4 is everybody. */
static bool must_fall_back_to_v4(const struct listener_settings *settings)
{
	owned_fd fd = -1;

	if (settings->only_v6 || memcmp(settings->address.host, &in6addr_any, sizeof(in6addr_any)) != 0)
		return false;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 && errno == EAFNOSUPPORT;
}

/** @return the address that is bound: the one of the settings, but where the kernel has no IPv6. */
static struct address find_bindable(const struct listener_settings *settings)
{
	struct address address = settings->address;

	if (address.kind == ADDRESS_TCP6 && must_fall_back_to_v4(settings)) {
		address.kind = ADDRESS_TCP4;
		memset(address.host, 0, sizeof(address.host));
	}
	return address;
}

static int open_tcp(const struct listener_settings *settings, struct error *error)
{
	struct listener_settings bindable = *settings;

	bindable.address = find_bindable(settings);
	return open_as(bindable.address.kind == ADDRESS_TCP6 ? AF_INET6 : AF_INET, &bindable, bind_tcp, error);
}

int socket_open(const struct listener_settings *settings, struct error *error)
{
	switch (settings->address.kind) {
	case ADDRESS_TCP4:
	case ADDRESS_TCP6:
		return open_tcp(settings, error);
	case ADDRESS_UNIX:
		return open_as(AF_UNIX, settings, socket_unix_bind, error);
	case ADDRESS_ABSTRACT:
		return open_as(AF_UNIX, settings, bind_abstract, error);
	case ADDRESS_NONE:
	case ADDRESS_SYSTEMD:
	default:
		(void)error_set(error, ERROR_ADDRESS, "this kind of address cannot be bound");
		return -1;
	}
}

bool socket_listen(int fd, int backlog, struct error *error)
{
	if (listen(fd, backlog) < 0)
		return error_set_errno(error, ERROR_ADDRESS, errno, "cannot listen on the socket");
	return true;
}

void socket_stop_listening(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
}

static int get_option(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

/** @return what is wrong with an inherited descriptor, or NULL. */
static const char *find_fault(int fd)
{
	int family = get_option(fd, SO_DOMAIN);
	struct endpoint peer = { .length = sizeof(peer.address) };

	if (family < 0)
		return "it is not a socket";
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return "it is neither a TCP nor a Unix socket";
	if (get_option(fd, SO_TYPE) != SOCK_STREAM)
		return "it is not a stream socket";
	if (get_option(fd, SO_ACCEPTCONN) != 1 && getpeername(fd, &peer.address.any, &peer.length) == 0)
		return "it is a connection (in systemd's socket unit, Accept= must be off)";
	return NULL;
}

bool socket_adjust(int fd, const struct listener_settings *settings, struct error *error)
{
	if (get_option(fd, SO_DOMAIN) != AF_UNIX && !apply_tcp_options(fd, settings))
		return error_set_errno(error, ERROR_ADDRESS, errno, "cannot set options of descriptor %d", fd);
	return socket_listen(fd, settings->backlog, error);
}

bool socket_adopt(int fd, const struct listener_settings *settings, struct error *error)
{
	const char *fault = find_fault(fd);
	int flags;

	if (fault != NULL)
		return error_set(error, ERROR_ADDRESS, "cannot use inherited descriptor %d: %s", fd, fault);
	/* Workers must find it as one of socket_open(): the flag is shared with them. */
	flags = fcntl(fd, F_GETFL);
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
		return error_set_errno(error, ERROR_ADDRESS, errno, "cannot use inherited descriptor %d", fd);
	return socket_adjust(fd, settings, error);
}

static bool unix_address(const struct sockaddr_un *local, socklen_t length, struct address *address)
{
	size_t used = length - offsetof(struct sockaddr_un, sun_path);
	size_t suffix = strlen(SOCKET_UNIX_SUFFIX);

	if (length <= offsetof(struct sockaddr_un, sun_path))
		return false;
	if (local->sun_path[0] == '\0') {
		address->kind = ADDRESS_ABSTRACT;
		memcpy(address->path, local->sun_path + 1, used - 1);
		return true;
	}
	address->kind = ADDRESS_UNIX;
	used = strnlen(local->sun_path, used < sizeof(address->path) ? used : sizeof(address->path) - 1);
	if (used > suffix && memcmp(local->sun_path + used - suffix, SOCKET_UNIX_SUFFIX, suffix) == 0)
		used -= suffix; /* the name that it was bound under before it got its own */
	memcpy(address->path, local->sun_path, used);
	return true;
}

bool socket_address(int fd, struct address *address)
{
	struct endpoint endpoint = { .length = sizeof(endpoint.address) };

	memset(address, 0, sizeof(*address));
	if (getsockname(fd, &endpoint.address.any, &endpoint.length) < 0)
		return false;
	switch (endpoint.address.any.sa_family) {
	case AF_INET:
		address->kind = ADDRESS_TCP4;
		address->port = ntohs(endpoint.address.v4.sin_port);
		memcpy(address->host, &endpoint.address.v4.sin_addr, 4);
		return true;
	case AF_INET6:
		address->kind = ADDRESS_TCP6;
		address->port = ntohs(endpoint.address.v6.sin6_port);
		address->scope = endpoint.address.v6.sin6_scope_id;
		memcpy(address->host, &endpoint.address.v6.sin6_addr, 16);
		return true;
	case AF_UNIX:
		return unix_address(&endpoint.address.local, endpoint.length, address);
	default:
		return false;
	}
}

bool socket_is_reachable(int fd, const struct listener_settings *settings)
{
	struct address wanted = find_bindable(settings);
	struct address bound;

	if (wanted.kind == ADDRESS_UNIX)
		return socket_unix_has_file(fd, wanted.path);
	if (!socket_address(fd, &bound))
		return false;
	if (wanted.port == 0)
		bound.port = 0; /* whichever the kernel has chosen */
	return address_equal(&bound, &wanted);
}
