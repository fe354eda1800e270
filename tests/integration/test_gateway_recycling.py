#!/usr/bin/python3
"""--max-requests and --max-memory with Python applications: a worker asks for its successor before it goes, and not a
request is lost meanwhile."""

import functools
import re
import subprocess

import harness
from asgi_servers import LOOPS
from gateway_servers import until
from harness import (APPS, Load, Site, check_load, check_ready, listener, memory_kb, new_address, pool, run_tests,
                     wait_gone, wait_recycled)
from http_client import Client, program
from http_load import Transfers

WORKERS = 2
REQUESTS, JITTER = 2000, 2000
LEAK_KB = 128
MEMORY_MB = 64

WSGI = ("sync", "--app", "wsgi:wsgi_cases:application", "--app-dir", str(APPS))
ASGI = ("async", "--app", "asgi:asgi_cases:app", "--app-dir", str(APPS))
KINDS = {"wsgi": WSGI, "wsgi_threads": (*WSGI, "--threads", "4"),
         **{f"asgi_{loop}": (*ASGI, "--loop", loop) for loop in LOOPS}}


def each_kind(function):
    """Marks a test that is run for all gateways; its argument is the command without the folder of the program."""
    for name, kind in KINDS.items():
        bound = functools.partial(function, kind)
        bound.__name__ = f"{function.__name__}_{name}"
        harness.TESTS.append(bound)
    return function


def command(kind, *options):
    return [program(kind[0]), *kind[1:], *options]


def check_recycling(site, count):
    """So many asked, then were told to leave, and left in peace; all of them always had a successor that served."""
    gone = wait_recycled(site, count)
    events = site.catch_up()
    assert check_ready(events, WORKERS, WORKERS) > count
    order = [(event["event"], event["pid"]) for event in events if event["event"] in ("worker_asked", "worker_draining")]
    for pid in gone:
        assert order.index(("worker_asked", pid)) < order.index(("worker_draining", pid)), (pid, order)
        site.wait("worker_gone", since=events[0], pid=pid, text=r"had asked for a replacement \(exit status 0\)")
    bad = [event for event in site.events if event["event"] in (
        "worker_lost", "worker_slow", "worker_retry", "worker_killing", "worker_aborting", "pool_degraded")]
    assert not bad, bad


def check_status(site):
    """The status tells why."""
    slots = site.pool()["slots"]
    assert all(slot["last_exit"]["cause"] == "recycled" and slot["restarts"] >= 1 for slot in slots), slots
    assert "(recycled)" in site.ctl("status").out


@each_kind
def max_requests_lose_nothing(kind):
    address = new_address()
    limits = ("--max-requests", str(REQUESTS), "--max-requests-jitter", str(JITTER))
    with Site(listener("web", address) + pool("app", command(kind, *limits), workers=WORKERS)) as site:
        site.start()
        with Load(address, "--path", "/pid", connections=16) as kept, \
                Load(address, "--path", "/pid", "--close", connections=16) as closed:
            transfers = Transfers(address)
            check_recycling(site, 4 * WORKERS)
            transfers.finish()
            check_load(kept, closed)
        check_status(site)
        assert site.stop() == 0
        counts = [int(found[1]) for line in site.log if line and
                  (found := re.search(r"--max-requests: (\d+) requests, asking for a replacement", line))]
    assert len(counts) >= 4 * WORKERS and len(set(counts)) > WORKERS, counts
    assert all(REQUESTS <= count <= REQUESTS + JITTER for count in counts), counts


@each_kind
def max_memory_ends_a_leak_and_loses_nothing(kind):
    address = new_address()
    options = ("--max-memory", f"{MEMORY_MB}m")
    with Site(listener("web", address) + pool("app", command(kind, *options), workers=WORKERS)) as site:
        site.start()
        assert all(memory_kb(pid) < MEMORY_MB * 1024 for pid in site.pids().values())
        with Load(address, "--path", f"/leak?kb={LEAK_KB}", "--pause", "20", connections=10) as leaks, \
                Load(address, "--path", "/pid", connections=4) as kept, \
                Load(address, "--path", "/pid", "--close", connections=4) as closed:
            check_recycling(site, 2 * WORKERS)
            check_load(leaks, kept, closed)
        check_status(site)
        assert site.stop() == 0
        told = [int(found[1]) for line in site.log if line and
                (found := re.search(r"--max-memory: (\d+) KiB in use, asking for a replacement", line))]
    assert len(told) >= 2 * WORKERS and all(kb > MEMORY_MB * 1024 for kb in told), told


@each_kind
def without_unicornd_the_worker_ends(kind):
    address = new_address()
    alone = command(kind, "--max-requests", "3", "--linger", "0", "--bind", address)
    with subprocess.Popen(alone, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            until(functools.partial(answers, address), "it does not answer")
            for _ in range(2):
                assert answers(address)
            wait_gone(process.pid)
            assert process.wait() == 0
        finally:
            if process.poll() is None:
                process.kill()


def answers(address):
    try:
        with Client(address) as client:
            return client.ask("/hello").text == "hello\n"
    except ConnectionRefusedError:
        return False


if __name__ == "__main__":
    run_tests()
