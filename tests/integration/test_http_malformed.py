#!/usr/bin/python3
"""Requests that are none, or that two servers could read in two ways: each is refused, the connection ends, and the
application sees nothing of it, nor of what stands behind it. Next to them what looks odd and is right."""

from http_client import Malformed, Server, both, chunks, request
from http_malformed import BODY_ROWS, HEAD_ROWS, LIMITS, SMUGGLED, post, right_rows
from harness import run_tests

PATIENCE_S = 3  # for an answer that should come at once


def pieces_of(sent):
    """Small ones are sent byte by byte."""
    size = 1 if len(sent) < 600 else 977
    return [sent[at:at + size] for at in range(0, len(sent), size)]


def look(row, client, may_close=False):
    """@return what is wrong with how a row was received, or None"""
    client.socket.settimeout(PATIENCE_S)
    try:
        answer = client.read()
    except EOFError as ended:
        return None if may_close else f"closed without an answer ({ended})"
    except (Malformed, TimeoutError) as error:
        return f"no answer: {error!r}"
    if answer.status not in row.statuses:
        return f"answered {answer.status} {answer.body[:60]!r}, expected {row.statuses}"
    if not answer.closes:
        return f"does not say that it closes: {answer.headers}"
    try:
        client.read_end()
    except (AssertionError, TimeoutError) as error:
        return f"not closed: {error!r}"
    return None


def play(kind, table, send, may_close=False, recorded=lambda line: True):
    """Sends all rows. Nothing of what is `recorded` may be, and there may be no wrong answer."""
    wrong = []
    with Server(kind, *LIMITS, record=True) as server:
        for row in table:
            with server.client() as client:
                send(client, row)
                problem = look(row, client, may_close)
            seen = [line for line in server.recorded() if recorded(line)]
            if problem or seen:
                wrong.append(f"{row.name}: {problem or ''}{f' the application saw {seen}' if seen else ''}")
            if server.process.poll() is not None:
                wrong.append(f"{row.name}: the worker died")
                break
        assert not wrong, f"{len(wrong)} of {len(table)} rows:\n" + "\n".join(wrong)
        assert server.ask().text == "hello\n"
        counters = server.counters()
        assert counters["handled"] == counters["closed"] + 1, counters


@both
def heads_are_refused(kind):
    play(kind, HEAD_ROWS, lambda client, row: client.send_until_answered([row.bytes + SMUGGLED]))


@both
def heads_in_pieces_are_refused(kind):
    play(kind, HEAD_ROWS, lambda client, row: client.send_until_answered(pieces_of(row.bytes + SMUGGLED)))


@both
def heads_behind_a_request_are_refused(kind):
    def send(client, row):
        client.send_until_answered([request("/hello") + row.bytes + SMUGGLED])
        assert client.read().text == "hello\n"
    # What a server may skip at the beginning is no beginning here.
    play(kind, HEAD_ROWS, send, recorded=lambda line: line != "GET /hello")


@both
def bodies_are_refused(kind):
    # The async worker's application may have seen the head, and then is told that the client has gone.
    play(kind, BODY_ROWS, lambda client, row: client.send_until_answered([row.bytes + SMUGGLED]), kind == "async",
         lambda line: kind == "sync" or line not in ("POST /echo", "gone"))


@both
def bodies_in_pieces_are_refused(kind):
    play(kind, BODY_ROWS, lambda client, row: client.send_until_answered(pieces_of(row.bytes + SMUGGLED)),
         kind == "async", lambda line: kind == "sync" or line not in ("POST /echo", "gone"))


def play_cut(kind, sent, head_length):
    """The client ends within a request, at each byte of it."""
    with Server(kind, *LIMITS, record=True) as server:
        for length in range(1, len(sent)):
            with server.client() as client:
                client.send(sent[:length]).end_sending()
                try:
                    answer = client.read()
                    assert answer.status in (400, 408), f"{sent[:length]!r}: {answer}"
                    client.read_end()
                except EOFError:
                    pass
            seen = [line for line in server.recorded() if line != "gone"]
            allowed = ["POST /echo"] if kind == "async" and length >= head_length else []
            assert seen in ([], allowed), f"{sent[:length]!r}: {seen}"
        assert server.ask().text == "hello\n"


@both
def requests_that_end_too_early_are_not_passed_on(kind):
    play_cut(kind, request("/hello", "X-A: b"), 1 << 20)
    for lines, body in ((b"Content-Length: 5", b"hello"),
                        (b"Transfer-Encoding: chunked", chunks(b"hello", trailers=b"X-A: b\r\n"))):
        sent = post(lines, body=body)
        play_cut(kind, sent, len(sent) - len(body))


def play_right(kind, send):
    wrong = []
    with Server(kind, *LIMITS) as server:
        for name, sent, expected in right_rows():
            with server.client() as client:
                send(client, sent)
                try:
                    answer = client.read()
                except (Malformed, EOFError) as error:
                    wrong.append(f"{name}: {error!r}")
                    continue
                if answer.status != 200:
                    wrong.append(f"{name}: {answer}")
                elif isinstance(expected, bytes):
                    if answer.body != expected:
                        wrong.append(f"{name}: {answer}")
                else:
                    fields = answer.fields()
                    wrong += [f"{name}: {key} is {fields.get(key)!r}" for key, value in expected.items()
                              if fields.get(key) != value or ":wrong" in fields]
        assert not wrong, "\n".join(wrong)


@both
def what_is_odd_and_right_is_served(kind):
    play_right(kind, lambda client, sent: client.send(sent))


@both
def what_is_odd_and_right_is_served_in_pieces(kind):
    play_right(kind, lambda client, sent: client.send(*pieces_of(sent)))


if __name__ == "__main__":
    run_tests()
