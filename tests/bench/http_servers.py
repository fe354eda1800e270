"""HTTP servers, each with one process that answers: the two workers, and what they are compared with."""

import importlib.util
import os
import shutil
import urllib.error
import urllib.request

import processes
from daemon import BUILD, SOURCE, free_port
from peers import write

APPS = os.path.join(SOURCE, "tests/bench/apps")
GATEWAYS = os.environ.get("UNICORND_GATEWAYS", os.path.join(BUILD, ".libs"))
HELLO_MODULE = os.path.join(BUILD, "tests/bench/.libs/hello_app.so")
START_SECONDS = 30
ANSWER_SECONDS = 2
LOG_TAIL = 400
KEEP_ALIVE_SECONDS = 300

# What Debian's own configuration says about files, and connections that are kept as ours are.
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


class Missing(Exception):
    """What cannot be compared with is not here."""


def cpu_seconds_of_threads(*pids):
    """Time on a processor, user and system, of all threads that there are now."""
    return sum(int(processes.read(pid, f"task/{thread}/schedstat").split()[0])
               for pid in pids for thread in os.listdir(f"/proc/{pid}/task")) / 1e9


def require(*modules):
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise Missing(f"Python has no module {module}")


class Server:
    """Running from its creation on, and answering."""

    name = ""
    program = ""
    modules = ()
    missing = Missing  # what to raise when the program is not there

    def __init__(self, folder, *words, path="/"):
        self.folder = folder
        self.words = words  # what it serves, in its own way of saying so
        self.path = path
        self.port = free_port()
        self.log = os.path.join(folder, f"{self.name}.log")
        require(*self.modules)
        command = self.command()
        if shutil.which(command[0]) is None:
            raise self.missing(f"{command[0]} is missing")
        self.process = processes.start(command, self.log, dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                                                               UNICORND_GATEWAYS=GATEWAYS))
        try:
            processes.wait_until(self._answers, f"an answer of {self.name}", START_SECONDS, calm=True)
        except BaseException:
            self.stop()
            raise

    def command(self):
        raise NotImplementedError

    def address(self):
        return f"127.0.0.1:{self.port}"

    def url(self):
        return f"http://{self.address()}{self.path}"

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with status {self.process.returncode}: {self._tail()}")
        try:
            self.fetch()
        except urllib.error.HTTPError:
            raise
        except OSError:
            return False
        return True

    def fetch(self):
        """The body of an answer that must be 200."""
        with urllib.request.urlopen(self.url(), timeout=ANSWER_SECONDS) as answer:
            return answer.read()

    def _tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-LOG_TAIL:].strip()

    @property
    def pid(self):
        return self.process.pid

    def cpu_seconds(self):
        """Of all its processes and their threads."""
        return cpu_seconds_of_threads(self.pid, *processes.children(self.pid))

    def stop(self):
        processes.stop(self.process)


class Worker(Server):
    """Ours, run alone."""

    missing = RuntimeError

    def command(self):
        app, *options = self.words
        return [os.path.join(BUILD, self.program), "--bind", self.address(), "--app", app, "--app-dir", APPS, *options]


class AsyncWorker(Worker):
    name = program = "unicornd-worker-async"


class SyncWorker(Worker):
    name = program = "unicornd-worker-sync"


class BareLoop(Server):
    """Constant answers: what it takes to read and write."""

    name = "bare_loop"
    missing = RuntimeError

    def command(self):
        return [os.path.join(BUILD, "tests/bench/bare_loop"), str(self.port)]


class Uvicorn(Server):
    name = "uvicorn"
    program = "uvicorn"
    modules = ("uvloop", "httptools")

    def command(self):
        return [self.program, "--host", "127.0.0.1", "--port", str(self.port), "--loop", "uvloop",
                "--http", "httptools", "--no-access-log", "--timeout-keep-alive", str(KEEP_ALIVE_SECONDS),
                "--app-dir", APPS, *self.words]


class UvicornWebsockets(Uvicorn):
    modules = (*Uvicorn.modules, "websockets")

    def command(self):
        return [*super().command(), "--ws", "websockets"]


class Uwsgi(Server):
    name = "uwsgi"
    program = "uwsgi"

    def command(self):
        return [self.program, "--plugin", "python3", "--http11-socket", self.address(), "--processes", "1",
                "--pythonpath", APPS, "--module", *self.words, "--need-app", "--disable-logging"]


class Nginx(Server):
    name = "nginx"
    program = "nginx"

    def command(self):
        path = write(self.folder, "nginx.conf",
                     NGINX.format(folder=self.folder, port=self.port, root=self.words[0]))
        return [self.program, "-e", self.log, "-p", self.folder, "-c", path]
