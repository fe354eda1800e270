#!/usr/bin/python3
"""WebSockets of ASGI applications, on asyncio's own loop and on uvloop. The paths are those of apps/asgi_websocket.py.

What the protocol itself demands of frames is not tried here; what the application sees and does is.
"""

import asyncio
import functools
import importlib.util
import json
import os
import select
import signal

import harness
from asgi_servers import LOOPS, serve, shared
from gateway_servers import logged, with_each
from harness import Skip, run_tests, test
from websocket_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, WebSocket, frame

APP = "asgi_websocket:app"


both = with_each(LOOPS, "on", functools.partial(shared, app=APP))


def connect(server, path="/echo", *headers, **options):
    socket = WebSocket(server.address, path, *headers, **options)
    assert socket.answer.status == 101, socket.answer
    return socket


# ---- messages

@both
def texts_and_bytes_come_back(server):
    for path in ("/echo", "/echo_late"):
        with connect(server, path) as socket:
            for text in ("", "hello", "grüße \U0001f984", "x" * 70000):
                assert socket.text(text).read() == (TEXT, text.encode()), text[:10]
            for size in (0, 1, 125, 126, 65535, 65536, 1 << 20):
                payload = os.urandom(size)
                assert socket.binary(payload).read() == (BINARY, payload), size
            assert socket.finish() == (1000, "")
    logged(server, "echo ended: 1000")


@both
def many_messages_at_once(server):
    for path in ("/echo", "/echo_late", "/two_tasks"):
        with connect(server, path) as socket:
            texts = [f"message {number}" for number in range(200)]
            socket.send(b"".join(frame(TEXT, text.encode()) for text in texts))
            wanted = [text[::-1] for text in texts] if path == "/two_tasks" else texts
            assert [socket.read_text() for _ in texts] == wanted
            socket.finish()
    logged(server, "both tasks have ended")


@both
def fragments_are_put_together(server):
    with connect(server) as socket:
        socket.send(frame(TEXT, "grü".encode()[:3], fin=False), frame(PING, b"between"),
                    frame(CONTINUATION, "grü".encode()[3:], fin=False), frame(CONTINUATION, "ße".encode()))
        assert socket.read() == (PONG, b"between")
        assert socket.read() == (TEXT, "grüße".encode())
        data = frame(BINARY, b"byte by byte")
        socket.send(*(data[at:at + 1] for at in range(len(data))))
        assert socket.read() == (BINARY, b"byte by byte")


@both
def pings_are_answered_without_the_application(server):
    with connect(server, "/slow_reader") as socket:
        logged(server, "slow reader waits")
        for payload in (b"", b"x" * 125):
            assert socket.send(frame(PING, payload)).read() == (PONG, payload)
        socket.send(frame(PONG, b"unasked"))
        with connect(server, "/open_gate"):
            pass
        assert socket.binary(b"end").read_text() == "3"


@both
def compressed_messages(server):
    with connect(server, deflate=True) as socket:
        if socket.inflate is None:
            raise Skip("permessage-deflate is not offered")
        for text in ("", "hello", "hello", "x" * 300000, "grüße"):
            assert socket.text(text).read_text() == text, text[:10]
        payload = os.urandom(100000)
        assert socket.binary(payload).read() == (BINARY, payload)
        assert socket.finish() == (1000, "")


@both
def application_may_send_by_itself(server):
    with connect(server, "/push") as socket:
        assert [socket.read_text() for _ in range(5)] == list("01234")
        assert socket.read_close() == (1001, "that was all")


@both
def receive_with_a_limit_loses_nothing(server):
    with connect(server, "/cancelled_receive") as socket:
        assert socket.read_text() == "now"
        for number in range(20):
            assert socket.text(str(number)).read_text() == f"{number} True"
        socket.finish()


@both
def many_sockets_at_once(server):
    sockets = [connect(server, ("/echo", "/echo_late")[number % 2]) for number in range(50)]
    for turn in range(5):
        for number, socket in enumerate(sockets):
            socket.text(f"{turn} {number}")
        assert [socket.read_text() for socket in sockets] == [f"{turn} {number}" for number in range(50)]
    for socket in sockets:
        assert socket.finish() == (1000, "")
        socket.http.close()


# ---- the handshake

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
VERSION = "Sec-WebSocket-Version: 13"


@both
def wrong_handshakes_are_refused_unseen(server):
    for status, *headers in ((400, VERSION), (400, VERSION, "Sec-WebSocket-Key: abc"), (400, VERSION, KEY, KEY),
                             (426, KEY), (426, KEY, "Sec-WebSocket-Version: 8")):
        answer = server.ask("/echo", "Upgrade: websocket", "Connection: Upgrade", *headers)
        assert answer.status == status and answer.closes, (headers, answer)
        if status == 426:
            assert answer.get("upgrade") == b"websocket" and answer.get("sec-websocket-version") == b"13", answer
    assert not server.log.lines[server.mark:], server.log.lines[server.mark:]


@both
def scope_has_what_the_specification_wants(server):
    with connect(server, "/show_scope?a=%20b", "Sec-WebSocket-Protocol: chat, talk", "X-One: 1",
                 "Sec-WebSocket-Protocol:   more") as socket:
        found = json.loads(socket.read_text())
    host, _, port = server.address.rpartition(":")
    wanted = {"type": "websocket", "asgi": {"version": "3.0", "spec_version": "2.5"}, "http_version": "1.1",
              "scheme": "ws", "path": "/show_scope", "raw_path": "/show_scope", "query_string": "a=%20b",
              "root_path": "", "server": [host, int(port)], "subprotocols": ["chat", "talk", "more"],
              "state": {"name": "kept"}, "extensions": {"websocket.http.response": {}}}
    assert {name: found.get(name) for name in wanted} == wanted, found
    assert set(found) == {*wanted, "client", "headers"} and ["x-one", "1"] in found["headers"], found


@both
def subprotocol_and_headers_are_the_applications(server):
    with connect(server, "/subprotocol", "Sec-WebSocket-Protocol: chat, talk") as socket:
        assert socket.answer.get("sec-websocket-protocol") == b"talk", socket.answer
        assert [value for name, value in socket.answer.headers if name == b"x-extra"] == [b"1", b"2"], socket.answer


@both
def close_before_accept_is_403(server):
    socket = WebSocket(server.address, "/close_first")
    assert socket.answer.status == 403, socket.answer
    logged(server, "then websocket.disconnect")


@both
def denial_is_the_applications_own_answer(server):
    socket = WebSocket(server.address, "/deny")
    assert socket.answer.status == 451 and socket.answer.body == b"not here", socket.answer
    assert socket.answer.get("x-why") == b"law", socket.answer
    logged(server, "then websocket.disconnect")
    assert WebSocket(server.address, "/deny_half").answer.status == 500
    logged(server, "refused")
    logged(server, "without completing its response")


@both
def application_that_neither_accepts_nor_closes(server):
    assert WebSocket(server.address, "/return_first").answer.status == 500
    logged(server, "without accepting or closing it")
    assert WebSocket(server.address, "/raise_first").answer.status == 500
    assert "Traceback" in logged(server, "Failure: before accepting")


@both
def bad_messages_are_refused(server):
    with connect(server, "/bad_messages") as socket:
        found = json.loads(socket.read_text())
        assert len(found) == 13 and set(found) == {"RuntimeError", "TypeError", "ValueError", "UnicodeEncodeError"}, found
    with connect(server, "/bad_codes") as socket:
        found = json.loads(socket.read_text())
        assert found == ["ValueError"] * 7 + ["TypeError"], found


# ---- the end

@both
def codes_of_the_client_are_told(server):
    for code, reason, told in ((1000, b"", "1000"), (1001, b"bye", "1001 bye"), (4321, "ü".encode(), "4321 ü"),
                               (None, b"", "1005")):
        server.mark = len(server.log.lines)
        with connect(server) as socket:
            socket.close(code, reason)
            assert socket.read_close()[0] == code
        logged(server, f"echo ended: {told}")


@both
def client_that_just_leaves(server):
    for leave in (lambda socket: socket.http.close(), lambda socket: socket.http.reset()):
        server.mark = len(server.log.lines)
        with connect(server) as socket:
            assert socket.text("x").read_text() == "x"
            leave(socket)
        text = logged(server, "echo ended: 1006")
        assert "Traceback" not in text, text


@both
def codes_of_the_application_are_sent(server):
    for query, told in (("", (1000, "")), ("1000,", (1000, "")), ("1001,a", (1001, "a" * 100)), ("4999,", (4999, "")),
                        ("3000,%C3%BC", (3000, ("%C3%BC" * 100)[:123]))):
        server.mark = len(server.log.lines)
        with connect(server, f"/close_code?{query}") as socket:
            assert socket.read_close() == told, query
            socket.close(told[0])
        logged(server, f"then websocket.disconnect {told[0]}")
        logged(server, "websocket.close is ignored")
        logged(server, "websocket.send raised ClientDisconnected")


@both
def application_that_ends_closes(server):
    with connect(server, "/return_open") as socket:
        assert socket.read_close() == (1000, "")
    with connect(server, "/raise_open") as socket:
        assert socket.text("x").read_close() == (1011, "")
    assert "Traceback" in logged(server, "Failure: while it was open")


@both
def messages_before_the_close_are_not_lost(server):
    with connect(server, "/unread") as socket:
        logged(server, "unread begins")
        socket.text("one").text("two").text("three").close(1000)
        socket.read_close()
        logged(server, "['one', 'two', 'three', 1000]")


@both
def send_raises_when_the_client_is_gone(server):
    with connect(server, "/send_forever") as socket:
        assert len(socket.read()[1]) == 65536
        socket.http.reset()
    text = logged(server, "send raised ClientDisconnected")
    assert "Traceback" not in text, text


@both
def send_waits_for_a_slow_client(server):
    """What is in flight is bounded by the sockets' buffers and the worker's."""
    with connect(server, "/send_forever") as socket:
        logged(server, "sent")
        for _ in range(1000):
            count = len(server.log.lines)
            for _ in range(50):
                assert server.ask("/hello").text == "hello\n"
            if len(server.log.lines) == count:
                break
        else:
            raise AssertionError(server.log.lines[-1])
        for _ in range(int(server.log.lines[-1].split()[1]) + 30):
            assert len(socket.read()[1]) == 65536
        socket.http.reset()
    logged(server, "send raised ClientDisconnected")


@test
def who_takes_little_is_waited_for():
    """A part of what the kernel holds, too small to tell the worker that it could write, within the time to write."""
    with serve("--write-timeout", "500ms", "--websocket-ping", "0", app=APP) as server:
        with connect(server, "/send_forever", receive_buffer=16384) as socket:
            logged(server, "sent")
            for _ in range(15):
                assert socket.http.socket.recv(8000)
                select.select([], [], [], 0.1)
            assert "send raised" not in server.log.text(), server.log.text()
            # And who takes nothing is left.
            logged(server, "send raised ClientDisconnected")


@both
def slow_application_is_not_flooded(server):
    total = 64 << 20
    piece = frame(BINARY, b"x" * 65536)
    with connect(server, "/slow_reader") as socket:
        logged(server, "slow reader waits")
        socket.http.socket.setblocking(False)
        sent, rest = 0, b""
        while sent < total and select.select([], [socket.http.socket], [], 1)[1]:
            rest = rest or piece
            count = socket.http.socket.send(rest)
            rest, sent = rest[count:], sent + count
        assert sent < total // 2, sent
        socket.http.socket.settimeout(harness.BOUND)
        with connect(server, "/open_gate"):
            pass
        socket.send(rest).binary(b"end")
        assert int(socket.read_text()) > 65536


def read_behind_pings(socket):
    """The next message; pings in front of it are answered."""
    while (message := socket.read()) == (PING, b""):
        socket.send(frame(PONG))
    return message


@test
def silent_clients_are_pinged():
    """Who answers stays, also when nothing else is said; who does not is closed, and the application learns of it."""
    text = "still here, still here, still here"
    for loop in LOOPS:
        with serve("--loop", loop, "--websocket-ping", "1s", app=APP) as server, connect(server) as deaf:
            with connect(server, deflate=True) as socket:
                assert read_behind_pings(socket.text(text)) == (TEXT, text.encode())
                for _ in range(3):
                    assert socket.read() == (PING, b"")
                    socket.send(frame(PONG))
                # A compressor that was given up while it was not needed is there again.
                assert read_behind_pings(socket.text(text)) == (TEXT, text.encode())
                assert socket.finish() == (1000, "")
            assert deaf.read_frame()[:2] == (PING, b"")
            assert deaf.read_close() == (1011, "no answer to a ping")
            deaf.http.reset()
            assert server.log.wait("echo ended: 1006"), server.log.text()
    with serve("--websocket-ping", "0", app=APP) as server, connect(server) as socket:
        assert socket.text("hello").read_text() == "hello"


@test
def draining_says_1012():
    for loop in LOOPS:
        with serve("--loop", loop, app=APP) as server, connect(server) as idle, connect(server, "/echo_late") as busy:
            assert idle.text("x").read_text() == "x"
            busy.text("last")
            server.process.send_signal(signal.SIGTERM)
            assert idle.read_close()[0] == 1012
            idle.close(1012)
            while busy.read()[0] != CLOSE:
                pass
            busy.close(1012)
            assert server.log.wait("echo ended: 1012"), server.log.text()
            harness.wait_gone(server.process.pid)
            assert server.process.wait() == 0


# ---- others' clients and frameworks

def need(name):
    if not importlib.util.find_spec(name):
        raise Skip(f"{name} is not installed")


@both
def client_of_the_websockets_library(server):
    need("websockets")
    import websockets

    async def talk():
        async with websockets.connect(f"ws://{server.address}/echo", max_size=None) as socket:
            for message in ("text", b"bytes", "x" * 500000, ["a", "b", "c"], ""):
                await socket.send(message)
                assert await socket.recv() == ("".join(message) if isinstance(message, list) else message)
            await (await socket.ping())
            await socket.close(4000, "enough")
        async with websockets.connect(f"ws://{server.address}/push") as socket:
            assert [message async for message in socket] == list("01234")[:5]
    asyncio.run(talk())
    logged(server, "echo ended: 4000 enough")


@test
def starlette():
    need("starlette")
    for loop in LOOPS:
        with serve("--loop", loop, app="asgi_starlette:app") as server:
            with connect(server, "/ws", "Sec-WebSocket-Protocol: chat") as socket:
                assert socket.answer.get("sec-websocket-protocol") == b"chat"
                assert socket.text("shout").read_text() == "SHOUT"
                socket.finish()
            assert server.log.wait("the websocket has ended")
            assert WebSocket(server.address, "/missing").answer.status == 403
            assert "Traceback" not in server.log.text()


@test
def fastapi():
    need("fastapi")
    for loop in LOOPS:
        with serve("--loop", loop, app="asgi_fastapi:app") as server, connect(server, "/ws") as socket:
            assert json.loads(socket.text('{"a": 1}').read_text()) == {"got": {"a": 1}}
            socket.finish(1001)
            assert server.ask("/docs").status == 200 and "Traceback" not in server.log.text()


if __name__ == "__main__":
    run_tests()
