"""An application with a path for each thing that may happen between it and the server."""

import asyncio
import contextvars
import ctypes
import json
import os
import signal
import sys
import tempfile
import time

TEXT = (b"content-type", b"text/plain")
PATTERN = b"0123456789abcdefghijklmnopqrstuvwxyz\n"
KEPT = {}
LEAKED = []
VARIABLE = contextvars.ContextVar("VARIABLE", default="nothing")


class Failure(Exception):
    """What is raised on purpose."""


def log(*words):
    print(*words, file=sys.stderr, flush=True)


async def answer(send, body=b"", status=200, headers=(TEXT,), length=True):
    body = body if isinstance(body, bytes) else str(body).encode()
    more = [(b"content-length", b"%d" % len(body))] if length else []
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *more]})
    await send({"type": "http.response.body", "body": body})


async def answer_json(send, value):
    await answer(send, json.dumps(value, default=lambda other: other.decode("latin-1")))


async def read_body(receive):
    body, count = b"", 0
    while True:
        message = await receive()
        assert message["type"] == "http.request" and isinstance(message["body"], bytes), message
        body += message["body"]
        count += 1
        if not message["more_body"]:
            return body, count


# ---- scope

async def hello(scope, receive, send):
    await answer(send, b"hello\n")


async def show_scope(scope, receive, send):
    assert isinstance(scope, dict) and type(scope["path"]) is str and type(scope["raw_path"]) is bytes
    assert type(scope["query_string"]) is bytes and type(scope["method"]) is str
    assert all(type(part) is bytes for pair in scope["headers"] for part in pair)
    await answer_json(send, scope)


async def spoil_scope(scope, receive, send):
    """What one request does to its scope is not to be seen by the next."""
    found = [scope["extensions"].get("spoilt"), scope["asgi"].get("spoilt"), scope["state"].get("spoilt"),
             scope.get("spoilt")]
    for part in (scope["extensions"], scope["asgi"], scope["state"], scope):
        part["spoilt"] = True
    await answer_json(send, found)


async def show_state(scope, receive, send):
    scope["state"]["counter"].append(1)
    await answer_json(send, {"names": sorted(scope["state"]), "counter": len(scope["state"]["counter"])})


# ---- the request's body

async def echo(scope, receive, send):
    body, count = await read_body(receive)
    await answer(send, body, headers=[TEXT, (b"x-messages", b"%d" % count)])


async def messages(scope, receive, send):
    """Tells each message as soon as it has come."""
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    while True:
        message = await receive()
        line = f"{message['type']} {len(message['body'])} {message['more_body']}\n".encode()
        await send({"type": "http.response.body", "body": line, "more_body": message["more_body"]})
        if not message["more_body"]:
            return


async def unread(scope, receive, send):
    """Does not ask for the body before it is told to."""
    KEPT["gate"] = asyncio.Event()
    log("unread begins")
    await KEPT["gate"].wait()
    body, _ = await read_body(receive)
    await answer(send, len(body))


async def open_gate(scope, receive, send):
    KEPT["gate"].set()
    await answer(send, b"opened\n")


async def ignore_body(scope, receive, send):
    await answer(send, b"ignored\n")


async def early_answer(scope, receive, send):
    """Answers first and reads then."""
    await answer(send, b"early\n")
    message = await receive()
    log("after the answer:", message["type"])


# ---- the answer

async def held_start(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    raise Failure("behind the start")


async def own_coding(scope, receive, send):
    headers = [TEXT, (b"transfer-encoding", b"identity"), (b"Connection", b"keep-alive")]
    await answer(send, b"coded\n", headers=headers, length=False)


async def stream(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    for piece in (b"one\n", b"", b"two\n"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body"})


async def buffers(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": iter([[b"x-a", b"1"], iter((b"x-b", b"2"))])})
    await send({"type": "http.response.body", "body": bytearray(b"array "), "more_body": True})
    await send({"type": "http.response.body", "body": memoryview(b"view\n"), "more_body": False})


async def changing_headers(scope, receive, send):
    """One of the headers takes the others away when it is iterated over."""
    headers = []

    def take_away():
        headers.clear()
        yield from (b"x-two", b"2")
    headers += [(b"x-one", bytes([49]) * 600), take_away(), [b"x-three", bytes([51]) * 600]]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})


class Sender:
    """Sends the end of the body when it is asked whether there is more, without being awaited."""

    def __init__(self, send):
        self.send = send

    def __bool__(self):
        self.send({"type": "http.response.body", "body": b"within"}).send(None)
        return True


async def send_within_send(scope, receive, send):
    await asyncio.sleep(0)
    await send({"type": "http.response.start", "status": 200})
    try:
        await send({"type": "http.response.body", "body": b"refused", "more_body": Sender(send)})
    except RuntimeError as error:
        await send({"type": "http.response.body", "body": str(error).encode()})


async def many_headers(scope, receive, send):
    await answer(send, headers=[(b"x-%d" % number, b"%d" % number) for number in range(80)])


async def status(scope, receive, send):
    await answer(send, b"" if scope["query_string"] in (b"204", b"304") else b"body\n",
                 status=int(scope["query_string"]), length=False)


async def after_the_end(scope, receive, send):
    await answer(send, b"whole\n")
    await send({"type": "http.response.body", "body": b"ignored"})
    await send({"type": "http.response.start", "status": 500})
    log("then", (await receive())["type"], (await receive())["type"])


async def flood(scope, receive, send):
    """Counts how much it gets rid of before send() makes it wait."""
    KEPT["sent"] = 0
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    for _ in range(400):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        KEPT["sent"] += 65536
    await send({"type": "http.response.body"})


async def flood_until_error(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    try:
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            await asyncio.sleep(0)
    except OSError as error:
        log("send raised", type(error).__name__, isinstance(error, OSError))
        raise


async def kept(scope, receive, send):
    await answer_json(send, {name: value for name, value in KEPT.items() if isinstance(value, (int, str))})


# ---- the end of the client

async def wait_disconnect(scope, receive, send):
    await read_body(receive)
    log("waiting for the client to leave")
    message = await receive()
    log("was told", message["type"], (await receive())["type"])
    task = asyncio.current_task()
    await asyncio.sleep(0)
    log("cancelled" if task.cancelled() else "not cancelled")
    try:
        await answer(send, b"too late")
    except OSError as error:
        log("send raised", type(error).__mro__[1].__name__)
        if scope["query_string"] == b"chain":
            raise Failure("made of it") from error
        raise


async def two_receivers(scope, receive, send):
    await read_body(receive)
    tasks = [asyncio.create_task(receive()) for _ in range(2)]
    await asyncio.sleep(0)
    log("two are waiting")
    log("both:", [message["type"] for message in await asyncio.gather(*tasks)])


async def receive_until_sent(scope, receive, send):
    """A receiver in another task learns of the end of the answer."""
    await read_body(receive)
    task = asyncio.create_task(receive())
    await asyncio.sleep(0)
    await answer(send, b"sent\n")
    log("the other task got", (await task)["type"])


async def cancel_receive(scope, receive, send):
    """A receive() that was cancelled has not taken a message."""
    found = []
    for _ in range(3):
        try:
            await asyncio.wait_for(receive(), 0.001)
        except asyncio.TimeoutError:
            found.append("timeout")
    task = asyncio.ensure_future(receive())
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        found.append("cancelled")
    log("cancelled four")
    found.append((await receive())["body"].decode())
    await answer_json(send, found)


async def awaitables(scope, receive, send):
    """receive() and send() are awaited once, late, or never; they are coroutines to those who ask."""
    start = send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    unused = receive()
    unused.close()
    assert asyncio.iscoroutine(start) and asyncio.iscoroutine(unused)
    await start
    for used in (start, unused):
        try:
            await used
        except RuntimeError as error:
            assert "already awaited" in str(error), error
        else:
            raise AssertionError("awaited twice")
    await asyncio.create_task(send({"type": "http.response.body", "body": b"late\n"}))


# ---- what goes wrong

async def fork(scope, receive, send):
    """A child that ends as a program does."""
    pid = os.fork()
    if pid == 0:
        sys.exit(7)
    await answer(send, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


async def raise_before(scope, receive, send):
    raise Failure("before the start")


async def raise_during(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    await send({"type": "http.response.body", "body": b"part", "more_body": True})
    raise Failure("during the body")


async def raise_behind_all(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"whole", "more_body": True})
    raise Failure("behind what was promised")


async def raise_after(scope, receive, send):
    await answer(send, b"whole\n")
    raise Failure("after the end")


async def raise_later(scope, receive, send):
    await asyncio.sleep(0.001)
    raise Failure("after a sleep")


async def return_nothing(scope, receive, send):
    pass


async def return_early(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})


async def return_half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def too_short(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"short"})


async def too_long(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"much too long"})


async def exit_app(scope, receive, send):
    sys.exit(3)


async def exit_later(scope, receive, send):
    await asyncio.sleep(0.001)
    sys.exit(4)


async def exit_in_task(scope, receive, send):
    async def leave():
        sys.exit(5)
    task = asyncio.create_task(leave())
    await asyncio.sleep(0.001)
    await answer(send, f"{type(task.exception()).__name__}\n")


async def cancel_itself(scope, receive, send):
    asyncio.current_task().cancel()
    await asyncio.sleep(10)


async def bad_message(scope, receive, send):
    """Each of these is refused, and the answer can still be given."""
    bad = [{"type": "http.response.body", "body": b"x"}, {"type": "nonsense"}, {}, 7, None, {"type": 7},
           {"type": "http.response.nonsense"}, {"type": "http.response.start"},
           {"type": "http.response.start", "status": "200"}, {"type": "http.response.start", "status": 99},
           {"type": "http.response.start", "status": 200, "headers": [(b"a",)]},
           {"type": "http.response.start", "status": 200, "headers": [("a", "b")]},
           {"type": "http.response.start", "status": 200, "headers": [(b"a b", b"c")]},
           {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b\r\nc: d")]},
           {"type": "http.response.start", "status": 200, "headers": 5},
           {"type": "http.response.trailers", "headers": []}]
    refused = []
    for message in bad:
        try:
            await send(message)
        except (TypeError, ValueError, RuntimeError) as error:
            refused.append(type(error).__name__)
    assert len(refused) == len(bad), refused
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    for message in ({"type": "http.response.start", "status": 200}, {"type": "http.response.body", "body": "text"}):
        try:
            await send(message)
        except (TypeError, RuntimeError) as error:
            refused.append(type(error).__name__)
    await send({"type": "http.response.body", "body": json.dumps(refused).encode()})


def throw(error):
    raise error


def make_deep(depth):
    """Functions that call each other; no two lines of their traceback are alike."""
    lines = [f"def step_{number}(): step_{number + 1}()" for number in range(depth)]
    steps = {f"step_{depth}": lambda: throw(Failure("at the bottom of a deep stack"))}
    exec("\n".join(lines), steps)  # pylint: disable=exec-used
    return steps["step_0"]


class Silent(Exception):
    def __str__(self):
        raise Failure("raised by __str__")


class Odd(BaseException):
    """No Exception."""


def refuse_memory():
    bytearray(1 << 60)


def recurse():
    recurse()


RAISES = {
    "deep": make_deep(200), "silent": lambda: throw(Silent()), "odd": lambda: throw(Odd("no Exception")),
    "exit": lambda: sys.exit("enough"), "generator": lambda: throw(GeneratorExit("out of place")),
    "stop": lambda: throw(StopIteration("out of place")), "memory": refuse_memory, "recursion": recurse,
    "interrupt": lambda: throw(KeyboardInterrupt()),
    "text": lambda: throw(ValueError("forged\n\x1b[31m\0\udc80 \u20ac")),
}


async def begin(send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    await send({"type": "http.response.body", "body": b"first ", "more_body": True})
    await asyncio.sleep(0.01)


async def raises(scope, receive, send):
    """Raises what few do, before the answer, within, or in a later turn of the loop."""
    when, _, what = scope["query_string"].decode().partition(",")
    if when == "during":
        await begin(send)
    elif when == "later":
        await asyncio.sleep(0.01)
    RAISES[what]()


async def speechless(scope, receive, send):
    """Takes away where errors are written."""
    sys.stderr = sys.stdout = None
    raise Failure("raised without sys.stderr")


async def dies(scope, receive, send):
    """Ends the process, at once or within the answer."""
    when, _, how = scope["query_string"].decode().partition(",")
    if when == "during":
        await begin(send)
    {"exit": lambda: os._exit(3), "clean": lambda: os._exit(0), "abort": os.abort,
     "crash": lambda: ctypes.string_at(8), "kill": lambda: os.kill(os.getpid(), signal.SIGKILL)}[how]()


async def stop_loop(scope, receive, send):
    """The loop is not the application's to stop."""
    asyncio.get_running_loop().stop()
    await asyncio.sleep(0.01)
    await answer(send, b"stopped\n")


def plain_function(scope, receive, send):
    """No coroutine function, but what it returns can be awaited; it runs within the task, too."""
    assert asyncio.current_task() is not None
    return hello(scope, receive, send)


class Awaitable:
    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __await__(self):
        return self.coroutine.__await__()


def own_awaitable(scope, receive, send):
    return Awaitable(hello(scope, receive, send))


def not_awaitable(scope, receive, send):
    return 5


async def block(scope, receive, send):
    log("blocked")
    with open(scope["query_string"].decode(), "rb"):
        pass


# ---- extensions

async def send_path(scope, receive, send):
    path = scope["query_string"].decode()
    headers = [TEXT] + ([(b"content-length", b"%d" % os.stat(path).st_size)] if os.path.isfile(path) else [])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.pathsend", "path": path})
    await send({"type": "http.response.body", "body": b"ignored"})


async def send_path_mixed(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    await send({"type": "http.response.body", "body": b"part", "more_body": True})
    await send({"type": "http.response.pathsend", "path": __file__})


async def send_files(scope, receive, send):
    """Parts of files among parts of a body; what has no offset goes on where the file is."""
    with tempfile.TemporaryFile() as file:
        file.write(b"0123456789")
        file.seek(2)
        await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
        zero = {"type": "http.response.zerocopysend", "more_body": True}
        await send({"type": "http.response.body", "body": b"<", "more_body": True})
        await send({**zero, "file": file, "count": 3})
        await send({"type": "http.response.body", "body": b"|", "more_body": True})
        await send({**zero, "file": file, "offset": 1, "count": 2})
        await send({"type": "http.response.body", "body": b"|", "more_body": True})
        await send({**zero, "file": file.fileno(), "offset": 8})
        await send({"type": "http.response.body", "body": b"|", "more_body": True})
        await send({**zero, "file": file, "count": 2 ** 63 - 1})
        assert file.tell() == 10
        await send({**zero, "file": file, "more_body": False})
        file.read()


class Lost:
    """A file that is nowhere."""

    def __init__(self, descriptor):
        self.fileno = lambda: descriptor
        self.tell = lambda: -1


async def send_bad_files(scope, receive, send):
    found = []
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    reading, writing = os.pipe()
    for message in ({"type": "http.response.zerocopysend", "file": reading},
                    {"type": "http.response.zerocopysend", "file": 9999},
                    {"type": "http.response.zerocopysend"},
                    {"type": "http.response.zerocopysend", "file": "text"},
                    {"type": "http.response.zerocopysend", "file": Lost(reading)},
                    {"type": "http.response.pathsend", "path": "/nowhere/at/all"},
                    {"type": "http.response.pathsend", "path": "/"},
                    {"type": "http.response.pathsend", "path": "/dev/null"},
                    {"type": "http.response.pathsend"}):
        try:
            await send(message)
        except (OSError, TypeError, ValueError) as error:
            found.append(type(error).__name__)
    os.close(reading)
    os.close(writing)
    await send({"type": "http.response.body", "body": json.dumps(found).encode()})


async def early_hints(scope, receive, send):
    hint = {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload", b"</b.js>; rel=preload"]}
    await send(hint)
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    await send(hint)
    await send({"type": "http.response.body", "body": b"hinted\n", "more_body": True})
    await send(hint)
    await send({"type": "http.response.body"})


async def trailers(scope, receive, send):
    start = {"type": "http.response.start", "status": 200, "headers": [TEXT, (b"trailer", b"x-sum, x-more")]}
    await send({**start, "trailers": True})
    await send({"type": "http.response.body", "body": b"body\n"})
    await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"5")], "more_trailers": True})
    await send({"type": "http.response.trailers", "headers": [(b"x-more", b"6")]})
    await send({"type": "http.response.trailers", "headers": [(b"x-late", b"7")]})


async def no_trailers(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT], "trailers": True})
    await send({"type": "http.response.body", "body": b"body\n"})


async def bad_trailers(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT], "trailers": True})
    await send({"type": "http.response.body", "body": b"body\n"})
    await send({"type": "http.response.trailers", "headers": [(b"x y", b"5")]})


async def background(scope, receive, send):
    """Goes on when the answer is sent."""
    await answer(send, b"answered\n")
    log("background begins")
    await asyncio.sleep(float(scope["query_string"] or b"0.01"))
    log("background ends")


async def slow(scope, receive, send):
    log("slow begins")
    await asyncio.sleep(float(scope["query_string"]))
    await answer(send, b"slow\n")


async def set_variable(scope, receive, send):
    before = VARIABLE.get()
    VARIABLE.set("set")
    await asyncio.sleep(0)
    await answer(send, f"{before} {VARIABLE.get()}")


# ---- for load that lasts: the same paths as those of the probe in C

async def pid(scope, receive, send):
    await answer(send, f"{os.getpid()}\n")


async def big(scope, receive, send):
    """So many bytes of the pattern, in parts."""
    left = int(scope["query_string"].partition(b"=")[2])
    position = 0
    await send({"type": "http.response.start", "status": 200, "headers": [TEXT]})
    while position < left:
        start = position % len(PATTERN)
        part = (PATTERN * 500)[start:start + min(16384, left - position)]
        position += len(part)
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


async def upload(scope, receive, send):
    total, more = 0, True
    while more:
        message = await receive()
        total += len(message["body"])
        more = message["more_body"]
    await answer(send, f"{total}\n")


async def wait_ms(scope, receive, send):
    await asyncio.sleep(int(scope["query_string"].partition(b"=")[2]) / 1000)
    await answer(send, b"slow\n")


async def block_ms(scope, receive, send):
    """Has the loop for itself."""
    time.sleep(int(scope["query_string"].partition(b"=")[2]) / 1000)
    await answer(send, b"blocked\n")


async def block_late(scope, receive, send):
    """As above, but in another turn of the loop than that in which the request came."""
    await asyncio.sleep(0.01)
    await block_ms(scope, receive, send)


async def leak(scope, receive, send):
    """Keeps so many KiB for ever."""
    LEAKED.append(bytearray(int(scope["query_string"].partition(b"=")[2]) * 1024))
    await answer(send, f"{os.getpid()}\n")


class Application:
    """An object that is called, as those of the frameworks are."""

    def __init__(self, state=None):
        self.state = state or {}

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await self.live(scope, receive, send)
            return
        handle = globals().get(scope["path"].split("/")[1])
        if handle is None:
            await answer(send, b"no such case\n", status=404)
        else:
            await handle(scope, receive, send)

    async def live(self, scope, receive, send):
        assert (await receive())["type"] == "lifespan.startup"
        scope["state"].update({"counter": [], "name": "value"})
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        log("lifespan ends")
        await send({"type": "lifespan.shutdown.complete"})


app = Application()


def sync_call(scope, receive, send):
    """Everything that is no coroutine function is below this one."""
    if scope["type"] == "lifespan":
        raise NotImplementedError("no lifespan here")
    return globals()[scope["path"].split("/")[1]](scope, receive, send)
