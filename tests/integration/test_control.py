#!/usr/bin/python3
"""Clients of the control socket that misbehave in every way: the daemon stays small, and answers the others."""

import grp
import json
import os
import shutil
import socket
import time

from harness import (BOUND, FAULTY_WORKER, HTTP_WORKER, SANITIZED, UNICORNCTL, Control, ControlError, Site, Skip,
                     listener, memory_kb, new_address, pool, run_tests, test)

MEBIBYTE = 1024 * 1024
CLIENTS_MAX = 64
NOBODY = 65534
# A sanitizer keeps freed memory for a while.
SMALL_KB = 600_000 if SANITIZED else 24_000


class Started(Site):
    """A site with two workers."""

    def __init__(self, more=""):
        super().__init__(listener("web", new_address()) + pool("app", HTTP_WORKER, workers=2) + more)

    def __enter__(self):
        super().__enter__()
        return self.start()

    def raw(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(BOUND)
        client.connect(self.socket)
        return client

    def check_alive(self):
        """It answers, and has not grown."""
        ran = self.ctl("status")
        assert ran.status == 0 and "2 of 2 ready" in ran.out, ran
        assert memory_kb(self.process.pid) < SMALL_KB, f"{memory_kb(self.process.pid)} kB"


def send_until_refused(client, data):
    """Sends all of it, or as much as the other end takes before it closes."""
    try:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass


def read_all(client):
    collected = b""
    try:
        while chunk := client.recv(65536):
            collected += chunk
    except ConnectionResetError:
        pass
    return collected


@test
def garbage_is_answered_with_errors():
    with Started() as site:
        cases = {
            b"hello": -32700, b"\xff\xfe\x00": -32700, b"{": -32700, b'{"a":1,"a":2}': -32700,
            b"[]": -32600, b"{}": -32600, b"5": -32600, b'"x"': -32600, b"null": -32600,
            b"[" * 100: -32600, b'{"jsonrpc":"2.0","id":1}': -32600,
            b'{"jsonrpc":"1.0","id":1,"method":"status"}': -32600,
            b'{"jsonrpc":"2.0","id":{},"method":"status"}': -32600,
            b'{"jsonrpc":"2.0","id":1,"method":"status","more":1}': -32600,
            b'{"jsonrpc":"2.0","id":1,"method":"dance"}': -32601,
            b'{"jsonrpc":"2.0","id":1,"method":"status","params":[1]}': -32602,
            b'{"jsonrpc":"2.0","id":1,"method":"scale","params":{"workers":5}}': -32602,
            b'{"jsonrpc":"2.0","id":1,"method":"scale","params":{"workers":"5","none":1}}': -32602,
            b'{"jsonrpc":"2.0","id":1,"method":"scale","params":{"workers":"' + b"9" * 100 + b'"}}': -32602,
            b'{"jsonrpc":"2.0","id":1,"method":"restart","params":{"target":"app/99999999999999999999"}}': -32005,
            b'{"jsonrpc":"2.0","id":1,"method":"events","params":{"since":-1}}': -32602,
        }
        with site.raw() as client:
            stream = client.makefile("rb")
            for line, code in cases.items():
                client.sendall(line + b"\n")
                answer = json.loads(stream.readline())
                assert answer["error"]["code"] == code, (line, answer)
            # Blank lines and requests without an id have no answer.
            client.sendall(b'\n  \r\n{"jsonrpc":"2.0","method":"status"}\n'
                           b'{"jsonrpc":"2.0","id":"x","method":"version"}\n')
            answer = json.loads(stream.readline())
            assert answer["id"] == "x" and answer["result"]["control"] == 1, answer
        site.check_alive()
        assert site.stop() == 0


@test
def half_lines_are_waited_for_and_forgotten():
    with Started() as site:
        request = b'{"jsonrpc":"2.0","id":1,"method":"version"}\n'
        with site.raw() as client:
            stream = client.makefile("rb")
            for at in range(len(request)):
                client.sendall(request[at:at + 1])
            assert json.loads(stream.readline())["id"] == 1
            client.sendall(request * 500)
            assert all(json.loads(stream.readline())["id"] == 1 for _ in range(500))
            client.sendall(request[:20])
        with site.raw() as client:
            client.sendall(request[:20])
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
        site.check_alive()


@test
def lines_of_ten_megabytes_are_refused():
    with Started() as site:
        for filler in (b"x", b" ", b"[", b'{"a":'):
            with site.raw() as client:
                send_until_refused(client, filler * (10 * MEBIBYTE // len(filler)))
                answer = read_all(client)
                # A reset may take the answer along.
                assert answer == b"" or json.loads(answer)["error"]["code"] == -32600, answer
            site.check_alive()
        # The longest that is allowed.
        with site.raw() as client:
            request = b'{"jsonrpc":"2.0","id":1,"method":"version"'
            client.sendall(request + b" " * (MEBIBYTE - len(request) - 2) + b"}\n")
            assert json.loads(client.makefile("rb").readline())["id"] == 1


@test
def many_half_lines_at_once():
    """Each client may keep a line of a megabyte: that is the bound, also when it happens again."""
    with Started() as site:
        for _ in range(3):
            clients = [site.raw() for _ in range(CLIENTS_MAX)]
            for client in clients:
                send_nearly_a_line(client)
            ran = site.ctl("status")
            assert ran.status == 0, ran
            assert memory_kb(site.process.pid) < SMALL_KB + 2 * CLIENTS_MAX * 1024, memory_kb(site.process.pid)
            for client in clients:
                client.close()
        assert site.stop() == 0


def send_nearly_a_line(client):
    try:
        client.sendall(b"x" * (MEBIBYTE - 10))
    except (BrokenPipeError, ConnectionResetError):
        pass


@test
def thousand_silent_clients():
    with Started() as site:
        silent = []
        for number in range(1000):
            silent.append(site.raw())
            if number % 100 == 99:
                site.check_alive()
        assert len(os.listdir(f"/proc/{site.process.pid}/fd")) < CLIENTS_MAX + 40
        # Those who were silent for longest were cut off.
        assert silent[0].recv(1) == b""
        for client in silent:
            client.close()
        site.check_alive()
        assert site.stop() == 0


@test
def who_waits_for_an_outcome_is_not_cut_off():
    more = pool("slow", f"{FAULTY_WORKER} --slow-ready 1500", listeners=("web",))
    with Started(more) as site:
        waiting = Control(site.socket)
        request = waiting.send("restart", target="slow")
        site.wait("operation_started", text="restart")
        silent = [site.raw() for _ in range(2 * CLIENTS_MAX)]
        assert waiting.answer(request)["outcome"] == "done"
        for client in silent:
            client.close()
        assert site.stop() == 0


@test
def events_for_clients_that_never_read():
    with Started() as site:
        deaf = []
        for _ in range(40):
            control = Control(site.socket)
            control.send("events", follow=True)
            deaf.append(control)
        for _ in range(10):
            site.reload()
        site.check_alive()
        assert len(site.catch_up()) > 100
        for control in deaf:
            control.close()
        assert site.stop() == 0


@test
def output_for_clients_that_never_read():
    flood = pool("flood", "yes " + "flood " * 50, listeners=(), ready="alive 1ms") + "log {\n    level = notice\n}\n"
    with Started(flood) as site:
        deaf = []
        for _ in range(4):
            control = Control(site.socket)
            control.send("logs", follow=True)
            deaf.append(control)
        # Each is cut off when so much waits for it; then the connection ends behind what the kernel has.
        worst = 0
        until = time.monotonic() + BOUND
        while sum("does not read its answers" in line for line in site.log if line) < len(deaf):
            assert site.status()["pid"] == site.process.pid and time.monotonic() < until
            worst = max(worst, memory_kb(site.process.pid))
        assert worst < SMALL_KB + len(deaf) * 4 * 1024, worst
        for control in deaf:
            assert control.read() is not None
            control.close()
        assert site.ctl("restart", "flood").status == 0
        assert site.stop() == 0


@test
def requests_without_reading_answers():
    with Started() as site:
        with site.raw() as client:
            client.settimeout(5)
            request = b'{"jsonrpc":"2.0","id":1,"method":"config"}\n{"jsonrpc":"2.0","id":1,"method":"events"}\n' * 1000
            try:
                while True:
                    client.sendall(request)
            except OSError as error:
                assert not isinstance(error, TimeoutError), "it is neither served nor cut off"
        site.wait_log("does not read its answers")
        site.check_alive()
        assert site.stop() == 0


def ctl_as(site, uid, groups, *arguments):
    """Runs unicornctl as somebody else. @return (exit status, output)"""
    reader, writer = os.pipe()
    # Opened before: the program may be where this user may not look.
    program = os.open(UNICORNCTL, os.O_RDONLY)
    child = os.fork()
    if child == 0:
        try:
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            os.setgroups(groups)
            os.setgid(NOBODY)
            os.setuid(uid)
            os.execve(program, [UNICORNCTL, "--socket", site.socket, *arguments], site.environment)
        finally:
            os._exit(127)
    os.close(program)
    os.close(writer)
    with os.fdopen(reader) as stream:
        out = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), out


def roles_test(function):
    """A test that needs to be root to become somebody else."""
    def body():
        if os.geteuid() != 0:
            raise Skip("only root can become somebody else")
        function()
    body.__name__ = function.__name__
    return test(body)


@roles_test
def socket_is_for_its_owner_only_by_default():
    with Started() as site:
        assert os.stat(site.socket).st_mode & 0o777 == 0o660
        status, out = ctl_as(site, NOBODY, [], "status")
        assert status == 4 and site.socket in out, (status, out)


@roles_test
def observers_may_look_only():
    with Started("control {\n    mode = 0666\n}\n") as site:
        for command in (["status"], ["events"], ["version"], ["wait", "r-1"]):
            status, out = ctl_as(site, NOBODY, [], *command)
            assert status == 0, (command, status, out)
        before = site.pids()
        for command in (["reload"], ["restart"], ["scale", "app", "3"], ["stop"], ["stop", "--now"], ["logs"],
                        ["config"]):
            status, out = ctl_as(site, NOBODY, [], *command)
            assert status == 4 and "role" in out, (command, status, out)
        assert site.pids() == before
        assert any(line and "reload: denied by uid 65534" in line for line in site.log), site.log
        assert site.stop() == 0


@roles_test
def operators_may_change_but_not_stop():
    with Started('control {\n    mode = 0666\n    operator_group = daemon\n    observer_group = sys\n}\n') as site:
        daemon, system = (grp.getgrnam(name).gr_gid for name in ("daemon", "sys"))
        for command in (["reload"], ["scale", "app", "2"], ["logs"], ["config"], ["status"]):
            status, out = ctl_as(site, NOBODY, [daemon], *command)
            assert status == 0, (command, status, out)
        assert ctl_as(site, NOBODY, [daemon], "stop")[0] == 4
        assert ctl_as(site, NOBODY, [system], "status")[0] == 0
        assert ctl_as(site, NOBODY, [system], "reload")[0] == 4
        assert ctl_as(site, NOBODY, [], "status")[0] == 4
        assert os.stat(site.socket).st_gid == daemon
        assert site.stop() == 0


class WithoutRights(Started):
    """Root, but who may not give files away: as the unit's user, who is not in the group of the operators."""

    def command(self, *arguments):
        return ["setpriv", "--bounding-set=-chown", "--inh-caps=-chown", *super().command(*arguments)]


@roles_test
def group_that_may_not_be_given_does_not_take_the_site_down():
    if not shutil.which("setpriv"):
        raise Skip("setpriv is not installed")
    with WithoutRights("control {\n    operator_group = daemon\n}\n") as site:
        site.wait_log("operator_group: cannot listen on .*: usermod -aG daemon root, then restart the daemon")
        assert os.stat(site.socket).st_gid == os.getegid()
        assert site.status()["state"] == "steady"
        assert site.stop() == 0


@test
def requests_are_answered_while_an_operation_runs():
    more = pool("slow", f"{FAULTY_WORKER} --slow-ready 700", listeners=("web",))
    with Started(more) as site:
        control = Control(site.socket)
        request = control.send("restart", target="slow")
        assert control.call("status")["pools"][1]["operation"].startswith("r-")
        answer = control.answer(request)
        assert answer["outcome"] == "done" and answer["exit_code"] == 0, answer
        progress = [message["params"] for message in control.notifications if message["method"] == "progress"]
        assert progress and all(row["pool"] == "slow" and row["operation"] == answer["operation"] for row in progress)
        try:
            control.call("wait", operation="r-4711")
            raise AssertionError("there is no such operation")
        except ControlError as error:
            assert error.code == -32005
        assert site.stop() == 0


if __name__ == "__main__":
    run_tests()
