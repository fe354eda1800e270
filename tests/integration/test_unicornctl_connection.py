#!/usr/bin/python3
"""unicornctl and its connection: which socket, how long, how it ends, and answers that no daemon should give."""

import glob
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

from fake_daemon import (BOUND, HOLD, PROGRAM, Daemon, check, clean_environment, notification, result, run, run_tests,
                         talk, test)

NOBODY = 65534

DONE = {"operation": "r-17", "verb": "reload", "outcome": "done", "exit_code": 0, "message": "generation 4 serves",
        "generation": 4, "detail": None, "failed_worker": None}
PROGRESS = {"operation": "r-17", "pool": "app", "wanted": 4, "ready_new": 2, "starting_new": 1, "ready_old": 2,
            "leaving": 1, "failed_starts": 0, "event": "app/2 (pid 1234) ready"}
STATUS = {"site": "site", "listeners": [], "pools": []}


# ---- the end of waiting


@test
def timeout_names_the_operation():
    ran = talk([notification("progress", **PROGRESS), HOLD], "reload", "--timeout", "200ms")
    check(ran.status == 8 and ran.out.endswith("\nr-17\n") and "unicornctl wait r-17" in ran.err, ran)
    ran = talk([notification("progress", **PROGRESS), HOLD], "--json", "reload", "--timeout", "200ms")
    check(ran.status == 8 and json.loads(ran.out) == {"operation": "r-17", "outcome": "running"}, ran)
    ran = talk([HOLD], "wait", "r-5", "--timeout", "50ms")
    check(ran.status == 8 and ran.out == "r-5\n", ran)
    ran = talk([HOLD], "status", "--timeout", "50ms")
    check(ran.status == 8 and ran.out == "" and "timed out" in ran.err, ran)


@test
def timeout_counts_while_connecting():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "site.sock")
        with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
            listener.bind(path)
            listener.listen(0)
            first.connect(path)  # the queue is full now
            ran = run("--socket", path, "--timeout", "50ms", "status")
            check(ran.status == 8 and "timed out" in ran.err, ran)


@test
def early_close_is_status_3():
    for script in ([], [b'{"jsonrpc"'], [notification("progress", **PROGRESS)]):
        for command in (["status"], ["reload"], ["wait", "r-17"], ["stop", "--no-wait"]):
            ran = talk(script, *command)
            check(ran.status == 3 and "connection" in ran.err, ran)
    ran = talk([notification("progress", **PROGRESS)], "reload")
    check("unicornctl wait r-17" in ran.err, ran)


@test
def end_of_the_daemon_is_what_stop_waits_for():
    for script in ([], [notification("progress", **{**PROGRESS, "operation": "s-3"})]):
        ran = talk(script, "stop")
        check(ran.status == 0 and ran.err == "" and "has ended" in ran.out, ran)
    ran = talk([notification("progress", **{**PROGRESS, "operation": "s-3"})], "--json", "stop")
    check(json.loads(ran.out) == {"operation": "s-3", "verb": "stop", "outcome": "done", "exit_code": 0}, ran)
    ran = talk([b'{"jsonrpc":'], "stop")
    check(ran.status == 3, ran)


@test
def garbage_is_status_1():
    for garbage in (b"\n", b"hello\n", b"\xff\xfe\n", b"[]\n", b"{}\n", b'"x"\n', b"{\n", b'{"id":1}\n',
                    b'{"id":1,"result":5}\n', b'{"id":1,"error":"x"}\n', b'{"id":2,"result":{}}\n',
                    b'{"id":"1","result":{}}\n', b"[" * 100000 + b"\n", b"\0\n"):
        for command in ("status", "stop"):
            ran = talk([garbage], command)
            check(ran.status == 1 and ran.out == "" and "not understood" in ran.err, ran)
    ran = talk([b'{"method":"event","params":5}\n', b'{"method":"progress"}\n', result(STATUS)], "status")
    check(ran.status == 0, ran)


@test
def line_without_end_is_refused():
    ran = talk([b"x" * (9 * 1024 * 1024)], "status")
    check(ran.status == 1 and "a line without an end" in ran.err, ran)
    ran = talk([result({"text": "y" * (4 * 1024 * 1024)})], "config")
    check(ran.status == 0 and len(ran.out) == 4 * 1024 * 1024 + 1, ran.status)


@test
def answer_may_come_in_pieces():
    text = json.dumps(result(DONE)).encode() + b"\n"
    ran = talk([text[at:at + 1] for at in range(len(text))], "reload")
    check(ran.status == 0 and ran.out == "generation 4 serves\n", ran)


@test
def full_disk_is_a_failure():
    with tempfile.TemporaryDirectory() as folder, open("/dev/full", "wb") as full:
        path = os.path.join(folder, "site.sock")
        daemon = Daemon(path, [result(STATUS)])
        done = subprocess.run([PROGRAM, "--socket", path, "status"], stdout=full, stderr=subprocess.PIPE,
                              timeout=BOUND, check=False)
        daemon.close()
        check(done.returncode == 1 and b"cannot write" in done.stderr, done)


# ---- where the socket is


@test
def no_daemon_is_status_3():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stale.sock")
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(path)
        for dead in (path, os.path.join(folder, "none.sock")):
            ran = run("--socket", dead, "status")
            check(ran.status == 3 and f"no daemon answers at {dead}" in ran.err and ran.out == "", ran)
    ran = run("--socket", "/" + "x" * 200, "status")
    check(ran.status == 2, ran)


def own_folder_test(function):
    """A test that runs unicornctl as somebody who is not root, with a runtime folder of its own."""
    def body():
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        with tempfile.TemporaryDirectory() as runtime:
            os.chmod(runtime, 0o755)
            # The built program may be where nobody else may look.
            program = shutil.copy(PROGRAM, runtime)
            folder = os.path.join(runtime, "unicornd")
            os.mkdir(folder, 0o755)

            def run_there(*arguments):
                done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=BOUND,
                                      env=clean_environment({"XDG_RUNTIME_DIR": runtime}), cwd="/", check=False,
                                      **options)
                return done.returncode, done.stdout, done.stderr
            function(folder, run_there)
    body.__name__ = function.__name__
    return test(body)


@own_folder_test
def only_socket_is_taken(folder, run_there):
    status, _, err = run_there("status")
    if not glob.glob("/run/unicornd/*.sock"):
        check(status == 3 and f"no socket in {folder}, nor in /run/unicornd" in err, err)
    (pathlib.Path(folder) / "file.sock").touch()
    with socket.socket(socket.AF_UNIX) as hidden:
        hidden.bind(os.path.join(folder, ".new.sock"))
    path = os.path.join(folder, "one.sock")
    daemon = Daemon(path, [result(DONE)])
    os.chmod(path, 0o777)
    ran = run_there("wait", "r-17")
    daemon.close()
    check(ran == (0, "generation 4 serves\n", ""), ran)


@own_folder_test
def several_sites_need_a_name(folder, run_there):
    daemons = {name: Daemon(os.path.join(folder, f"{name}.sock"), [result(DONE)]) for name in ("one", "two")}
    for name in daemons:
        os.chmod(os.path.join(folder, f"{name}.sock"), 0o777)
    status, _, err = run_there("status")
    check(status == 2 and "--site" in err and "one" in err and "two" in err, err)
    ran = run_there("wait", "r-17", "--site", "two")
    check(ran[0] == 0 and daemons["one"].request is None, ran)
    ran = run_there("wait", "r-17", "--site", "three")
    check(ran[0] == 3 and "three.sock" in ran[2], ran)
    for daemon in daemons.values():
        daemon.close()
    check(daemons["two"].request["method"] == "wait", daemons["two"].request)


@own_folder_test
def forbidden_socket_is_status_4(folder, run_there):
    if os.geteuid() != 0:
        return  # one's own files cannot be forbidden in this way
    path = os.path.join(folder, "one.sock")
    daemon = Daemon(path, [])
    os.chmod(path, 0o600)
    status, _, err = run_there("status")
    check(status == 4 and path in err, err)
    os.chmod(folder, 0o700)
    status, _, err = run_there("status")
    daemon.close()
    check(status == 4 and folder in err, err)


if __name__ == "__main__":
    run_tests()
