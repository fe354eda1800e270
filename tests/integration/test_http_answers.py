#!/usr/bin/python3
"""Answers as both workers send them: what stands in their heads, how their bodies end, files, what goes wrong within
them, and clients that leave meanwhile."""

import email.utils
import re
import time

from http_client import Cut, Malformed, Server, both, pattern, request
from harness import run_tests

RFC_1123 = re.compile(rb"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")


@both
def answers_have_what_they_need(kind):
    with Server(kind) as server, server.client() as client:
        answer = client.ask("/hello")
        assert RFC_1123.fullmatch(answer.get("date")), answer
        told = email.utils.parsedate_to_datetime(answer.get("date").decode()).timestamp()
        assert abs(told - time.time()) < 3, answer
        assert answer.get("server") and answer.get("content-length") == b"6", answer
        answer = client.ask("/own")
        assert answer.get("date") == b"Thu, 01 Jan 1970 00:00:00 GMT" and answer.get("server") == b"probe", answer
        assert answer.text == "own\n" and not answer.get("transfer-encoding") and not answer.get("keep-alive"), answer
        assert answer.get("connection") != b"upgrade", answer
        answer = client.ask("/reason")
        assert (answer.status, answer.reason, answer.text) == (299, "Quite So", "why?\n"), answer
        answer = client.ask("/many")
        assert answer.text == "many\n" and answer.get("x-many-59") == b"v" * 199, answer
        for code, reason in ((200, "OK"), (404, "Not Found"), (418, None), (500, "Internal Server Error"), (599, None)):
            answer = client.ask(f"/status?code={code}")
            assert answer.status == code and answer.text == "status\n", answer
            assert reason is None or answer.reason == reason, answer
        assert client.ask("*", method="OPTIONS").text == "hello\n"


@both
def answers_without_a_body_have_none(kind):
    with Server(kind) as server, server.client() as client:
        for target in ("/hello", "/chunked", "/big?n=1000000", "/file?n=100000", "/trailers", "/none", "/stream",
                       "/drip?n=2"):
            answer = client.ask(target, method="HEAD")
            assert answer.body == b"", answer
            assert client.ask("/hello").text == "hello\n", target
        assert client.ask("/hello", method="HEAD").get("content-length") == b"6"
        assert client.ask("/big?n=1000000", method="HEAD").get("content-length") == b"1000000"
        for target, status in (("/204", 204), ("/304", 304), ("/status?code=204", 204), ("/status?code=304", 304)):
            for method in ("GET", "HEAD", "POST"):
                answer = client.ask(target, method=method)
                assert answer.status == status and answer.body == b"" and not answer.closes, answer
                assert client.ask("/hello").text == "hello\n", target


@both
def answers_without_a_length_are_chunked(kind):
    with Server(kind) as server, server.client() as client:
        answer = client.ask("/chunked")
        assert answer.get("transfer-encoding") == b"chunked" and answer.text == "one,two,three", answer
        answer = client.ask("/big?n=1000000&chunked=1")
        assert answer.chunk_count > 1 and answer.body == pattern(1000000), answer
        assert client.ask("/big?n=0&chunked=1").body == b""
        answer = client.ask("/trailers", "TE: trailers", "Connection: TE")
        assert answer.text == "body\n" and answer.trailers == [(b"x-sum", b"42"), (b"x-end", b"")], answer.trailers
        answer = client.ask("/trailers")
        assert answer.text == "body\n" and answer.trailers == [], answer.trailers
        assert client.ask("/headers", "TE: trailers", "Connection: TE").fields()[":trailers"] == "1"
        assert client.ask("/headers", "TE: gzip").fields()[":trailers"] == "0"


@both
def interim_answers_come_first(kind):
    with Server(kind) as server, server.client() as client:
        answer = client.ask("/early")
        assert [early.status for early in answer.interim] == [103] and answer.text == "early\n", answer
        assert answer.interim[0].get("link") == b"</style.css>; rel=preload", answer.interim
        assert client.ask("/early", method="HEAD").status == 200


@both
def large_answers_wait_for_the_client(kind):
    size = 30000000
    with Server(kind) as server, server.client(receive_buffer=8192) as client:
        before = server.memory_kb()
        client.send(request(f"/big?n={size}") + request("/hello"))
        assert client.is_readable()
        # Others are served meanwhile, and nothing is piled up.
        for _ in range(50):
            assert server.ask("/hello").text == "hello\n"
        assert server.memory_kb() - before < 4096
        answer = client.read()
        assert answer.body == pattern(size) and client.read().text == "hello\n"
        assert server.counters()["drained"] > 0


@both
def files_are_sent(kind):
    with Server(kind) as server, server.client() as client:
        for n, offset in ((0, 0), (1, 0), (1000, 7), (100000, 99), (20000000, 1000003)):
            answer = client.ask(f"/file?n={n}&offset={offset}")
            assert answer.body == pattern(n, offset) and answer.get("content-length") == str(n).encode(), (n, answer)
            answer = client.ask(f"/file?n={n}&offset={offset}&chunked=1")
            assert answer.body == pattern(n, offset) and answer.get("transfer-encoding") == b"chunked", (n, answer)
        assert client.ask("/file-within").body == b"<" + pattern(500, 10) + b">"
        client.send(request("/file?n=20000000&missing=1000"))
        try:
            answer = client.read()
            raise AssertionError(f"not cut: {answer}")
        except Cut as cut:
            assert cut.answer.body == pattern(20000000 - 1000), cut
        with server.client() as slow:
            slow.send(request("/file?n=10000000"))
            assert slow.is_readable()
            assert server.ask("/hello").text == "hello\n"
            assert slow.read().body == pattern(10000000)


@both
def answers_that_go_wrong_are_seen(kind):
    with Server(kind, record=True) as server:
        for target, expected in (("/short", b"short"), ("/abort-after", b"part")):
            with server.client() as client:
                client.send(request(target) + request("/smuggled"))
                try:
                    answer = client.read()
                    raise AssertionError(f"{target}: not cut: {answer}")
                except Cut as cut:
                    assert cut.answer is None or expected.startswith(cut.answer.body), cut.answer
        with server.client() as client:
            answer = client.ask("/long")
            assert answer.text == "12345", answer
            if not answer.closes:
                assert client.ask("/hello").text == "hello\n"
        for target in ("/abort", "/abort-begun"):
            with server.client() as client:
                assert client.ask(target).status == 500
                assert client.ask("/hello").text == "hello\n"
        with server.client() as client:
            answer = client.ask("/withdraw")
            assert (answer.status, answer.text) == (410, "withdrawn\n"), answer
            assert client.ask("/twice").text == "EALREADY"
        assert "long refused" in server.recorded()
        assert server.log.wait("/short|short|Content-Length"), "nothing in the log about the short answer"


@both
def http_1_0_sees_a_cut_answer(kind):
    """Without chunks only a reset can tell that something is missing."""
    with Server(kind) as server, server.client() as client:
        client.send(request("/abort-after", version="1.0"))
        try:
            answer = client.read()
            raise AssertionError(f"looks whole: {answer}")
        except (Cut, EOFError):
            assert client.ended == "reset"


@both
def impossible_headers_are_refused(kind):
    with Server(kind) as server, server.client() as client:
        answer = client.ask("/bad-header")
        assert answer.get("x-injected") is None and answer.get("x-a") is None, answer
        wrong = [line for line in answer.text.splitlines() if not line.endswith(": EINVAL")]
        assert not wrong, wrong
        assert client.ask("/hello").text == "hello\n"


# ---- clients that leave

@both
def clients_that_leave_are_noticed(kind):
    with Server(kind) as server:
        targets = ["/big?n=1000000000", "/big?n=1000000000&chunked=1", "/file?n=50000000"]
        targets += ["/hold", "/slow?ms=600000", "/drip?n=100000"] if kind == "async" else []
        for number, target in enumerate(targets * 2):
            with server.client() as client:
                client.send(request(target))
                if "slow" not in target and "hold" not in target:
                    assert client.is_readable()
                else:
                    server.wait_counter("handled", server.counters()["handled"])
                if number < len(targets):
                    client.reset()
        for _ in range(100):
            with server.client() as client:
                client.send(request("/hello"))
                client.reset()
        server.wait_all_closed()
        assert server.stop() == 0


@both
def a_client_that_ends_sending_gets_its_answer(kind):
    with Server(kind) as server:
        for target, text in (("/hello", "hello\n"), ("/slow?ms=50", "slow\n"), ("/chunked", "one,two,three")):
            with server.client() as client:
                client.send(request(target)).end_sending()
                try:
                    answer = client.read()
                    assert answer.text == text, answer
                    assert client.read_end() == "eof"
                except EOFError:
                    # Who has nothing more to say and who has left look the same.
                    assert kind == "async" and "slow" in target, target
        with server.client() as client:
            client.send(request("/hello") + request("/echo", method="POST", body=b"x" * 100000)).end_sending()
            assert client.read().text == "hello\n" and client.read("POST").body == b"x" * 100000
            assert client.read_end() == "eof"


@both
def each_request_is_closed_once(kind):
    with Server(kind, record=True) as server:
        with server.client() as client:
            for target in ("/hello", "/chunked", "/big?n=500000", "/file", "/early", "/trailers", "/204", "/twice"):
                client.ask(target)
        for target in ("/short", "/abort-after", "/long", "/close"):
            with server.client() as client:
                try:
                    client.ask(target)
                except (Malformed, EOFError):
                    pass
        assert server.stop() == 0
        assert server.recorded()[-1] == "stop handled=12 closed=12"


if __name__ == "__main__":
    run_tests()
