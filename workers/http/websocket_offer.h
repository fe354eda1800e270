/*
 * websocket_offer.h - what a client offers in Sec-WebSocket-Extensions (RFC 6455 section 9.1, RFC 7692 section 7.1).
 *
 * Knows one extension, permessage-deflate. An offer that cannot be accepted as it is, or is not understood, is passed
 * over; the client's next one may be better.
 */
#ifndef WORKERS_HTTP_WEBSOCKET_OFFER_H
#define WORKERS_HTTP_WEBSOCKET_OFFER_H

#include "websocket_deflate.h"

/**
 * Looks for an offer that can be accepted in the value of one header.
 *
 * @param parameters  what to agree on, filled in when there is one
 */
bool websocket_offer_find(const char *value, size_t length, struct websocket_deflate_parameters *parameters);

#endif
