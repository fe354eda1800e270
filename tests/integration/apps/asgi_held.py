"""An application that keeps its loop from everything else until somebody has written to the FIFO of the query.

/keep does so before it answers, /flood the first time that it has to wait for its client, /hello not at all.
"""

import os

PIECE = b"x" * 16384
PIECES = 64


def wait_written(path):
    with open(path, "rb") as file:
        file.read()
    os.unlink(path)


class Held:
    """Awaits what is sent; when that has to wait, the loop does so as well."""

    def __init__(self, sending, path):
        self.sending = sending
        self.path = path

    def __await__(self):
        for step in self.sending.__await__():
            if os.path.exists(self.path):
                wait_written(self.path)
            yield step


async def flood(send, path):
    for number in range(PIECES):
        await Held(send({"type": "http.response.body", "body": PIECE, "more_body": number < PIECES - 1}), path)


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("http only")
    path = scope["query_string"].decode()
    if scope["path"] == "/keep":
        wait_written(path)
    await send({"type": "http.response.start", "status": 200})
    if scope["path"] == "/flood":
        await flood(send, path)
    else:
        await send({"type": "http.response.body", "body": b"hello\n"})
