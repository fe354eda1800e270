"""The HTTP workers run alone, and a client that sends what it is told, byte for byte, and believes nothing.

Client reads answers strictly: whatever a careful proxy would not let pass is Malformed. Server runs one worker with the
probe application and learns from its status pipe when it serves.
"""

import collections
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading

import harness
from harness import BOUND, BUILD, for_each, until, wait_gone

KINDS = ("sync", "async")
PROBE = str(BUILD / "tests/integration/fixtures/.libs/probe_app.so")
PROBE_ABI = str(BUILD / "tests/integration/fixtures/.libs/probe_abi.so")
PATTERN = b"0123456789abcdefghijklmnopqrstuvwxyz\n"

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)")
ONCE = (b"content-length", b"transfer-encoding", b"connection", b"date", b"server", b"content-type")
HEAD_MAX = 1 << 20


def program(kind):
    return str(BUILD / f"unicornd-worker-{kind}")


both = for_each({kind: kind for kind in KINDS})


def pattern(length, offset=0):
    """What /big and /file send."""
    start = offset % len(PATTERN)
    return (PATTERN * ((start + length) // len(PATTERN) + 1))[start:start + length]


def request(target="/hello", *headers, method="GET", host="probe", version="1.1", body=b""):
    """Bytes of a request; a body gets its length."""
    lines = [f"{method} {target} HTTP/{version}"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += headers
    lines += [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunks(*pieces, extension=b"", trailers=b""):
    """A chunked body."""
    coded = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces if piece)
    return coded + b"0" + extension + b"\r\n" + trailers + b"\r\n"


# ---- answers

class Malformed(Exception):
    """An answer that is none."""


class Cut(Malformed):
    """The connection ended within an answer. `answer` is what there was of it."""

    def __init__(self, how, answer=None):
        super().__init__(how)
        self.answer = answer


class Answer:
    """One answer. Names of headers are in lower case; `interim` are the 1xx in front of it."""

    def __init__(self, status, reason, headers):
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = b""
        self.chunk_count = 0
        self.trailers = []
        self.interim = []

    def get(self, name):
        return next((value for key, value in self.headers if key == name.encode()), None)

    @property
    def text(self):
        return self.body.decode("latin-1")

    @property
    def closes(self):
        return (self.get("connection") or b"").lower() == b"close"

    def fields(self):
        """Body of /headers: {name: value}, repeated ones joined by a bar."""
        found = {}
        for line in self.text.splitlines():
            name, _, value = line.partition(" ") if line.startswith(":") else line.partition(": ")
            found[name] = f"{found[name]}|{value}" if name in found else value
        return found

    def __repr__(self):
        return f"<{self.status} {self.headers} {len(self.body)} bytes {self.body[:80]!r} interim {self.interim}>"


def parse_headers(lines):
    headers = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name) or re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise Malformed(f"header {line!r}")
        headers.append((name.lower(), value.strip(b" \t")))
    return headers


def parse_head(head):
    lines = head.split(b"\r\n")
    found = STATUS_LINE.fullmatch(lines[0])
    if not found:
        raise Malformed(f"status line {lines[0]!r}")
    answer = Answer(int(found[1]), found[2].decode("latin-1"), parse_headers(lines[1:]))
    names = [name for name, _ in answer.headers]
    for name in ONCE:
        if names.count(name) > 1:
            raise Malformed(f"{name!r} more than once: {answer.headers}")
    return answer


class Client:
    """A connection."""

    def __init__(self, address, receive_buffer=None, source=None):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            target = address[5:]
        else:
            host, _, port = address.rpartition(":")
            self.socket = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            target = (host.strip("[]"), int(port))
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(BOUND)
        self.socket.connect(target)
        self.buffer = b""
        self.ended = None

    # -- sending

    def send(self, *pieces):
        """Sends pieces one by one. @return self"""
        for piece in pieces:
            self.socket.sendall(piece)
        return self

    def send_until_answered(self, pieces):
        """As send(), but stops when something comes back, as a client does that listens."""
        try:
            for piece in pieces:
                if self.is_readable(0):
                    break
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def ask(self, *arguments, method="GET", **options):
        """A request and its answer."""
        self.send(request(*arguments, method=method, **options))
        return self.read(method)

    def end_sending(self):
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return self

    # -- reading

    def is_readable(self, wait_s=BOUND):
        return bool(self.buffer) or bool(select.select([self.socket], [], [], wait_s)[0])

    def _more(self):
        """@return False at the end, `ended` then says which one: eof, reset"""
        if self.ended is None:
            try:
                more = self.socket.recv(262144)
                if not more:
                    self.ended = "eof"
            except ConnectionError:
                more = b""
                self.ended = "reset"
            self.buffer += more
        return self.ended is None

    def _until(self, mark, what):
        while mark not in self.buffer:
            if len(self.buffer) > HEAD_MAX:
                raise Malformed(f"{what} without an end: {self.buffer[:100]!r}")
            if not self._more():
                raise Cut(f"{self.ended} within {what}: {self.buffer[:200]!r}")
        taken, _, self.buffer = self.buffer.partition(mark)
        return taken

    def _exactly(self, count, answer):
        pieces = []
        while count > 0:
            if not self.buffer and not self._more():
                answer.body += b"".join(pieces)
                raise Cut(f"{self.ended}, {count} bytes are missing", answer)
            piece, self.buffer = self.buffer[:count], self.buffer[count:]
            pieces.append(piece)
            count -= len(piece)
        answer.body += b"".join(pieces)

    def _chunked(self, answer):
        while True:
            line = self._until_of(answer, b"\r\n", "a chunk's size")
            if not re.fullmatch(rb"[0-9a-fA-F]{1,15}", line):
                raise Malformed(f"chunk size {line!r}")
            size = int(line, 16)
            if size == 0:
                break
            answer.chunk_count += 1
            self._exactly(size, answer)
            if self._until_of(answer, b"\r\n", "a chunk's end") != b"":
                raise Malformed("a chunk is longer than its size")
        lines = []
        while line := self._until_of(answer, b"\r\n", "the trailers"):
            lines.append(line)
        answer.trailers = parse_headers(lines)

    def _until_of(self, answer, mark, what):
        try:
            return self._until(mark, what)
        except Cut as cut:
            cut.answer = answer
            raise

    def _body(self, answer, method):
        length, coding = answer.get("content-length"), answer.get("transfer-encoding")
        if length is not None and not re.fullmatch(rb"[0-9]{1,18}", length):
            raise Malformed(f"content-length {length!r}")
        if coding is not None and (coding != b"chunked" or length is not None):
            raise Malformed(f"transfer-encoding {coding!r}, content-length {length!r}")
        if answer.status < 200 or answer.status == 204:
            if length is not None or coding is not None:
                raise Malformed(f"{answer.status} with a body's headers: {answer.headers}")
        elif method == "HEAD" or answer.status == 304:
            pass
        elif coding is not None:
            self._chunked(answer)
        elif length is not None:
            self._exactly(int(length), answer)
        else:
            if not answer.closes:
                raise Malformed(f"neither a length nor an end: {answer}")
            while self._more():
                pass
            answer.body, self.buffer = self.buffer, b""
            if self.ended == "reset":
                raise Cut("reset within an answer that ends with the connection", answer)

    def read_interim(self):
        """The next head, which must be one of a 1xx."""
        answer = parse_head(self._until(b"\r\n\r\n", "a head"))
        assert 100 <= answer.status < 200, answer
        self._body(answer, "GET")
        return answer

    def read(self, method="GET"):
        """@return the next Answer. Raises Malformed or Cut; EOFError when the connection ends instead."""
        interim = []
        while True:
            if not self.buffer and not self._more():
                raise EOFError(self.ended)
            answer = parse_head(self._until(b"\r\n\r\n", "a head"))
            if 100 <= answer.status < 200 and answer.status != 101:
                self._body(answer, method)
                interim.append(answer)
                continue
            answer.interim = interim
            self._body(answer, method)
            return answer

    def read_end(self):
        """Waits for the end of the connection. @return "eof" or "reset"; bytes before it are a failure"""
        while not self.buffer and self._more():
            pass
        assert not self.buffer, f"more than was asked for: {self.buffer[:300]!r}"
        return self.ended

    def read_all(self):
        """@return all bytes until the end"""
        while self._more():
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    # -- the end

    def reset(self):
        """Ends the connection the hard way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- a worker that runs alone

class Lines:
    """Lines that a process writes; waits for one that matches."""

    def __init__(self, stream):
        self.lines = []
        self.is_ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream):
        with stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line.decode(errors="replace").rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.is_ended = True
            self.changed.notify_all()

    def wait(self, expression, bound=BOUND):
        """@return the first line that matches; None when there is none"""
        found = None

        def look():
            nonlocal found
            found = next((line for line in self.lines if re.search(expression, line)), None)
            return found is not None or self.is_ended
        with self.changed:
            self.changed.wait_for(look, bound)
        return found

    def text(self):
        return "\n".join(self.lines)


class Server:
    """unicornd-worker-KIND with the probe, alone on an address of its own. Its log is told when a test fails."""

    def __init__(self, kind, *options, bind=None, app=None, record=False, environment=None):
        self.kind = kind
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="unicornd-http-"))
        self.record_path = self.folder / "record"
        self.record_path.touch()
        self.bind = [bind] if isinstance(bind, str) else bind or [harness.new_address()]
        self.address = self.bind[0]
        app = app or PROBE + (f":record={self.record_path}" if record else "")
        binds = [word for address in self.bind for word in ("--bind", address)]
        self.command = [program(kind), "--app", app, *binds, *options]
        self.process = None
        self.log = self.told = None
        self.record_read = 0
        self.is_killed = False
        self.environment = environment or {}

    def launch(self):
        """Starts it; whether it serves is another matter."""
        theirs = {name: value for name, value in os.environ.items()
                  if name not in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC")}
        reading, writing = os.pipe()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, pass_fds=(writing,), cwd=self.folder,
                                        env={**theirs, "UNICORND_STATUS_FD": str(writing), "TZ": "UTC",
                                             **self.environment})
        os.close(writing)
        self.told = Lines(os.fdopen(reading, "rb"))
        self.log = Lines(self.process.stderr)
        return self

    def start(self):
        self.launch()
        assert self.told.wait("^READY=1$"), f"{self.kind} is not ready: {self.command}\n{self.log.text()}"
        return self

    def client(self, **options):
        return Client(self.address, **options)

    def ask(self, *arguments, **options):
        """One request on a connection of its own. @return the Answer"""
        with self.client() as client:
            return client.ask(*arguments, **options)

    def counters(self):
        return {name: int(value) for name, _, value in
                (pair.partition("=") for pair in self.ask("/counters").text.split())}

    def wait_counter(self, name, value):
        """Asks until a counter is as high; there is nothing else by which a client could know."""
        until(lambda: self.counters()[name] >= value, f"{name} does not become {value}")

    def wait_all_closed(self, what="not every request has come to its end"):
        """Asks until every request that was handled has come to its end, all but the one that asks."""
        until(lambda: (now := self.counters())["handled"] == now["closed"] + 1, what)

    def recorded(self):
        """Lines of the record that are new."""
        with open(self.record_path, "rb") as file:
            file.seek(self.record_read)
            new = file.read()
        self.record_read += len(new)
        return new.decode("latin-1").splitlines()

    def wait_recorded(self, line):
        """Reads the record until the line is in it."""
        until(lambda: line in self.record_path.read_text("latin-1").splitlines(), f"not recorded: {line}")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, bound=BOUND):
        """@return the exit status, negative for a signal"""
        wait_gone(self.process.pid, bound)
        status = self.process.wait()
        self.log.thread.join(BOUND)
        return status

    def stop(self):
        """@return the exit status after SIGTERM"""
        self.signal(signal.SIGTERM)
        return self.wait_exit()

    def memory_kb(self):
        return harness.memory_kb(self.process.pid)

    def kill(self):
        """Ends it as nobody should."""
        self.is_killed = True
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.log.thread.join(BOUND)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        died = self.process.poll() if self.process else None
        self.close()
        if kind is not None and kind is not harness.Skip:
            print("\n".join(f"# log: {line}" for line in self.log.lines[-40:]))
        elif died and not self.is_killed:
            raise AssertionError(f"the worker has ended with status {died}:\n{self.log.text()}")


def run_alone(kind, *arguments):
    """A worker that ends by itself. @return harness.Ran"""
    with subprocess.Popen([program(kind), *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        try:
            out, err = process.communicate(timeout=BOUND)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return harness.Ran(process.returncode, out, err)


Row = collections.namedtuple("Row", "name bytes statuses")
