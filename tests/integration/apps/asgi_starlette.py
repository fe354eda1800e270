"""What applications with Starlette are made of."""

import asyncio
import gc
import sys
import threading

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import FileResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

STATE = {}


def log(text):
    print(text, file=sys.stderr, flush=True)


async def start():
    STATE["is"] = "started"


async def index(request):
    return PlainTextResponse(STATE["is"])


async def threads(request):
    other = await run_in_threadpool(threading.get_ident)
    return PlainTextResponse(str(other != threading.get_ident()))


async def form(request):
    body = dict(pair.split("=") for pair in (await request.body()).decode().split("&"))
    return PlainTextResponse(" ".join(f"{name}={value}" for name, value in body.items()))


async def stream(request):
    async def count():
        for number in range(3):
            yield f"{number}\n"
            await asyncio.sleep(0.001)
    return StreamingResponse(count(), media_type="text/plain")


async def endless(request):
    async def count():
        try:
            while True:
                yield "x" * 1000
                await asyncio.sleep(0.001)
        finally:
            log("endless has ended")
    return StreamingResponse(count())


async def collect(request):
    """A generator that is cancelled at its yield ends when it is collected, and may be part of a cycle."""
    return PlainTextResponse(str(gc.collect()))


async def file(request):
    return FileResponse(__file__)


async def fail(request):
    raise ValueError("on purpose")


async def background(request):
    async def work():
        await asyncio.sleep(0.01)
        log("background is done")
    return PlainTextResponse("begun", background=BackgroundTask(work))


async def websocket(socket):
    await socket.accept(subprotocol="chat" if "chat" in socket.scope["subprotocols"] else None)
    async for text in socket.iter_text():
        await socket.send_text(text.upper())
    log("the websocket has ended")


class Mark(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        response = await call_next(request)
        response.headers["x-middleware"] = "seen"
        return response


app = Starlette(
    routes=[Route("/", index), Route("/threads", threads), Route("/form", form, methods=["POST"]),
            Route("/stream", stream), Route("/endless", endless), Route("/file", file), Route("/raise", fail),
            Route("/background", background), Route("/collect", collect), WebSocketRoute("/ws", websocket)],
    middleware=[Middleware(Mark)], on_startup=[start], on_shutdown=[lambda: log("starlette ends")])
