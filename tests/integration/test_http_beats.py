#!/usr/bin/python3
"""What unicornd knows of the HTTP workers: figures, requests that last, and workers that hang, which it ends.

The limits are short: a beat each 100 ms, slow after 1.5 s of silence, ended after 2.5 s. The sync worker falls silent
when a call takes longer than 300 ms, if it is told so.
"""

import collections
import functools

import harness
from asgi_servers import LOOPS
from gateway_servers import until
from harness import APPS, Site, listener, new_address, pool, run_tests, test
from http_client import PROBE, Client, Cut, program, request

Kind = collections.namedtuple("Kind", "worker options hangs lasts frame")

WSGI = ("--app", "wsgi:wsgi_cases:application", "--app-dir", str(APPS))
ASGI = ("--app", "asgi:asgi_cases:app", "--app-dir", str(APPS))
# Which worker, what it serves, a path that blocks it, one that lasts without blocking, and what Python says it is in.
KINDS = {
    "c_sync": Kind("sync", ("--app", PROBE), "/block", "/slow", None),
    "c_threads": Kind("sync", ("--app", PROBE, "--threads", "4"), "/block", "/slow", None),
    "c_async": Kind("async", ("--app", PROBE), "/block", "/slow", None),
    "wsgi": Kind("sync", WSGI, "/slow", "/slow", r"wsgi_cases.py.*in slow"),
    "wsgi_threads": Kind("sync", (*WSGI, "--threads", "4"), "/slow", "/slow", r"wsgi_cases.py.*in slow"),
    **{f"asgi_{loop}": Kind("async", (*ASGI, "--loop", loop), "/block_ms", "/wait_ms", r"asgi_cases.py.*in block_ms")
       for loop in LOOPS},
}


def each_kind(function):
    """Marks a test that is run for all workers and applications; its argument is a row of KINDS."""
    for name, kind in KINDS.items():
        bound = functools.partial(function, kind)
        bound.__name__ = f"{function.__name__}_{name}"
        harness.TESTS.append(bound)
    return function


def watched(address, kind, *options, **settings):
    command = [program(kind.worker), *kind.options, *options]
    return Site(listener("web", address) + pool("app", command, heartbeat_interval="100ms", heartbeat_soft="1500ms",
                                                heartbeat_hard="2500ms", **settings))


def impatient(kind):
    return ("--request-timeout", "300ms") if kind.worker == "sync" else ()


def row(site):
    return site.pool()["slots"][0]


def wait_row(site, **wanted):
    """Asks until the only worker's row of the status is like that; it is told with a beat. @return the row"""
    until(lambda: wanted.items() <= row(site).items(), f"not as wanted: {wanted}")
    return row(site)


def check_cut(client):
    """Its request was running when the worker was ended."""
    try:
        raise AssertionError(f"a request that hangs was answered: {client.read()}")
    except (Cut, EOFError):
        pass


@each_kind
def a_request_that_hangs_is_named_and_ended(kind):
    address = new_address()
    what = f"GET {kind.hangs}"
    with watched(address, kind, *impatient(kind)) as site:
        site.start()
        with Client(address) as client:
            client.send(request(f"{kind.hangs}?ms=60000"))
            found = wait_row(site, request=what, busy=1)
            assert found["connections"] == 1 and found["requests"] == 0, found
            assert what in site.ctl("status").out
            slow = site.wait("worker_slow", text=f"no heartbeat for .* in {what}")
            aborting = site.wait("worker_aborting", text=f"no heartbeat within heartbeat_hard in {what}$")
            site.wait("worker_lost", pid=slow["pid"], text=rf"no heartbeat .*\(.*ABRT in {what}\)$")
            check_cut(client)
        site.wait("worker_ready", since=aborting)
        last = wait_row(site, state="ready", request="", busy=0)["last_exit"]
        assert last["cause"] == "silent" and what in last["text"], last
        site.wait_log(f"worker_aborting: .*{what}")
        if kind.frame:
            site.wait_log("Fatal Python error: Aborted")
            site.wait_log(kind.frame)
        with Client(address) as client:
            assert client.ask("/hello").text == "hello\n"
        assert site.stop() == 0


@each_kind
def a_request_that_lasts_as_long_as_it_may_is_not_ended(kind):
    address = new_address()
    with watched(address, kind) as site:
        site.start()
        pids = site.pids()
        with Client(address) as client:
            client.send(request(f"{kind.lasts}?ms=3000"))
            name = f"GET {kind.lasts}" if kind.worker == "sync" else ""
            found = wait_row(site, busy=1, connections=1, request=name)
            assert found["state"] == "ready", found
            assert client.read().text == "slow\n"
            wait_row(site, busy=0, requests=1, request="")
        assert site.pids() == pids
        events = {event["event"] for event in site.catch_up()}
        assert not events & {"worker_slow", "worker_aborting", "worker_lost"}, events
        assert site.stop() == 0


@each_kind
def figures_are_in_the_status(kind):
    address = new_address()
    with watched(address, kind) as site:
        site.start()
        clients = [Client(address) for _ in range(5)]
        for number in range(20):
            assert clients[number % 5].ask("/hello").text == "hello\n"
        wait_row(site, connections=5, requests=20, busy=0)
        for client in clients:
            client.close()
        wait_row(site, connections=0, requests=20, busy=0)
        assert site.stop() == 0


@test
def a_coroutine_that_blocks_after_an_await_is_ended():
    """It is not the worker that called it then, so Python says where it was."""
    for loop in LOOPS:
        kind = KINDS[f"asgi_{loop}"]
        address = new_address()
        with watched(address, kind) as site:
            site.start()
            with Client(address) as client:
                client.send(request("/block_late?ms=60000"))
                slow = site.wait("worker_slow", text="no heartbeat")
                site.wait("worker_aborting", text="no heartbeat within heartbeat_hard")
                check_cut(client)
            site.wait("worker_ready", since=slow)
            site.wait_log(kind.frame)
            assert site.stop() == 0


@test
def other_threads_serve_until_the_end():
    """One of four hangs: the others answer while the supervisor is patient."""
    kind = KINDS["wsgi_threads"]
    address = new_address()
    with watched(address, kind, "--request-timeout", "1s") as site:
        site.start()
        with Client(address) as hanging, Client(address) as other:
            hanging.send(request("/slow?ms=60000"))
            wait_row(site, request="GET /slow", busy=1)
            answers = 0
            while not any(event["event"] == "worker_slow" for event in site.catch_up()):
                assert other.ask("/hello").text == "hello\n"
                answers += 1
            site.wait("worker_aborting", text="in GET /slow")
            check_cut(hanging)
        assert answers > 0
        site.wait("worker_ready", since=site.wait("worker_lost"))
        assert site.stop() == 0


if __name__ == "__main__":
    run_tests()
