"""WSGI applications, a path each: what keeps to PEP 3333 is within wsgiref's validator, what does not is below /raw."""

import contextvars
import ctypes
import gzip
import io
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from wsgiref.validate import validator

PLAIN = [("Content-Type", "text/plain; charset=utf-8")]
PATTERN = b"0123456789abcdefghijklmnopqrstuvwxyz\n"
WHO = contextvars.ContextVar("who", default="nobody")
MARK = os.environ.get("WSGI_CASES_MARK", "")

checked, raw = {}, {}
closes = {}
running = [0, 0]  # now, and most at a time
lock = threading.Lock()
meeting = threading.Barrier(4)
kept = []
leaked = []
files = []


def case(function):
    """Answers at /name, checked by the validator."""
    checked["/" + function.__name__] = validator(function)
    return function


def plain(function):
    """Answers at /name, and no validator slows it down."""
    raw["/" + function.__name__] = function
    return function


def wrong(function):
    """Answers at /raw/name; the validator would not let it pass, or would hide what it returns."""
    raw["/raw/" + function.__name__] = function
    return function


def application(environ, start_response):
    """The one that is served."""
    path = environ["PATH_INFO"]
    name = next((name for name in (*checked, *raw) if path == name or path.startswith(name + "/")), "/hello")
    return (checked.get(name) or raw[name])(environ, start_response)


def answer(start_response, text, status="200 OK", headers=()):
    body = text if isinstance(text, bytes) else text.encode()
    start_response(status, [*PLAIN, ("Content-Length", str(len(body))), *headers])
    return [body]


class Parts:
    """An iterable whose close() is counted, by name."""

    def __init__(self, name, parts):
        self.name = name
        self.parts = iter(parts)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.parts)

    def close(self):
        with lock:
            closes[self.name] = closes.get(self.name, 0) + 1


# ---- environ and input

@case
def hello(_, start_response):
    return answer(start_response, "hello\n")


@case
def environ(environ, start_response):  # pylint: disable=redefined-outer-name
    assert type(environ) is dict  # pylint: disable=unidiomatic-typecheck
    environ["ours"] = "may be put into it"
    plain = {name: value if isinstance(value, (str, bool, tuple)) else repr(type(value))
             for name, value in environ.items()}
    return answer(start_response, json.dumps(plain))


@case
def read(environ, start_response):
    """Reads as the query says: a list of calls, such as read:3,readline:-1,readlines:0,iter:0,read:-1"""
    body = environ["wsgi.input"]
    told = []
    for call in environ["QUERY_STRING"].split(","):
        name, _, size = call.partition(":")
        if name == "iter":
            told.append(list(body))
        elif name == "readlines":
            told.append(body.readlines(*([int(size)] if size else [])))
        else:
            told.append(getattr(body, name)(*([int(size)] if size else [])))
    return answer(start_response, repr(told))


@wrong
def read_all(environ, start_response):
    """What the validator's input does not have: no size, None, readinto()."""
    body = environ["wsgi.input"]
    first = bytearray(4)
    count = body.readinto(first)
    return answer(start_response, repr([count, bytes(first), body.read(None), body.read(), body.readline()]))


@wrong
def count(environ, start_response):
    """How many bytes came, and how many of them are x."""
    body = environ["wsgi.input"].read()
    return answer(start_response, f"{len(body)} {body.count(b'x')}")


@wrong
def keep(environ, start_response):
    """Keeps what belongs to the request, or uses what was kept."""
    if environ["QUERY_STRING"] == "keep":
        kept[:] = [environ["wsgi.input"], start_response, start_response("200 OK", PLAIN)]
        return [b"kept"]
    told = []
    for use in (lambda: kept[0].read(1), lambda: kept[1]("200 OK", PLAIN), lambda: kept[2](b"late")):
        try:
            use()
        except (ValueError, RuntimeError) as error:
            told.append(str(error))
    return answer(start_response, "\n".join(told))


@case
def errors(environ, start_response):
    environ["wsgi.errors"].write("an error is ")
    environ["wsgi.errors"].writelines(["told ", "in lines \u20ac\n"])
    environ["wsgi.errors"].flush()
    return answer(start_response, "told")


# ---- start_response and iteration

@case
def writes(_, start_response):
    write = start_response("200 OK", list(PLAIN))
    write(b"written, ")
    write(b"twice, ")
    return [b"and returned"]


@case
def lazily(_, start_response):
    def parts():
        start_response("202 Accepted", list(PLAIN))
        yield b"late "
        yield b""
        yield b"start"
    return Parts("lazily", parts())


@case
def replaced(_, start_response):
    start_response("200 OK", [*PLAIN, ("X-First", "1")])
    try:
        raise KeyError("the first answer was wrong")
    except KeyError:
        start_response("503 Sorry", list(PLAIN), sys.exc_info())
    return [b"replaced"]


@wrong
def replaced_late(_, start_response):
    start_response("200 OK", PLAIN)(b"first")
    try:
        raise KeyError("too late for another answer")
    except KeyError:
        start_response("503 Sorry", PLAIN, sys.exc_info())
    return [b"never"]


@case
def held(_, start_response):
    """Nothing goes out before the first part that is not empty: it may still become another answer."""
    start_response("200 OK", list(PLAIN))

    def parts():
        yield b""
        yield b""
        try:
            raise KeyError("found late")
        except KeyError:
            start_response("404 Not There", list(PLAIN), sys.exc_info())
        yield b"nothing here"
    return Parts("held", parts())


@case
def one_by_one(environ, start_response):
    """Each part is asked for only when the one before is on its way: the client opens the pipe when it has it."""
    start_response("200 OK", list(PLAIN))
    path = environ["QUERY_STRING"]

    def parts():
        for number in range(3):
            yield b"part %d\n" % number
            with open(path, "rb") as pipe:
                pipe.read()
    return Parts("one_by_one", parts())


@wrong
def closed(_, start_response):
    return answer(start_response, json.dumps(closes))


@wrong
def sequence(environ, start_response):
    """A list or tuple, of bytes or not."""
    start_response("200 OK", PLAIN)
    return {"tuple": (b"a", b"bc", b"", b"def"), "empty": [], "large": [b"x" * 40000] * 5,
            "text": [b"a", "b"], "bytes": b"bytes"}[environ["QUERY_STRING"]]


@case
def status(environ, start_response):
    """An answer without a body."""
    wanted = environ["QUERY_STRING"].replace("+", " ")
    start_response(wanted, list(PLAIN) if wanted == "200 OK" else [])
    return []


@case
def many_headers(_, start_response):
    return answer(start_response, "many", headers=[(f"X-{number}", f"{number} \xe4") for number in range(60)])


@wrong
def hints(environ, start_response):
    environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
    return answer(start_response, "hinted")


HEADERS_WRONG = {
    "type": [("X-A", 5)], "pair": [["X-A", "5"]], "triple": [("X-A", "5", "6")], "tuple": (("X-A", "5"),),
    "bytes": [(b"X-A", b"5")], "newline": [("X-A", "a\r\nX-B: b")], "nul": [("X-A", "a\0")], "name": [("X A", "5")],
    "colon": [("X:A", "5")], "empty": [("", "5")], "wide": [("X-A", "\u20ac")], "hop": [("Connection", "close")],
    "coding": [("Transfer-Encoding", "chunked")], "upgrade": [("upgrade", "h2c")], "length": [("Content-Length", "a")],
    "lengths": [("Content-Length", "1"), ("Content-Length", "2")],
}
STATUSES_WRONG = {"word": "OK", "short": "20", "glued": "200OK", "number": 200, "interim": "100 Continue",
                  "high": "600 Far", "newline": "200 OK\r\nX: y", "bytes": b"200 OK"}


@wrong
def headers_wrong(environ, start_response):
    start_response("200 OK", HEADERS_WRONG[environ["QUERY_STRING"]])
    return [b"x"]


@wrong
def status_wrong(environ, start_response):
    start_response(STATUSES_WRONG[environ["QUERY_STRING"]], PLAIN)
    return [b"x"]


@wrong
def twice(_, start_response):
    start_response("200 OK", PLAIN)
    start_response("200 OK", PLAIN)
    return [b"x"]


@wrong
def never(_, __):
    return [b"x"]


# ---- files

@wrong
def file(environ, start_response):
    """The query: what kind of file, and the Content-Length to claim, if any."""
    kind, _, length = environ["QUERY_STRING"].partition(",")
    start_response("200 OK", [*PLAIN, ("Content-Length", length)] if length else PLAIN)
    if kind == "memory":
        opened = io.BytesIO(b"0123456789" * 3)
    elif kind == "gzip":
        path = tempfile.mkstemp()[1]
        with gzip.open(path, "wb") as packed:
            packed.write(b"0123456789" * 3)
        opened = gzip.open(path)
        os.unlink(path)
    else:
        opened = tempfile.NamedTemporaryFile(buffering=0 if kind == "unbuffered" else -1)
        opened.write(b"0123456789" * (100000 if kind == "large" else 3))
        opened.seek(0)
    opened.read(4)
    wrapper = environ["wsgi.file_wrapper"](opened, 7)
    if kind == "wrapped":
        return Parts("wrapped", wrapper)
    files.append(opened)
    return wrapper


@wrong
def files_open(_, start_response):
    still = sum(1 for opened in files if not opened.closed)
    return answer(start_response, str(still))


# ---- misbehaviour

@wrong
def fails(environ, start_response):
    """Raises before, during, or after the answer."""
    when = environ["QUERY_STRING"]
    if when == "before":
        raise LookupError("raised before the answer") from KeyError("its cause")
    start_response("200 OK", [*PLAIN, ("Content-Length", "6")] if when == "after" else PLAIN)
    if when == "started":
        raise LookupError("raised behind start_response")

    def parts():
        if when == "first":
            raise LookupError("raised before the first part")
        yield b"first "
        if when == "during":
            raise LookupError("raised during the answer")
        if when == "after":
            raise LookupError("raised behind the last byte")
    return Parts(f"fails {when}", parts())


@wrong
def ends(environ, _):
    """Wants the process to end."""
    if environ["QUERY_STRING"] == "exit":
        sys.exit("the application has had enough")
    raise KeyboardInterrupt


def throw(error):
    raise error


def make_deep(depth):
    """Functions that call each other; no two lines of their traceback are alike."""
    lines = [f"def step_{number}(): step_{number + 1}()" for number in range(depth)]
    steps = {f"step_{depth}": lambda: throw(LookupError("at the bottom of a deep stack"))}
    exec("\n".join(lines), steps)  # pylint: disable=exec-used
    return steps["step_0"]


class Silent(Exception):
    def __str__(self):
        raise LookupError("raised by __str__")


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
    "text": lambda: throw(ValueError("forged\n\x1b[31m\0\udc80 \u20ac")),
}


@wrong
def forks(_, start_response):
    """A child that ends as a program does."""
    pid = os.fork()
    if pid == 0:
        sys.exit(7)
    return answer(start_response, str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))


@wrong
def subprocesses(_, start_response):
    """How often the exit status of a child is not its own."""
    statuses = [subprocess.run(["false"], check=False).returncode for _ in range(50)]
    return answer(start_response, str(sum(1 for status in statuses if status != 1)))


@wrong
def raises(environ, start_response):
    """Raises what few do, before the answer or within."""
    when, _, what = environ["QUERY_STRING"].partition(",")
    if when == "before":
        RAISES[what]()

    def parts():
        yield b"first "
        RAISES[what]()
    start_response("200 OK", PLAIN)
    return parts()


@wrong
def speechless(_, __):
    """Takes away where errors are written."""
    sys.stderr = sys.stdout = None
    raise LookupError("raised without sys.stderr")


@wrong
def dies(environ, start_response):
    """Ends the process, at once or within the answer."""
    when, _, how = environ["QUERY_STRING"].partition(",")
    kill = {"exit": lambda: os._exit(3), "clean": lambda: os._exit(0), "abort": os.abort,  # pylint: disable=protected-access
            "crash": lambda: ctypes.string_at(8), "kill": lambda: os.kill(os.getpid(), signal.SIGKILL)}[how]

    def parts():
        yield b"first "
        kill()
    if when == "before":
        kill()
    start_response("200 OK", PLAIN)
    return parts()


@wrong
def close_fails(_, start_response):
    class Broken(Parts):
        def close(self):
            raise LookupError("raised by close()")
    start_response("200 OK", PLAIN)
    return Broken("close_fails", [b"whole"])


@wrong
def length(environ, start_response):
    """Says 5 bytes, and gives as many as the query says, in one part or in parts of 2."""
    write = start_response("200 OK", [*PLAIN, ("Content-Length", "5")])
    how, _, size = environ["QUERY_STRING"].partition(",")
    body = b"0123456789"[:int(size)]
    if how == "list":
        return [body]
    if how == "write":
        write(body)
        return []
    return Parts(f"length {how},{size}", [body[start:start + 2] for start in range(0, len(body), 2)])


@wrong
def not_bytes(environ, start_response):
    start_response("200 OK", PLAIN)
    return {"none": None, "numbers": iter([1, 2]), "text": iter(["a"]), "later": iter([b"a", "b"])}[
        environ["QUERY_STRING"]]


@wrong
def block(_, __):
    """For ever."""
    sys.stderr.write("blocks now\n")
    threading.Event().wait()


@case
def endless(environ, start_response):
    """More than any client reads."""
    start_response("200 OK", list(PLAIN))
    name = environ["QUERY_STRING"]

    def parts():
        while True:
            yield b"x" * 65536
    return Parts(name, parts())


# ---- threads and contexts

@case
def context(environ, start_response):
    """Parts that tell whose context they were made in."""
    start_response("200 OK", list(PLAIN))
    before = WHO.get()
    WHO.set(environ["QUERY_STRING"])

    def parts():
        yield before.encode()
        for _ in range(400):
            yield b" %-16s" % WHO.get().encode() * 1000
    return Parts("context", parts())


@case
def together(_, start_response):
    """Four requests meet, or none is answered."""
    meeting.wait(30)
    return answer(start_response, "met")


@case
def alone(_, start_response):
    """How many run at a time?"""
    with lock:
        running[0] += 1
        running[1] = max(running)
    sum(range(20000))
    with lock:
        running[0] -= 1
    return answer(start_response, str(running[1]))


jobs = queue.Queue()


def work():
    """A thread of the application's own, which runs while no request does."""
    while True:
        path = jobs.get()
        with open(path + ".new", "w", encoding="ascii") as done:
            done.write("done by the thread")
        os.rename(path + ".new", path)


threading.Thread(target=work, daemon=True).start()


@plain
def shared_input(environ, start_response):
    """The body is read by several threads; which one has got what is left to chance."""
    counts = []
    start = threading.Barrier(8)

    def read(method):
        start.wait()
        counts.append(sum(len(part) for part in iter(method, b"")))
    source = environ["wsgi.input"]
    methods = [source.readline, lambda: source.read(700), lambda: source.read(600_000), source.readline] * 2
    threads = [threading.Thread(target=read, args=(method,)) for method in methods]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answer(start_response, f"{sum(counts)}")


@plain
def shared_write(_, start_response):
    """Parts are written by several threads, and by the one that was called; some may be refused."""
    write = start_response("200 OK", PLAIN)
    start = threading.Barrier(4)

    def run():
        start.wait()
        for _ in range(300):
            try:
                write(b"x" * 3000)
            except RuntimeError:
                pass
    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    run()
    for thread in threads:
        thread.join()
    return [b"end"]


@plain
def shared_list(_, start_response):
    """The list is returned, and its only element replaced by a thread that waits for its turn."""
    shared = [b"a" * 30_000_000]
    ready = threading.Event()

    def replace():
        other = b"b" * 30_000_000
        ready.set()
        time.sleep(0)
        shared[0] = other
    threading.Thread(target=replace).start()
    ready.wait()
    start_response("200 OK", PLAIN)
    return shared


@case
def later(environ, start_response):
    jobs.put(environ["QUERY_STRING"])
    return answer(start_response, "later")


@wrong
def process(_, start_response):
    return answer(start_response, json.dumps({
        "argv": sys.argv, "path": sys.path[0], "prefix": sys.prefix, "executable": sys.executable, "mark": MARK,
        "pid": os.getpid(), "main": threading.current_thread() is threading.main_thread()}))


# ---- for load that lasts: the same paths as those of the probe in C

@plain
def pid(_, start_response):
    return answer(start_response, f"{os.getpid()}\n")


@plain
def big(environ, start_response):
    """So many bytes of the pattern, in parts."""
    start_response("200 OK", PLAIN)
    left = int(environ["QUERY_STRING"].partition("=")[2])

    def parts():
        position = 0
        while position < left:
            start = position % len(PATTERN)
            part = (PATTERN * 500)[start:start + min(16384, left - position)]
            position += len(part)
            yield part
    return parts()


@plain
def upload(environ, start_response):
    total = 0
    while piece := environ["wsgi.input"].read(65536):
        total += len(piece)
    return answer(start_response, f"{total}\n")


@plain
def slow(environ, start_response):
    """Takes so many ms."""
    time.sleep(int(environ["QUERY_STRING"].partition("=")[2]) / 1000)
    return answer(start_response, "slow\n")


@plain
def leak(environ, start_response):
    """Keeps so many KiB for ever."""
    leaked.append(bytearray(int(environ["QUERY_STRING"].partition("=")[2]) * 1024))
    return answer(start_response, f"{os.getpid()}\n")


# ---- what --app may name

class Nested:
    """Named as wsgi_cases:Nested.application."""

    @staticmethod
    def application(_, start_response):
        return answer(start_response, "nested")


def make():
    """A factory."""
    return Nested.application


NUMBER = 5
