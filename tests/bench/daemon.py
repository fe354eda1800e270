"""unicornd itself: started with a configuration, asked over its control socket."""

import json
import os
import signal
import socket
import time

import processes

SOURCE = os.environ.get("SOURCE_DIR", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("BUILD_DIR", SOURCE)
UNICORND = os.path.abspath(os.environ.get("UNICORND", os.path.join(BUILD, "unicornd")))
UNICORNCTL = os.path.abspath(os.environ.get("UNICORNCTL", os.path.join(BUILD, "unicornctl")))
HTTP_WORKER = os.path.abspath(os.path.join(BUILD, "packaging/examples/http_worker"))
SLEEPER = "/bin/sleep"

SITE_READY = b"site_ready"
START_SECONDS = 60
ANSWER_SECONDS = 60

HTTP_SITE = """
listener web {{
    address = "127.0.0.1:{port}"
}}

pool app {{
    listeners = {{ web }}
    command   = {{ {command} }}
    workers   = {workers}
    heartbeat = "{heartbeat}"
}}
"""

SLEEPER_SITE = """
pool app {{
    command   = {{ {command} }}
    workers   = {workers}
    heartbeat = "none"
    ready     = "alive 1ms"
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def quote(words):
    return ", ".join(f'"{word}"' for word in words)


class Daemon:
    """A running unicornd; `ready_seconds` is the time from its start to site_ready."""

    name = "unicornd"

    def __init__(self, folder, text):
        self.socket = os.path.join(folder, "bench.sock")
        self.log = os.path.join(folder, "unicornd.log")
        configuration = os.path.join(folder, "bench.conf")
        with open(configuration, "w", encoding="utf-8") as file:
            file.write(text)
        with open(self.log, "wb"):
            pass
        started = time.monotonic()
        self.process = processes.start([UNICORND, "-c", configuration, "--socket", self.socket], self.log)
        try:
            self._wait_ready()
        except BaseException:
            self.stop()
            raise
        self.ready_seconds = time.monotonic() - started

    @classmethod
    def with_http(cls, folder, workers, beats):
        """Workers that beat each second, or do not beat at all."""
        command = [HTTP_WORKER] if beats else [HTTP_WORKER, "--idle"]
        return cls(folder, HTTP_SITE.format(port=free_port(), command=quote(command), workers=workers,
                                            heartbeat="required" if beats else "none"))

    @classmethod
    def with_sleepers(cls, folder, workers):
        """Workers such as the peers have them where those cannot pass a socket on."""
        return cls(folder, SLEEPER_SITE.format(command=quote([SLEEPER, "100000"]), workers=workers))

    def _wait_ready(self):
        """Reads the log's growth only: asking the daemon would cost it something just now."""
        last = b""
        with open(self.log, "rb") as log:
            def is_ready():
                nonlocal last
                last = last[-len(SITE_READY):] + log.read()
                if self.process.poll() is not None:
                    raise processes.TooLate(f"unicornd ended with status {self.process.returncode}: {self.tail()}")
                return SITE_READY in last
            processes.wait_until(is_ready, "site_ready", START_SECONDS)

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-400:].strip()

    @property
    def pid(self):
        return self.process.pid

    def managers(self):
        return [self.pid]

    def workers(self):
        return processes.children(self.pid)

    def ask(self, method, **parameters):
        """One request on a connection of its own. @return the result"""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(self.socket)
            request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
            connection.sendall(json.dumps(request).encode() + b"\n")
            for line in connection.makefile("rb"):
                answer = json.loads(line)
                if answer.get("id") == 1:
                    if "error" in answer:
                        raise RuntimeError(f"{method}: {answer['error']['message']}")
                    return answer["result"]
        raise RuntimeError(f"{method}: the daemon has hung up")

    def rows(self):
        return self.ask("status")["pools"][0]["slots"]

    def reload(self):
        os.kill(self.pid, signal.SIGHUP)

    def stop(self):
        processes.stop(self.process)


def run_and_time(*command):
    """Wall time in seconds of a whole process whose output nobody reads."""
    with open(os.devnull, "r+b") as null:
        actions = [(os.POSIX_SPAWN_DUP2, null.fileno(), descriptor) for descriptor in (0, 1, 2)]
        started = time.monotonic()
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        status = os.waitpid(pid, 0)[1]
        seconds = time.monotonic() - started
    if status != 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return seconds


def run_unicornctl(daemon, *words):
    return run_and_time(UNICORNCTL, "--socket", daemon.socket, *words)
