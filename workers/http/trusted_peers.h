/*
 * trusted_peers.h - whose word about a client is taken: the addresses of --trust.
 */
#ifndef WORKERS_HTTP_TRUSTED_PEERS_H
#define WORKERS_HTTP_TRUSTED_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct trusted_network;

/** Zeroed it is valid and trusts nobody. */
struct trusted_peers {
	struct trusted_network *networks;
	size_t count;
	bool trusts_unix;     /**< "unix": who connects to a Unix socket */
	bool trusts_everyone; /**< "*" */
};

/**
 * Adds a list: "127.0.0.1,10.0.0.0/8,::1,unix". Blanks around the commas do not matter. An IPv4 network means those who
 * come through an IPv6 socket as well.
 *
 * @param error  says what would be right; peers is unchanged then
 */
bool trusted_peers_add(struct trusted_peers *peers, const char *list, char *error, size_t error_size);

/** Is this address one of them? False for families that are neither IP nor Unix, unless everyone is trusted. */
bool trusted_peers_include(const struct trusted_peers *peers, const struct sockaddr_storage *address);

/** Forgets all of them. */
void trusted_peers_finish(struct trusted_peers *peers);

#endif
