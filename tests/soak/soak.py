#!/usr/bin/python3
"""`make soak`: very many requests, whose clients leave at any time, and afterwards every worker is as it was.

SOAK_REQUESTS of them in all (1,000,000), in shares for each worker and kind of application. Each worker is warmed up
first. After its share it must have the descriptors that it had, none of them a connection; have ended each request that
it began; hold no more memory than allowed below; answer; and end with status 0 when told to.
"""

import json
import os
import random
import subprocess
import time

from harness import BUILD, SANITIZED, SOURCE, descriptors_of, memory_kb, run_tests, test, until
from http_client import PROBE, Server, request

REQUESTS = int(os.environ.get("SOAK_REQUESTS", "1000000"))
CLIENTS = 32
WARM_UP = 0.1  # of a share, and at least:
WARM_UP_LEAST = 2000
SOAK = str(BUILD / "unicornd-soak")
APPS = SOURCE / "tests/soak/apps"

# What may be more than after the warm-up, in KB. Memory comes in pages and stays with malloc in pieces: how many depends
# on which clients happened to meet. A worker in C keeps few; Python has an allocator of its own, with arenas of 256 KB
# to 1 MB that are given back only when all of one is free; a thread has a heap of its own. It is a constant, while a
# leak grows with the requests: with 400,000 of them one block of malloc's smallest (32 bytes) for one request in ten
# would be 1,250 KB.
GROWTH_C_KB = 512
GROWTH_THREADS_KB = 1536
GROWTH_PYTHON_KB = 3072
# With a sanitizer memory that was freed is kept for a while on purpose; there the end of the worker tells leaks.


def sockets_of(pid):
    return sum(name.startswith("socket:") for name in descriptors_of(pid).values())


def wait_left(pid, sockets):
    """The worker may need a moment to see that the last clients have left. @return the numbers of its descriptors"""
    until(lambda: sockets_of(pid) == sockets, f"not {sockets} sockets as before")
    return sorted(descriptors_of(pid))


def attack(server, requests, seed):
    """@return what unicornd-soak has counted"""
    done = subprocess.run([SOAK, "--address", server.address, "--requests", str(requests), "--clients", str(CLIENTS),
                           "--seed", str(seed)], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def soak(share, growth_kb, server):
    requests = int(REQUESTS * share)
    seed = random.randrange(1 << 30)
    print(f"# {requests} requests, seed {seed}", flush=True)
    with server:
        pid = server.process.pid
        sockets = sockets_of(pid)
        attack(server, max(int(requests * WARM_UP), WARM_UP_LEAST), seed + 1)
        descriptors = wait_left(pid, sockets)
        before_kb = memory_kb(pid)
        began = time.monotonic()
        counted = attack(server, requests, seed)
        took = time.monotonic() - began
        assert wait_left(pid, sockets) == descriptors, descriptors_of(pid)
        growth = memory_kb(pid) - before_kb
        print(f"# {json.dumps(counted)}")
        print(f"# {took:.0f} s, {counted['requests'] / took:.0f} requests a second; {len(descriptors)} descriptors, "
              f"{sockets} of them sockets, before and behind it; memory {before_kb} KB, {growth:+} KB", flush=True)
        assert counted["requests"] >= requests, counted
        assert SANITIZED or growth <= growth_kb, f"memory has grown by {growth} KB, allowed are {growth_kb}"
        for _ in range(100):
            assert server.ask("/hello").text == "hello\n"
        with server.client() as client:
            client.send(request("/echo", method="POST", body=b"x" * 100000))
            assert client.read().body == b"x" * 100000
        if PROBE in server.command:
            server.wait_all_closed()
        assert server.stop() == 0


def python_server(kind, app, *options):
    environment = {"UNICORND_GATEWAYS": str(BUILD / ".libs"), "PYTHONDONTWRITEBYTECODE": "1"}
    if SANITIZED:
        environment.update(PYTHONMALLOC="malloc")
    return Server(kind, "--app-dir", str(APPS), *options, app=app, environment=environment)


@test
def async_with_c():
    soak(0.4, GROWTH_C_KB, Server("async"))


@test
def sync_with_c_and_threads():
    soak(0.2, GROWTH_THREADS_KB, Server("sync", "--threads", "4"))


@test
def sync_with_wsgi():
    soak(0.2, GROWTH_PYTHON_KB, python_server("sync", "wsgi:wsgi_soak:application"))


@test
def async_with_asgi():
    soak(0.2, GROWTH_PYTHON_KB, python_server("async", "asgi:asgi_soak:app"))


if __name__ == "__main__":
    run_tests()
