/*
 * http_limits.h - how much of a client's patience and appetite is accepted.
 */
#ifndef WORKERS_HTTP_LIMITS_H
#define WORKERS_HTTP_LIMITS_H

#include <stdint.h>

struct http_limits {
	int64_t line_bytes;    /**< of the request's target; more is 414 */
	int64_t header_count;  /**< more is 431 */
	int64_t header_bytes;  /**< of one header, name and value; more is 431 */
	int64_t head_bytes;    /**< of all that stands in front of a body; more is 431 */
	int64_t body_bytes;    /**< more is 413 */
	int64_t message_bytes; /**< of a WebSocket message, inflated; more is close code 1009 */
	int64_t header_ms;     /**< from the first byte of a head to its last */
	int64_t body_ms;       /**< between two reads of a body */
	int64_t keep_alive_ms; /**< of silence between two requests */
	int64_t write_ms;      /**< without the client taking anything */
	int64_t ping_ms;       /**< between pings of a WebSocket; one who is silent from one to the next is gone */
	int64_t linger_ms;     /**< while draining: how long a silent connection may still send a request */
};

#endif
