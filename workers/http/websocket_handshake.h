/*
 * websocket_handshake.h - is a request one to become a WebSocket, and what is said to it (RFC 6455 section 4.2).
 *
 * Reads headers and makes the values of those of the answer. Whether the answer is given, and with which subprotocol,
 * is the application's decision.
 */
#ifndef WORKERS_HTTP_WEBSOCKET_HANDSHAKE_H
#define WORKERS_HTTP_WEBSOCKET_HANDSHAKE_H

#include "websocket_deflate.h"

#define WEBSOCKET_KEY_BYTES       24
#define WEBSOCKET_ACCEPT_SIZE     29
#define WEBSOCKET_EXTENSIONS_SIZE 160

enum websocket_request {
	WEBSOCKET_REQUEST_NONE, /**< an ordinary request */
	WEBSOCKET_REQUEST_GOOD,
	WEBSOCKET_REQUEST_VERSION, /**< of another version: 426 with Sec-WebSocket-Version: 13 */
	WEBSOCKET_REQUEST_BAD,     /**< 400 */
};

struct websocket_handshake {
	char key[WEBSOCKET_KEY_BYTES]; /**< as sent, without a NUL */
	bool has_deflate;              /**< compression has been offered; clear it to decline */
	struct websocket_deflate_parameters deflate;
};

/** Fills in the handshake when it is a good one. */
enum websocket_request websocket_handshake_parse(struct websocket_handshake *handshake,
						 const struct unicorn_head *head);

/** The status that a wrong handshake is refused with; 0 when it is a good one, or none at all. */
int websocket_handshake_refusal(const struct unicorn_head *head);

/** The value of Sec-WebSocket-Accept. */
void websocket_handshake_accept_value(const struct websocket_handshake *handshake, char value[WEBSOCKET_ACCEPT_SIZE]);

/** The value of Sec-WebSocket-Extensions. @return its length; 0 when the header is not to be sent */
size_t websocket_handshake_extensions(const struct websocket_handshake *handshake,
				      char value[WEBSOCKET_EXTENSIONS_SIZE]);

/** Where in the offered subprotocols one is; all zero at the beginning. */
struct websocket_subprotocol {
	const char *name; /**< not ended by a NUL */
	size_t length;
	uint32_t header; /**< of the request, by number */
	uint32_t offset; /**< in its value */
};

/** Goes to the next offered subprotocol. @return false behind the last one */
bool websocket_subprotocol_next(struct websocket_subprotocol *subprotocol, const struct unicorn_head *head);

/** Has the client offered this one? Names are compared byte by byte. */
bool websocket_subprotocol_is_offered(const struct unicorn_head *head, const char *name);

#endif
