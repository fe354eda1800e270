#include "system/socket_diag.h"

#include "base/ownership.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/** Cookie of a question that knows none. */
#define NO_COOKIE UINT32_MAX

struct diag_question {
	struct nlmsghdr header;
	struct unix_diag_req request;
};

/** Room for the one answer: a header and two small attributes. */
union diag_answer {
	struct nlmsghdr header;
	unsigned char bytes[1024];
};

static bool ask(int netlink, uint32_t socket_number)
{
	struct diag_question question = {
		.header = {
			.nlmsg_len = sizeof(question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.request = {
			.sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_ino = socket_number,
			.udiag_show = UDIAG_SHOW_RQLEN | UDIAG_SHOW_VFS,
			.udiag_cookie = { NO_COOKIE, NO_COOKIE },
		},
	};

	return send(netlink, &question, sizeof(question), 0) == (ssize_t)sizeof(question);
}

/** Copies an attribute's payload when it is long enough. */
static bool copy_attribute(void *target, size_t size, const unsigned char *payload, size_t length)
{
	if (length < size)
		return false;
	memcpy(target, payload, size);
	return true;
}

static void read_attribute(struct socket_diag *diag, unsigned type, const unsigned char *payload, size_t length)
{
	struct unix_diag_rqlen queue;
	struct unix_diag_vfs file;

	if (type == UNIX_DIAG_RQLEN && copy_attribute(&queue, sizeof(queue), payload, length)) {
		diag->has_queue = true;
		diag->queue.waiting = queue.udiag_rqueue;
		diag->queue.limit = queue.udiag_wqueue;
	} else if (type == UNIX_DIAG_VFS && copy_attribute(&file, sizeof(file), payload, length)) {
		diag->has_file = true;
		diag->file_number = file.udiag_vfs_ino;
	}
}

/** Walks over the attributes behind the fixed part of the answer. */
static void read_attributes(struct socket_diag *diag, const unsigned char *bytes, size_t length)
{
	size_t position = NLMSG_ALIGN(sizeof(struct nlmsghdr)) + NLMSG_ALIGN(sizeof(struct unix_diag_msg));

	while (position + sizeof(struct rtattr) <= length) {
		struct rtattr attribute;

		memcpy(&attribute, bytes + position, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > length - position)
			return;
		read_attribute(diag, attribute.rta_type, bytes + position + sizeof(attribute),
			       attribute.rta_len - sizeof(attribute));
		position += (attribute.rta_len + 3U) & ~3U;
	}
}

bool socket_diag_unix(int fd, struct socket_diag *diag)
{
	union diag_answer answer;
	struct stat status;
	ssize_t length;
	owned_fd netlink = -1;

	memset(diag, 0, sizeof(*diag));
	if (fstat(fd, &status) < 0)
		return false;
	netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (netlink < 0 || !ask(netlink, (uint32_t)status.st_ino))
		return false;
	/* The kernel has answered before send() returned; nothing may make the daemon wait here. */
	length = recv(netlink, &answer, sizeof(answer), MSG_DONTWAIT);
	if (length < (ssize_t)sizeof(answer.header) || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false;
	read_attributes(diag, answer.bytes, (size_t)length);
	return true;
}
