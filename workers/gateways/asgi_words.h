/*
 * asgi_words.h - the strings of ASGI and of asyncio as Python objects, made once.
 *
 * Each is a row of one of the two lists; nothing else is to be known here.
 */
#ifndef WORKERS_GATEWAYS_ASGI_WORDS_H
#define WORKERS_GATEWAYS_ASGI_WORDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/** Words that are written as they are named. */
#define ASGI_NAMES(NAME)                                                                                               \
	NAME(_asyncio_future_blocking)                                                                                 \
	NAME(_scheduled)                                                                                               \
	NAME(_stopping)                                                                                                \
	NAME(_task_factory)                                                                                            \
	NAME(asgi)                                                                                                     \
	NAME(body)                                                                                                     \
	NAME(bytes)                                                                                                    \
	NAME(call_soon)                                                                                                \
	NAME(cancel)                                                                                                   \
	NAME(client)                                                                                                   \
	NAME(close)                                                                                                    \
	NAME(code)                                                                                                     \
	NAME(context)                                                                                                  \
	NAME(count)                                                                                                    \
	NAME(create_future)                                                                                            \
	NAME(create_task)                                                                                              \
	NAME(done)                                                                                                     \
	NAME(extensions)                                                                                               \
	NAME(file)                                                                                                     \
	NAME(headers)                                                                                                  \
	NAME(http)                                                                                                     \
	NAME(http_version)                                                                                             \
	NAME(https)                                                                                                    \
	NAME(lifespan)                                                                                                 \
	NAME(links)                                                                                                    \
	NAME(loop)                                                                                                     \
	NAME(message)                                                                                                  \
	NAME(method)                                                                                                   \
	NAME(more_body)                                                                                                \
	NAME(more_trailers)                                                                                            \
	NAME(name)                                                                                                     \
	NAME(offset)                                                                                                   \
	NAME(path)                                                                                                     \
	NAME(query_string)                                                                                             \
	NAME(raw_path)                                                                                                 \
	NAME(reason)                                                                                                   \
	NAME(root_path)                                                                                                \
	NAME(run_forever)                                                                                              \
	NAME(scheme)                                                                                                   \
	NAME(server)                                                                                                   \
	NAME(set_result)                                                                                               \
	NAME(spec_version)                                                                                             \
	NAME(state)                                                                                                    \
	NAME(status)                                                                                                   \
	NAME(stop)                                                                                                     \
	NAME(subprotocol)                                                                                              \
	NAME(subprotocols)                                                                                             \
	NAME(tell)                                                                                                     \
	NAME(text)                                                                                                     \
	NAME(trailers)                                                                                                 \
	NAME(type)                                                                                                     \
	NAME(version)                                                                                                  \
	NAME(websocket)                                                                                                \
	NAME(ws)                                                                                                       \
	NAME(wss)

/** Words that are no names: what they are called here, and what they say. */
#define ASGI_TEXTS(TEXT)                                                                                               \
	TEXT(throw_, "throw")                                                                                          \
	TEXT(http_disconnect, "http.disconnect")                                                                       \
	TEXT(http_request, "http.request")                                                                             \
	TEXT(lifespan_shutdown, "lifespan.shutdown")                                                                   \
	TEXT(lifespan_startup, "lifespan.startup")                                                                     \
	TEXT(version_1_0, "1.0")                                                                                       \
	TEXT(version_1_1, "1.1")                                                                                       \
	TEXT(websocket_connect, "websocket.connect")                                                                   \
	TEXT(websocket_disconnect, "websocket.disconnect")                                                             \
	TEXT(websocket_receive, "websocket.receive")

#define ASGI_WORDS_NAME(name)       PyObject *name;
#define ASGI_WORDS_TEXT(name, text) PyObject *name;

struct asgi_words {
	ASGI_NAMES(ASGI_WORDS_NAME)
	ASGI_TEXTS(ASGI_WORDS_TEXT)
	PyObject *no_bytes; /**< b"" */
};

#undef ASGI_WORDS_NAME
#undef ASGI_WORDS_TEXT

extern struct asgi_words asgi_words;

/** Makes them all. @return 0, or -1 with an exception set */
int asgi_words_init(void);
void asgi_words_finish(void);

#endif
