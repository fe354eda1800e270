"""A WSGI application whose answers every server has to give in the same way, a path each."""

import json

SHOWN = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "CONTENT_TYPE", "REMOTE_ADDR",
         "wsgi.url_scheme", "HTTP_HOST", "HTTP_X_ONE", "HTTP_X_LATIN", "HTTP_X_NONE")


def echo(environ):
    return "200 OK", [("Content-Type", "text/odd")], [environ["wsgi.input"].read()]


def show(environ):
    return "200 OK", [], [json.dumps({name: environ.get(name) for name in SHOWN}).encode()]


def stream(environ):
    return "200 OK", [("X-Kind", "stream")], iter([b"one ", b"", b"two ", b"three"])


def cookies(environ):
    return "200 Fine", [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/"), ("X-Latin", "\xe4"), ("X-None", ""),
                        ("X-Long", "v" * 5000), ("Content-Length", "2")], [b"ok"]


def handed_on(environ):
    """What a proxy in Python sends back, or one who streams events."""
    headers = [("Connection", "keep-alive"), ("Keep-Alive", "timeout=5"), ("Transfer-Encoding", "chunked")]
    return "200 OK", headers, [b"ok"]


def status(environ):
    return environ["QUERY_STRING"] + " Said", [], []


def fail(environ):
    raise RuntimeError("on purpose")


def application(environ, start_response):
    answer = globals().get(environ["PATH_INFO"].strip("/").partition("/")[0], show)
    line, headers, parts = answer(environ)
    start_response(line, headers)
    return parts
