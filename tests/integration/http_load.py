"""Load on the HTTP workers while something happens to them, of which no client may notice anything.

What is served must have /pid, /big?n= and /upload, as the probe and the applications of the cases have.
"""

import threading

from harness import BOUND, Load, check_load
from http_client import Client, Malformed, pattern, request

RELOADS = 20
PIECES = 20
PIECE_BYTES = 100000
PACE_S = 0.02


class Transfers:
    """Long answers and uploads, one behind the other and slow enough to see several reloads each."""

    def __init__(self, address):
        self.address = address
        self.over = threading.Event()
        self.failures = []
        self.counts = {"streamed": 0, "uploaded": 0}
        self.threads = [threading.Thread(target=self.run, args=(what,), daemon=True) for what in (self.stream,
                                                                                                  self.upload)]
        for thread in self.threads:
            thread.start()

    def run(self, what):
        while not self.over.is_set() and not self.failures:
            try:
                what()
            except (Malformed, OSError, EOFError, AssertionError) as error:
                self.failures.append(f"{what.__name__}: {error!r}")

    def stream(self):
        total = PIECES * PIECE_BYTES
        with Client(self.address, receive_buffer=PIECE_BYTES) as client:
            client.send(request(f"/big?n={total}"))
            read = 0
            while read < total:
                self.over.wait(PACE_S)
                piece = client.socket.recv(PIECE_BYTES)
                assert piece, f"cut after {read} bytes"
                read += len(piece)
                client.buffer += piece
            assert client.read().body == pattern(total)
        self.counts["streamed"] += 1

    def upload(self):
        with Client(self.address) as client:
            client.send(request("/upload", "Transfer-Encoding: chunked", method="POST"))
            for _ in range(PIECES):
                self.over.wait(PACE_S)
                client.send(b"%x\r\n%s\r\n" % (PIECE_BYTES, b"x" * PIECE_BYTES))
            client.send(b"0\r\n\r\n")
            answer = client.read("POST")
            assert answer.text == f"{PIECES * PIECE_BYTES}\n", answer
        self.counts["uploaded"] += 1

    def finish(self):
        self.over.set()
        for thread in self.threads:
            thread.join(BOUND)
        assert not self.failures, self.failures
        assert all(self.counts.values()), self.counts
        return self.counts


def reload_under_load(site, address, workers=4):
    """Twenty reloads under clients that stay, that come and go, that rest, and that take or send much."""
    seen = set(site.pids().values())
    with Load(address, "--path", "/pid", connections=32) as kept, \
            Load(address, "--path", "/pid", "--close", connections=32) as closed, \
            Load(address, "--path", "/pid", "--pause", "20", connections=16) as resting:
        transfers = Transfers(address)
        for number in range(RELOADS):
            ran = site.reload()
            assert ran.err == "", ran
            pids = set(site.pids().values())
            assert len(pids) == workers and not pids & seen, f"reload {number}: {pids}, before {seen}"
            seen |= pids
        counts = transfers.finish()
        reports = check_load(kept, closed, resting)
    print(f"# {[report['ok'] for report in reports]} answers, {counts}")
    assert reports[0]["reused"] > 0 and reports[0]["distinct_bodies"] > RELOADS, reports[0]
