#!/usr/bin/python3
"""The daemon as a service: what it tells its service manager, and the sockets that it takes over."""

import os
import re
import signal
import socket
import sys
import time

from harness import (BOUND, FAULTY_WORKER, HTTP_WORKER, Site, connect_http, descriptors_of, environment_of, get,
                     listener, new_address, pool, run_tests, test)

# Descriptors from 3 on, and variables that name the daemon's own pid.
ENTER = """import os, sys
count = int(sys.argv[1])
given = [os.dup(int(number)) for number in sys.argv[2:2 + count]]
for number, descriptor in enumerate(given, 3):
    os.dup2(descriptor, number)
    os.set_inheritable(number, True)
os.closerange(3 + count, 256)
for name in ("LISTEN_PID", "WATCHDOG_PID"):
    os.environ[name] = str(os.getpid())
os.execv(sys.argv[2 + count], sys.argv[2 + count:])"""


class Service(Site):
    """A site whose service manager is this test."""

    def __init__(self, configuration, sockets=None, **environment):
        super().__init__(configuration)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.settimeout(BOUND)
        self.manager.bind(str(self.folder / "notify"))
        self.environment["NOTIFY_SOCKET"] = str(self.folder / "notify")
        self.environment.update(environment)
        self.sockets = sockets or {}
        if self.sockets:
            self.environment["LISTEN_FDS"] = str(len(self.sockets))
            self.environment["LISTEN_FDNAMES"] = ":".join(self.sockets)
        self.messages = []

    def command(self, *arguments):
        numbers = [str(passed.fileno()) for passed in self.sockets.values()]
        self.pass_fds = [passed.fileno() for passed in self.sockets.values()]
        return [sys.executable, "-c", ENTER, str(len(numbers)), *numbers, *super().command(*arguments)]

    def told(self, pattern):
        """Waits for a message of the daemon. @return it"""
        while True:
            message = self.manager.recv(65536).decode()
            self.messages.append(message)
            if re.search(pattern, message, re.M):
                return message

    def told_now(self):
        """@return all that it has told"""
        self.manager.setblocking(False)
        try:
            while True:
                self.messages.append(self.manager.recv(65536).decode())
        except BlockingIOError:
            self.manager.settimeout(BOUND)
        return self.messages

    def close(self):
        super().close()
        self.manager.close()


def listening():
    made = socket.socket()
    host, port = new_address().rsplit(":", 1)
    made.bind((host, int(port)))
    made.listen(5)
    return made, f"{host}:{port}"


@test
def ready_means_that_every_pool_is_ready():
    script = 'read line <gate; echo READY=1 >&"$UNICORND_STATUS_FD"; exec sleep 1000'
    with Service(listener("web", new_address()) + pool("app", HTTP_WORKER, workers=2) +
                 pool("late", ["sh", "-c", script], listeners=())) as site:
        os.mkfifo(site.folder / "gate")
        site.start(ready=False)
        site.told("^STATUS=rolling: 2 of 3 workers ready")
        assert not any("READY=1" in message for message in site.told_now()), site.messages
        (site.folder / "gate").write_text("go\n")
        site.told("^READY=1$")
        assert site.status()["state"] == "steady"
        assert any(message == "STATUS=steady: 3 of 3 workers ready, generation 1" for message in site.told_now())
        # Words of workers are for the daemon, and what the daemon was told is not for workers.
        names = environment_of(site.pids()[1])
        assert names["NOTIFY_SOCKET"] != site.environment["NOTIFY_SOCKET"]
        site.signal(signal.SIGTERM)
        site.told("^STOPPING=1$")
        assert site.wait_exit() == 0


@test
def reload_is_announced():
    with Service(listener("web", new_address()) + pool("app", HTTP_WORKER)) as site:
        site.start()
        site.told("^READY=1$")
        before = time.clock_gettime(time.CLOCK_MONOTONIC)
        site.signal(signal.SIGHUP)
        message = site.told("^RELOADING=1$")
        moment = int(re.search("^MONOTONIC_USEC=([0-9]+)$", message, re.M).group(1)) / 1e6
        assert before - 0.01 <= moment <= time.clock_gettime(time.CLOCK_MONOTONIC), (before, moment)
        site.told("^READY=1$")
        site.told_now()
        assert "STATUS=steady: 1 of 1 workers ready, generation 2" in site.messages, site.messages
        assert site.stop() == 0


@test
def failed_reload_ends_with_ready_too():
    with Service(listener("web", new_address()) + pool("app", [FAULTY_WORKER, "--mode-from", "mode"],
                                                       backoff="1ms 10ms")) as site:
        site.start()
        site.told("^READY=1$")
        (site.folder / "mode").write_text("--crash-at-start")
        site.reload(status=5)
        site.told("^RELOADING=1$")
        site.told("^READY=1$")
        assert site.stop() == 0


@test
def refused_reload_is_announced_too():
    """A service of Type=notify-reload waits for these words after its HUP."""
    with Service(listener("web", new_address()) + pool("app", HTTP_WORKER)) as site:
        site.start()
        site.told("^READY=1$")
        site.write("nonsense")
        site.signal(signal.SIGHUP)
        site.told("^RELOADING=1$")
        site.told("^READY=1$")
        assert site.stop() == 0


@test
def degraded_pool_is_told():
    with Service(listener("web", new_address()) + pool("app", [FAULTY_WORKER, "--crash-at-start"], give_up="2 in 60s",
                                                       backoff="1ms 10s")) as site:
        site.start(ready=False)
        site.told("^STATUS=degraded: 0 of 1 workers ready")
        assert not any("READY=1" in message for message in site.told_now())


@test
def watchdog_is_fed():
    with Service(listener("web", new_address()) + pool("app", HTTP_WORKER), WATCHDOG_USEC="400000") as site:
        site.start()
        site.told("^WATCHDOG=1$")
        for _ in range(4):
            began = time.monotonic()
            site.told("^WATCHDOG=1$")
            assert time.monotonic() - began < 0.4, "too late"
        assert site.stop() == 0


@test
def sockets_are_taken_over_by_name():
    web, address = listening()
    extra, other = listening()
    with Service(listener("first", "systemd:extra") + listener("second", "systemd:web") +
                 pool("app", HTTP_WORKER, listeners=("first", "second"), workers=2),
                 sockets={"web": web, "extra": extra}) as site:
        # Who came before the daemon is served by it.
        early = connect_http(address)
        early.request("GET", "/", headers={"Connection": "close"})
        site.start()
        assert early.getresponse().status == 200
        assert get(address) and get(other)
        pid = site.pids()[1]
        assert environment_of(pid)["LISTEN_FDNAMES"] == "first:second"
        fds = descriptors_of(pid)
        assert fds[3] == f"socket:[{os.fstat(extra.fileno()).st_ino}]", fds
        assert fds[4] == f"socket:[{os.fstat(web.fileno()).st_ino}]", fds
        site.reload()
        assert get(address) and get(other) and descriptors_of(site.pids()[1])[3] == fds[3]
        assert site.stop() == 0
    # They are the service manager's: the daemon's end leaves them listening.
    with socket.create_connection(web.getsockname(), timeout=BOUND):
        pass
    web.close()
    extra.close()


@test
def name_that_was_not_passed_is_refused():
    web, _ = listening()
    with Service(listener("web", "systemd:nobody") + pool("app", HTTP_WORKER), sockets={"web": web}) as site:
        site.launch()
        assert site.wait_exit() == 69
        assert any(line and "nobody" in line for line in site.log), site.log
    web.close()


if __name__ == "__main__":
    run_tests()
