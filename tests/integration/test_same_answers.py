#!/usr/bin/python3
"""The same application behind our workers and behind Uvicorn and Gunicorn, where they are installed: the same answers.

Compared are status, headers and body. Not compared is what is a server's own: Date, Server, and how the length of a
body is told. What is otherwise on purpose is in packaging/doc/from-uvicorn.md and from-gunicorn.md, and not in the table.
"""

import contextlib
import importlib.util
import shutil
import signal
import subprocess

import harness
from asgi_servers import APPS
from harness import Skip, new_address, run_tests, test, until
from http_client import Client, Server, chunks, request

OWN = (b"date", b"server", b"connection", b"keep-alive", b"content-length", b"transfer-encoding")
# The text of an error is a server's own as well.
ERROR = 500
BODY = bytes(range(256)) * 400

TABLE = {
    "get": request("/show"),
    "head": request("/stream", method="HEAD"),
    "options": request("/show", method="OPTIONS"),
    "any target": request("*", method="OPTIONS"),
    "webdav": request("/show", method="PROPFIND"),
    "percent": request("/show/a%20b%c3%a4%2F%e4%00%zz%?x=%20&y=?#"[:-1]),
    "slashes": request("//show/../x;p=1"),
    "empty query": request("/show?"),
    "odd characters": request("/show/[]|^`{}\"<>\\"),
    "headers": request("/show", "X-One: 1", "X-Latin: \xe4", "X-None:", "Content-Type: text/x; charset=latin1"),
    "http 1.0": request("/stream", version="1.0"),
    "http 1.0 without host": request("/show", version="1.0", host=None),
    "body": request("/echo", method="POST", body=BODY),
    "empty body": request("/echo", "Content-Length: 0", method="POST"),
    "chunks": request("/echo", "Transfer-Encoding: chunked", method="POST") + chunks(BODY[:100], BODY, b"x"),
    "body with get": request("/echo", body=b"abc"),
    "expect": request("/echo", "Expect: 100-continue", method="POST", body=b"abc"),
    "unread body": request("/show", method="POST", body=b"abc"),
    "stream": request("/stream"),
    "cookies": request("/cookies"),
    "failed": request("/fail"),
    **{f"status {code}": request(f"/status?{code}") for code in (200, 201, 204, 205, 304, 404, 418, 503)},
}
# Gunicorn answers HTTP/1.0 with its version, which RFC 9110 (6.2) has given up.
WSGI_TABLE = {name: sent for name, sent in TABLE.items() if not name.startswith("http 1.0")}
WSGI_TABLE["handed on"] = request("/handed_on")


@contextlib.contextmanager
def running(command, address):
    """A server of others. @return nothing; it takes connections"""
    with subprocess.Popen(command, cwd=APPS, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: process.poll() is not None or connects(address), f"{command} does not listen")
            assert process.poll() is None, f"{command} has ended"
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(harness.BOUND)
            except subprocess.TimeoutExpired:
                process.kill()


def connects(address):
    with contextlib.suppress(ConnectionError):
        Client(address).close()
        return True
    return False


def ask(address, sent):
    """@return what is to be the same"""
    method = sent.split(b" ", 1)[0].decode()
    with Client(address) as client:
        answer = client.send(sent).read(method)
    headers = sorted((name, value) for name, value in answer.headers if name not in OWN)
    if answer.status == ERROR:
        return ERROR
    return answer.status, headers, answer.body


def compare(ours, theirs, table):
    differ = [f"{name}:\n  ours   {mine}\n  theirs {other}"[:1500] for name, sent in table.items()
              if (mine := ask(ours, sent)) != (other := ask(theirs, sent))]
    assert not differ, "\n".join(differ)


def compare_asgi(loop, http):
    for module in ("uvicorn", http):
        if importlib.util.find_spec(module) is None:
            raise Skip(f"{module} is not installed")
    address = new_address()
    host, _, port = address.rpartition(":")
    command = ["/usr/bin/python3", "-m", "uvicorn", "--http", http, "--host", host, "--port", port, "asgi_same:app"]
    with Server("async", "--app-dir", str(APPS), "--loop", loop, app="asgi:asgi_same:app") as server, \
            running(command, address):
        compare(server.address, address, TABLE)


@test
def asgi_as_uvicorn_with_h11():
    compare_asgi("asyncio", "h11")


@test
def asgi_as_uvicorn_with_httptools():
    compare_asgi("auto", "httptools")


@test
def wsgi_as_gunicorn():
    if shutil.which("gunicorn") is None:
        raise Skip("gunicorn is not installed")
    address = new_address()
    command = ["gunicorn", "--bind", address, "--worker-class", "gthread", "--threads", "4", "wsgi_same:application"]
    with Server("sync", "--app-dir", str(APPS), "--threads", "4", app="wsgi:wsgi_same:application") as server, \
            running(command, address):
        compare(server.address, address, WSGI_TABLE)


if __name__ == "__main__":
    run_tests()
