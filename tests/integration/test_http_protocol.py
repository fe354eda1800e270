#!/usr/bin/python3
"""HTTP/1.1 and 1.0 as both workers speak it: connections that are kept, pipelining, and bodies of requests."""

import signal

from http_client import Client, Malformed, Server, both, chunks, pattern, request
from harness import BOUND, run_tests, test


def old(target="/hello", *headers):
    """A request of HTTP/1.0."""
    return request(target, *headers, version="1.0")


def chunked_post(target, body, *headers):
    return request(target, "Transfer-Encoding: chunked", *headers, method="POST") + body


@both
def connections_are_kept(kind):
    with Server(kind) as server, server.client() as client:
        for number in range(100):
            answer = client.ask("/hello")
            assert (answer.status, answer.reason, answer.text) == (200, "OK", "hello\n"), answer
            assert answer.get("connection") is None, f"answer {number}: {answer}"
        assert client.ask("/echo", method="POST", body=b"abc").text == "abc"
        assert client.ask("/none").status == 404
        assert client.ask("/hello", "Connection: keep-alive").status == 200
        assert client.ask("/hello", "Connection: x, Keep-Alive").status == 200
        assert client.ask("/hello").status == 200
        assert not client.is_readable(0)


@both
def close_closes(kind):
    with Server(kind) as server:
        for value in ("close", "Close", "x, close", "close, x", "keep-alive, close"):
            with server.client() as client:
                client.send(request("/hello", f"Connection: {value}") + request("/smuggled"))
                answer = client.read()
                assert answer.closes and answer.text == "hello\n", answer
                assert client.read_end() == "eof"
        # Two lines mean the same as one.
        with server.client() as client:
            assert client.ask("/hello", "Connection: x", "Connection: close").closes
            assert client.read_end() == "eof"
        with server.client() as client:
            assert client.ask("/close").closes
            assert client.read_end() == "eof"


@both
def http_1_0(kind):
    with Server(kind) as server:
        with server.client() as client:
            client.send(old())
            answer = client.read()
            assert answer.text == "hello\n" and answer.closes and answer.get("content-length") == b"6", answer
            assert client.read_end() == "eof"
        with server.client() as client:
            for _ in range(3):
                client.send(old("/hello", "Connection: keep-alive"))
                answer = client.read()
                assert answer.get("connection").lower() == b"keep-alive", answer
            # No length can be told, and chunks are not understood.
            client.send(old("/chunked", "Connection: keep-alive"))
            answer = client.read()
            assert answer.text == "one,two,three" and answer.closes, answer
            assert answer.get("transfer-encoding") is None and client.ended == "eof", answer
        with server.client() as client:
            client.send(old("/early"))
            answer = client.read()
            assert answer.text == "early\n" and not answer.interim, answer
        with server.client() as client:
            client.send(old("/echo", "Expect: 100-continue", "Content-Length: 3") + b"abc")
            answer = client.read()
            assert answer.text == "abc" and not answer.interim, answer
        with server.client() as client:
            client.send(old("/trailers"))
            assert client.read().text == "body\n"
        with server.client() as client:
            client.send(old("/big?n=300000&chunked=1"))
            assert client.read().body == pattern(300000)
        assert server.ask("/headers", version="1.0").fields()[":minor"] == "0"


@both
def pipelined_requests_are_answered_in_order(kind):
    asked = [
        (request("/slow?ms=50"), "GET", lambda answer: answer.text == "slow\n"),
        (request("/hello"), "GET", lambda answer: answer.text == "hello\n"),
        (request("/chunked"), "GET", lambda answer: answer.text == "one,two,three"),
        (request("/none"), "GET", lambda answer: answer.status == 404),
        (request("/big?n=300000"), "GET", lambda answer: answer.body == pattern(300000)),
        (chunked_post("/echo", chunks(b"abc", b"def")), "POST", lambda answer: answer.text == "abcdef"),
        (request("/hello", method="HEAD"), "HEAD", lambda answer: answer.get("content-length") == b"6"),
        (request("/204"), "GET", lambda answer: answer.status == 204),
        (request("/echo", method="POST", body=b"x" * 100000), "POST", lambda answer: answer.body == b"x" * 100000),
        (request("/ignore", method="POST", body=b"y" * 10000), "POST", lambda answer: answer.text == "ignored\n"),
        (request("/early"), "GET", lambda answer: len(answer.interim) == 1 and answer.text == "early\n"),
        (request("/file?n=100000"), "GET", lambda answer: answer.body == pattern(100000)),
        (request("/abort"), "GET", lambda answer: answer.status == 500),
        (request("/drip?n=3&ms=5"), "GET", lambda answer: answer.text == "drip\n" * 3),
        (chunked_post("/stream", chunks(b"abc", b"def")), "POST", lambda answer: answer.text == "abcdef"),
        (request("/304"), "GET", lambda answer: answer.status == 304),
        (request("/trailers", "TE: trailers", "Connection: TE"), "GET",
         lambda answer: answer.trailers[0] == (b"x-sum", b"42")),
        (b"GET /bad\r\n\r\n" + request("/hello"), "GET", lambda answer: answer.status in (400, 505) and answer.closes),
    ]
    sent = b"".join(piece for piece, _, _ in asked)
    with Server(kind) as server:
        for size in (len(sent), 7777):
            with server.client() as client:
                client.send(*(sent[at:at + size] for at in range(0, len(sent), size)))
                for piece, method, is_right in asked:
                    try:
                        answer = client.read(method)
                    except (Malformed, EOFError) as error:
                        raise AssertionError(f"{piece[:60]!r}: {error!r}") from error
                    assert is_right(answer), f"{piece[:60]!r}: {answer}"
                client.read_end()


@both
def requests_come_in_single_bytes(kind):
    with Server(kind) as server, server.client() as client:
        sent = (request("/headers?a=b", "X-A: b c") + request("/echo", method="POST", body=b"hello") +
                chunked_post("/echo", chunks(b"hel", b"lo", extension=b";a=b", trailers=b"X-A: b\r\n")) +
                request("/hello", "Connection: close"))
        client.send(*(sent[at:at + 1] for at in range(len(sent))))
        fields = client.read().fields()
        assert (fields[":target"], fields["x-a"]) == ("/headers?a=b 12", "b c"), fields
        assert client.read("POST").text == "hello"
        assert client.read("POST").text == "hello"
        assert client.read().text == "hello\n"
        assert client.read_end() == "eof"


@test
def answers_that_leave_together_do_not_start_the_next_request():
    """Small answers of several connections are sent at once; behind each half of a body is waiting already."""
    sent = request("/hello") * 3 + request("/available", "Content-Length: 10", method="POST") + b"01234"
    with Server("sync") as server:
        clients = [server.client() for _ in range(5)]
        for client in clients:
            assert client.ask("/hello").text == "hello\n"
        # So that all of them are there when it looks.
        server.process.send_signal(signal.SIGSTOP)
        for client in clients:
            client.send(sent)
        server.process.send_signal(signal.SIGCONT)
        for client in clients:
            assert [client.read().text for _ in range(3)] == ["hello\n"] * 3
        for client in clients:
            client.send(b"56789")
            assert client.read().text == "10\n"
            client.close()


@both
def pipelining_is_bounded(kind):
    """Who asks and asks and reads nothing is not read any more; what was read is answered."""
    one = request("/hello")
    with Server(kind) as server, server.client(receive_buffer=65536) as client:
        before = server.memory_kb()
        client.socket.settimeout(0.3)
        sent = 0
        block = one * 1000
        try:
            while sent < 64 << 20:
                at = sent % len(one)
                sent += client.socket.send(block[at:at + 65536])
        except TimeoutError:
            pass
        assert sent < 64 << 20, "the server reads on and on"
        assert server.memory_kb() - before < 8192, f"{before} kB, then {server.memory_kb()} kB"
        assert server.ask().text == "hello\n"
        client.socket.settimeout(BOUND)
        count = 0
        whole = sent // len(one)
        tail = b""
        while count < whole:
            more = client.socket.recv(1 << 20)
            assert more, f"{count} of {whole} answers"
            tail += more
            count += tail.count(b"HTTP/1.1 200 OK\r\n")
            tail = tail[tail.rfind(b"HTTP/1.1 200 OK\r\n") + 1:]


# ---- bodies of requests

@both
def bodies_are_echoed(kind):
    with Server(kind) as server, server.client() as client:
        for size in (1, 100, 65535, 65536, 65537, 1 << 20, 5000001):
            body = pattern(size)
            assert client.ask("/echo", method="POST", body=body).body == body, size
            sent = chunks(*(body[at:at + 9999] for at in range(0, size, 9999)), extension=b";name=\"value\"")
            client.send(chunked_post("/echo", sent))
            answer = client.read("POST")
            assert answer.body == body, (size, answer)
        assert client.ask("/upload", method="PUT", body=b"x" * 20000000).text == "20000000\n"
        assert client.ask("/hello").status == 200


@both
def bodies_are_streamed_both_ways(kind):
    """Sends and reads at the same time; in the async worker an answer begins before the body has ended."""
    with Server(kind) as server, server.client() as client:
        client.send(request("/stream", "Transfer-Encoding: chunked", method="POST"))
        if kind == "async":
            client.send(b"5\r\nhello\r\n")
            head = client.socket.recv(65536)
            while b"hello" not in head:
                head += client.socket.recv(65536)
            client.buffer = head
        else:
            client.send(b"5\r\nhello\r\n")
        client.send(b"6\r\n world\r\n0\r\n\r\n")
        assert client.read().text == "hello world"
        assert client.ask("/hello").status == 200


@both
def what_is_not_read_is_not_taken(kind):
    """Async: an application that does not read makes the client wait, and costs no memory."""
    if kind == "sync":
        return
    with Server(kind) as server, server.client() as client:
        before = server.memory_kb()
        client.send(request("/hold", "Content-Length: 1000000000", method="POST"))
        client.socket.settimeout(0.3)
        sent = 0
        try:
            while sent < 200 << 20:
                sent += client.socket.send(b"x" * 65536)
        except TimeoutError:
            pass
        assert sent < 50 << 20, sent
        assert server.memory_kb() - before < 4096
        assert server.ask().text == "hello\n"


@both
def an_answer_comes_before_the_body_is_read(kind):
    """Whatever the client still sends, it can read the answer."""
    with Server(kind, "--max-body", "1m") as server:
        for declared, sent in ((1 << 30, 1 << 20), (1 << 30, 0), (1 << 30, 5 << 20)):
            with server.client() as client:
                client.send_until_answered(
                    [request("/upload", f"Content-Length: {declared}", method="POST")] + [b"x" * 65536] * (sent >> 16))
                answer = client.read("POST")
                assert answer.status == 413 and answer.closes, answer
                assert client.read_end() == "eof"
        # One that sends without listening: its bytes are thrown away, not answered by a reset.
        with server.client() as client:
            client.send(request("/upload", f"Content-Length: {1 << 30}", method="POST"), *[b"x" * 65536] * 4)
            assert client.read("POST").status == 413
            assert client.read_end() == "eof"
        with server.client() as client:
            client.send(b"BAD\r\n\r\n", b"x" * 200000)
            assert client.read().status in (400, 501)
            assert client.read_end() == "eof"
        with server.client() as client:
            client.send(request("/close", method="POST", body=b"x" * 500000) + request("/smuggled"))
            assert client.read().text == "close\n"
            assert client.read_end() == "eof"


@both
def a_body_that_nobody_reads_is_skipped(kind):
    with Server(kind) as server, server.client() as client:
        client.send(request("/ignore", method="POST", body=b"x" * 1000) + request("/hello"))
        assert client.read("POST").text == "ignored\n"
        assert client.read().text == "hello\n"
        client.send(chunked_post("/ignore", chunks(request("/smuggled"))) + request("/hello"))
        assert client.read("POST").text == "ignored\n"
        assert client.read().text == "hello\n"
    with Server(kind) as server, server.client() as client:
        # What is too much to be skipped ends the connection, and the answer says so.
        client.send(request("/ignore", "Content-Length: 100000000", method="POST"), b"x" * 1000)
        if kind == "async":
            answer = client.read("POST")
            assert answer.text == "ignored\n" and answer.closes, answer
            assert client.read_end() == "eof"
    if kind == "sync":
        return
    with Server(kind, record=True) as server, server.client() as client:
        # The rest comes behind the answer.
        client.send(request("/ignore", "Content-Length: 100", method="POST"))
        answer = client.read("POST")
        assert answer.text == "ignored\n", answer
        try:
            client.send(b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".ljust(100, b"x"), request("/hello"))
            if not answer.closes:
                assert client.read().text == "hello\n"
            assert answer.closes or client.ended is None
        except (BrokenPipeError, ConnectionResetError):
            assert answer.closes, answer
        assert "GET /smuggled" not in server.recorded()


@both
def continue_is_sent_when_the_body_is_wanted(kind):
    with Server(kind, "--max-body", "1m") as server:
        with server.client() as client:
            client.send(request("/echo", "Expect: 100-continue", "Content-Length: 5", method="POST"))
            assert client.read_interim().status == 100
            client.send(b"hello")
            answer = client.read("POST")
            assert answer.text == "hello" and not answer.interim, answer
            client.send(request("/echo", "expect: 100-Continue", "Transfer-Encoding: chunked", method="POST"))
            assert client.read_interim().status == 100
            client.send(chunks(b"hello"))
            answer = client.read("POST")
            assert answer.text == "hello" and not answer.interim, answer
            # Nobody waits for it when the body is there already.
            client.send(request("/echo", "Expect: 100-continue", method="POST", body=b"hello"))
            assert client.read("POST").text == "hello"
            # And there is none without a body.
            client.send(request("/hello", "Expect: 100-continue"))
            assert not client.read().interim
        with server.client() as client:
            client.send(request("/echo", "Expect: 100-continue", "Content-Length: 5000000", method="POST"))
            answer = client.read("POST")
            assert answer.status == 413 and not answer.interim, answer
            assert client.read_end() == "eof"


@both
def continue_is_not_sent_when_the_answer_is_there(kind):
    if kind == "sync":
        return
    with Server(kind, record=True) as server, server.client() as client:
        client.send(request("/ignore", "Expect: 100-continue", "Content-Length: 36", method="POST"))
        answer = client.read("POST")
        assert answer.text == "ignored\n" and not answer.interim, answer
        # Either the body is still awaited or the connection ends; what comes is never taken for a request.
        try:
            client.send(b"GET /smuggled HTTP/1.1\r\nHost: ab\r\n\r\n")
            if answer.closes:
                assert client.read_end() == "eof"
            else:
                assert client.ask("/hello").text == "hello\n"
        except (BrokenPipeError, ConnectionResetError):
            assert answer.closes, answer
        assert "GET /smuggled" not in server.recorded()


@both
def addresses_are_told(kind):
    with Server(kind) as server:
        with Client(server.address) as client:
            host, port = client.socket.getsockname()
            fields = client.ask("/headers").fields()
            assert fields[":client"] == f"{host} {port}", fields
            assert fields[":server"] == server.address.replace(":", " "), fields
            assert fields[":scheme"] == "http" and fields[":length"] == "0", fields
            fields = client.ask("/headers", method="POST", body=b"abc").fields()
            assert fields[":length"] == "3", fields
            client.send(chunked_post("/headers", chunks(b"abc")))
            assert client.read().fields()[":length"] == "-1"


if __name__ == "__main__":
    run_tests()
