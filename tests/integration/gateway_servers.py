"""What the tests of the gateways share: tests that are run with a server of each kind, and waiting for its log."""

import contextlib
import os

import harness
from harness import BOUND, until


def writer_of(fifo):
    """Opens a FIFO for writing as soon as it has a reader. @return the descriptor; the reader goes on when it is closed"""
    found = []

    def opened():
        with contextlib.suppress(OSError):
            found.append(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        return found
    until(opened, f"nobody reads {fifo}")
    return found[0]


def with_each(variants, preposition, server_of, check=lambda server: None):
    """A decorator for tests that are run with the server of each variant, which they leave as it was.

    The server is their argument; check(server) says whether it is still in order.
    """
    def decorate(function):
        for variant in variants:
            def run(variant=variant):
                server = server_of(variant)
                server.mark = len(server.log.lines)
                try:
                    function(server)
                    assert server.ask("/hello").text == "hello\n"
                    assert server.process.poll() is None
                    check(server)
                except Exception:
                    print("\n".join(f"# log: {line}" for line in server.log.lines[server.mark:][:40]))
                    raise
            run.__name__ = f"{function.__name__}_{preposition}_{variant}"
            harness.TESTS.append(run)
        return function
    return decorate


def logged(server, expression):
    """Waits for a line of the log that is newer than the test. @return what was logged"""
    def look():
        return any(expression in line for line in server.log.lines[server.mark:]) or server.log.is_ended
    with server.log.changed:
        server.log.changed.wait_for(look, BOUND)
    text = "\n".join(server.log.lines[server.mark:])
    assert expression in text, f"{expression!r} is not in the log:\n{text}"
    return text
