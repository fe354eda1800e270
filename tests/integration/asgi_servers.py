"""unicornd-worker-async with an ASGI application, for the tests of ASGI and of WebSockets."""

import atexit
import functools
import importlib.util
import os

from harness import APPS, BUILD
from http_client import Server

GATEWAYS = str(BUILD / ".libs")
os.environ.setdefault("UNICORND_GATEWAYS", GATEWAYS)
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

LOOPS = ("asyncio", "uvloop") if importlib.util.find_spec("uvloop") else ("asyncio",)


def make(*options, app="asgi_cases:app", **named):
    return Server("async", "--app-dir", str(APPS), *options, app=f"asgi:{app}", **named)


class Serving:
    """A server that has started, and ends with the block."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.server.start()
        self.server.mark = 0
        return self.server

    def __exit__(self, kind, *_):
        if kind is not None:
            print("\n".join(f"# log: {line}" for line in self.server.log.lines[-60:]))
        self.server.close()


def serve(*options, **named):
    return Serving(make(*options, **named))


@functools.lru_cache(maxsize=None)
def shared(loop, app="asgi_cases:app"):
    """A server for all tests that leave it as it was."""
    server = make("--loop", loop, app=app).start()
    atexit.register(server.close)
    return server
