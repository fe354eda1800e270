#!/usr/bin/python3
"""What the daemon costs, next to others that are installed. One line of JSON for each figure; see figures.py.

usage: bench.py [--only NAME]... [--rounds N] [--window SECONDS] [--seconds N] [--workers N] [--no-peers] [--check]
"""

import argparse
import os
import signal
import sys
import tempfile

import daemon
import http_cost
import http_memory
import large_site
import processes
import small_site
from figures import Figures, note

PARTS = {
    "memory": small_site.memory,
    "idle": small_site.idle,
    "death": small_site.death,
    "reload": small_site.reload,
    "thousand": large_site.thousand,
    "beating": large_site.beating,
    "http_asgi": http_cost.http_asgi,
    "http_wsgi": http_cost.http_wsgi,
    "http_c": http_cost.http_c,
    "http_fastapi": http_cost.http_fastapi,
    "http_file": http_cost.http_file,
    "websocket_echo": http_cost.websocket_echo,
    "http_memory": http_memory.http_memory,
}


class Bench:
    """What all parts share."""

    def __init__(self, options, top):
        self.rounds = options.rounds
        self.window = options.window
        self.seconds = options.seconds
        self.workers = options.workers
        self.peers = options.peers
        self.figures = Figures()
        self._top = top
        self._folders = 0

    def folder(self):
        """A new one, with a short name: paths of sockets are limited."""
        self._folders += 1
        path = os.path.join(self._top, str(self._folders))
        os.mkdir(path, 0o755)
        return path


def parse():
    parser = argparse.ArgumentParser(description="Measures unicornd and its peers; prints JSON lines.")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part only; may be repeated")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each figure (3)")
    parser.add_argument("--window", type=float, default=10.0, help="seconds over which processor time is taken (10)")
    parser.add_argument("--seconds", type=int, default=3, help="of load in each round of the HTTP parts (3)")
    parser.add_argument("--workers", type=int, default=1000, help="workers of the large site (1000)")
    parser.add_argument("--no-peers", dest="peers", action="store_false", help="measure unicornd alone")
    parser.add_argument("--check", action="store_true", help="exit with status 1 when a target is missed")
    options = parser.parse_args()
    if options.rounds < 1 or options.window <= 0 or not 1 <= options.workers <= 10000:
        parser.error("at least one round, one worker (at most 10000) and a window above 0")
    if not 1 <= options.seconds <= 60:
        parser.error("1 to 60 seconds of load")
    return options


def measure(bench, names):
    for name in names:
        note(name)
        try:
            PARTS[name](bench)
        except (processes.TooLate, RuntimeError, OSError) as error:
            bench.figures.fail(name, str(error))
        finally:
            processes.stop_all()


def main():
    options = parse()
    for path in (daemon.UNICORND, daemon.UNICORNCTL, daemon.HTTP_WORKER):
        if not os.access(path, os.X_OK):
            sys.exit(f"bench: {path} is missing: run `make bench`")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: terminated"))
    processes.prepare()
    with tempfile.TemporaryDirectory(prefix="bench-") as top:
        os.chmod(top, 0o755)  # workers of peers may run as somebody else
        bench = Bench(options, top)
        try:
            measure(bench, options.only or PARTS)
        finally:
            processes.stop_all()
    note(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")
    if bench.figures.failed or (options.check and bench.figures.missed):
        sys.exit(1)


if __name__ == "__main__":
    main()
