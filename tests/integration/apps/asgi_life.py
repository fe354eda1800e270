"""Applications that start and end in all ways there are."""

import asyncio
import atexit
import sys
import threading
import time

TEXT = (b"content-type", b"text/plain")


def log(*words):
    print(*words, file=sys.stderr, flush=True)


async def hello(send, text="hello\n"):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    await send({"type": "http.response.body", "body": text.encode()})


def lives(function):
    """An application with a lifespan of its own, which else says hello."""
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await function(scope, receive, send)
        else:
            await hello(send)
    return app


@lives
async def good(scope, receive, send):
    assert scope == {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}, scope
    assert await receive() == {"type": "lifespan.startup"}
    await asyncio.sleep(0.01)
    assert asyncio.current_task().get_name().startswith("lifespan-")
    log("startup")
    await send({"type": "lifespan.startup.complete"})
    assert await receive() == {"type": "lifespan.shutdown"}
    await asyncio.sleep(0.01)
    log("shutdown")
    await send({"type": "lifespan.shutdown.complete"})


@lives
async def failed(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database\nis not there"})


@lives
async def failed_at_length(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "".join(f"line {n}\n" for n in range(2000)) + "the end"})


@lives
async def failed_and_raises(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed"})
    raise RuntimeError("said already")


@lives
async def raises(scope, receive, send):
    raise RuntimeError("what is a lifespan")


@lives
async def raises_when_asked(scope, receive, send):
    await receive()
    raise RuntimeError("in the startup")


@lives
async def returns(scope, receive, send):
    pass


@lives
async def ends_early(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    raise RuntimeError("between start and end")


@lives
async def shutdown_failed(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "the last words"})


@lives
async def shutdown_raises(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    raise RuntimeError("in the shutdown")


async def unfinished():
    try:
        yield 1
    finally:
        await asyncio.sleep(0)
        log("a generator was closed")


@lives
async def slow_goodbye(scope, receive, send):
    """Holds the loop up behind its last word, so that all that is due then is due at once."""
    generator = unfinished()
    await generator.__anext__()
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})
    time.sleep(0.3)
    await asyncio.sleep(1000)


@lives
async def never_starts(scope, receive, send):
    await receive()
    log("starting for ever")
    await asyncio.sleep(1000)


@lives
async def bad_messages(scope, receive, send):
    await receive()
    for message in ({"type": "lifespan.shutdown.complete"}, {"type": "nonsense"}, {}, {"type": "http.response.start"}):
        try:
            await send(message)
        except (RuntimeError, TypeError):
            log("refused")
    await send({"type": "lifespan.startup.complete"})
    try:
        await send({"type": "lifespan.startup.complete"})
    except RuntimeError:
        log("refused")
    try:
        await asyncio.wait_for(receive(), 0.01)
    except asyncio.TimeoutError:
        log("nothing else comes")
    await receive()


class Left:
    """What a request leaves to the loop, and what becomes of it at the end."""

    def __init__(self):
        self.tasks = set()

    def start(self, coroutine):
        self.tasks.add(asyncio.get_running_loop().create_task(coroutine))

    async def stubborn(self):
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            log("a task was cancelled")
            raise

    async def generate(self):
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            log("a generator was closed")

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            log("lifespan ends")
            await send({"type": "lifespan.shutdown.complete"})
            await asyncio.sleep(1000)
        if scope["path"] == "/background":
            await hello(send)
            await asyncio.sleep(0.3)
            log("background ends")
            return
        self.start(self.stubborn())
        self.generator = self.generate()
        await self.generator.__anext__()
        await asyncio.to_thread(threading.get_ident)
        await hello(send)


left = Left()
atexit.register(log, "atexit ran")


class Partial:
    """A class whose instances are the application: found by --factory."""

    def __init__(self):
        log("made by the factory")

    async def __call__(self, scope, receive, send):
        assert scope["type"] == "http"
        await hello(send)
