"""Processor time of a request, the workers' next to others'. All servers run in the same minute, asked in turns."""

import collections
import functools
import json
import os

import http_load
import processes
from http_servers import (HELLO_MODULE, AsyncWorker, BareLoop, Missing, Nginx, SyncWorker, Uvicorn, UvicornWebsockets,
                          Uwsgi, require)

ASGI_TARGET = 0.50
WSGI_UWSGI_TARGET = 0.22
WSGI_BARE_TARGET = 1.45
C_TARGET = 1.20
FASTAPI_TARGET = 0.85
FILE_TARGET = 1.10
WEBSOCKET_TARGET = 0.50

ROUNDS_LEAST = 5
# The same nginx differs from itself by half between two loads with big files, so five rounds would decide nothing: with
# as many as this, two of the same kind come out within a tenth of each other.
FILE_ROUNDS = 25
FILE_SECONDS = 1
WARM_UP_SECONDS = 1
FILE_BYTES = 1 << 20
HELLO = b"Hello, world!"
FASTAPI_HELLO = b'{"message":"Hello, world!"}'

# Somebody to compare with: how to start it in a folder, and what our cost may be as a share of its.
Rival = collections.namedtuple("Rival", "start target")


def skip(figures, name, reason):
    """A row without a value that is not a failure: it is not our fault that something is not installed."""
    row = dict.fromkeys(("figure", "value", "unit", "target", "met", "peer", "peer_value", "ratio"), None)
    print(json.dumps({**row, "figure": name, "reason": f"skipped: {reason}"}), file=figures.output, flush=True)


def start_rivals(bench, name, rivals):
    """Yields (server, target) of each that is there."""
    for rival in rivals if bench.peers else []:
        try:
            yield rival.start(bench.folder()), rival.target
        except (Missing, processes.TooLate, RuntimeError, OSError) as error:
            skip(bench.figures, name, str(error))


def check_answer(server, expected):
    if expected is not None and server.fetch() != expected:
        raise RuntimeError(f"{server.name} answers something else")


def cost(server, load, seconds):
    """Microseconds of processor time for each request."""
    before = server.cpu_seconds()
    count = load(server, seconds)
    if count == 0:
        raise RuntimeError(f"{server.name} has answered nothing")
    return (server.cpu_seconds() - before) * 1e6 / count


def measure(servers, load, rounds, seconds):
    """@return samples by name; in each round one after another, so that a slow minute is slow for all"""
    for server in servers:
        load(server, WARM_UP_SECONDS)
    samples = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            samples[server.name].append(cost(server, load, seconds))
    return samples


def say(figures, name, ours, theirs, targets):
    """The costs in one row for each rival, then how they stand to each other, round by round."""
    figures.say(name, ours, "us/request", None, theirs or None)
    for rival, samples in theirs.items():
        ratios = [mine / other for mine, other in zip(ours, samples)]
        figures.say(f"{name}_to_{rival}", ratios, "ratio", targets[rival])


def compare(bench, name, start, rivals, load=http_load.requests, expected=HELLO, often=(ROUNDS_LEAST, None)):
    """`start` our worker and its `rivals`, and say what a request costs each. `often`: least rounds, seconds of each."""
    servers, targets = [], {}
    try:
        servers.append(start(bench.folder()))
        for server, target in start_rivals(bench, name, rivals):
            servers.append(server)
            targets[server.name] = target
        for server in servers:
            check_answer(server, expected)
        rounds, seconds = often
        samples = measure(servers, load, max(bench.rounds, rounds), seconds or bench.seconds)
    finally:
        for server in servers:
            server.stop()
    say(bench.figures, name, samples.pop(servers[0].name), samples, targets)


def part(function):
    """A part of the bench that says by itself why it cannot be measured here."""
    @functools.wraps(function)
    def run(bench):
        try:
            function(bench, function.__name__)
        except Missing as error:
            skip(bench.figures, function.__name__, str(error))
    return run


@part
def http_asgi(bench, name):
    compare(bench, name, lambda folder: AsyncWorker(folder, "asgi:asgi_hello:app"),
            [Rival(lambda folder: Uvicorn(folder, "asgi_hello:app"), ASGI_TARGET)])


@part
def http_wsgi(bench, name):
    compare(bench, name, lambda folder: SyncWorker(folder, "wsgi:wsgi_hello:app"),
            [Rival(lambda folder: Uwsgi(folder, "wsgi_hello:app"), WSGI_UWSGI_TARGET),
             Rival(BareLoop, WSGI_BARE_TARGET)])


@part
def http_c(bench, name):
    compare(bench, name, lambda folder: AsyncWorker(folder, HELLO_MODULE), [Rival(BareLoop, C_TARGET)])


@part
def http_fastapi(bench, name):
    require("fastapi")
    compare(bench, name, lambda folder: AsyncWorker(folder, "asgi:fastapi_hello:app"),
            [Rival(lambda folder: Uvicorn(folder, "fastapi_hello:app"), FASTAPI_TARGET)], expected=FASTAPI_HELLO)


@part
def http_file(bench, name):
    root = bench.folder()
    content = os.urandom(FILE_BYTES)
    with open(os.path.join(root, "file.bin"), "wb") as file:
        file.write(content)
    compare(bench, name, lambda folder: AsyncWorker(folder, f"files:{root}", path="/file.bin"),
            [Rival(lambda folder: Nginx(folder, root, path="/file.bin"), FILE_TARGET)], expected=content,
            often=(FILE_ROUNDS, FILE_SECONDS))


@part
def websocket_echo(bench, name):
    compare(bench, name, lambda folder: AsyncWorker(folder, "asgi:websocket_echo:app"),
            [Rival(lambda folder: UvicornWebsockets(folder, "websocket_echo:app"), WEBSOCKET_TARGET)],
            load=http_load.echoes, expected=b"")
