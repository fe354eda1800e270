#!/usr/bin/python3
"""Reloads, recycling and the end of both HTTP workers: no request is lost, whatever runs or waits meanwhile."""

import os
import signal

from http_client import PROBE, Client, Server, both, pattern, program, request
from harness import Load, Site, check_load, exists, listener, new_address, pool, run_tests, test, wait_gone
from http_load import reload_under_load


def site_of(kind, address, *options, **settings):
    return Site(listener("web", address) + pool("app", [program(kind), "--app", PROBE, *options], workers=4,
                                                **settings))


@both
def twenty_reloads_under_load_lose_nothing(kind):
    address = new_address()
    with site_of(kind, address) as site:
        site.start()
        reload_under_load(site, address)
        assert site.stop() == 0


@both
def recycling_loses_nothing(kind):
    address = new_address()
    with site_of(kind, address, "--max-requests", "300", "--max-requests-jitter", "100") as site:
        site.start()
        with Load(address, "--path", "/pid", connections=16) as kept, \
                Load(address, "--path", "/pid", "--close", connections=16) as closed:
            for _ in range(16):
                gone = site.wait("worker_gone")
                assert "exit status 0" in gone["text"], gone
            check_load(kept, closed)
        assert not any(event["event"] in ("worker_retry", "worker_killing") for event in site.catch_up()), site.events
        assert site.stop() == 0


@both
def a_request_that_runs_is_finished(kind):
    with Server(kind) as server, server.client() as client:
        client.send(request("/slow?ms=300&early=1"))
        assert client.read_interim().status == 103
        server.signal(signal.SIGTERM)
        answer = client.read()
        assert answer.text == "slow\n" and answer.closes, answer
        assert client.read_end() == "eof"
        assert server.wait_exit() == 0


@both
def transfers_that_run_are_finished(kind):
    with Server(kind) as server, server.client(receive_buffer=65536) as down, server.client() as up, \
            server.client() as head:
        down.send(request("/big?n=20000000"))
        assert down.is_readable()
        up.send(request("/upload", "Content-Length: 100000", method="POST"), b"x" * 50000)
        head.send(request("/hello")[:20])
        # Behind its own answer the worker has seen what came before.
        assert server.ask("/hello").text == "hello\n"
        server.signal(signal.SIGTERM)
        assert up.send(b"x" * 50000).read("POST").text == "100000\n"
        assert head.send(request("/hello")[20:]).read().text == "hello\n"
        assert down.read().body == pattern(20000000)
        for client in (down, up, head):
            assert client.read_end() == "eof"
            client.close()
        assert server.wait_exit() == 0


@both
def silent_connections_get_one_more_answer(kind):
    with Server(kind, "--linger", "20s") as server:
        first, second, third = (server.client() for _ in range(3))
        for client in (first, second, third):
            assert not client.ask("/hello").closes
        fresh = server.client()
        assert server.ask("/hello").status == 200
        server.signal(signal.SIGTERM)
        # The signal and the question may overtake each other, once.
        for _ in range(1000):
            if first.ask("/hello").closes:
                break
        assert first.read_end() == "eof"
        for client in (second, fresh):
            answer = client.ask("/hello")
            assert answer.text == "hello\n" and answer.closes, answer
            assert client.read_end() == "eof"
        # Requests that are pipelined behind the last one are not answered, and not handled either.
        third.send(request("/hello") + request("/hello"))
        assert third.read().closes and third.read_end() in ("eof", "reset")
        for client in (first, second, third, fresh):
            client.close()
        # Nobody is left, so nobody is waited for.
        assert server.wait_exit(10) == 0


@both
def silence_is_waited_for_as_long_as_told(kind):
    with Server(kind, "--linger", "300ms", "--keep-alive", "1m") as server:
        clients = [server.client() for _ in range(3)]
        assert all(client.ask("/hello").text == "hello\n" for client in clients[1:])
        server.signal(signal.SIGTERM)
        for client in clients:
            assert client.read_end() == "eof"
        assert server.wait_exit() == 0


@both
def who_waits_to_be_accepted_is_served(kind):
    with Server(kind) as server:
        server.signal(signal.SIGSTOP)
        clients = [server.client() for _ in range(20)]
        for client in clients:
            client.send(request("/hello"))
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        for client in clients:
            answer = client.read()
            assert answer.text == "hello\n" and answer.closes, answer
        assert server.wait_exit() == 0


@both
def who_waited_when_draining_began_is_served_behind_the_time_to_linger(kind):
    with Server(kind, "--linger", "1ms") as server:
        server.signal(signal.SIGSTOP)
        clients = [server.client().send(request("/block?ms=20")) for _ in range(20)]
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        for client in clients:
            assert client.read().text == "blocked\n"
            client.close()
        assert server.wait_exit() == 0


@both
def who_waits_when_the_site_ends_is_served(kind):
    address = new_address()
    with Site(listener("web", address) + pool("app", [program(kind), "--app", PROBE])) as site:
        site.start()
        pid = site.pids()[1]
        os.kill(pid, signal.SIGSTOP)
        clients = [Client(address).send(request("/hello")) for _ in range(10)]
        site.signal(signal.SIGTERM)
        site.wait("worker_draining")
        os.kill(pid, signal.SIGCONT)
        for client in clients:
            assert client.read().text == "hello\n"
            client.close()
        assert site.wait_exit() == 0
        assert not exists(pid)


@both
def more_clients_than_can_be_served_keep_no_worker(kind):
    """Somebody waits at all times, and an old worker has its end nevertheless."""
    address = new_address()
    with Site(listener("web", address) + pool("app", [program(kind), "--app", PROBE, "--linger", "200ms"], workers=2,
                                              drain_timeout="8s")) as site:
        site.start()
        with Load(address, "--path", "/block?ms=20", "--close", connections=32) as load:
            site.reload()
            check_load(load)
        assert not any(event["event"] == "worker_killing" for event in site.catch_up())
        assert site.stop() == 0


@both
def the_end_of_the_daemon_is_the_worker_s(kind):
    address = new_address()
    with site_of(kind, address) as site:
        site.start()
        pids = list(site.pids().values())
        with Client(address) as client:
            client.send(request("/slow?ms=200&early=1"))
            assert client.read_interim().status == 103
            site.signal(signal.SIGKILL)
            site.process.wait()
            assert client.read().text == "slow\n"
        for pid in pids:
            wait_gone(pid)


@both
def figures_are_told(kind):
    with Server(kind, environment={"WATCHDOG_USEC": "200000"}) as server:
        with server.client() as client:
            for _ in range(10):
                client.ask("/hello")
            assert server.told.wait("^REQUESTS=10$"), server.told.text()
            assert server.told.wait("^CONNECTIONS=1$"), server.told.text()
            client.send(request("/slow?ms=300"))
            assert kind == "sync" or server.told.wait("^BUSY=1$"), server.told.text()
            assert client.read().text == "slow\n"
        assert server.told.wait("^BUSY=0$") and server.told.wait("^WATCHDOG=1$"), server.told.text()


@test
def a_call_is_covered_by_heartbeats_as_long_as_allowed():
    for limit, is_covered in (("10s", True), ("200ms", False)):
        with Server("sync", "--request-timeout", limit, environment={"WATCHDOG_USEC": "200000"}) as server:
            assert server.told.wait("^WATCHDOG=1$")
            before = server.told.lines.count("WATCHDOG=1")
            with server.client() as client:
                client.send(request("/slow?ms=1500"))
                assert server.told.wait("^REQUEST=GET /slow$"), server.told.text()
                assert client.read().text == "slow\n"
            beats = server.told.lines.count("WATCHDOG=1") - before
            assert beats > 8 if is_covered else beats < 8, f"{beats} beats with a limit of {limit}"
            assert server.told.wait("^REQUEST=$"), server.told.text()


if __name__ == "__main__":
    run_tests()
