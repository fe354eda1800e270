"""What unicornd-soak asks for, in ASGI."""

from urllib.parse import parse_qs

import allocated

PIECE = 16384


async def lifespan(receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def read_body(receive):
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def answer(send, body):
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def answer_big(send, query):
    left = int(query[b"n"][0])
    headers = [] if query[b"chunked"][0] == b"1" else [(b"content-length", str(left).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while left > 0:
        await send({"type": "http.response.body", "body": b"x" * min(left, PIECE), "more_body": True})
        left -= PIECE
    await send({"type": "http.response.body"})


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"] == "/echo":
        body = await read_body(receive)
        if body is not None:
            await answer(send, body)
    elif scope["path"] == "/counters":
        await answer(send, allocated.told())
    elif scope["path"] == "/big":
        await answer_big(send, parse_qs(scope["query_string"]))
    else:
        await answer(send, b"hello\n")
