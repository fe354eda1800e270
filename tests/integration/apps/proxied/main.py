"""What is served behind nginx: `app` is ASGI with WebSockets, `application` is WSGI.

Besides the paths of the cases there is /piecewise?FIFO: two pieces, the second one when somebody writes to the FIFO.
"""

import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import asgi_cases  # noqa: E402
import asgi_websocket  # noqa: E402
import wsgi_cases  # noqa: E402

UNBUFFERED = ("X-Accel-Buffering", "no")


def wait_written(path):
    pathlib.Path(path).read_bytes()
    return b"two\n"


async def piecewise(scope, send):
    headers = [tuple(word.lower().encode() for word in UNBUFFERED)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"one\n", "more_body": True})
    second = await asyncio.get_running_loop().run_in_executor(None, wait_written, scope["query_string"].decode())
    await send({"type": "http.response.body", "body": second})


async def app(scope, receive, send):
    if scope["type"] == "websocket":
        await asgi_websocket.app(scope, receive, send)
    elif scope.get("path") == "/piecewise":
        await piecewise(scope, send)
    else:
        await asgi_cases.app(scope, receive, send)


def application(environ, start_response):
    if environ["PATH_INFO"] != "/piecewise":
        return wsgi_cases.application(environ, start_response)
    start_response("200 OK", [UNBUFFERED])
    return (piece() for piece in (lambda: b"one\n", lambda: wait_written(environ["QUERY_STRING"])))
