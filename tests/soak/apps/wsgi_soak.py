"""What unicornd-soak asks for, in WSGI."""

from urllib.parse import parse_qs

import allocated

PIECE = 16384


def pieces(left):
    while left > 0:
        yield b"x" * min(left, PIECE)
        left -= PIECE


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/echo":
        body = environ["wsgi.input"].read()
    elif path == "/counters":
        body = allocated.told()
    elif path == "/big":
        query = parse_qs(environ["QUERY_STRING"])
        length = int(query["n"][0])
        start_response("200 OK", [] if query["chunked"][0] == "1" else [("Content-Length", str(length))])
        return pieces(length)
    else:
        body = b"hello\n"
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
