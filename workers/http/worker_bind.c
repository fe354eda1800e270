#include "worker_bind.h"

#include "unicornd/app.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The daemon's default. */
#define BACKLOG 2048

/** A socket that its last owner has left behind; any other file is left alone. */
static void remove_stale_socket(const struct sockaddr_un *address)
{
	struct stat status;
	int probe;

	if (address->sun_path[0] == '\0' || lstat(address->sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return;
	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) != 0 && errno == ECONNREFUSED)
		(void)unlink(address->sun_path);
	(void)close(probe);
}

static int open_socket(const struct option_address *address)
{
	int on = 1;
	int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (address->storage.ss_family == AF_UNIX)
		remove_stale_socket((const struct sockaddr_un *)&address->storage);
	else
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address->storage, address->length) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	on = errno;
	(void)close(fd);
	errno = on;
	return -1;
}

int worker_bind(const struct option_address *address, const char *text)
{
	int fd = open_socket(address);

	if (fd < 0 && errno == EAFNOSUPPORT && text[0] == ':') {
		struct option_address other;

		/* No IPv6 here. */
		memset(&other, 0, sizeof(other));
		((struct sockaddr_in *)&other.storage)->sin_family = AF_INET;
		((struct sockaddr_in *)&other.storage)->sin_port =
			((const struct sockaddr_in6 *)&address->storage)->sin6_port;
		other.length = sizeof(struct sockaddr_in);
		fd = open_socket(&other);
	}
	if (fd < 0)
		unicorn_log(UNICORN_ERROR, "--bind %s: %s", text, strerror(errno));
	return fd;
}
