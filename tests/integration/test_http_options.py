#!/usr/bin/python3
"""What both workers can be told: where they listen, limits and times; and what they say when they are told nonsense."""

import re
import resource
import socket
import tempfile
import time

from http_client import PROBE, PROBE_ABI, Client, Server, both, chunks, pattern, request, run_alone
from harness import BOUND, BUILD, descriptors_of, new_address, run_tests, test, until

USAGE = 78  # nobody should try the same again


# ---- where to listen

@both
def listens_on_several_addresses(kind):
    with tempfile.TemporaryDirectory() as folder:
        addresses = [new_address(), f"unix:{folder}/a.sock", new_address(), f"unix:{folder}/b.sock"]
        with Server(kind, bind=addresses) as server:
            for address in addresses * 2:
                with Client(address) as client:
                    assert client.ask("/hello").text == "hello\n"
            for address in addresses[::2]:
                with Client(address) as client:
                    assert client.ask("/headers").fields()[":server"] == address.replace(":", " ")
            assert server.stop() == 0


@both
def unix_sockets(kind):
    with tempfile.TemporaryDirectory() as folder:
        path = f"unix:{folder}/http.sock"
        with Server(kind, bind=path) as server:
            fields = server.ask("/headers").fields()
            assert fields[":client"].split()[-1] == "0" and fields[":server"].split()[-1] == "0", fields
            assert server.ask("/big?n=3000000").body == pattern(3000000)
            assert server.ask("/echo", method="POST", body=b"x" * 300000).body == b"x" * 300000
            # One that serves is not pushed aside.
            second = run_alone(kind, "--app", PROBE, "--bind", path)
            assert second.status in (1, 69) and "in use" in second.err, second
            assert server.ask("/hello").text == "hello\n"
            server.kill()
            # What was left behind by a dead one is no obstacle.
            with Server(kind, bind=path) as again:
                assert again.ask("/hello").text == "hello\n"


@both
def listens_on_ipv6(kind):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return
        port = probe.getsockname()[1]
    with Server(kind, bind=f"[::1]:{port}") as server:
        fields = server.ask("/headers").fields()
        assert fields[":client"].startswith("::1 ") and fields[":server"] == f"::1 {port}", fields


@both
def address_in_use(kind):
    with Server(kind) as server:
        ran = run_alone(kind, "--app", PROBE, "--bind", server.address)
        assert ran.status in (1, 69), ran
        assert server.address in ran.err and "in use" in ran.err, ran


# ---- what it is told to do

@both
def nonsense_is_refused(kind):
    address = new_address()
    serve = ("--app", PROBE, "--bind", address)
    wrong = []
    for arguments, said in (
            (("--nonsense",), "nonsense"), (("extra",), "extra"), (("--keep-alive", "5 apples"), "5 apples"),
            (("--keep-alive", "-1s"), "-1s"), (("--keep-alive", ""), "keep-alive"), (("--header-timeout", "5q"), "5q"),
            (("--body-timeout", "s"), "body-timeout"), (("--write-timeout", "1x"), "1x"), (("--linger", "x"), "linger"),
            (("--request-timeout", "never"), "never"), (("--max-body", "5 k g"), "5 k g"),
            (("--max-line", "x"), "max-line"),
            (("--max-header", "-5"), "-5"), (("--max-headers", "many"), "many"), (("--max-connections", "0x"), "0x"),
            (("--max-requests", "1.5"), "1.5"), (("--max-memory", "5z"), "5z"), (("--trust", "300.1.1.1"), "300.1.1.1"),
            (("--trust", "10.0.0.0/40"), "`40`"), (("--access-log-format", "xml"), "xml"),
            (("--access-log", "/nowhere/log"), "/nowhere/log"), (("--bind", "nowhere"), "nowhere"),
            (("--bind", "127.0.0.1:70000"), "70000"), (("--bind", "unix:"), "unix:"),
            (("--keep-alive",), "keep-alive")):
        ran = run_alone(kind, *serve, *arguments)
        if ran.status != USAGE or said not in ran.err or ran.out or not ran.err.startswith(f"unicornd-worker-{kind}: "):
            wrong.append(f"{arguments}: {ran}")
    assert not wrong, "\n".join(wrong)


@test
def threads_are_the_sync_worker_s():
    serve = ("--app", PROBE, "--bind", new_address())
    for value in ("0", "-1", "x", ""):
        ran = run_alone("sync", *serve, "--threads", value)
        assert ran.status == USAGE and "threads" in ran.err, ran
    ran = run_alone("async", *serve, "--threads", "4")
    assert ran.status == USAGE and "threads" in ran.err, ran


@both
def help_is_given(kind):
    ran = run_alone(kind, "--help")
    assert ran.status == 0 and "--app" in ran.out and "--bind" in ran.out and ran.err == "", ran
    ran = run_alone(kind, "--version")
    assert ran.status == 0 and re.search(r"\d+\.\d+", ran.out), ran


@both
def applications_that_cannot_be_had(kind):
    bind = ("--bind", new_address())
    for app, status, said in (
            ("/nowhere/app.so", 78, "/nowhere/app.so"), (PROBE_ABI, 78, "probe_abi"),
            (str(BUILD / ".libs/libunicornworker.so"), 78, "unicorn_app"), (__file__ + ".so", 78, ".so"),
            (f"{PROBE}:refuse", 78, "told to refuse"), (f"{PROBE}:fail", 1, "told to fail"),
            ("files:/nowhere/files", 78, "/nowhere/files")):
        ran = run_alone(kind, "--app", app, *bind)
        assert ran.status == status and said in ran.err, (app, ran)
    ran = run_alone(kind, *bind)
    assert ran.status == USAGE and "--app" in ran.err, ran
    ran = run_alone(kind, "--app", PROBE)
    assert ran.status == USAGE and "--bind" in ran.err, ran


@both
def limits_are_those_that_are_told(kind):
    with Server(kind, "--max-line", "200", "--max-headers", "5", "--max-header", "300", "--max-body", "1k") as server:
        for ask, status in (
                (request("/hello?" + "a" * 100), 200), (request("/hello?" + "a" * 200), 414),
                (request("/hello", *["X-A: b"] * 4), 200), (request("/hello", *["X-A: b"] * 5), 431),
                (request("/hello", "X-A: " + "a" * 200), 200), (request("/hello", "X-A: " + "a" * 300), 431),
                (request("/echo", method="POST", body=b"x" * 1024), 200),
                (request("/echo", method="POST", body=b"x" * 1025), 413),
                (request("/echo", "Transfer-Encoding: chunked", method="POST") + chunks(b"x" * 1024), 200),
                (request("/echo", "Transfer-Encoding: chunked", method="POST") + chunks(b"x" * 500, b"x" * 525), 413)):
            with server.client() as client:
                client.send(ask)
                answer = client.read()
                assert answer.status == status, (ask[:80], answer)


@both
def connections_are_limited(kind):
    with Server(kind, "--max-connections", "3") as server:
        kept = [server.client() for _ in range(3)]
        for client in kept:
            assert client.ask("/hello").status == 200
        waiting = server.client()
        waiting.send(request("/hello"))
        # Whether an idle one gives way or this one waits, those that are in are served.
        kept[0].close()
        assert waiting.read().status == 200
        assert kept[1].ask("/hello").status == 200
        for client in (*kept, waiting):
            client.close()
        # Nothing is lost of a crowd.
        for client in [server.client().send(request("/hello", "Connection: close")) for _ in range(50)]:
            assert client.read().status == 200
            client.close()


# ---- times

def check_late(began, wanted_ms):
    """Not before its time, and not for ever after it."""
    took_ms = (time.monotonic() - began) * 1000
    assert wanted_ms * 0.8 <= took_ms < wanted_ms + 5000, f"after {took_ms:.0f} ms instead of {wanted_ms}"


@both
def heads_have_their_time(kind):
    with Server(kind, "--header-timeout", "500ms", "--keep-alive", "1m") as server:
        for sent in (b"G", b"GET /hello HTTP/1.1\r\n", request("/hello")[:-2]):
            with server.client() as client:
                began = time.monotonic()
                client.send(sent)
                answer = client.read()
                assert answer.status == 408 and answer.closes, answer
                client.read_end()
                check_late(began, 500)
        with server.client() as client:
            # A byte now and then does not buy time.
            began = time.monotonic()
            try:
                for at in range(100):
                    if client.is_readable(0.03):
                        break
                    client.send(request("/hello", "X-A: " + "a" * 200)[at:at + 1])
            except OSError:
                pass
            assert client.read().status == 408
            check_late(began, 500)
        with server.client() as client:
            assert client.ask("/hello").status == 200
            client.send(b"GET /hello HTTP/1.1\r\n")
            assert client.read().status == 408
        with server.client() as client:
            # Who never says anything gets no answer.
            assert client.read_end() in ("eof", "reset")


@both
def bodies_have_their_time(kind):
    with Server(kind, "--body-timeout", "200ms", record=True) as server:
        for head, part in ((request("/echo", "Content-Length: 5", method="POST"), b"he"),
                           (request("/echo", "Transfer-Encoding: chunked", method="POST"), b"5\r\nhe"),
                           (request("/echo", "Content-Length: 5", "Expect: 100-continue", method="POST"), b"")):
            with server.client() as client:
                began = time.monotonic()
                client.send(head + part)
                answer = client.read("POST")
                assert answer.status == 408 and answer.closes, answer
                client.read_end()
                check_late(began, 200)
        seen = server.recorded()
        assert not any(line.startswith("body") for line in seen), seen
        assert kind == "async" or not any("POST" in line for line in seen), seen
    # What comes slowly but steadily is taken. The pauses are short beside the time, for machines that have much to do.
    with Server(kind, "--body-timeout", "1s") as server, server.client() as client:
        client.send(request("/echo", "Content-Length: 8", method="POST"))
        for _ in range(8):
            assert not client.is_readable(0.15)
            client.send(b"x")
        assert client.read("POST").text == "x" * 8


@both
def silence_has_its_time(kind):
    with Server(kind, "--keep-alive", "1s") as server, server.client() as client:
        for _ in range(2):
            assert client.ask("/hello").text == "hello\n"
        began = time.monotonic()
        assert client.read_end() == "eof"
        check_late(began, 1000)
    with Server(kind, "--keep-alive", "0") as server, server.client() as client:
        answer = client.ask("/hello")
        if answer.closes:
            assert client.read_end() == "eof"


@both
def without_descriptors_clients_wait(kind):
    """They are served when others have left, and the log is told once, however often accepting is tried."""
    with Server(kind) as server:
        highest = max(descriptors_of(server.process.pid))
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (highest + 3, highest + 3))
        clients = [server.client().send(request("/hello")) for _ in range(12)]
        assert server.log.wait("no more connections can be accepted for now: Too many open files"), server.log.text()
        until(lambda: any(client.is_readable(0) for client in clients), "nobody is answered")
        assert not all(client.is_readable(0) for client in clients)
        # Three at a time, so accepting fails again and again before all have been served.
        for client in clients:
            assert client.read().text == "hello\n"
            client.close()
        assert server.log.text().count("no more connections") == 1, server.log.text()


@both
def who_takes_nothing_is_left(kind):
    with Server(kind, "--write-timeout", "200ms") as server:
        for target in ("/big?n=500000000", "/file?n=50000000", "/big?n=500000000&chunked=1"):
            with server.client(receive_buffer=4096) as client:
                client.send(request(target))
                assert client.is_readable()
                server.wait_all_closed(f"{target} is still waited for")
                total = 0
                while more := receive(client.socket):
                    total += len(more)
                assert total < 50000000, total
    # Who takes a little now and then is not.
    with Server(kind, "--write-timeout", "1s") as server, server.client(receive_buffer=4096) as client:
        client.send(request("/big?n=6000000&chunked=1"))
        for _ in range(8):
            assert client.socket.recv(60000)
            client.socket.settimeout(BOUND)
            time_passes(0.15)
        rest = b""
        while not rest.endswith(b"\r\n0\r\n\r\n"):
            more = client.socket.recv(1 << 20)
            assert more, "cut"
            rest = rest[-10:] + more


def receive(connection):
    try:
        return connection.recv(1 << 20)
    except ConnectionError:
        return b""


def time_passes(seconds):
    """What the client does is nothing; so there is no event."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nothing:
        nothing.settimeout(seconds)
        nothing.bind(("127.0.0.1", 0))
        try:
            nothing.recv(1)
        except TimeoutError:
            pass


if __name__ == "__main__":
    run_tests()
