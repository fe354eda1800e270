/*
 * app.h - what an application in C is to unicornd-worker-sync and unicornd-worker-async, and what they do for it.
 *
 * An application is a shared object that defines `unicorn_app`, loaded with `--app PATH.so` or
 * `--app PATH.so:ARGUMENT`. The gateways for WSGI, ASGI and static files are such modules, so whatever they can do can
 * be done here.
 *
 *	static void handle(void *state, struct unicorn_request *request)
 *	{
 *		static const struct unicorn_header headers[] = { UNICORN_HEADER("content-type", "text/plain") };
 *
 *		unicorn_answer(request, 200, headers, 1, "hello\n", 6);
 *	}
 *
 *	const struct unicorn_app unicorn_app = { .abi = UNICORN_APP_ABI, .handle = handle };
 *
 * Threads: a request belongs to the thread in which handle() or resume() runs for it. In the async worker that is
 * always the one thread of the loop; the application may keep the request and go on with it later, from a callback of
 * the loop. In the sync worker it is the thread that called; the application must not touch the request between two
 * calls, and one that has not ended its answer when the call returns is called again when the client has taken what
 * there is.
 *
 * Errors are negative errno values. A client that is gone is no error of the application: its answers go nowhere.
 */
#ifndef UNICORND_APP_H
#define UNICORND_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Version of this contract; a module built for another one is refused. */
#define UNICORN_APP_ABI 1

struct ev_loop;
struct unicorn_request;

/** A name and a value, not owned. Names of a request are in lower case. Both end with a NUL that is not counted. */
struct unicorn_header {
	const char *name;
	const char *value;
	uint32_t name_length;
	uint32_t value_length;
};

/** A header of two string literals. */
#define UNICORN_HEADER(name_, value_)                                                                                  \
	{                                                                                                              \
		(name_), (value_), sizeof(name_) - 1, sizeof(value_) - 1                                               \
	}

/** What stands in front of a request's body; valid until closed() is called. All strings end with a NUL. */
struct unicorn_head {
	const char *method; /**< "GET"; as sent, always upper case */
	const char *target; /**< as sent, query included; of an absolute-form target all of it */
	const char *path;   /**< percent-encoded as sent, begins with '/' or is "*" */
	const char *query;  /**< behind the '?', which may be missing: then "" */
	const char *scheme; /**< "http" or "https", the latter as told by a trusted proxy */
	uint32_t method_length;
	uint32_t target_length;
	uint32_t path_length;
	uint32_t query_length;
	const struct unicorn_header *headers;
	uint32_t header_count;
	int minor_version;      /**< of HTTP/1: 0 or 1 */
	int64_t content_length; /**< bytes of the body; 0 without one, -1 when it is chunked */
	bool is_websocket;      /**< a correct request to become a WebSocket; it may be accepted as one */
	bool accepts_trailers;  /**< TE: trailers, so that trailers make sense */
};

/** One end of a connection. */
struct unicorn_address {
	const char *host; /**< "127.0.0.1", "::1"; of a Unix socket its path or "" */
	uint16_t port;    /**< 0 for a Unix socket */
};

/** Why resume() is called; bits. */
enum unicorn_event {
	UNICORN_BODY = 1,    /**< there is more of the body, or its end: unicorn_body_read() (async only) */
	UNICORN_DRAINED = 2, /**< the client has taken enough: write on */
	UNICORN_GONE = 4,    /**< the client left or is too slow; nothing can be read or written any more */
	UNICORN_MESSAGE = 8, /**< of a WebSocket: unicorn_websocket_receive() has something (async only) */
};

/** What start() is told; strings live as long as the process. */
struct unicorn_app_options {
	size_t size;            /**< of this structure, which may grow at its end */
	const char *argument;   /**< what --app says behind the module: "main:app", "/srv/www"; "" when nothing */
	const char *directory;  /**< --app-dir; NULL: the working directory */
	const char *virtualenv; /**< --virtualenv, or NULL */
	const char *root_path;  /**< --root-path: where the application is mounted, without a slash at its end; "" */
	const char *loop;       /**< --loop: "auto", "asyncio" or "uvloop" */
	const char *lifespan;   /**< --lifespan: "auto", "on" or "off" */
	bool is_factory;        /**< --factory: what is named makes the application */
	bool is_async;          /**< in the async worker */
	int threads;            /**< of the sync worker: calls that may run at a time; 1 in the async worker */
	bool is_multiprocess;   /**< other processes may serve the same application */
};

/** What start() may return besides 0. */
enum unicorn_start {
	UNICORN_START_FAILED = 1,  /**< may work the next time: the process exits with status 1 */
	UNICORN_START_REFUSED = 2, /**< no retry can help: the process exits with status 78 */
};

/** An application. Only `abi` and `handle` are needed. */
struct unicorn_app {
	uint32_t abi; /**< UNICORN_APP_ABI */

	/**
	 * Once, before the first request and before the worker says that it is ready.
	 *
	 * @param state  to be filled in with what the other functions get
	 * @return 0 or enum unicorn_start, after saying why with unicorn_log()
	 */
	int (*start)(const struct unicorn_app_options *options, void **state);

	/**
	 * A request has come. In the sync worker its body is there to the end, in the async worker perhaps not yet.
	 *
	 * Sync: either the answer is ended on return, or resume() follows with UNICORN_DRAINED or UNICORN_GONE.
	 */
	void (*handle)(void *state, struct unicorn_request *request);

	/** Something has happened to a request; `events` are bits of enum unicorn_event. Not before handle() returned.
	 */
	void (*resume)(void *state, struct unicorn_request *request, unsigned events);

	/**
	 * The request is over, its answer sent or given up; called exactly once for each one that was handled, even
	 * from within a function below. Frees the context. The request must not be touched any more.
	 */
	void (*closed)(void *state, struct unicorn_request *request);

	/**
	 * Async: runs the loop until unicorn_worker_is_finished(), for applications with a loop of their own that turns
	 * unicorn_worker_loop() within. Without it the worker runs ev_run().
	 */
	void (*run)(void *state);

	/** Once, after the last request. */
	void (*stop)(void *state);
};

/** Every module defines this. */
extern const struct unicorn_app unicorn_app;

/* ---- the request */

/** @return what was asked for; never NULL */
const struct unicorn_head *unicorn_request_head(const struct unicorn_request *request);

/** @return the value of the first header of this name (in lower case), or NULL */
const char *unicorn_request_header(const struct unicorn_request *request, const char *name);

/** Who asked: the peer, or whom a trusted proxy names. Valid until closed(). */
void unicorn_request_client(struct unicorn_request *request, struct unicorn_address *client);

/** Where it was asked: the address of the socket. Valid until closed(). */
void unicorn_request_server(struct unicorn_request *request, struct unicorn_address *server);

/** Keeps a pointer of the application's with the request; NULL at first. */
void unicorn_request_set_context(struct unicorn_request *request, void *context);
void *unicorn_request_context(const struct unicorn_request *request);

/** Has the client left (UNICORN_GONE)? */
bool unicorn_request_is_gone(const struct unicorn_request *request);

/** Text for the access log's %u and for nothing else; copied, cut to 63 bytes. */
void unicorn_request_set_user(struct unicorn_request *request, const char *user);

/* ---- its body */

/** @return bytes that unicorn_body_read() would return now; 0 at its end, and while there is nothing */
size_t unicorn_body_available(const struct unicorn_request *request);

/** Has the body been read to its end? True as well for a request without one. */
bool unicorn_body_is_finished(const struct unicorn_request *request);

/**
 * Reads on in the body; makes the client send it when it waits for 100 Continue.
 *
 * @param size  of buffer, above 0
 * @return bytes read; 0 at the end; -EAGAIN when there is nothing yet, UNICORN_BODY follows (async only);
 *         -ECONNRESET when the client is gone
 */
int64_t unicorn_body_read(struct unicorn_request *request, void *buffer, size_t size);

/* ---- the answer
 *
 * Content-Length of the headers decides the framing; without it an answer to HTTP/1.1 is chunked, one to HTTP/1.0 ends
 * with the connection. Transfer-Encoding, Keep-Alive and Connection are the worker's own: the first two are ignored, of
 * the last only "close" is heeded. Date and Server are added unless they are there. No body is sent to HEAD and with
 * 1xx, 204 and 304.
 */

/**
 * A whole answer in one call, with its Content-Length.
 *
 * @param status   200 to 599
 * @param headers  copied; may be NULL when count is 0
 * @return 0; -EINVAL for an impossible header or status, then nothing has been done; -EALREADY when one has begun
 */
int unicorn_answer(struct unicorn_request *request, int status, const struct unicorn_header *headers, size_t count,
		   const void *body, size_t length);

/**
 * Begins an answer. Nothing is sent before the first write or the end, so that both can go at once.
 *
 * @param reason  phrase behind the status, NULL for the usual one
 * @return as unicorn_answer()
 */
int unicorn_answer_begin(struct unicorn_request *request, int status, const char *reason,
			 const struct unicorn_header *headers, size_t count);

/** Has an answer begun? And has its head been sent, so that no other can take its place? */
bool unicorn_answer_is_begun(const struct unicorn_request *request);
bool unicorn_answer_is_sent(const struct unicorn_request *request);

/** Forgets an answer that has begun and whose head has not been sent. @return 0 or -EALREADY */
int unicorn_answer_withdraw(struct unicorn_request *request);

/**
 * Sends, or keeps until the client takes it, a part of the body.
 *
 * @return 0; -EMSGSIZE when it is more than Content-Length said (what fits is sent, the rest is dropped); -EPIPE when
 *         the client is gone; -EINVAL when no answer has begun
 */
int unicorn_answer_write(struct unicorn_request *request, const void *bytes, size_t length);

/** The last write and the end in one, for one system call less. Returns as unicorn_answer_write(). */
int unicorn_answer_finish(struct unicorn_request *request, const void *bytes, size_t length);

/**
 * Sends a part of a file as a part of the body.
 *
 * @param fd      taken over and closed in any case
 * @param offset  where to begin, in bytes
 * @param length  in bytes; a file that is shorter ends the connection
 * @return as unicorn_answer_write()
 */
int unicorn_answer_file(struct unicorn_request *request, int fd, int64_t offset, int64_t length);

/** Ends a chunked answer with trailers; for others it is the end alone. Returns as unicorn_answer_write(). */
int unicorn_answer_trailers(struct unicorn_request *request, const struct unicorn_header *headers, size_t count);

/** Ends the answer; one that is shorter than its Content-Length is logged and ends the connection. */
int unicorn_answer_end(struct unicorn_request *request);

/** Sends an interim answer (103 Early Hints) in front of the answer; nothing to HTTP/1.0. @return 0 or -EINVAL */
int unicorn_answer_interim(struct unicorn_request *request, int status, const struct unicorn_header *headers,
			   size_t count);

/**
 * Gives the answer up: 500 when nothing has been sent; else the connection is cut, so that the client knows, unless the
 * whole of what Content-Length said has been sent.
 */
void unicorn_answer_abort(struct unicorn_request *request);

/** Is so much waiting for the client that the application should wait for UNICORN_DRAINED? */
bool unicorn_answer_is_congested(const struct unicorn_request *request);

/* ---- WebSocket (async): RFC 6455 with permessage-deflate; fragments, pings and UTF-8 are the worker's business */

enum unicorn_message_type { UNICORN_TEXT, UNICORN_BINARY };

/**
 * Accepts; until then the request can be answered in HTTP instead.
 *
 * @param subprotocol  NULL for none
 * @return 0; -EINVAL when head.is_websocket is false or a header is impossible
 */
int unicorn_websocket_accept(struct unicorn_request *request, const char *subprotocol,
			     const struct unicorn_header *headers, size_t count);

/** @return 0; -EPIPE when closing or gone; -ENOMEM. Text must be UTF-8. */
int unicorn_websocket_send(struct unicorn_request *request, enum unicorn_message_type type, const void *bytes,
			   size_t length);

/**
 * A message that has come.
 *
 * @param bytes  valid until the next call for this request, or the return to the worker
 * @return 1, or 0 when there is none
 */
int unicorn_websocket_receive(struct unicorn_request *request, enum unicorn_message_type *type, const void **bytes,
			      size_t *length);

/** Closes. @param reason  UTF-8 of at most 123 bytes, or NULL. The request is over when the client has agreed. */
int unicorn_websocket_close(struct unicorn_request *request, int code, const char *reason);

/** How it ended, once UNICORN_GONE has been told: code 1005 when the client gave none, 1006 when it just left. */
int unicorn_websocket_close_code(const struct unicorn_request *request, const char **reason);

/* ---- the worker */

enum unicorn_level { UNICORN_ERROR, UNICORN_WARNING, UNICORN_INFO };

/** Writes a line, or several, to the worker's log. */
void unicorn_log(enum unicorn_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The loop, for watchers of the application's own (async). */
struct ev_loop *unicorn_worker_loop(void);

/** Is the end ordered and every request over? */
bool unicorn_worker_is_finished(void);

/** Is the end ordered? Long-lived answers should come to theirs. */
bool unicorn_worker_is_draining(void);

#ifdef __cplusplus
}
#endif

#endif
