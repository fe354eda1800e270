"""What a connection costs that waits for its next request."""

import socket
import time

import http_cost
import processes
from http_servers import AsyncWorker, Missing, Uvicorn

CONNECTIONS = 10000
CONNECTIONS_BEFORE = 100  # whatever is allocated once has been allocated then
DESCRIPTORS_BESIDES = 200
TARGET_BYTES = 4096

SETTLE_SECONDS = 1.0
ANSWER_SECONDS = 10
IP_BIND_ADDRESS_NO_PORT = 24  # the port is chosen when it is known where to
SOURCES = 4                   # addresses to connect from, each with ports of its own
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def connect(server, number):
    client = socket.socket()
    client.settimeout(ANSWER_SECONDS)
    client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    client.bind((f"127.0.0.{2 + number % SOURCES}", 0))
    client.connect(("127.0.0.1", server.port))
    return client


def ask(client):
    """One request, the answer read to its end. @return is it the right one and the connection kept?"""
    client.sendall(REQUEST)
    answer = b""
    while not answer.endswith(http_cost.HELLO):
        received = client.recv(4096)
        if not received:
            return False
        answer += received
    return answer.startswith(b"HTTP/1.1 200") and b"connection: close" not in answer.lower()


def open_many(server, clients, count):
    for number in range(count):
        clients.append(connect(server, number))
        if not ask(clients[-1]):
            raise RuntimeError(f"{server.name} does not keep connection {number + 1}")


def close_all(clients):
    while clients:
        clients.pop().close()


def grow(server):
    """Bytes for each connection, of those that the process has to itself."""
    clients = []
    try:
        open_many(server, clients, CONNECTIONS_BEFORE)
        close_all(clients)
        time.sleep(SETTLE_SECONDS)
        before = processes.pss_megabytes(server.pid)
        open_many(server, clients, CONNECTIONS)
        time.sleep(SETTLE_SECONDS)
        after = processes.pss_megabytes(server.pid)
        answered = sum(ask(client) for client in clients)
    finally:
        close_all(clients)
    if answered != CONNECTIONS:
        raise RuntimeError(f"{server.name} answers on {answered} of {CONNECTIONS} connections")
    return (after - before) * 1e6 / CONNECTIONS


def grow_new(server, samples):
    try:
        samples.setdefault(server.name, []).append(grow(server))
    finally:
        server.stop()


def add_rival(bench, samples):
    try:
        grow_new(Uvicorn(bench.folder(), "asgi_hello:app", "--backlog", "4096"), samples)
    except (Missing, processes.TooLate, RuntimeError, OSError) as error:
        http_cost.skip(bench.figures, "http_memory", str(error))


@http_cost.part
def http_memory(bench, name):
    """A server for each sample: what it frees it may keep."""
    if processes.descriptors_allowed() < CONNECTIONS + DESCRIPTORS_BESIDES:
        raise Missing(f"RLIMIT_NOFILE is below {CONNECTIONS + DESCRIPTORS_BESIDES}")
    ours, theirs = {}, {}
    for _ in range(bench.rounds):
        grow_new(AsyncWorker(bench.folder(), "asgi:asgi_hello:app", "--keep-alive", "5m", "--max-connections",
                             str(CONNECTIONS + DESCRIPTORS_BESIDES)), ours)
    if bench.peers:
        add_rival(bench, theirs)
    bench.figures.say(name, ours[AsyncWorker.name], "bytes/connection", TARGET_BYTES, theirs or None)
