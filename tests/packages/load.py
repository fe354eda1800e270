#!/usr/bin/python3
"""Asks an address again and again, a connection each, until its standard input ends; then says what became of it."""

import json
import select
import socket
import sys
import threading

HOST, PORT = sys.argv[1], int(sys.argv[2])
CLIENTS = 8
TIMEOUT = 60
counts = {"answered": 0, "refused": 0, "lost": 0}
reasons = set()
lock = threading.Lock()
over = threading.Event()


def ask():
    """@return what became of one request"""
    try:
        client = socket.create_connection((HOST, PORT), timeout=TIMEOUT)
    except OSError as error:
        reasons.add(repr(error))
        return "refused"
    try:
        with client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: load\r\nConnection: close\r\n\r\n")
            answer = b""
            while data := client.recv(65536):
                answer += data
        if answer.startswith(b"HTTP/1.1 200 ") and b"\r\n\r\n" in answer:
            return "answered"
        reasons.add(repr(answer[:80]))
    except OSError as error:
        reasons.add(repr(error))
    return "lost"


def client():
    while not over.is_set():
        became = ask()
        with lock:
            counts[became] += 1
            if counts["answered"] == 1 and became == "answered":
                print("serving", flush=True)


threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
for thread in threads:
    thread.start()
while select.select([sys.stdin], [], [])[0] and sys.stdin.readline():
    pass
over.set()
for thread in threads:
    thread.join()
print(json.dumps({**counts, "reasons": sorted(reasons)}), flush=True)
