/*
 * forwarded.h - who the client of a proxied request is, and whether it used https: X-Forwarded-For, X-Forwarded-Proto
 * and Forwarded (RFC 7239).
 *
 * Only for requests whose peer is trusted. A chain of proxies is walked from its near end, which is the only one that
 * the client has not written: as long as a hop is trusted its word about the next one is taken, and the first one that
 * is not trusted is the client. A hop that is hidden ("unknown", "_name") or makes no sense ends the walk; the last
 * address that was told is the client then, at the worst the peer.
 *
 * Of two headers X-Forwarded-For wins: nearly all proxies write it and hand an unknown Forwarded on as the client sent
 * it, so a client could choose its address otherwise. A proxy that writes Forwarded must remove the others.
 */
#ifndef WORKERS_HTTP_FORWARDED_H
#define WORKERS_HTTP_FORWARDED_H

#include "address_text.h"
#include "trusted_peers.h"
#include "unicornd/app.h"

struct forwarded_client {
	char host[ADDRESS_TEXT_BYTES];
	uint16_t port; /**< 0 when it is not told */
	bool is_https;
};

/**
 * Puts what the headers tell in the place of what is there.
 *
 * @param headers  of the request, names in lower case
 * @param client   the peer; what is not told or can not be understood stays
 */
void forwarded_resolve(const struct trusted_peers *trusted, const struct unicorn_header *headers, uint32_t count,
		       struct forwarded_client *client);

#endif
