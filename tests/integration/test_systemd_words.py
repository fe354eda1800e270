#!/usr/bin/python3
"""The daemon as a service: what it tells its service manager, and the sockets that it takes over."""

import os
import re
import select
import signal
import socket
import stat
import sys
import time

from harness import (BOUND, FAULTY_WORKER, HTTP_WORKER, Site, Skip, connect_http, descriptors_of, environment_of, get,
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
        self.stored = {}

    def command(self, *arguments):
        numbers = [str(passed.fileno()) for passed in self.sockets.values()]
        self.pass_fds = [passed.fileno() for passed in self.sockets.values()]
        return [sys.executable, "-c", ENTER, str(len(numbers)), *numbers, *super().command(*arguments)]

    def receive(self):
        """Takes one message, and does with a descriptor what it says. @return it"""
        message, given, _, _ = socket.recv_fds(self.manager, 65536, 1)
        message = message.decode()
        self.messages.append(message)
        name = re.search("^FDNAME=(.*)$", message, re.M)
        if "FDSTORE=1" in message.splitlines():
            self.stored[name.group(1)] = socket.socket(fileno=given[0])
        elif "FDSTOREREMOVE=1" in message.splitlines() and name.group(1) in self.stored:
            self.stored.pop(name.group(1)).close()
        return message

    def told(self, pattern):
        """Waits for a message of the daemon. @return it"""
        while True:
            message = self.receive()
            if re.search(pattern, message, re.M):
                return message

    def told_now(self):
        """@return all that it has told"""
        self.manager.setblocking(False)
        try:
            while True:
                self.receive()
        except BlockingIOError:
            self.manager.settimeout(BOUND)
        return self.messages

    def die(self, *pools):
        """Kills the daemon and waits until its workers are gone too."""
        workers = [os.pidfd_open(pid) for name in pools or ("app",) for pid in self.pids(name).values()]
        self.signal(signal.SIGKILL)
        self.wait_exit()
        for worker in workers:
            assert select.select([worker], [], [], BOUND)[0], "a worker outlived the daemon"
            os.close(worker)
        self.told_now()

    def close(self):
        super().close()
        self.manager.close()
        for stored in self.stored.values():
            stored.close()


def pair(address):
    """@return it as Python's sockets take it"""
    host, port = address.rsplit(":", 1)
    return host, int(port)


def listening():
    address = new_address()
    return socket.create_server(pair(address), backlog=5), address


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
        assert "READY=1" not in site.messages, "before anything was decided"
        # Nobody waits for a start that has failed: neither who typed it, nor the boot.
        site.told("^READY=1$")


@test
def given_up_pool_keeps_nobody_waiting():
    """One pool is refused at once, the other takes its time: the start is over with the second."""
    script = 'read line <gate; echo READY=1 >&"$UNICORND_STATUS_FD"; exec sleep 1000'
    with Service(pool("late", ["sh", "-c", script], listeners=()) +
                 pool("broken", ["sh", "-c", "exit 78"], listeners=())) as site:
        os.mkfifo(site.folder / "gate")
        site.start(ready=False)
        site.told("^STATUS=degraded: 0 of 2 workers ready")
        assert "READY=1" not in site.told_now(), site.messages
        (site.folder / "gate").write_text("go\n")
        site.told("^READY=1$")
        site.told_now()
        assert "STATUS=degraded: 1 of 2 workers ready, generation 1" in site.messages, site.messages
        # The service is up: a reload that mends it is told as any other.
        site.write(pool("late", ["sh", "-c", 'echo READY=1 >&"$UNICORND_STATUS_FD"; exec sleep 1000'], listeners=()) +
                   pool("broken", ["sh", "-c", 'echo READY=1 >&"$UNICORND_STATUS_FD"; exec sleep 1000'], listeners=()))
        site.reload()
        site.told("^RELOADING=1$")
        site.told("^READY=1$")
        assert site.stop() == 0


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


def assert_nobody_listens(address):
    try:
        socket.create_connection(pair(address), timeout=BOUND).close()
    except ConnectionRefusedError:
        return
    raise AssertionError(f"{address} answers")


def kept_name(address, *more):
    """@return the name under which a socket is kept"""
    return ",".join(("listener", address.replace(":", "_"), *more))


def knock(address):
    """@return a connection that waits for an answer to its request"""
    early = connect_http(address)
    early.request("GET", "/", headers={"Connection": "close"})
    return early


def knock_unix(path):
    early = socket.socket(socket.AF_UNIX)
    early.settimeout(BOUND)
    early.connect(str(path))
    early.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return early


@test
def listeners_outlive_the_daemon():
    address = new_address()
    with Service("") as killed:
        path = killed.folder / "web.sock"
        configuration = listener("web", address) + listener("local", f"unix:{path}") + \
            pool("app", HTTP_WORKER, listeners=("web", "local"))
        killed.write(configuration)
        killed.start()
        killed.told("^READY=1$")
        assert len(killed.stored) == 2, killed.stored
        killed.die()
        early, local = knock(address), knock_unix(path)
        with Service(configuration, sockets=killed.stored) as site:
            site.start()
            assert early.getresponse().status == 200
            assert local.recv(12) == b"HTTP/1.1 200"
            local.close()
            site.told("^READY=1$")
            assert not site.stored, "stored once more"
            assert site.stop() == 0
            # A restart needs the socket; without its file that of the Unix socket is of no use.
            site.told_now()
            forgotten = [message for message in site.messages if "FDSTOREREMOVE=1" in message]
            assert len(forgotten) == 1 and "web.sock" in forgotten[0], site.messages


@test
def listener_of_another_address_is_not_kept():
    first, second = new_address(), new_address()
    with Service(listener("web", first) + pool("app", HTTP_WORKER)) as site:
        site.start()
        site.told("^READY=1$")
        site.write(listener("web", second) + pool("app", HTTP_WORKER))
        site.reload()
        site.told("^FDSTOREREMOVE=1$")
        assert list(site.stored) == [kept_name(second)], site.stored
        site.die()
        with Service(listener("web", first) + pool("app", HTTP_WORKER), sockets=site.stored) as other:
            other.start()
            other.told("^FDSTOREREMOVE=1$")
            assert get(first)
            for kept in site.stored.values():
                kept.close()
            assert_nobody_listens(second)
            assert other.stop() == 0


@test
def kept_listener_is_given_up_by_a_site_that_binds_nothing():
    web, address = listening()
    given, _ = listening()
    for configuration in (pool("app", "sleep 1000", listeners=(), ready="alive 1ms"),
                          listener("given", "systemd:given") + pool("app", HTTP_WORKER, listeners=("given",))):
        with Service(configuration, sockets={kept_name(address): web, "given": given}) as site:
            site.stored = {kept_name(address): web.dup()}
            site.start()
            site.told("^FDSTOREREMOVE=1$")
            web.close()
            assert_nobody_listens(address)
            assert site.stop() == 0
        web = socket.create_server(pair(address), backlog=5)
    web.close()
    given.close()


@test
def kept_socket_is_believed_only_with_its_address():
    """Neither where somebody else listens, nor one of another family, nor one that was never bound."""
    other, elsewhere = listening()
    local, unbound = socket.socket(socket.AF_UNIX), socket.socket()
    local.bind("")
    local.listen()
    for strange in (other, local, unbound):
        address = new_address()
        name = kept_name(address)
        with Service(listener("web", address) + pool("app", HTTP_WORKER), sockets={name: strange}) as site:
            site.stored = {name: strange}
            site.start()
            site.told("^FDSTOREREMOVE=1$")
            assert get(address)
            site.told("^READY=1$")
            assert list(site.stored) == [name]
            assert site.stop() == 0
    assert_nobody_listens(elsewhere)


@test
def kept_socket_that_does_not_listen_is_made_to():
    address = new_address()
    bound = socket.socket()
    bound.bind(pair(address))
    with Service(listener("web", address) + pool("app", HTTP_WORKER), sockets={kept_name(address): bound}) as site:
        site.start()
        assert get(address)
        assert site.stop() == 0
    bound.close()


@test
def as_many_listeners_are_kept_as_there_were():
    addresses = [new_address() for _ in range(100)]
    configuration = "".join(listener(f"l{number}", address) for number, address in enumerate(addresses)) + \
        "".join(pool(f"p{first}", HTTP_WORKER, listeners=[f"l{number}" for number in range(first, first + 50)])
                for first in (0, 50))
    with Service(configuration) as killed:
        killed.launch()
        killed.told("^READY=1$")
        assert len(killed.stored) == 100
        killed.die("p0", "p50")
        with Service(configuration, sockets=killed.stored) as site:
            site.start()
            assert all(get(address) for address in addresses[::11])
            site.told("^READY=1$")
            assert not site.stored, "bound anew"
            assert site.stop() == 0


@test
def kept_unix_socket_without_its_file_is_bound_anew():
    with Service("") as killed:
        path = killed.folder / "web.sock"
        configuration = listener("local", f"unix:{path}") + pool("app", HTTP_WORKER, listeners=("local",))
        killed.write(configuration)
        killed.start()
        killed.told("^READY=1$")
        killed.die()
        path.unlink()
        with Service(configuration, sockets=killed.stored) as site:
            site.start()
            local = knock_unix(path)
            assert local.recv(12) == b"HTTP/1.1 200"
            local.close()
            assert site.stop() == 0


@test
def kept_socket_that_was_bound_otherwise_is_bound_anew():
    with Service("") as killed:
        path = killed.folder / "web.sock"
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6) as six:
                port = six.getsockname()[1]
        except OSError as error:
            raise Skip("no IPv6 here") from error

        def configuration(mode, only_v6):
            return listener("local", f"unix:{path}", mode=mode) + \
                listener("six", f"[::1]:{port}", only_v6=only_v6) + pool("app", HTTP_WORKER, listeners=("local", "six"))
        killed.write(configuration("0600", "no"))
        killed.start()
        killed.told("^READY=1$")
        killed.die()
        with Service(configuration("0606", "yes"), sockets=killed.stored) as site:
            # The manager hears of it later: until then it has its copies.
            site.stored, killed.stored = killed.stored, {}
            site.start()
            site.told("^READY=1$")
            assert stat.S_IMODE(path.stat().st_mode) == 0o606
            removed = [message for message in site.messages if "FDSTOREREMOVE=1" in message]
            assert len(removed) == 2 and len(site.stored) == 2, site.messages
            assert site.stop() == 0


@test
def stop_asks_for_the_time_of_the_drain():
    with Service(listener("web", new_address()) + pool("app", HTTP_WORKER, drain_timeout="5m")) as site:
        site.start()
        site.signal(signal.SIGTERM)
        message = site.told("^STOPPING=1$")
        limit = int(re.search("^EXTEND_TIMEOUT_USEC=([0-9]+)$", message, re.M).group(1)) / 1e6
        assert 300 < limit < 400, message
        assert site.wait_exit() == 0


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
