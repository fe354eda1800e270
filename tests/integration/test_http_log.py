#!/usr/bin/python3
"""Who has asked for what, as both workers tell it: the access log in its two formats, and whose word is taken about a
client: X-Forwarded-*, Forwarded and the PROXY protocol."""

import json
import re
import socket
import struct

from http_client import PROBE, Server, both, program, request, run_alone
from harness import Load, Site, check_load, descriptors_of, listener, new_address, pool, run_tests, until

APACHE = re.compile(r'(\S+) - (\S+) \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] '
                    r'"((?:[^"\\]|\\.)*)" (\d{3}) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)" (\d+)')
TRUST = ("--trust", "127.0.0.0/8")


# ---- the access log

def logged(kind, form, *options):
    """Some requests, and what stands in the log behind them."""
    with Server(kind, "--access-log", "access.log", "--access-log-format", form, *options) as server:
        with server.client() as client:
            client.ask("/hello?a=b", 'User-Agent: a "quoted" \\ agent', "Referer: http://other/")
            client.ask("/user", method="POST", body=b"abc")
            client.ask("/big?n=100000&chunked=1", "User-Agent: \x80\xff")
            client.ask("/hello", method="HEAD")
            client.ask("/204")
            client.ask("/abort")
            client.ask("/slow?ms=30")
            client.ask('/hello?"', version="1.0")
        with server.client() as client:
            client.send(b"GET /hello HTTP/1.1\r\nBad\r\n\r\n")
            client.read()
        with server.client() as client:
            client.send(b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n")
            client.read()
        assert server.stop() == 0
        return (server.folder / "access.log").read_bytes().decode("utf-8", "strict").splitlines()


EXPECTED = [("GET", "/hello?a=b", 200, 6), ("POST", "/user", 200, 5), ("GET", "/big?n=100000&chunked=1", 200, 100000),
            ("HEAD", "/hello", 200, 0), ("GET", "/204", 204, 0), ("GET", "/abort", 500, None),
            ("GET", "/slow?ms=30", 200, 5)]


@both
def access_log_of_apache_s_form(kind):
    lines = logged(kind, "apache")
    rows = [APACHE.fullmatch(line) for line in lines]
    assert len(rows) == 10 and all(rows), lines
    for row, (method, target, status, size) in zip(rows, EXPECTED):
        assert row[4] == f"{method} {target} HTTP/1.1" and row[5] == str(status), row
        assert size is None or row[6] == str(size), row
    host = rows[0][1]
    assert host.startswith("127."), host
    assert (rows[0][2], rows[0][7]) == ("-", "http://other/") and "quoted" in rows[0][8], rows[0]
    assert rows[1][2] == "alice" and rows[1][8] == "-", rows[1]
    assert int(rows[6][9]) >= 30000 > int(rows[0][9]), rows[6]
    assert rows[7][4].endswith("HTTP/1.0"), rows[7]
    assert rows[8][5] == "400" and rows[9][5] == "414", lines[8:]


@both
def access_log_of_json(kind):
    rows = [json.loads(line) for line in logged(kind, "json")]
    assert len(rows) == 10, rows
    for row, (method, target, status, size) in zip(rows, EXPECTED):
        assert (row["method"], row["target"], row["status"]) == (method, target, status), row
        assert row["protocol"] == "HTTP/1.1", row
        assert size is None or row["bytes"] == size, row
        assert row["client"].startswith("127."), row
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["time"]), row
    assert rows[0]["user_agent"] == 'a "quoted" \\ agent' and rows[0]["referer"] == "http://other/", rows[0]
    assert rows[1]["user"] == "alice" and rows[0]["user"] is None, rows[:2]
    assert rows[6]["duration_us"] >= 30000 > rows[0]["duration_us"], rows[6]
    assert (rows[7]["protocol"], rows[7]["target"]) == ("HTTP/1.0", '/hello?"'), rows[7]
    assert rows[8]["status"] == 400 and rows[9]["status"] == 414, rows[8:]


@both
def access_log_tells_the_client_that_a_proxy_tells(kind):
    with Server(kind, "--access-log", "access.log", "--access-log-format", "json", *TRUST) as server:
        server.ask("/hello", "X-Forwarded-For: 203.0.113.9")
        assert server.stop() == 0
        assert json.loads((server.folder / "access.log").read_text())["client"] == "203.0.113.9"


def wait_following(site, path):
    """Until all workers have the file open that is there now."""
    until(lambda: path.exists() and all(str(path) in descriptors_of(pid).values() for pid in site.pids().values()),
          "workers go on in the old file")


@both
def access_log_is_followed_when_it_is_renamed(kind):
    """No signal, no reload: the workers see it, and between them no line is lost or torn."""
    address = new_address()
    with Site() as site:
        path = site.folder / "access.log"
        command = [program(kind), "--app", PROBE, "--access-log", str(path), "--access-log-format", "json"]
        site.write(listener("web", address) + pool("app", command, workers=3))
        site.start()
        with Load(address, "--path", "/hello", connections=12) as kept, \
                Load(address, "--path", "/hello", "--close", connections=3) as closed:
            for number in (1, 2):
                wait_following(site, path)
                path.rename(site.folder / f"access.log.{number}")
            wait_following(site, path)
            asked = sum(report["ok"] for report in check_load(kept, closed))
        assert site.stop() == 0
        counts = [len([json.loads(line) for line in name.open()]) for name in sorted(site.folder.glob("access.log*"))]
        assert len(counts) == 3 and all(counts) and sum(counts) == asked, (counts, asked)
        assert not any("access log" in line for line in site.log if line), site.log


@both
def access_log_goes_on_where_it_is_when_there_can_be_no_new_one(kind):
    with Server(kind, "--access-log", "access.log") as server:
        path = server.folder / "access.log"
        server.ask("/hello")
        until(path.read_bytes, "nothing is written")
        path.rename(server.folder / "access.log.1")
        path.mkdir()
        server.ask("/hello")
        assert server.log.wait("the access log cannot be opened anew: Is a directory; the old file goes on")
        path.rmdir()
        server.ask("/hello")
        until(path.exists, "no new file is made")
        assert server.stop() == 0
        assert server.log.text().count("the access log") == 1, server.log.text()
        assert [len(name.read_text().splitlines()) for name in (server.folder / "access.log.1", path)] == [2, 1]


# ---- whose word is taken

@both
def forwarded_headers_of_a_trusted_peer_are_taken(kind):
    with Server(kind, *TRUST, "--trust", "10.0.0.0/8,unix") as server:
        for headers, client, scheme in (
                ((), None, "http"),
                (("X-Forwarded-For: 203.0.113.9",), "203.0.113.9", "http"),
                (("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https"), "203.0.113.9", "https"),
                (("X-Forwarded-For: 198.51.100.1, 203.0.113.9",), "203.0.113.9", "http"),
                (("X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.1.2.3",), "203.0.113.9", "http"),
                (("X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.9"), "203.0.113.9", "http"),
                (("X-Forwarded-For: 2001:db8::9",), "2001:db8::9", "http"),
                (("X-Forwarded-For: nonsense",), None, "http"),
                (("Forwarded: for=203.0.113.9;proto=https",), "203.0.113.9", "https"),
                (('Forwarded: for="[2001:db8::9]:1234"',), "2001:db8::9", "http"),
                (("Forwarded: for=198.51.100.1, for=203.0.113.9",), "203.0.113.9", "http"),
                (("Forwarded: for=unknown",), None, "http")):
            with server.client() as connection:
                expected = client or connection.socket.getsockname()[0]
                fields = connection.ask("/headers", *headers).fields()
                assert fields[":client"].rpartition(" ")[0] == expected, (headers, fields)
                assert fields[":scheme"] == scheme, (headers, fields)


@both
def nobody_else_s_word_is_taken(kind):
    for options in ((), ("--trust", "10.0.0.0/8")):
        with Server(kind, *options) as server, server.client() as client:
            fields = client.ask("/headers", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https",
                                "Forwarded: for=203.0.113.9;proto=https").fields()
            assert fields[":client"].split()[0] == client.socket.getsockname()[0], fields
            assert fields[":scheme"] == "http", fields


def proxy_2(command, family, addresses, extra=b""):
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, family]) +
            struct.pack("!H", len(addresses) + len(extra)) + addresses + extra)


V4 = socket.inet_pton(socket.AF_INET, "203.0.113.9") + socket.inet_pton(socket.AF_INET, "198.51.100.1") + \
    struct.pack("!HH", 1234, 80)
V6 = socket.inet_pton(socket.AF_INET6, "2001:db8::9") + socket.inet_pton(socket.AF_INET6, "2001:db8::1") + \
    struct.pack("!HH", 1234, 80)


@both
def proxy_protocol_is_read(kind):
    with Server(kind, "--proxy-protocol", *TRUST) as server:
        for header, client in (
                (b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80\r\n", "203.0.113.9 1234"),
                (b"PROXY TCP6 2001:db8::9 2001:db8::1 1234 80\r\n", "2001:db8::9 1234"),
                (b"PROXY UNKNOWN\r\n", None), (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
                (proxy_2(1, 0x11, V4), "203.0.113.9 1234"), (proxy_2(1, 0x21, V6), "2001:db8::9 1234"),
                (proxy_2(1, 0x11, V4, b"\x04\x00\x02ab"), "203.0.113.9 1234"), (proxy_2(0, 0x00, b""), None),
                (proxy_2(0, 0x11, V4), None), (proxy_2(1, 0x00, b"abcd"), None)):
            for size in (1000, 1):
                with server.client() as connection:
                    sent = header + request("/headers") + request("/headers")
                    connection.send(*(sent[at:at + size] for at in range(0, len(sent), size)))
                    host, port = connection.socket.getsockname()
                    for _ in range(2):
                        fields = connection.read().fields()
                        assert fields[":client"] == (client or f"{host} {port}"), (header, fields)


@both
def proxy_protocol_must_be_right(kind):
    with Server(kind, "--proxy-protocol", *TRUST, record=True) as server:
        for header in (b"", b"PROXY TCP4 203.0.113.9\r\n", b"PROXY TCP4 300.0.113.9 198.51.100.1 1234 80\r\n",
                       b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80000\r\n", b"PROXY TCP5 a b 1 2\r\n", b"PROXY\r\n",
                       b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80\n", b"proxy UNKNOWN\r\n", b"PROXY " + b"a" * 200,
                       b"PROXY TCP4 2001:db8::9 2001:db8::1 1234 80\r\n", b"\r\n\r\n\0\r\nQUIX\n" + bytes(16),
                       proxy_2(1, 0x11, V4[:4]), proxy_2(2, 0x11, V4),
                       proxy_2(1, 0x11, V4).replace(b"\x21\x11", b"\x11\x11"),
                       proxy_2(1, 0x11, V4, bytes(60000))):
            with server.client() as client:
                client.send_until_answered([header + request("/smuggled")])
                try:
                    assert client.read().status == 400, header
                except EOFError:
                    pass
            assert server.recorded() == [], header
        assert server.stop() == 0


@both
def proxy_protocol_of_others_is_not_taken(kind):
    with Server(kind, "--proxy-protocol", "--trust", "10.0.0.0/8", record=True) as server, server.client() as client:
        client.send_until_answered([b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80\r\n" + request("/headers")])
        try:
            answer = client.read()
            assert answer.status in (400, 501, 505), answer
        except EOFError:
            pass
        assert server.recorded() == []


@both
def whoever_is_behind_the_proxy_is_believed_only_if_trusted(kind):
    """A proxy that only hands bytes on vouches for whom it names, not for the headers that one sends."""
    log = ("--access-log", "access.log", "--access-log-format", "json")
    claims = ("X-Forwarded-For: 198.51.100.7", "X-Forwarded-Proto: https")
    seen = []
    with Server(kind, "--proxy-protocol", *TRUST, "--trust", "10.0.0.0/8", *log) as server:
        for header, headers, client, scheme in (
                (b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80\r\n", claims, "203.0.113.9", "http"),
                (b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80\r\n", ("Forwarded: for=198.51.100.7;proto=https",),
                 "203.0.113.9", "http"),
                (proxy_2(1, 0x11, V4), claims, "203.0.113.9", "http"),
                (b"PROXY TCP4 10.1.2.3 198.51.100.1 1234 80\r\n", claims, "198.51.100.7", "https"),
                (b"PROXY UNKNOWN\r\n", claims, None, "http"), (proxy_2(0, 0x00, b""), claims, None, "http")):
            with server.client() as connection:
                connection.send(header + request("/headers", *headers))
                fields = connection.read().fields()
                expected = client or connection.socket.getsockname()[0]
                assert fields[":client"].split()[0] == expected, (header, headers, fields)
                assert fields[":scheme"] == scheme, (header, headers, fields)
                seen.append(expected)
        assert server.stop() == 0
        logged_clients = [json.loads(line)["client"] for line in (server.folder / "access.log").open()]
        assert logged_clients == seen, (logged_clients, seen)


@both
def proxy_protocol_tells_what_it_needs(kind):
    ran = run_alone(kind, "--app", PROBE, "--bind", new_address(), "--proxy-protocol")
    assert ran.status == 78 and ran.err.startswith(f"unicornd-worker-{kind}: --proxy-protocol needs --trust"), ran
    line = next(line for line in run_alone(kind, "--help").out.splitlines() if "--proxy-protocol" in line)
    assert "--trust" in line, line


@both
def a_refused_proxy_is_told_once(kind):
    with Server(kind, "--proxy-protocol", "--trust", "10.0.0.0/8") as server:
        for _ in range(3):
            with server.client() as client:
                client.send_until_answered([b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 80\r\n"])
                assert client.read_end() in ("eof", "reset")
        assert server.log.wait("warning: --proxy-protocol: 127[.0-9]+ is not among those of --trust")
        assert server.stop() == 0
        assert server.log.text().count("--proxy-protocol") == 1, server.log.text()
    with Server(kind, "--proxy-protocol", *TRUST) as server:
        with server.client() as client:
            client.send_until_answered([request("/hello")])
            assert client.read_end() in ("eof", "reset")
        assert server.log.wait("warning: --proxy-protocol: 127[.0-9]+ did not begin with a PROXY header")


if __name__ == "__main__":
    run_tests()
