/*
 * The notify socket of one worker; part of status_pipe.h.
 */
#include "system/status_pipe.h"

#include "base/ownership.h"
#include "unicornd/protocol.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/** Datagrams that one call of notify_socket_read() takes. */
#define DATAGRAMS_MAX 32
/** Most descriptors that one message can carry (the kernel's SCM_MAX_FD). */
#define DESCRIPTORS_MAX 253

/** Address without what tells the workers apart. */
#define ADDRESS_PREFIX "unicornd/notify/"

struct datagram {
	char bytes[UNICORND_STATUS_LINE_MAX];
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred)) +
					      CMSG_SPACE(sizeof(int) * DESCRIPTORS_MAX)];
};

/** Writes an address that nobody can guess: abstract ones have no file mode that keeps strangers out. */
static int make_name(char *name, size_t size)
{
	unsigned char random[16];
	int length = snprintf(name, size, "@" ADDRESS_PREFIX);

	if (length < 0 || (size_t)length + 2 * sizeof(random) >= size)
		return ENAMETOOLONG;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return errno;
	for (size_t i = 0; i < sizeof(random); i++)
		length += snprintf(name + length, size - (size_t)length, "%02x", (unsigned)random[i]);
	return 0;
}

static int bind_name(int fd, const char *name)
{
	struct sockaddr_un address;
	size_t length = strlen(name);
	int on = 1;

	memset(&address, 0, sizeof(address));
	if (length > sizeof(address.sun_path))
		return ENAMETOOLONG;
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, name, length);
	address.sun_path[0] = '\0';
	/* Before it has an address, so that no datagram comes without its sender. */
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return errno;
	return bind(fd, (const struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0
		       ? errno
		       : 0;
}

int notify_socket_open(char *name, size_t size)
{
	owned_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int code;

	if (fd < 0)
		return -errno;
	code = make_name(name, size);
	if (code == 0)
		code = bind_name(fd, name);
	return code == 0 ? take_fd(&fd) : -code;
}

static void close_all(const struct cmsghdr *header)
{
	size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
		(void)close(fd);
	}
}

static bool may_speak(const struct ucred *sender, uid_t uid)
{
	return sender->uid == 0 || sender->uid == geteuid() || sender->uid == uid;
}

/** Looks through what came with a datagram. @return true when its sender may speak */
static bool sender_may_speak(struct msghdr *message, uid_t uid)
{
	bool allowed = false;

	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
		struct ucred sender;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_CREDENTIALS ||
		    header->cmsg_len != CMSG_LEN(sizeof(sender)))
			continue;
		memcpy(&sender, CMSG_DATA(header), sizeof(sender));
		allowed = may_speak(&sender, uid);
	}
	return allowed;
}

/** Closing is the answer to a barrier, so it comes after the words were heard. */
static void close_descriptors(struct msghdr *message)
{
	for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header))
		if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
			close_all(header);
}

/** @return false when no datagram waits. */
static bool read_datagram(int fd, uid_t uid, struct datagram *datagram, status_message_function *function,
			  void *context)
{
	struct iovec vector = { .iov_base = datagram->bytes, .iov_len = sizeof(datagram->bytes) };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = datagram->control,
		.msg_controllen = sizeof(datagram->control),
	};
	ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (length < 0)
		return errno == EINTR;
	if (sender_may_speak(&message, uid) && (message.msg_flags & MSG_TRUNC) == 0)
		status_datagram_parse(datagram->bytes, (size_t)length, function, context);
	close_descriptors(&message);
	return true;
}

void notify_socket_read(int fd, uid_t uid, status_message_function *function, void *context)
{
	owned_memory struct datagram *datagram = malloc(sizeof(*datagram));

	if (datagram == NULL)
		return; /* the datagrams wait for a better time */
	for (int i = 0; i < DATAGRAMS_MAX; i++)
		if (!read_datagram(fd, uid, datagram, function, context))
			return;
}
