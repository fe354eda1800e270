"""Clients that never rest, each in a thread of its own, and that know who has answered them last.

A failure counts unless it is that of a worker that was killed by force: by the pid that the connection has shown, or,
before its first answer, when any was killed meanwhile. What no server can help counts neither: a kept connection that
was silent for so long that it ended just when the next request came.
"""

import random
import threading
import time

from harness import BOUND
from http_client import Client, Malformed, pattern, request
from websocket_client import CLOSE, PING, PONG, TEXT, Protocol, WebSocket, frame

# A connection that drains is closed after 2 s of silence; less than that is never in vain.
SILENCE_S = 1.0
PIECE = 20000
CLOSED_BY_RESTART = 1012


class Forced:
    """Workers that were killed by force, or may be."""

    def __init__(self):
        self.lock = threading.Lock()
        self.pids = {}

    def add(self, pid):
        """To be called before it happens."""
        with self.lock:
            self.pids[pid] = None

    def over(self, pid):
        """From now on nobody can meet it."""
        with self.lock:
            if pid in self.pids and self.pids[pid] is None:
                self.pids[pid] = time.monotonic()

    def met(self, pid, since):
        """Is this failure one of theirs?"""
        with self.lock:
            if pid is not None:
                return pid in self.pids
            return any(end is None or end >= since for end in self.pids.values())


class Crowd:
    """All clients of a site; counts and failures."""

    def __init__(self, seed):
        self.seed = seed
        self.forced = Forced()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.counts = {}
        self.failures = []
        self.threads = []

    def start(self, kind, address, number):
        for index in range(number):
            client = kind(self, address, random.Random(f"{self.seed} {kind.__name__} {address} {index}"))
            self.threads.append(threading.Thread(target=client.run, daemon=True))
            self.threads[-1].start()

    def count(self, name):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + 1

    def fail(self, text):
        with self.lock:
            self.failures.append(text)

    def finish(self):
        self.over.set()
        for thread in self.threads:
            thread.join(3 * BOUND)
            if thread.is_alive():
                self.fail("a client waits for ever")


class Visitor:
    """One client. A visit is one connection."""

    def __init__(self, crowd, address, numbers):
        self.crowd = crowd
        self.address = address
        self.numbers = numbers
        self.pid = None

    def run(self):
        name = type(self).__name__
        while not self.crowd.over.is_set():
            began = time.monotonic()
            self.pid = None
            try:
                self.visit()
                self.crowd.count(name)
            except (Malformed, Protocol, OSError, EOFError, AssertionError) as error:
                if isinstance(error, ConnectionRefusedError) or not self.crowd.forced.met(self.pid, began):
                    self.crowd.fail(f"{name} of {self.address}, worker {self.pid}, after "
                                    f"{time.monotonic() - began:.3f} s: {error!r}")
                else:
                    self.crowd.count("forced")
            self.rest(0.05)

    def rest(self, longest):
        self.crowd.over.wait(self.numbers.random() * longest)

    def ask_pid(self, client, *headers):
        answer = client.ask("/pid", *headers)
        assert answer.status == 200, answer
        assert self.pid in (None, int(answer.text)), f"worker {self.pid} has become {answer.text}"
        self.pid = int(answer.text)
        return answer


class Kept(Visitor):
    """Many requests on a connection."""

    def visit(self):
        silent_since = time.monotonic()
        with Client(self.address) as client:
            for _ in range(self.numbers.randrange(1, 50)):
                began = time.monotonic()
                try:
                    if self.ask_pid(client).closes:
                        return
                except (EOFError, OSError):
                    if self.pid is not None and began - silent_since > SILENCE_S:
                        return
                    raise
                self.crowd.count("answers")
                silent_since = time.monotonic()
                self.rest(self.numbers.choice((0, 0, 0.01, 0.3)))


class Closing(Visitor):
    """One request on a connection."""

    def visit(self):
        with Client(self.address) as client:
            assert self.ask_pid(client, "Connection: close").closes
            assert client.read_end() == "eof"


class Pipelining(Visitor):
    """Several requests at once; up to the answer that says that no more will come."""

    def visit(self):
        count = self.numbers.randrange(2, 20)
        with Client(self.address) as client:
            client.send(request("/pid") * count)
            for _ in range(count):
                answer = client.read()
                self.pid = int(answer.text)
                if answer.closes:
                    return


class Streaming(Visitor):
    """A long answer, taken slowly."""

    def visit(self):
        total = self.numbers.randrange(1, 15) * 100000
        with Client(self.address, receive_buffer=65536) as client:
            if self.ask_pid(client).closes:
                return
            client.send(request(f"/big?n={total}"))
            read = 0
            while read < total:
                self.rest(0.02)
                piece = client.socket.recv(100000)
                assert piece, f"cut after {read} of {total} bytes"
                read += len(piece)
                client.buffer += piece
            assert client.read().body == pattern(total)


class Uploading(Visitor):
    """A long body, sent slowly."""

    def visit(self):
        pieces = self.numbers.randrange(1, 20)
        with Client(self.address) as client:
            if self.ask_pid(client).closes:
                return
            client.send(request("/upload", "Transfer-Encoding: chunked", method="POST"))
            for _ in range(pieces):
                self.rest(0.02)
                client.send(b"%x\r\n%s\r\n" % (PIECE, b"x" * PIECE))
            client.send(b"0\r\n\r\n")
            answer = client.read("POST")
            assert answer.text == f"{pieces * PIECE}\n", answer


class Leaving(Visitor):
    """Leaves at any time, in any way. Nothing is expected."""

    def visit(self):
        with Client(self.address) as client:
            try:
                whole = request(self.numbers.choice(("/pid", "/big?n=300000"))) * self.numbers.randrange(1, 4)
                client.send(whole[:self.numbers.randrange(len(whole) + 1)])
                self.rest(0.01)
                if self.numbers.random() < 0.3:
                    client.end_sending()
                    client.read_all()
                elif self.numbers.random() < 0.5:
                    client.reset()
            except ConnectionError:
                pass


class Talking(Visitor):
    """A WebSocket: what is said comes back, until one of them closes."""

    def visit(self):
        with WebSocket(self.address, "/echo") as socket:
            assert socket.answer.status == 101, socket.answer
            for number in range(self.numbers.randrange(1, 30)):
                text = f"{number} " * self.numbers.choice((1, 100, 10000))
                socket.text(text)
                opcode, payload = socket.read()
                while opcode == PING:
                    socket.send(frame(PONG, payload))
                    opcode, payload = socket.read()
                if opcode == CLOSE:
                    assert int.from_bytes(payload[:2], "big") == CLOSED_BY_RESTART, payload
                    socket.close(CLOSED_BY_RESTART)
                    return
                assert opcode == TEXT and payload.decode() == text, (opcode, payload[:100])
                self.crowd.count("messages")
                self.rest(self.numbers.choice((0, 0.01, 0.2)))
            assert socket.finish()[0] in (1000, CLOSED_BY_RESTART)
