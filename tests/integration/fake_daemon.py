"""A daemon that answers by a script, unicornctl run against it, and a list of tests that do so."""

import json
import os
import pty
import socket
import subprocess
import sys
import tempfile
import threading
import traceback

PROGRAM = os.path.abspath(os.environ.get("UNICORNCTL", "./unicornctl"))
BOUND = 30  # seconds after which a test has failed; nothing here waits for time to pass

HOLD = object()  # a step of a script: wait until unicornctl is gone


class Daemon:
    """Serves one connection: reads the request, then sends each step; objects become lines, bytes are sent raw."""

    def __init__(self, path, script):
        self.request = None
        self.script = script
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.settimeout(BOUND)
        self.listener.bind(path)
        self.listener.listen(1)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(BOUND)
            line = connection.makefile("rb").readline()
            self.request = json.loads(line) if line else None
            try:
                for step in self.script:
                    self.play(connection, step)
            except (BrokenPipeError, ConnectionResetError):
                pass  # unicornctl has heard enough

    @staticmethod
    def play(connection, step):
        if step is HOLD:
            connection.recv(1)
        elif callable(step):
            step()
        else:
            connection.sendall(step if isinstance(step, bytes) else json.dumps(step).encode() + b"\n")

    def close(self):
        # Wakes a thread that still waits for a client.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(BOUND)


class Ran:
    """What came of a run."""

    def __init__(self, status, out, err, request=None):
        self.status = status
        self.out = out
        self.err = err
        self.request = request

    def __repr__(self):
        return f"status {self.status}\nout: {self.out!r}\nerr: {self.err!r}\nrequest: {self.request}"


def run(*arguments, environment=None, **options):
    """Runs unicornctl without a terminal."""
    done = subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=BOUND,
                          env=clean_environment(environment), check=False, **options)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def clean_environment(more=None):
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "XDG_RUNTIME_DIR")}
    return {**kept, "TZ": "UTC", "TERM": "xterm", **(more or {})}


def talk(script, *arguments, environment=None):
    """Runs unicornctl against a daemon with this script."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "site.sock")
        daemon = Daemon(path, script)
        try:
            ran = run("--socket", path, *arguments, environment=environment)
        finally:
            daemon.close()
        ran.request = daemon.request
        return ran


def talk_on_terminal(script, *arguments, environment=None):
    """As talk(), but standard output is a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "site.sock")
        daemon = Daemon(path, script)
        ours, theirs = pty.openpty()
        with subprocess.Popen([PROGRAM, "--socket", path, *arguments], stdin=subprocess.DEVNULL, stdout=theirs,
                              stderr=subprocess.PIPE, env=clean_environment(environment)) as process:
            os.close(theirs)
            out = read_all(ours)
            err = process.stderr.read()
            status = process.wait(BOUND)
        daemon.close()
        return Ran(status, out.decode(), err.decode(), daemon.request)


def read_all(descriptor):
    """Reads a terminal until nobody has its other end."""
    collected = b""
    try:
        while chunk := os.read(descriptor, 65536):
            collected += chunk
    except OSError:
        pass
    os.close(descriptor)
    return collected


def result(value):
    return {"jsonrpc": "2.0", "id": 1, "result": value}


def error(code, message, **data):
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": message, "data": data}}


def notification(method, **params):
    return {"jsonrpc": "2.0", "method": method, "params": params}


TESTS = []


def test(function):
    """Marks a test; its name, with blanks, is what it says in TAP."""
    TESTS.append(function)
    return function


def check(condition, ran):
    if not condition:
        raise AssertionError(str(ran))


def run_tests():
    """Runs all functions that are marked as a test, and exits."""
    failed = False
    print(f"1..{len(TESTS)}")
    for number, function in enumerate(TESTS, 1):
        name = function.__name__.replace("_", " ")
        try:
            function()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed = True
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()))
            print(f"not ok {number} - {name}", flush=True)
    sys.exit(1 if failed else 0)
