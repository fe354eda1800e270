"""An application with a path for each thing that may happen to a WebSocket."""

import asyncio
import json
import sys

TEXT = (b"content-type", b"text/plain")


class Failure(Exception):
    """What is raised on purpose."""


def log(*words):
    print(*words, file=sys.stderr, flush=True)


async def connect(receive):
    message = await receive()
    assert message == {"type": "websocket.connect"}, message


async def accept(receive, send, **more):
    await connect(receive)
    await send({"type": "websocket.accept", **more})


async def echo(scope, receive, send):
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        assert sum(message.get(name) is not None for name in ("text", "bytes")) == 1, message
        await send({**message, "type": "websocket.send"})
    log("echo ended:", message["code"], message["reason"])


async def echo_late(scope, receive, send):
    """Other tasks of the loop have their turn between two messages."""
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await asyncio.sleep(0.001)
        await send({**message, "type": "websocket.send"})
    log("echo ended:", message["code"], message["reason"])


async def show_scope(scope, receive, send):
    await accept(receive, send)
    await send({"type": "websocket.send",
                "text": json.dumps(scope, default=lambda other: other.decode("latin-1"))})
    await receive()


async def subprotocol(scope, receive, send):
    await accept(receive, send, subprotocol=scope["subprotocols"][-1], headers=[(b"x-extra", b"1"), (b"x-extra", b"2")])
    await receive()


async def close_first(scope, receive, send):
    await connect(receive)
    await send({"type": "websocket.close", "code": 4000})
    log("then", (await receive())["type"])


async def deny(scope, receive, send):
    await connect(receive)
    await send({"type": "websocket.http.response.start", "status": 451, "headers": [TEXT, (b"x-why", b"law")]})
    await send({"type": "websocket.http.response.body", "body": b"not ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"here"})
    log("then", (await receive())["type"])


async def deny_half(scope, receive, send):
    await connect(receive)
    await send({"type": "websocket.http.response.start", "status": 403})
    try:
        await send({"type": "websocket.accept"})
    except RuntimeError:
        log("refused")


async def close_code(scope, receive, send):
    """Closes as the query says: CODE,REASON."""
    code, _, reason = scope["query_string"].decode().partition(",")
    await accept(receive, send)
    await send({"type": "websocket.close", **({"code": int(code)} if code else {}), "reason": reason * 100})
    message = await receive()
    log("then", message["type"], message["code"])
    for kind in ("websocket.close", "websocket.send"):
        try:
            await send({"type": kind, "text": "late"})
            log(kind, "is ignored")
        except OSError as error:
            log(kind, "raised", type(error).__name__)


async def bad_codes(scope, receive, send):
    await accept(receive, send)
    found = []
    for code in (0, 999, 1004, 1005, 1006, 1015, 5000, "1000"):
        try:
            await send({"type": "websocket.close", "code": code})
            found.append(None)
        except (ValueError, TypeError) as error:
            found.append(type(error).__name__)
    await send({"type": "websocket.send", "text": json.dumps(found)})
    await receive()


async def bad_messages(scope, receive, send):
    refused = []

    async def attempt(*messages):
        for message in messages:
            try:
                await send(message)
                refused.append(message["type"])
            except (RuntimeError, TypeError, ValueError) as error:
                refused.append(type(error).__name__)
    await connect(receive)
    await attempt({"type": "websocket.send", "text": "early"}, {"type": "http.response.start", "status": 200},
                  {"type": "websocket.accept", "subprotocol": 5}, {"type": "websocket.accept", "subprotocol": "a b\r\n"},
                  {"type": "websocket.accept", "headers": [(b"sec-websocket-protocol", b"x")]},
                  {"type": "websocket.http.response.pathsend", "path": "/"})
    await send({"type": "websocket.accept"})
    await attempt({"type": "websocket.accept"}, {"type": "websocket.send"}, {"type": "websocket.send", "text": b"x"},
                  {"type": "websocket.send", "bytes": "x"}, {"type": "websocket.send", "bytes": b"x", "text": "x"},
                  {"type": "websocket.send", "text": "\ud800"},
                  {"type": "websocket.http.response.start", "status": 403})
    await send({"type": "websocket.send", "text": json.dumps(refused)})
    await receive()


async def return_first(scope, receive, send):
    await connect(receive)


async def return_open(scope, receive, send):
    await accept(receive, send)


async def raise_first(scope, receive, send):
    await connect(receive)
    raise Failure("before accepting")


async def raise_open(scope, receive, send):
    await accept(receive, send)
    await receive()
    raise Failure("while it was open")


async def send_forever(scope, receive, send):
    """Sends until the client is gone, which send() tells by an exception."""
    await accept(receive, send)
    count = 0
    try:
        while True:
            await send({"type": "websocket.send", "bytes": b"x" * 65536})
            count += 1
            if count % 10 == 0:
                log("sent", count)
    except OSError as error:
        log("send raised", type(error).__name__)
        raise


async def slow_reader(scope, receive, send):
    """Does not read until it is told to, by whom it is asked on another connection."""
    global GATE
    GATE = asyncio.Event()
    await accept(receive, send)
    log("slow reader waits")
    await GATE.wait()
    count = 0
    while (message := await receive())["type"] == "websocket.receive":
        count += len(message["bytes"])
        if message["bytes"] == b"end":
            break
    await send({"type": "websocket.send", "text": str(count)})
    await receive()


async def open_gate(scope, receive, send):
    GATE.set()
    await accept(receive, send)


async def unread(scope, receive, send):
    """What has come before the close is read behind it."""
    await accept(receive, send)
    log("unread begins")
    await asyncio.sleep(0.3)
    log([message.get("text", message.get("code")) for message in [await receive() for _ in range(4)]])


async def two_tasks(scope, receive, send):
    """One receives, the other sends; the end of one ends the other."""
    await accept(receive, send)
    queue = asyncio.Queue()

    async def reader():
        while (message := await receive())["type"] == "websocket.receive":
            await queue.put(message["text"])
        await queue.put(None)

    async def writer():
        while (text := await queue.get()) is not None:
            await send({"type": "websocket.send", "text": text[::-1]})
    await asyncio.gather(reader(), writer())
    log("both tasks have ended")


async def cancelled_receive(scope, receive, send):
    """Waiting with a limit again and again loses nothing."""
    await accept(receive, send)
    timeouts = 0
    while True:
        try:
            message = await asyncio.wait_for(receive(), 0.005)
        except asyncio.TimeoutError:
            timeouts += 1
            if timeouts == 3:
                await send({"type": "websocket.send", "text": "now"})
            continue
        if message["type"] == "websocket.disconnect":
            return
        await send({"type": "websocket.send", "text": f"{message['text']} {timeouts >= 3}"})


async def push(scope, receive, send):
    """Sends by itself, as a timer says."""
    await accept(receive, send)
    for number in range(5):
        await asyncio.sleep(0.005)
        await send({"type": "websocket.send", "text": str(number)})
    await send({"type": "websocket.close", "code": 1001, "reason": "that was all"})


async def state_of(scope, receive, send):
    await accept(receive, send)
    await send({"type": "websocket.send", "text": scope["state"]["name"]})


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT, (b"content-length", b"6")]})
    await send({"type": "http.response.body", "body": b"hello\n"})


async def live(scope, receive, send):
    await receive()
    scope["state"]["name"] = "kept"
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope, receive, send):
    handle = live if scope["type"] == "lifespan" else globals()[scope["path"][1:]]
    await handle(scope, receive, send)
