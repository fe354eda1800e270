"""A WSGI application: says which process answered; /slow takes its time between two halves of the answer."""

import os
import time

PAUSE = 0.3  # seconds: time enough for the end to be ordered


def halves(body):
    yield body[:4]
    time.sleep(PAUSE)
    yield body[4:]


def application(environ, start_response):
    body = f"pid {os.getpid()}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return halves(body) if environ["PATH_INFO"] == "/slow" else [body]
