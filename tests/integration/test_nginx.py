#!/usr/bin/python3
"""packaging/doc/behind-nginx.md is true: its configurations of nginx and of unicornd are run as they are written.

What is put in their place is the test's own: the socket, the ports, the certificate and the folder of the application;
the group of the socket where this test is not root. Of the nginx blocks, those that stand in `http` are taken.
"""

import atexit
import contextlib
import functools
import grp
import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess

from gateway_servers import writer_of
from harness import APPS, BOUND, BUILD, SOURCE, Site, Skip, for_each, new_address, run_tests, test, until
from http_client import Client, request
from http_load import reload_under_load
from websocket_client import WebSocket

GUIDE = (SOURCE / "packaging/doc/behind-nginx.md").read_text(encoding="utf-8")
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
CLIENT = "127.0.0.77"  # who asks
FORGED = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https", "Forwarded: for=203.0.113.9;proto=https",
          "X-Real-IP: 203.0.113.9")
BODY_BYTES = 32 << 20

# The paths of the nginx packages are the system's; these are the test's.
MAIN = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
{user}
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {blocks}
}}
"""


# ---- what the page says

def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def replaced(text, *pairs):
    """Each of them must be there."""
    for old, new in pairs:
        assert old in text, f"{old} is not in behind-nginx.md any more"
        text = text.replace(old, new)
    return text


def web_server():
    """The user and group of nginx, where that can be tried: what Debian and Fedora have."""
    users = {entry.pw_name for entry in pwd.getpwall()} & {entry.gr_name for entry in grp.getgrall()}
    return next((name for name in ("www-data", "nginx", "root") if name in users), None) if os.geteuid() == 0 else None


def site_block(kind, folder):
    """The site of the page for this kind of worker."""
    text = next(text for text in blocks("conf") if f"unicornd-worker-{kind}" in text)
    return replaced(text, ("/run/unicornd/shop/web.sock", f"{folder}/web.sock"), ("/srv/shop", str(APPS / "proxied")),
                    ("www-data", web_server() or grp.getgrgid(os.getegid()).gr_name))


def certificate(folder):
    """Makes a key and its certificate. @return their paths"""
    if not shutil.which("openssl"):
        raise Skip("openssl is not installed")
    paths = [str(folder / name) for name in ("shop.pem", "shop.key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop.example",
                    "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True, timeout=BOUND)
    return paths


def nginx_block(folder, plain, secure):
    whole = "".join(text for text in blocks("nginx") if text.startswith("upstream"))
    public, private = certificate(folder)
    return replaced(whole, ("/run/unicornd/shop/web.sock", f"{folder}/web.sock"), ("listen 80;", f"listen {plain};"),
                    ("listen 443 ssl;", f"listen {secure} ssl;"), ("/etc/ssl/certs/shop.pem", public),
                    ("/etc/ssl/private/shop.key", private))


# ---- nginx and unicornd together

def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return {int(child) for child in file.read().split()}


def accepts(address):
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


class Proxied:
    """unicornd with a site of the page and nginx in front of it."""

    def __init__(self, kind):
        if NGINX is None:
            raise Skip("nginx is not installed")
        self.site = Site(environment={"PATH": f"{BUILD}:{os.environ['PATH']}", "UNICORND_GATEWAYS":
                                      os.environ.get("UNICORND_GATEWAYS", str(BUILD / ".libs"))})
        self.folder = self.site.folder
        self.site.write(site_block(kind, self.folder))
        self.address, self.secure = new_address(), new_address()
        self.process = None
        self.log_path = self.folder / "nginx.log"

    def configure(self):
        path = self.folder / "nginx.conf"
        user = f"user {web_server()};" if web_server() else ""
        path.write_text(MAIN.format(folder=self.folder, user=user,
                                    blocks=nginx_block(self.folder, self.address, self.secure)))
        return [NGINX, "-e", "stderr", "-p", str(self.folder), "-c", str(path)]

    def start_nginx(self):
        command = self.configure()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(lambda: self.process.poll() is not None or accepts(self.address), "nginx does not listen")
        assert self.process.poll() is None, self.log()

    def reload_nginx(self):
        """As `systemctl reload nginx` does: other workers of nginx, the same of the site."""
        before, workers = set(children_of(self.process.pid)), self.site.pids()
        self.process.send_signal(signal.SIGHUP)
        until(lambda: before.isdisjoint(children_of(self.process.pid)), "nginx keeps its workers")
        assert accepts(self.address) and self.site.pids() == workers

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def errors(self):
        return [line for line in self.log().splitlines() if re.search(r"\[(error|crit|alert|emerg)\]", line)]

    def client(self):
        return Client(self.address, source=CLIENT)

    def close(self):
        if self.process:
            self.process.terminate()
            self.process.wait(BOUND)
        self.site.close()

    def __enter__(self):
        try:
            self.site.start()
            self.start_nginx()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        told = self.log()
        self.close()
        if kind is not None and kind is not Skip:
            print("\n".join(f"# nginx: {line}" for line in told.splitlines()[-40:]))
            print("\n".join(f"# log: {line}" for line in self.site.log[-40:] if line is not None))


@functools.lru_cache(maxsize=None)
def shared(kind):
    """Both, for all tests that leave them as they were."""
    proxied = Proxied(kind).__enter__()
    atexit.register(proxied.close)
    return proxied


both = for_each({"asgi": "async", "wsgi": "sync"})


def seen(kind, text):
    """What the application was told: (client's address, scheme, host)."""
    told = json.loads(text)
    if kind == "sync":
        return told["REMOTE_ADDR"], told["wsgi.url_scheme"], told["HTTP_HOST"]
    return told["client"][0], told["scheme"], dict(map(tuple, told["headers"]))["host"]


def scope_path(kind):
    return "/environ" if kind == "sync" else "/show_scope"


# ---- tests

@both
def a_page_comes_through_the_socket(kind):
    site = shared(kind)
    with site.client() as client:
        for _ in range(3):
            assert client.ask("/hello").text == "hello\n"
    if web_server():
        found = os.stat(site.folder / "web.sock")
        assert (grp.getgrgid(found.st_gid).gr_name, found.st_mode & 0o777) == (web_server(), 0o660), found


@both
def the_client_is_who_nginx_says(kind):
    with shared(kind).client() as client:
        answer = client.ask(scope_path(kind), host="shop.example")
    assert seen(kind, answer.text) == (CLIENT, "http", "shop.example"), answer.text


@both
def what_a_client_claims_is_not_believed(kind):
    with shared(kind).client() as client:
        answer = client.ask(scope_path(kind), *FORGED)
    assert seen(kind, answer.text)[:2] == (CLIENT, "http"), answer.text
    assert "Forwarded: for" not in answer.text and '"forwarded"' not in answer.text, answer.text


@both
def a_list_that_nginx_adds_to_is_read_from_its_end(kind):
    """The other way of writing it that the page names."""
    proxied = Proxied(kind)
    assert "$proxy_add_x_forwarded_for" in GUIDE
    listed = proxied.configure
    proxied.configure = lambda: with_lists(proxied, listed())
    with proxied, proxied.client() as client:
        answer = client.ask(scope_path(kind), *FORGED[:1])
        assert seen(kind, answer.text)[0] == CLIENT, answer.text
        assert f"203.0.113.9, {CLIENT}" in answer.text, answer.text


def with_lists(proxied, command):
    path = proxied.folder / "nginx.conf"
    path.write_text(re.sub(r"(X-Forwarded-For\s+)\$remote_addr", r"\1$proxy_add_x_forwarded_for", path.read_text()))
    return command


@both
def the_scheme_is_the_one_of_the_client(kind):
    host, _, port = shared(kind).secure.rpartition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, int(port), timeout=BOUND, context=context,
                                             source_address=(CLIENT, 0))
    with contextlib.closing(connection):
        connection.request("GET", scope_path(kind), headers={"Host": "shop.example", "X-Forwarded-Proto": "http"})
        assert seen(kind, connection.getresponse().read()) == (CLIENT, "https", "shop.example")


@test
def a_websocket_is_echoed():
    with WebSocket(shared("async").address, "/echo") as web_socket:
        assert web_socket.answer.status == 101, web_socket.answer
        for text in ("one", "two" * 30000):
            assert web_socket.text(text).read_text() == text
        web_socket.close(1000)
        assert web_socket.read_close()[0] == 1000


@test
def a_websocket_knows_its_client():
    with WebSocket(shared("async").address, "/show_scope", *FORGED) as web_socket:
        told = json.loads(web_socket.read_text())
    assert told["client"][0].startswith("127.") and told["scheme"] == "ws", told


@both
def a_streamed_answer_arrives_piece_by_piece(kind):
    site = shared(kind)
    fifo = site.folder / f"fifo-{kind}"
    os.mkfifo(fifo)
    with site.client() as client:
        client.send(request(f"/piecewise?{fifo}"))
        while b"one\n" not in client.buffer:
            assert client._more(), client.ended  # pylint: disable=protected-access
        assert b"two\n" not in client.buffer
        os.close(writer_of(fifo))
        answer = client.read()
    assert answer.text == "one\ntwo\n" and answer.get("x-accel-buffering") is None, answer


@both
def a_large_body_is_taken(kind):
    with shared(kind).client() as client:
        client.send(request("/upload", f"Content-Length: {BODY_BYTES}", method="POST"))
        for _ in range(BODY_BYTES >> 20):
            client.send(b"x" * (1 << 20))
        assert client.read("POST").text == f"{BODY_BYTES}\n"


@both
def reloads_under_load_lose_nothing(kind):
    with Proxied(kind) as proxied:
        reload_under_load(proxied.site, proxied.address)
        proxied.reload_nginx()
        assert proxied.site.stop() == 0
        assert not proxied.errors(), proxied.errors()


if __name__ == "__main__":
    run_tests()
