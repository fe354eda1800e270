#!/usr/bin/python3
"""The example sites serve: each runs under the daemon as it is, but for its address, and is asked over HTTP."""

import base64
import hashlib
import importlib.util
import json
import os
import re
import shutil
import threading

from harness import BUILD, EXAMPLES, Site, Skip, connect_http, exists, get, new_address, run_tests, test
from http_client import Client, request

HANDLER = BUILD / "packaging/examples/.libs/handler.so"


class Example(Site):
    """A site of packaging/examples with what it needs beside it, on an address of its own."""

    def __init__(self, name, *needs):
        super().__init__(environment={
            "PATH": f"{BUILD}:{os.environ['PATH']}",
            "UNICORND_GATEWAYS": str(BUILD / ".libs"),
        })
        self.address = new_address()
        text = (EXAMPLES / f"{name}.conf").read_text()
        self.write(re.sub(r'address = "127\.0\.0\.1:8000"', f'address = "{self.address}"', text))
        assert self.address in self.path.read_text(), text
        for need in needs:
            copy = shutil.copytree if need.is_dir() else shutil.copy
            copy(need, self.folder / need.name)

    def __enter__(self):
        return self.start()

    def ask(self, method, path, body=None, **headers):
        """@return (status, headers, body)"""
        connection = connect_http(self.address)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def check_end(self):
        """A roll brings new workers, and all of them end cleanly."""
        name = self.status()["pools"][0]["name"]
        before = set(self.pids(name).values())
        self.reload()
        after = set(self.pids(name).values())
        assert len(before) == len(after) and not before & after, (before, after)
        assert get(self.address)
        assert self.stop() == 0
        unclean = [line for line in self.log if line and re.search("worker_lost|worker_killing|worker_aborting", line)]
        assert not unclean and not any(exists(pid) for pid in before | after), unclean


def need_module(name):
    if importlib.util.find_spec(name) is None:
        raise Skip(f"the Python module {name} is not installed")


def message(text):
    return json.loads(text)["message"]


class WebSocket:
    """A client of the plainest kind: short frames, no extensions."""

    def __init__(self, address, path):
        self.client = Client(address)
        key = base64.b64encode(os.urandom(16)).decode()
        self.client.send(request(path, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                                 f"Sec-WebSocket-Key: {key}", host=address))
        answer = self.client.read()
        accepted = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        assert answer.status == 101, answer
        assert answer.get("sec-websocket-accept") == base64.b64encode(accepted), answer

    def send(self, opcode, payload):
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        self.client.send(bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + masked)

    def read(self):
        """@return (opcode, payload)"""
        head = self._exactly(2)
        assert head[0] & 0x80 and head[1] < 126, head
        return head[0] & 0x0f, self._exactly(head[1])

    def agree_to_close(self):
        """@return the code with which the other side closes"""
        opcode, payload = self.read()
        assert opcode == 8, (opcode, payload)
        self.send(8, payload[:2])
        return int.from_bytes(payload[:2], "big")

    def _exactly(self, count):
        taken, self.client.buffer = self.client.buffer[:count], self.client.buffer[count:]
        while len(taken) < count:
            more = self.client.socket.recv(count - len(taken))
            assert more, "the connection has ended"
            taken += more
        return taken


@test
def fastapi():
    need_module("fastapi")
    with Example("fastapi", EXAMPLES / "hello") as site:
        answer = json.loads(get(site.address))
        assert answer["message"] == "Hello from unicornd" and answer["generation"] == 1, answer
        assert answer["pid"] == site.pids()[answer["slot"]], answer
        assert site.ask("GET", "/missing")[0] == 404
        site.check_end()


@test
def flask():
    need_module("flask")
    with Example("flask", EXAMPLES / "flask") as site:
        assert message(get(site.address)) == "Hello from Flask"
        status, _, body = site.ask("POST", "/shout", json.dumps({"message": "loud"}), Content_Type="application/json")
        assert (status, message(body)) == (200, "LOUD"), (status, body)
        assert site.ask("POST", "/shout", "no JSON", Content_Type="application/json")[0] == 400
        assert site.ask("GET", "/missing")[0] == 404
        site.check_end()


@test
def django():
    need_module("django")
    with Example("django", EXAMPLES / "django") as site:
        assert message(get(site.address)) == "Hello from Django"
        assert message(get(site.address, "/greet/J%C3%B6rg/")) == "Hello J\u00f6rg"
        assert site.ask("GET", "/missing/")[0] == 404
        site.check_end()


@test
def channels():
    need_module("channels")
    with Example("channels", EXAMPLES / "channels") as site:
        assert message(get(site.address)) == "Hello from Channels"
        socket = WebSocket(site.address, "/echo")
        for opcode, payload in ((1, "f\u00fcr alle".encode()), (2, bytes(range(100))), (1, b"")):
            socket.send(opcode, payload)
            assert socket.read() == (opcode, payload)
        # A new generation tells who is connected to come back.
        codes = []
        reader = threading.Thread(target=lambda: codes.append(socket.agree_to_close()))
        reader.start()
        site.check_end()
        reader.join()
        assert codes == [1012], codes


@test
def static():
    with Example("static", EXAMPLES / "static") as site:
        status, headers, body = site.ask("GET", "/")
        assert status == 200 and body == (EXAMPLES / "static/index.html").read_bytes(), (status, body)
        assert headers["Content-Type"] == "text/html; charset=utf-8" and headers["Cache-Control"] == "max-age=3600"
        assert site.ask("GET", "/style.css", Range="bytes=0-3")[::2] == (206, b"body")
        assert site.ask("GET", "/", If_None_Match=headers["ETag"])[0] == 304
        assert site.ask("GET", "/../site.conf")[0] == 404
        site.check_end()


@test
def handler():
    with Example("handler", HANDLER) as site:
        with Client(site.address) as client:
            assert client.ask("/").text == f"Hello {client.socket.getsockname()[0]}\n"
            assert client.ask("/missing").status == 404
            for body in (b"", b"short", os.urandom(3 << 20)):
                # What is sent and what comes back go on at the same time.
                sender = threading.Thread(target=client.send, args=(request("/echo", method="POST", body=body),))
                sender.start()
                answer = client.read()
                sender.join()
                assert (answer.status, answer.body) == (200, body), answer
        site.check_end()


@test
def handler_in_the_sync_worker():
    with Example("handler", HANDLER) as site:
        text = site.path.read_text().replace("unicornd-worker-async", "unicornd-worker-sync")
        site.write(text)
        site.reload()
        body = os.urandom(3 << 20)
        status, _, echoed = site.ask("POST", "/echo", body)
        assert (status, echoed) == (200, body), status
        site.check_end()


if __name__ == "__main__":
    run_tests()
