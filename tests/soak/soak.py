#!/usr/bin/python3
"""`make soak`: very many requests, whose clients leave at any time, and afterwards every worker is as it was.

SOAK_REQUESTS of them in all (1,000,000), in shares for each worker and kind of application. Each worker is warmed up
first. After its share it must have the descriptors that it had, none of them a connection; have ended each request that
it began; have no more allocated than before but for what is said below; answer; and end with status 0 when told to.
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

# What may be allocated and not freed more than before, by malloc in bytes and by Python in blocks: exact numbers, told by
# the worker itself. A leak grows with the requests: one block of the smallest (32 bytes) for one request in ten would be
# 640,000 bytes and 20,000 blocks with 200,000 of them. What the process holds is only told, for it depends on which
# clients happened to meet and on how malloc cuts its pages.
GROWTH_BYTES = 16 * 1024
GROWTH_BLOCKS = 2000
# What free() keeps aside for its thread would count as in use.
EXACT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
# More than the blocks and requests that a worker keeps for the next ones (http_buffer.c, http_request.c).
STOCK = 80
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


def allocated(server):
    """@return bytes of malloc, blocks of Python, when nobody else is connected"""
    told = server.counters()
    return int(told["malloced"]), int(told.get("blocks", 0))


def fill_stocks(server):
    """Has so many requests begun at once that the worker has all that it will ever keep."""
    clients = [server.client() for _ in range(STOCK)]
    whole = request("/hello")
    for client in clients:
        client.send(whole[:9])
    for client in clients:
        client.send(whole[9:])
    for client in clients:
        assert client.read().text == "hello\n"
        client.close()


def soak(share, server):
    requests = int(REQUESTS * share)
    seed = random.randrange(1 << 30)
    print(f"# {requests} requests, seed {seed}", flush=True)
    with server:
        pid = server.process.pid
        sockets = sockets_of(pid)
        attack(server, max(int(requests * WARM_UP), WARM_UP_LEAST), seed + 1)
        for _ in range(3):
            fill_stocks(server)
        descriptors = wait_left(pid, sockets)
        before_kb, before = memory_kb(pid), allocated(server)
        began = time.monotonic()
        counted = attack(server, requests, seed)
        took = time.monotonic() - began
        assert wait_left(pid, sockets) == descriptors, descriptors_of(pid)
        growth_kb = memory_kb(pid) - before_kb
        growth = [now - then for now, then in zip(allocated(server), before)]
        print(f"# {json.dumps(counted)}")
        print(f"# {took:.0f} s, {counted['requests'] / took:.0f} requests a second; {len(descriptors)} descriptors, "
              f"{sockets} of them sockets, before and behind it; memory {before_kb} KB, {growth_kb:+} KB; allocated "
              f"{growth[0]:+} bytes, {growth[1]:+} blocks of Python", flush=True)
        assert counted["requests"] >= requests, counted
        assert SANITIZED or (growth[0] <= GROWTH_BYTES and growth[1] <= GROWTH_BLOCKS), growth
        for _ in range(100):
            assert server.ask("/hello").text == "hello\n"
        with server.client() as client:
            client.send(request("/echo", method="POST", body=b"x" * 100000))
            assert client.read().body == b"x" * 100000
        if PROBE in server.command:
            server.wait_all_closed()
        assert server.stop() == 0


def python_server(kind, app, *options):
    environment = {**EXACT, "UNICORND_GATEWAYS": str(BUILD / ".libs"), "PYTHONDONTWRITEBYTECODE": "1"}
    if SANITIZED:
        environment.update(PYTHONMALLOC="malloc")
    return Server(kind, "--app-dir", str(APPS), *options, app=app, environment=environment)


@test
def async_with_c():
    soak(0.4, Server("async", environment=EXACT))


@test
def sync_with_c_and_threads():
    soak(0.2, Server("sync", "--threads", "4", environment=EXACT))


@test
def sync_with_wsgi():
    soak(0.2, python_server("sync", "wsgi:wsgi_soak:application"))


@test
def async_with_asgi():
    soak(0.2, python_server("async", "asgi:asgi_soak:app"))


if __name__ == "__main__":
    run_tests()
