"""The real daemon on loopback: start it, talk to it, wait for what happens, and leave nothing behind.

Nothing here waits for time to pass: whatever is waited for is an event of the daemon, a line, an exit or an answer, and
BOUND seconds after which the test has failed.
"""

import collections
import functools
import http.client
import itertools
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

SOURCE = pathlib.Path(os.environ.get("SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("BUILD_DIR", ".")).resolve()
UNICORND = os.path.abspath(os.environ.get("UNICORND", BUILD / "unicornd"))
UNICORNCTL = os.path.abspath(os.environ.get("UNICORNCTL", BUILD / "unicornctl"))
LOAD = str(BUILD / "unicornd-load")
FAULTY_WORKER = str(BUILD / "tests/integration/fixtures/faulty_worker")
HTTP_WORKER = str(BUILD / "packaging/examples/http_worker")
HELLO_WORKER = str(BUILD / "packaging/examples/hello_worker")
EXAMPLES = SOURCE / "packaging/examples"
APPS = SOURCE / "tests/integration/apps"

BOUND = 30
SANITIZED = b"__asan_init" in pathlib.Path(UNICORND).read_bytes() if os.path.exists(UNICORND) else False
os.environ.setdefault("LSAN_OPTIONS", f"suppressions={SOURCE / 'tests/lsan.supp'}:print_suppressions=0")

Ran = collections.namedtuple("Ran", "status out err")


class Skip(Exception):
    """Raised by a test that cannot run here."""


class ControlError(Exception):
    """The daemon refused a request."""

    def __init__(self, error):
        super().__init__(error)
        self.code = error["code"]
        self.data = error.get("data", {})


# ---- processes and addresses

def wait_gone(pid, bound=BOUND):
    """Waits until a process, which may be anybody's child, has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        ready, _, _ = select.select([descriptor], [], [], bound)
    finally:
        os.close(descriptor)
    assert ready, f"process {pid} is still there after {bound} s"


def wait_program(pid, name, bound=BOUND):
    """Waits until a child of the daemon has become the program; there is no event to be had for an execve."""
    end = time.monotonic() + bound
    while pathlib.Path(f"/proc/{pid}/comm").read_text().strip() != name:
        assert time.monotonic() < end, f"process {pid} has not become {name} after {bound} s"
        os.sched_yield()


def until(condition, what):
    """Asks again and again; there is no event to be had."""
    end = time.monotonic() + BOUND
    while not condition():
        assert time.monotonic() < end, what
        os.sched_yield()


def exists(pid):
    """Whether a process lives; one that is dead and not reaped yet does not."""
    try:
        return proc_status(pid)["State"][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def proc_status(pid):
    """/proc/PID/status as a dictionary."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def memory_kb(pid):
    return int(proc_status(pid)["VmRSS"].split()[0])


def environment_of(pid):
    """The environment with which a process was executed."""
    pairs = pathlib.Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def descriptors_of(pid):
    """{number: what it is} of a process."""
    found = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
        except FileNotFoundError:
            pass
    return found


_places = itertools.count()


def new_address():
    """An address of 127.0.0.0/8 that is this process's own, so that tests may run side by side."""
    host = f"127.{1 + os.getpid() // 250 % 250}.{1 + os.getpid() % 250}.1"
    while True:
        port = 10000 + next(_places)
        with socket.socket() as probe:
            try:
                probe.bind((host, port))
                return f"{host}:{port}"
            except OSError:
                continue


def kill_marked(mark):
    """Kills what still runs with this marker in its environment, by its pid."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and environment_of(entry).get("UNICORND_TEST") == mark:
                os.kill(int(entry), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            pass


# ---- HTTP

def get(address, path="/"):
    """Asks once. @return the body of a 200."""
    connection = connect_http(address)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, f"{answer.status}: {body}"
        return body.decode()
    finally:
        connection.close()


def connect_http(address):
    host, _, port = address.rpartition(":")
    return http.client.HTTPConnection(host, int(port), timeout=BOUND)


class Load:
    """unicornd-load, running from its first answer until finish()."""

    def __init__(self, address, *options, connections=4):
        self.process = subprocess.Popen(
            [LOAD, "--address", address, "--until-eof", "--announce", "--connections", str(connections), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if not select.select([self.process.stdout], [], [], BOUND)[0]:
            self.process.kill()
        said = self.process.stdout.readline()
        assert said == "started\n", f"unicornd-load: no answer: {said!r}"

    def finish(self):
        out, _ = self.process.communicate(timeout=2 * BOUND)
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def check_load(*loads):
    """Ends loads; no request may have failed. @return the reports"""
    reports = [load.finish() for load in loads]
    for report in reports:
        told = {name: value for name, value in report.items() if name != "bodies"}
        assert report["failed"] == 0 and report["ok"] > 0, told
    return reports


# ---- who serves while workers come and go

def check_ready(events, workers, least):
    """Goes through the events; never may fewer workers serve, from when all did. @return how often that was looked at"""
    ready = set()
    looked = 0
    for event in events:
        if event["event"] == "worker_ready":
            ready.add(event["pid"])
        elif event["event"] in ("worker_draining", "worker_gone", "worker_lost", "worker_aborting"):
            ready.discard(event["pid"])
        looked += len(ready) >= workers
        assert not looked or len(ready) >= least, f"{event}: only {ready} serve"
    return looked


def wait_recycled(site, count):
    """Waits until so many have been told to leave because they had asked for it. @return their pids"""
    return [site.wait("worker_draining", text="had asked for a replacement")["pid"] for _ in range(count)]


# ---- the control socket

class Control:
    """A connection to the control socket: JSON, one object a line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(BOUND)
        self.socket.connect(path)
        self.partial = b""
        self.ids = itertools.count(1)
        self.notifications = collections.deque()

    def send(self, method, **params):
        number = next(self.ids)
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return number

    def read(self, bound=BOUND):
        """@return the next message; None when the daemon has closed the connection"""
        end = time.monotonic() + bound
        while b"\n" not in self.partial:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                chunk = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not chunk:
                return None
            self.partial += chunk
        line, _, self.partial = self.partial.partition(b"\n")
        return json.loads(line)

    def answer(self, number, bound=BOUND):
        while (message := self.read(bound)) is not None:
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise ControlError(message["error"])
                return message["result"]
            self.notifications.append(message)
        raise EOFError("the daemon has closed the connection")

    def call(self, method, **params):
        return self.answer(self.send(method, **params))

    def close(self):
        self.socket.close()


# ---- configuration

def block(kind, name, **settings):
    """One block of a configuration; lists and numbers may be given as such."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, (list, tuple)):
            value = "{ " + ", ".join(quote(item) for item in value) + " }"
        elif not isinstance(value, int):
            value = quote(value)
        lines.append(f"    {key} = {value}\n")
    return f"{kind} {name} {{\n".replace("  ", " ") + "".join(lines) + "}\n"


def quote(value):
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def listener(name, address, **settings):
    return block("listener", name, address=address, **settings)


def pool(name, command, listeners=("web",), **settings):
    if listeners:
        settings["listeners"] = listeners
    return block("pool", name, command=command, **settings)


# ---- the daemon

class Site:
    """A daemon with a folder of its own. As a context it ends all that it started, and tells its log if need be."""

    def __init__(self, configuration=None, environment=None, pass_fds=()):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="unicornd-test-"))
        os.chmod(self.folder, 0o755)
        self.path = self.folder / "site.conf"
        self.socket = str(self.folder / "control.sock")
        self.environment = {**os.environ, "UNICORND_TEST": str(self.folder), "ASAN_OPTIONS": "abort_on_error=0",
                            "PYTHONDONTWRITEBYTECODE": "1", "TZ": "UTC", **(environment or {})}
        for name in ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC"):
            if name not in (environment or {}):
                self.environment.pop(name, None)
        self.pass_fds = pass_fds
        self.process = None
        self.log = []
        self.reader = None
        self.changed = threading.Condition()
        self.follower = None
        self.events = []
        self.position = 0
        if configuration is not None:
            self.write(configuration)

    def write(self, configuration):
        self.path.write_text(configuration)

    # -- start and end

    def command(self, *arguments):
        return [UNICORND, "--socket", self.socket, *(arguments or ("-c", str(self.path)))]

    def launch(self, *arguments, preexec_fn=None):
        """Starts the daemon; without arguments with the file, or with those."""
        self.process = subprocess.Popen(self.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, env=self.environment, cwd=self.folder,
                                        pass_fds=self.pass_fds, preexec_fn=preexec_fn)
        self.log = []
        self.reader = threading.Thread(target=self.read_log, args=(self.process.stderr, self.log), daemon=True)
        self.reader.start()
        return self

    def launch_until_ready(self):
        """launch(), until the daemon tells the service manager, for one whose log goes elsewhere."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.settimeout(BOUND)
            notify.bind(str(self.folder / "notify"))
            self.environment["NOTIFY_SOCKET"] = str(self.folder / "notify")
            self.launch()
            while b"READY=1" not in notify.recv(4096):
                pass
        return self

    def start(self, *arguments, ready=True):
        """launch(), until the control socket is there and, if asked for, until all pools are ready."""
        self.launch(*arguments)
        self.wait_log("site_started")
        self.follow()
        if ready:
            self.wait("site_ready")
        return self

    def read_log(self, stream, log):
        """The list is the daemon's that was started: the end of one that was killed may come after the next start."""
        for line in stream:
            with self.changed:
                log.append(line.decode(errors="replace").rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            log.append(None)
            self.changed.notify_all()

    def wait_log(self, pattern, bound=BOUND):
        """Waits for a line of the daemon's standard error."""
        found = None

        def look():
            nonlocal found
            found = next((line for line in self.log if line is not None and re.search(pattern, line)), None)
            return found is not None or None in self.log
        with self.changed:
            self.changed.wait_for(look, bound)
        assert found, f"no line of the log matches {pattern!r}"
        return found

    def wait_exit(self, bound=BOUND):
        """@return the daemon's exit status"""
        wait_gone(self.process.pid, bound)
        status = self.process.wait()
        self.reader.join(BOUND)
        return status

    def run(self, *arguments):
        """A daemon that ends by itself: -t, -T, a refusal."""
        done = subprocess.run([UNICORND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=self.environment, cwd=self.folder, timeout=BOUND, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Ends it as systemd would. @return the exit status"""
        self.signal(signal.SIGTERM)
        return self.wait_exit()

    def close(self):
        if self.follower:
            self.follower.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        kill_marked(str(self.folder))
        if self.reader:
            self.reader.join(BOUND)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()
        if kind is not None and kind is not Skip:
            print("\n".join(f"# log: {line}" for line in self.log[-80:] if line is not None))

    # -- questions

    def control(self):
        return Control(self.socket)

    def call(self, method, **params):
        control = self.control()
        try:
            return control.call(method, **params)
        finally:
            control.close()

    def ctl(self, *arguments, **options):
        """Runs unicornctl."""
        done = subprocess.run([UNICORNCTL, "--socket", self.socket, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=self.environment, timeout=4 * BOUND, check=False,
                              **options)
        return Ran(done.returncode, done.stdout, done.stderr)

    def reload(self, *arguments, status=0):
        """unicornctl reload, which must end with that status."""
        ran = self.ctl("reload", *arguments)
        assert ran.status == status, ran
        return ran

    def status(self):
        return self.call("status")

    def pool(self, name="app"):
        return next(pool for pool in self.status()["pools"] if pool["name"] == name)

    def pids(self, name="app"):
        """{slot: pid} of a pool's workers that serve."""
        return {slot["slot"]: slot["pid"] for slot in self.pool(name)["slots"] if slot["state"] == "ready"}

    # -- events

    def follow(self):
        """Subscribes to all events, from the first."""
        if self.follower:
            self.follower.close()
        self.follower = self.control()
        self.events = self.follower.call("events", follow=True)["events"]
        self.position = 0

    def _next_event(self, end):
        message = self.follower.notifications.popleft() if self.follower.notifications else None
        if message is None:
            message = self.follower.read(max(end - time.monotonic(), 0.001))
        assert message is not None, "the daemon is gone"
        self.events.append(message["params"])

    def wait(self, name, bound=BOUND, text=None, since=None, **fields):
        """Goes on, or back to `since`, to the next event with this name, fields and a text that matches. @return it"""
        end = time.monotonic() + bound
        if since is not None:
            self.position = self.events.index(since) + 1
        while True:
            while self.position < len(self.events):
                event = self.events[self.position]
                self.position += 1
                if event["event"] == name and all(event[key] == value for key, value in fields.items()) and \
                        (text is None or re.search(text, event["text"])):
                    return event
            try:
                self._next_event(end)
            except TimeoutError:
                raise AssertionError(f"no event {name} {fields} within {bound} s") from None

    def catch_up(self):
        """Reads the events up to now. @return all of them"""
        newest = self.call("events")["events"][-1]["sequence"]
        while not self.events or self.events[-1]["sequence"] < newest:
            self._next_event(time.monotonic() + BOUND)
        return self.events

    def skip_events(self):
        """What has happened up to now is not waited for any more."""
        self.position = len(self.catch_up())


# ---- TAP

TESTS = []


def test(function):
    """Marks a test; its name, with blanks, is what it says in TAP."""
    TESTS.append(function)
    return function


def for_each(rows):
    """@return what marks a test that is run for each row, which is its argument; the row's name ends the test's"""
    def mark(function):
        for name, row in rows.items():
            bound = functools.partial(function, row)
            bound.__name__ = f"{function.__name__}_{name}"
            TESTS.append(bound)
        return function
    return mark


def run_tests():
    """Runs all functions that are marked, or those named on the command line, and exits."""
    chosen = [function for function in TESTS if len(sys.argv) < 2 or function.__name__ in sys.argv[1:]]
    failed = False
    print(f"1..{len(chosen)}", flush=True)
    for number, function in enumerate(chosen, 1):
        began = time.monotonic()
        verdict, note = "ok", ""
        try:
            function()
        except Skip as reason:
            note = f" # SKIP {reason}"
        except Exception:  # pylint: disable=broad-except
            failed = True
            verdict = "not ok"
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()))
        print(f"# {time.monotonic() - began:.1f} s")
        print(f"{verdict} {number} - {function.__name__.replace('_', ' ')}{note}", flush=True)
    sys.exit(1 if failed else 0)
