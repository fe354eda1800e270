/*
 * proxy_protocol.h - what a proxy writes in front of a connection to say whose it is: PROXY protocol, versions 1 and 2.
 *
 * Only for connections from a peer that is trusted and known to write it: there the header must be there and must be
 * correct, and anything else ends the connection. TLVs of version 2 are skipped, its checksum is not looked at.
 */
#ifndef WORKERS_HTTP_PROXY_PROTOCOL_H
#define WORKERS_HTTP_PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/** Longest header of version 1, line end included. */
#define PROXY_LINE_BYTES_MAX 107
/** Longest header that is accepted; version 2 could say 64 KB more than anybody has to say. */
#define PROXY_HEADER_BYTES_MAX 4096

enum proxy_result {
	PROXY_NEED_MORE, /**< right so far, but not the whole */
	PROXY_DONE,
	PROXY_BAD,
};

struct proxy_header {
	size_t consumed;                /**< bytes of the header; the client's own come behind it */
	bool is_local;                  /**< LOCAL, UNKNOWN or UNSPEC: the addresses of the socket are the right ones */
	struct sockaddr_storage source; /**< who connected to the proxy; of the family AF_UNSPEC when is_local */
	struct sockaddr_storage destination; /**< where to */
	socklen_t source_length;
	socklen_t destination_length;
};

/**
 * Looks at what has come so far, from the first byte of the connection. When more is needed it is called again with all
 * of it; what does not begin as a header is refused at its first wrong byte, so that a wrong peer is not waited for.
 *
 * @param header  filled in with PROXY_DONE
 */
enum proxy_result proxy_protocol_parse(const char *bytes, size_t length, struct proxy_header *header);

#endif
