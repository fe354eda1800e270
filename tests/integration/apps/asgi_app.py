"""An ASGI application: says which process answered; /slow takes its time between two halves of the answer."""

import asyncio
import os

BODY = f"pid {os.getpid()}\n".encode()
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", str(len(BODY)).encode())]
PAUSE = 0.3  # seconds: time enough for the end to be ordered


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": BODY[:4], "more_body": True})
        await asyncio.sleep(PAUSE)
        await send({"type": "http.response.body", "body": BODY[4:]})
    else:
        await send({"type": "http.response.body", "body": BODY})
