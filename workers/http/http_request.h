/*
 * http_request.h - a request and its answer, from the first byte of its head until all is sent.
 *
 * A connection has at most one. What the head's strings point to is the connection's input buffer, which stays where it
 * is meanwhile.
 */
#ifndef WORKERS_HTTP_REQUEST_H
#define WORKERS_HTTP_REQUEST_H

#include "http_body.h"
#include "http_chunks.h"
#include "unicornd/app.h"

#include <sys/types.h>

/** Heads of answers up to this size need no memory of their own. */
#define HTTP_ANSWER_HEAD_INLINE 1024
/** Headers of a request up to this number need no memory of their own. */
#define HTTP_HEADERS_INLINE 24
/** Paths in front of a query and authorities up to this size need no memory of their own. */
#define HTTP_COPY_INLINE 256

struct http_connection;

/** How the end of an answer's body is told. */
enum http_framing {
	HTTP_FRAMING_OPEN,   /**< not decided yet: no length is known */
	HTTP_FRAMING_LENGTH, /**< Content-Length */
	HTTP_FRAMING_CHUNKED,
	HTTP_FRAMING_CLOSE, /**< with the connection */
	HTTP_FRAMING_NONE,  /**< there is no body: HEAD, 204, 304, 1xx */
};

struct http_answer {
	int status;
	enum http_framing framing;
	bool is_begun;
	bool is_head_sent;
	bool is_ended;
	bool is_cut;        /**< the connection must end, so that the client sees that the answer is not whole */
	bool is_aborted;    /**< by the application: nothing new for the log */
	bool closes;        /**< the connection ends behind it */
	int64_t length;     /**< Content-Length of the headers, -1 without */
	int64_t left;       /**< of it, not written yet */
	int64_t body_bytes; /**< written, for the log */
	char *head;         /**< status line and headers, without those of the framing and the empty line */
	size_t head_length;
	size_t head_capacity;
	char head_inline[HTTP_ANSWER_HEAD_INLINE];
};

struct unicorn_request {
	struct unicorn_head head;
	struct http_connection *connection;
	const char *start; /**< first byte of it, what may stand in front of the method included */
	struct unicorn_header *headers;
	uint32_t header_capacity;
	uint32_t header_bytes; /**< of the names and values so far */
	bool is_head_complete;
	bool is_handled;       /**< the application has seen it */
	bool keeps_alive;      /**< the client wants it */
	bool expects_continue; /**< the client waits for 100 Continue */
	bool is_continue_sent;
	bool is_gone;
	bool was_body_wanted; /**< the application found nothing to read and is told when there is something */
	int error_status;     /**< what is wrong with it, or 0 */
	int64_t begun_us;     /**< monotonic time of its head */
	struct http_chunks chunks;
	const char *body_start; /**< behind the head, where the buffer holds it */
	struct http_body body;
	struct http_answer answer;
	void *context;
	char *copy;      /**< of the path in front of a query */
	char *authority; /**< of an absolute target */
	char user[64];
	struct unicorn_header headers_inline[HTTP_HEADERS_INLINE];
	char copy_inline[HTTP_COPY_INLINE];
};

/** @return a request without anything, from a small stock; NULL without memory */
struct unicorn_request *http_request_create(struct http_connection *connection, bool is_body_spooled);
void http_request_destroy(struct unicorn_request *request);

/** Frees the stock. */
void http_request_stock_finish(void);

/** Adds a header without a value. @return it, or NULL without memory */
struct unicorn_header *http_request_add_header(struct unicorn_request *request);

/** The strings of the head lie somewhere else now, `delta` bytes on. */
void http_request_rebase(struct unicorn_request *request, ptrdiff_t delta);

/** Keeps a copy, with a NUL; only one for a request. @return it, or NULL without memory */
char *http_request_copy(struct unicorn_request *request, const char *bytes, size_t length);

#endif
