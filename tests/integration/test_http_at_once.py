#!/usr/bin/python3
"""Things that happen to a worker in one turn of its loop. The worker is stopped while they are prepared, so that they do:
what was told last comes first."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile

import harness
from harness import BOUND, BUILD, run_tests, test, until, wait_gone
from http_client import PROBE, Client, Server, pattern, program, request
from websocket_client import CLOSE, WebSocket

CLOCK_STEP = str(BUILD / "tests/integration/fixtures/.libs/clock_step.so")
BODY = 700
MORE_THAN_BUFFERED = 400


@contextlib.contextmanager
def stopped(pid):
    """What is sent meanwhile comes in one turn."""
    os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: harness.proc_status(pid)["State"][0] == "T", "not stopped")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def enter(address, count):
    sockets = [WebSocket(address, "/room") for _ in range(count)]
    assert all(socket.answer.status == 101 for socket in sockets)
    return sockets


@test
def an_answer_that_waits_for_room_is_not_lost_by_a_half_close():
    """At some number of answers that nobody reads the socket is full when those of the turn are sent."""
    folder = tempfile.mkdtemp(prefix="unicornd-http-")
    try:
        with Server("async", bind=f"unix:{folder}/socket") as server, server.client() as other:
            full = fill(server)
            for count in range(full - 4, full + 4):
                with server.client() as client:
                    client.send(*[request(f"/big?n={BODY}")] * count)
                    other.ask("/hello")
                    with stopped(server.process.pid):
                        other.send(request("/hello"))
                        client.send(request("/hello"))
                    other.read()
                    client.end_sending()
                    other.ask("/hello")
                    read_answers(client, count)
    finally:
        shutil.rmtree(folder)


@test
def a_refusal_that_waits_for_room_is_not_lost():
    """As above, with answers that are held when their connection is about to be closed."""
    folder = tempfile.mkdtemp(prefix="unicornd-http-")
    try:
        with Server("async", bind=f"unix:{folder}/socket") as server:
            full = fill(server)
            for count in range(full - 5, full + 1):
                for small in range(5):
                    refuse_when_full(server, count, small)
    finally:
        shutil.rmtree(folder)


def refuse_when_full(server, count, small):
    """What is sent before the turn fills the socket up to a small answer."""
    others = [server.client() for _ in range(2)]
    with server.client() as client:
        client.send(*[request(f"/big?n={BODY}")] * count)
        for _ in range(small):
            others[0].ask("/hello")
            client.send(request("/hello"))
        others[0].ask("/hello")
        with stopped(server.process.pid):
            client.send(request("/hello") * 2 + b"GET / nonsense\r\n\r\n")
            for other in others:
                other.send(request("/hello") * 6)
        for other in others:
            assert [other.read().status for _ in range(6)] == [200] * 6
            other.close()
        for _ in range(count):
            assert client.read().body == pattern(BODY)
        assert [client.read().status for _ in range(small + 3)] == [200] * (small + 2) + [400], (count, small)


def fill(server):
    """@return so many answers fit, about"""
    with server.client() as client:
        before = server.counters()["handled"]
        client.send(*[request(f"/big?n={BODY}")] * MORE_THAN_BUFFERED)
        after, now = -1, server.counters()["handled"]
        # Each question is a request as well.
        while now != after + 1:
            after, now = now, server.counters()["handled"]
    return now - before


def read_answers(client, count):
    """All of them, or up to the one that says that no more will come."""
    for _ in range(count):
        answer = client.read()
        assert answer.body == pattern(BODY)
        if answer.closes:
            return
    assert client.read().text == "hello\n"


@test
def pipelined_requests_and_an_answer_from_elsewhere():
    """A request is answered by another one's call, and more of its own connection comes at the same time."""
    with Server("async") as server, server.client() as client, server.client() as other:
        for _ in range(10):
            client.send(request("/wait"))
            other.ask("/hello")
            client.send(request("/hello") * 3)
            other.ask("/hello")
            with stopped(server.process.pid):
                client.send(request("/hello") * 2)
                other.send(request("/release"))
            assert other.read().text == "done\n"
            assert client.read().text == "released\n"
            for _ in range(5):
                assert client.read().text == "hello\n"
        with server.client() as client:
            client.send(request("/wait"))
            other.ask("/hello")
            client.send(request("/hello") * 2)
            other.ask("/hello")
            with stopped(server.process.pid):
                client.end_sending()
                other.send(request("/release"))
            assert other.read().text == "done\n"
            assert client.read().text == "released\n"
            assert client.read().text == "hello\n"
        assert server.stop() == 0


@test
def the_end_of_one_is_told_to_others_that_are_gone_while_draining_begins():
    for count in (2, 3, 10):
        with Server("async") as server:
            sockets = enter(server.address, count)
            with stopped(server.process.pid):
                for socket in sockets:
                    socket.http.reset()
                server.signal(signal.SIGTERM)
            assert server.wait_exit() == 0


@test
def a_websocket_is_the_last_request_of_a_worker_alone():
    """Without unicornd --max-requests drains at once, from the end of the very connection."""
    address = harness.new_address()
    command = [program("async"), "--app", PROBE, "--bind", address, "--max-requests", "1"]
    for how in ("reset", "close", "silence"):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                until(lambda: is_open(address), "does not listen")
                socket = WebSocket(address, "/room")
                if how == "reset":
                    socket.http.reset()
                elif how == "close":
                    assert socket.finish()[0] == 1000
                else:
                    # It is closed by the end of the worker, and its client does not agree.
                    process.send_signal(signal.SIGTERM)
                    assert socket.read_frame()[0] == CLOSE
                wait_gone(process.pid)
                assert process.wait(BOUND) == 0, how
            finally:
                process.kill()


def is_open(address):
    try:
        Client(address).close()
        return True
    except ConnectionError:
        return False


@test
def a_step_of_the_wall_clock_is_no_silence():
    """Forwards it ends nobody, backwards it keeps nobody for ever."""
    if harness.SANITIZED:
        raise harness.Skip("a sanitizer wants to be first of what is preloaded")
    hour = 3600
    with tempfile.NamedTemporaryFile() as step:
        environment = {"LD_PRELOAD": CLOCK_STEP, "CLOCK_STEP": step.name}
        with Server("async", "--header-timeout", "300ms", environment=environment) as server, \
                server.client() as client, server.client() as silent:
            assert client.ask("/hello").text == "hello\n"
            os.truncate(step.name, hour)
            assert silent.read_end() == "eof"
            # With it the time of the other one was looked at.
            assert client.ask("/hello").text == "hello\n"
        with Server("async", "--keep-alive", "500ms", environment=environment) as server, server.client() as client:
            assert client.ask("/hello").text == "hello\n"
            os.truncate(step.name, 0)
            assert client.read_end() == "eof"


@test
def held_answers_do_not_keep_a_worker_that_drains():
    """What is between two requests ends with the time to linger, also when its last answer waits for the turn's end."""
    with Server("async", "--linger", "100ms", "--keep-alive", "1m") as server:
        clients = [server.client() for _ in range(20)]
        for client in clients:
            assert client.ask("/hello").text == "hello\n"
        with stopped(server.process.pid):
            server.signal(signal.SIGTERM)
            for client in clients:
                client.send(request("/hello"))
        for client in clients:
            assert client.read().text == "hello\n"
        assert server.wait_exit() == 0


if __name__ == "__main__":
    run_tests()
