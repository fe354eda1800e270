/*
 * How many connections wait on a listening socket; part of socket.h.
 */
#include "system/socket.h"

#include "system/socket_diag.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/** On a listening socket the kernel puts the queue into two members that have another meaning elsewhere. */
static bool tcp_queue(int fd, struct socket_queue *queue)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0 || info.tcpi_state != TCP_LISTEN)
		return false;
	queue->waiting = info.tcpi_unacked;
	queue->limit = info.tcpi_sacked;
	return true;
}

static bool unix_queue(int fd, struct socket_queue *queue)
{
	struct socket_diag diag;

	if (!socket_diag_unix(fd, &diag) || !diag.has_queue)
		return false;
	*queue = diag.queue;
	return true;
}

bool socket_queue(int fd, struct socket_queue *queue)
{
	int family = 0;
	int listening = 0;
	socklen_t length = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 || listening == 0)
		return false;
	if (family == AF_INET || family == AF_INET6)
		return tcp_queue(fd, queue);
	return family == AF_UNIX && unix_queue(fd, queue);
}
