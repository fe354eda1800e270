#!/usr/bin/python3
"""A worker of unicornd in Python, without a library: every request is answered "hello"."""

import os
import select
import signal
import socket

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"

status = int(os.environ.get("UNICORND_STATUS_FD", "-1"))
beat_s = int(os.environ.get("WATCHDOG_USEC", "2000000")) / 2_000_000
listener = socket.socket(fileno=3)
listener.setblocking(False)  # another worker may take the connection first
wake_up, waker = socket.socketpair()
waker.setblocking(False)
signal.set_wakeup_fd(waker.fileno())  # so that SIGTERM ends the wait below
signal.signal(signal.SIGTERM, lambda number, frame: None)


def say(line):
    """False when the daemon is gone: Python ignores SIGPIPE, so the write fails."""
    try:
        if status >= 0:
            os.write(status, f"{line}\n".encode())
        return True
    except BrokenPipeError:
        return False


def serve(client):
    client.settimeout(5)  # a silent client must not keep this worker from its heartbeat
    with client:
        if client.recv(4096):
            client.sendall(ANSWER)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass


alive = say("READY=1")
while alive:
    readable, _, _ = select.select([listener, wake_up], [], [], beat_s)
    if wake_up in readable:
        break
    try:
        if listener in readable:
            serve(listener.accept()[0])
    except OSError:
        pass  # taken by somebody else, or gone
    alive = say("WATCHDOG=1")
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Python gives its own handlers up before it ends
