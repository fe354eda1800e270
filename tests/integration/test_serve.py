#!/usr/bin/python3
"""The daemon from its start to its end: what status says, what workers inherit, signals, and what it refuses."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess

from harness import (BOUND, EXAMPLES, HELLO_WORKER, HTTP_WORKER, UNICORND, Load, Site, check_load, descriptors_of,
                     environment_of, exists, get, listener, new_address, pool, proc_status, run_tests, test, wait_gone,
                     wait_program)

STATUS = ["site", "version", "generation", "pid", "listeners", "pools"]
LISTENER = ["name", "address", "backlog", "queue"]
POOL = ["name", "wanted", "ready", "generation", "state", "slots"]
SLOT = ["slot", "pid", "state", "generation", "since", "restarts", "last_exit"]


def simple(address, command=HTTP_WORKER, **settings):
    return listener("web", address) + pool("app", command, **settings)


def check_has(row, names):
    missing = [name for name in names if name not in row]
    assert not missing, f"{missing} missing in {row}"


# A process that changes nothing of what it was given, but opens `gate`, where it can be met behind its execve.
PLAIN_WORKER = "sh -c 'echo READY=1 >&$UNICORND_STATUS_FD; exec cat gate'"


@test
def status_has_all_fields():
    address = new_address()
    with Site(simple(address, workers=2)) as site:
        site.start()
        status = json.loads(site.ctl("--json", "status").out)
        check_has(status, STATUS)
        assert status["site"] == "site" and status["pid"] == site.process.pid and status["generation"] == 1
        check_has(status["listeners"][0], LISTENER)
        somaxconn = int(pathlib.Path("/proc/sys/net/core/somaxconn").read_text())
        assert status["listeners"] == [{"name": "web", "address": address, "backlog": min(2048, somaxconn),
                                        "queue": 0}], status
        app = status["pools"][0]
        check_has(app, POOL)
        assert (app["name"], app["wanted"], app["ready"], app["generation"], app["state"]) == \
            ("app", 2, 2, 1, "steady"), app
        assert [slot["slot"] for slot in app["slots"]] == [1, 2], app
        for slot in app["slots"]:
            check_has(slot, SLOT)
            assert slot["state"] == "ready" and slot["generation"] == 1 and slot["restarts"] == 0, slot
            assert slot["last_exit"] is None and exists(slot["pid"]), slot
        assert f"generation {slot['generation']}" in get(address)
        assert "app" in site.ctl("status").out
        assert site.stop() == 0


@test
def queue_counts_who_waits():
    address = new_address()
    with Site(listener("web", address, backlog=7) + pool("app", HTTP_WORKER)) as site:
        site.start()
        pid = site.pids()[1]
        os.kill(pid, signal.SIGSTOP)
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port))), socket.create_connection((host, int(port))):
            row = site.status()["listeners"][0]
        os.kill(pid, signal.SIGCONT)
        assert row["queue"] == 2 and row["backlog"] == 7, row


@test
def hello_c_serves():
    address = new_address()
    with Site(simple(address, HELLO_WORKER, workers=2)) as site:
        site.start()
        assert get(address) == "hello\n"
        assert site.stop() == 0


@test
def unix_sockets_serve():
    with Site() as site:
        path = site.folder / "web.sock"
        name = f"@{site.folder}"
        site.write(listener("web", f"unix:{path}", mode="0640") + listener("hidden", name) +
                   pool("app", HTTP_WORKER, listeners=("web", "hidden"), workers=2))
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(path))
        site.start()
        assert os.stat(path).st_mode & 0o777 == 0o640
        with Load(f"unix:{path}") as one, Load(f"unix:{name}", "--close") as two:
            site.reload()
            check_load(one, two)
        assert [row["address"] for row in site.status()["listeners"]] == [f"unix:{path}", name]
        assert site.stop() == 0
        assert not path.exists()
        path.write_text("a file")
        site.launch()
        assert site.wait_exit() == 69 and path.read_text() == "a file"


@test
def hello_sh_is_a_worker():
    with Site(pool("job", f"sh {EXAMPLES / 'hello.sh'}", listeners=(), workers=2)) as site:
        site.start()
        first = site.pids("job")
        site.reload()
        second = site.pids("job")
        assert len(second) == 2 and not set(first.values()) & set(second.values())
        assert site.stop() == 0
        assert not any(exists(pid) for pid in second.values())


@test
def worker_inherits_what_it_should_and_nothing_else():
    one, two = new_address(), new_address()
    with Site(listener("web", one) + listener("extra", two) +
              pool("app", PLAIN_WORKER, listeners=("extra", "web"), environment=["COLOUR=red"])) as site:
        os.mkfifo(site.folder / "gate")
        # What the daemon itself was given must not reach a worker.
        leak = os.open("/dev/null", os.O_RDONLY)
        os.set_inheritable(leak, True)
        site.pass_fds = (leak,)
        site.environment.update({"WATCHDOG_USEC": "1", "LISTEN_FDS": "9", "LISTEN_PID": "1"})
        site.start()
        os.close(leak)
        pid = site.pids()[1]
        with (site.folder / "gate").open("w"):
            names = environment_of(pid)
            fds = {number: what for number, what in descriptors_of(pid).items() if not what.endswith("/gate")}
        expected = {"LISTEN_FDS": "2", "LISTEN_PID": str(pid), "LISTEN_FDNAMES": "extra:web", "UNICORND_STATUS_FD": "5",
                    "UNICORND_POOL": "app", "UNICORND_SLOT": "1", "UNICORND_GENERATION": "1", "COLOUR": "red",
                    "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(pid)}
        assert {name: names.get(name) for name in expected} == expected, names
        assert names["NOTIFY_SOCKET"].startswith("@"), names
        assert sorted(fds) == [0, 1, 2, 3, 4, 5], fds
        assert fds[3].startswith("socket:") and fds[4].startswith("socket:") and fds[5].startswith("pipe:"), fds
        assert fds[0] == "/dev/null" and fds[1] == fds[2] and fds[1].startswith("pipe:"), fds
        own = descriptors_of(site.process.pid)
        assert {fds[3], fds[4]} <= set(own.values()), own


@test
def worker_starts_with_default_signals_in_its_own_group():
    with Site(pool("app", "sleep 1000", listeners=(), ready="alive 1ms")) as site:
        site.launch(preexec_fn=lambda: (signal.signal(signal.SIGINT, signal.SIG_IGN),
                                        signal.signal(signal.SIGCHLD, signal.SIG_DFL),
                                        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})))
        site.wait_log("site_ready")
        pid = site.pids()[1]
        wait_program(pid, "sleep")
        with (site.folder / "gate").open("w"):
            status = proc_status(pid)
            assert all(int(status[name], 16) == 0 for name in ("SigBlk", "SigIgn", "SigCgt")), status
            assert os.getpgid(pid) == pid and os.getpgid(site.process.pid) != pid
        assert site.stop() == 0


@test
def command_line_without_a_file():
    address = new_address()
    with Site() as site:
        site.start("-w", "2", "-b", address, "-s", "environment=COLOUR=red", "--", HTTP_WORKER, "--body", "two words")
        assert get(address) == "two words\n"
        status = site.status()
        assert status["site"] == "default" and status["pools"][0]["wanted"] == 2, status
        assert environment_of(site.pids()[1])["COLOUR"] == "red"
        site.reload()
        assert site.pool()["generation"] == 2
        assert site.stop() == 0


@test
def port_may_be_left_to_the_kernel():
    with Site() as site:
        site.start("-b", "127.0.0.1:0", "--", HTTP_WORKER)
        address = site.status()["listeners"][0]["address"]
        assert address.startswith("127.0.0.1:") and not address.endswith(":0"), address
        assert "generation 1" in get(address)
        site.reload()
        assert "generation 2" in get(address)
        assert site.stop() == 0
        # Listeners are told apart by their addresses.
        ran = site.run("-t", "-b", "127.0.0.1:0", "-b", "127.0.0.1:0", "--", HTTP_WORKER)
        assert ran.status == 78 and "127.0.0.1:0" in ran.err, ran


@test
def configuration_is_tested_and_printed():
    address = new_address()
    with Site(simple(address, workers=3, environment=["A=b c", "D=\"e\""], drain_timeout="1m30s")) as site:
        ran = site.run("-t", "-c", str(site.path))
        assert ran.status == 0 and ran.err == "", ran
        printed = site.run("-T", "-c", str(site.path))
        assert printed.status == 0 and "drain_timeout = 1m30s" in printed.out, printed
        again = site.folder / "again.conf"
        again.write_text(printed.out)
        assert site.run("-t", "-c", str(again)).status == 0
        assert site.run("-T", "-c", str(again)).out == printed.out
        printed = site.run("-T", "-w", "2", "-b", address, "--", HTTP_WORKER, "--body", "two \"words\"")
        assert printed.status == 0, printed
        again.write_text(printed.out)
        assert site.run("-T", "-c", str(again)).out == printed.out
        site.write("listener web {\n    address = 1\n    sise = 2\n}\n")
        for option in ("-t", "-T"):
            ran = site.run(option, "-c", str(site.path))
            assert ran.status == 78 and "site.conf:2:" in ran.err and "site.conf:3:" in ran.err, ran
        ran = site.run("-c", str(site.path))
        assert ran.status == 78, ran
        assert site.run("-t", "-c", str(site.folder / "none.conf")).status == 78


@test
def term_drains():
    address = new_address()
    with Site(simple(address, workers=2)) as site:
        site.start()
        pids = site.pids().values()
        site.signal(signal.SIGTERM)
        assert site.wait_exit() == 0
        assert not any(exists(pid) for pid in pids)
        assert not os.path.exists(site.socket)
        assert any("ready -> draining" in line for line in site.log if line)


@test
def quit_does_not_wait():
    with Site(pool("app", "sh -c \"trap '' TERM; while :; do sleep 100; done\"", listeners=(), workers=2,
                   ready="alive 1ms")) as site:
        site.start()
        pids = site.pids().values()
        site.signal(signal.SIGTERM)
        site.wait("site_stopping")
        site.signal(signal.SIGQUIT)
        assert site.wait_exit(10) == 0
        assert not any(exists(pid) for pid in pids)


@test
def second_term_does_not_wait_either():
    with Site(pool("app", "sh -c \"trap '' TERM; while :; do sleep 100; done\"", listeners=(),
                   ready="alive 1ms")) as site:
        site.start()
        site.signal(signal.SIGTERM)
        site.wait("site_stopping")
        site.signal(signal.SIGINT)
        assert site.wait_exit(10) == 0


@test
def stop_command_ends_the_daemon():
    with Site(simple(new_address())) as site:
        site.start()
        ran = site.ctl("stop")
        assert ran.status == 0, ran
        assert site.wait_exit() == 0
        assert site.ctl("status").status == 3


@test
def ttin_and_ttou_scale():
    with Site(simple(new_address(), workers=1)) as site:
        site.start()
        site.signal(signal.SIGTTIN)
        site.wait("pool_steady")
        assert site.pool()["wanted"] == 2 and site.pool()["ready"] == 2
        site.signal(signal.SIGTTOU)
        site.wait("pool_steady")
        assert site.pool()["wanted"] == 1 and len(site.pool()["slots"]) == 1
        site.signal(signal.SIGTTOU)
        site.wait_log("refused")
        assert site.pool()["wanted"] == 1


@test
def log_that_cannot_be_opened_refuses_the_reload():
    address = new_address()
    with Site(simple(address)) as site:
        site.start()
        before = site.pids()
        site.write(simple(address) + "log {\n    file = nowhere/daemon.log\n}\n")
        ran = site.reload(status=5)
        assert "log: file: cannot open the log" in ran.err and "nowhere/daemon.log: No such file" in ran.err, ran
        site.signal(signal.SIGHUP)
        site.wait_log("reload refused: .*log: file: cannot open the log")
        assert site.pids() == before
        # Of one pool only, the log is not meant.
        site.reload("app")
        assert site.stop() == 0


@test
def usr1_reopens_the_log():
    with Site() as site:
        site.write(simple(new_address()) + "log {\n    file = daemon.log\n}\n")
        log = site.folder / "daemon.log"
        site.launch_until_ready()
        site.follow()
        assert "site_ready" in log.read_text()
        log.rename(site.folder / "old.log")
        # That one is a habit of others.
        site.signal(signal.SIGUSR2)
        site.signal(signal.SIGUSR1)
        # Signals are handled in their order.
        site.signal(signal.SIGTTIN)
        site.wait("pool_scaled", text="1 -> 2")
        assert "1 -> 2" in log.read_text(), (site.folder / "old.log").read_text()
        assert "SIGUSR2 means nothing here" in log.read_text() + (site.folder / "old.log").read_text()
        assert site.stop() == 0
        assert "site_stopping" in log.read_text()


@test
def nothing_is_left_when_the_daemon_is_killed():
    address = new_address()
    with Site(simple(address, workers=2) + pool("deaf", "sleep 1000", listeners=(), ready="alive 1ms",
                                                 stop_signal="INT") +
              pool("child", "sh -c \"sleep 1000 & wait\"", listeners=(), ready="alive 1ms")) as site:
        site.start()
        pids = [pid for name in ("app", "deaf", "child") for pid in site.pids(name).values()]
        site.signal(signal.SIGKILL)
        site.process.wait()
        for pid in pids:
            wait_gone(pid)
        host, port = address.rsplit(":", 1)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, int(port)))
            probe.listen()
        # The socket that it left behind is no obstacle.
        site.start()
        assert get(address)
        assert site.stop() == 0


@test
def one_site_has_one_daemon():
    with Site(simple(new_address())) as site, Site(simple(new_address())) as other:
        site.start()
        other.socket = site.socket
        other.launch()
        assert other.wait_exit() == 1
        assert any(line and str(site.process.pid) in line for line in other.log), other.log
        assert len(site.pids()) == 1
        assert site.stop() == 0


@test
def address_in_use_is_status_69():
    address = new_address()
    host, port = address.rsplit(":", 1)
    with socket.socket() as taken, Site(simple(address)) as site:
        taken.bind((host, int(port)))
        taken.listen()
        site.launch()
        assert site.wait_exit() == 69
        words = f"unicornd: .*{re.escape(address)}: Address already in use .*, process {os.getpid()}, listens there"
        assert any(line and re.match(words, line) for line in site.log), site.log
        assert not os.path.exists(site.socket)


@test
def address_of_another_site_is_status_69():
    address = new_address()
    with Site() as site, Site() as other:
        local = site.folder / "web.sock"
        listeners = {"web": address, "local": f"unix:{local}", "hidden": f"@{site.folder}"}
        site.write("".join(listener(*row) for row in listeners.items()) + pool("app", HTTP_WORKER, list(listeners)))
        site.start()
        theirs = "|".join(str(pid) for pid in (site.process.pid, *site.pids().values()))
        for name, where in listeners.items():
            other.write(listener("web", where) + pool("app", HTTP_WORKER))
            other.launch()
            assert other.wait_exit() == 69, name
            words = f"unicornd: .*{re.escape(where.removeprefix('unix:'))}.* process ({theirs}), listens there"
            assert any(line and re.match(words, line) for line in other.log), (words, other.log)
            assert not os.path.exists(other.socket)
        assert get(address) and local.exists()
        assert site.stop() == 0


@test
def command_that_does_not_exist_is_status_78():
    with Site(simple(new_address(), "/nowhere/worker")) as site:
        site.launch()
        assert site.wait_exit() == 78
        assert any(line and "site.conf:4" in line and "/nowhere/worker" in line for line in site.log), site.log


@test
def usage_is_explained():
    for arguments in ([], ["-c"], ["--none"], ["-c", "x", "-w", "2"], ["-n", "a/b", "--", "true"]):
        done = subprocess.run([UNICORND, *arguments], capture_output=True, text=True, timeout=BOUND, check=False)
        assert done.returncode == 1 and done.stderr.startswith("unicornd: "), done
    done = subprocess.run([UNICORND, "--help"], capture_output=True, text=True, timeout=BOUND, check=False)
    assert done.returncode == 0 and done.stdout.startswith("usage: unicornd"), done


if __name__ == "__main__":
    run_tests()
