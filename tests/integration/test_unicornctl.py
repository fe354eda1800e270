#!/usr/bin/python3
"""unicornctl against a daemon that answers by a script: requests, what results look like, exit statuses, streams."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from fake_daemon import (BOUND, HOLD, PROGRAM, Daemon, check, clean_environment, error, notification, result, run,
                         run_tests, talk, talk_on_terminal, test)

SOURCE = pathlib.Path(os.environ.get("SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))

SLOT = {"slot": 1, "pid": 100, "state": "ready", "generation": 3, "since": time.time() - 12030, "restarts": 2,
        "last_exit": {"cause": "failed", "text": "exit status 1", "status": 1, "signal": None,
                      "at": time.time() - 7500},
        "status": "warm", "request": "GET /slow", "busy": 1, "connections": 5, "requests": 1234, "heartbeat_age": 0.5,
        "retry_in": None}
EMPTY_SLOT = {**SLOT, "slot": 2, "pid": None, "state": "gone", "status": "", "request": "", "heartbeat_age": None,
              "retry_in": 3.2}
STATUS = {"site": "site", "version": "0.1.0", "generation": 3, "pid": 77, "uptime": 12.5, "state": "steady",
          "configuration": "/etc/site.conf",
          "listeners": [{"name": "web", "address": "127.0.0.1:8000", "backlog": 2048, "queue": 7}],
          "pools": [{"name": "app", "wanted": 2, "configured": 4, "ready": 1, "generation": 3, "state": "degraded",
                     "reason": "too many failed starts", "operation": "r-17", "slots": [SLOT, EMPTY_SLOT]}]}
DONE = {"operation": "r-17", "verb": "reload", "outcome": "done", "exit_code": 0, "message": "generation 4 serves",
        "generation": 4, "detail": None, "failed_worker": None}
EVENT = {"sequence": 41, "time": 1690000000.1, "event": "worker_ready", "level": "info", "pool": "app", "slot": 1,
         "pid": 100, "generation": 3, "text": "serves"}
PROGRESS = {"operation": "r-17", "pool": "app", "wanted": 4, "ready_new": 2, "starting_new": 1, "ready_old": 2,
            "leaving": 1, "failed_starts": 0, "event": "app/2 (pid 1234) ready"}


def rows(file, macro):
    """The rows of a table as lists of strings."""
    text = (SOURCE / "include/unicornd" / file).read_text()
    return [[cell.strip().strip('"') for cell in re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', row)]
            for row in re.findall(rf"^{macro}\((.*)\)$", text, re.M)]


# ---- requests


@test
def request_is_json_rpc():
    ran = talk([result(DONE)], "reload", "app", "--changed")
    check(ran.request == {"jsonrpc": "2.0", "id": 1, "method": "reload",
                          "params": {"pool": "app", "changed": True, "wait": True}}, ran)
    ran = talk([result({"operation": "r-18", "outcome": "running"})], "scale", "app", "-2", "--no-wait")
    check(ran.request["params"] == {"pool": "app", "workers": "-2", "wait": False}, ran)
    check(ran.status == 0 and ran.out == "r-18\n" and ran.err == "", ran)


@test
def every_command_has_help():
    general = run("--help")
    for _, name, role, _, summary in rows("commands.def", "COMMAND"):
        ran = run(name, "--help")
        check(ran.status == 0 and ran.err == "" and summary in ran.out and role.lower() in ran.out, ran)
        check(f"  {name} " in general.out and summary in general.out, general)
    for _, _, _, _, option, word, summary in rows("commands.def", "PARAMETER"):
        name = f"--{option}" if option else word
        check(any(name in run(row[1], "-h").out and summary in run(row[1], "-h").out
                  for row in rows("commands.def", "COMMAND")), name)


@test
def usage_is_status_2():
    for arguments in ([], ["fly"], ["scale"], ["status", "--fly"], ["status", "--timeout", "x"]):
        ran = run(*arguments)
        check(ran.status == 2 and ran.out == "" and "unicornctl: " in ran.err and "Usage: " in ran.err, ran)


# ---- results


@test
def status_shows_site_pools_and_workers():
    ran = talk([result(STATUS)], "status")
    check(ran.status == 0 and ran.err == "" and "\033" not in ran.out, ran)
    for part in ("site: steady, up 12s, pid 77, unicornd 0.1.0\n/etc/site.conf\n",
                 "LISTENER  ADDRESS         QUEUE  BACKLOG\nweb       127.0.0.1:8000  7      2048\n",
                 "app: degraded, 1 of 2 ready (configured: 4), generation 3, operation r-17\n",
                 "\n  too many failed starts\n",
                 "GET /slow; warm; last exit 2h5m ago: exit status 1 (failed)", "3h20m", "1234",
                 "next start in 3.2s; last exit"):
        check(part in ran.out, ran)
    check(re.search(r"^  2 +- +gone +3 ", ran.out, re.M), ran)


@test
def status_of_thousand_workers():
    slots = [{**SLOT, "slot": number} for number in range(1000)]
    ran = talk([result({**STATUS, "pools": [{**STATUS["pools"][0], "slots": slots}]})], "status")
    check(ran.status == 0 and ran.out.count("GET /slow") == 1000, ran.status)


@test
def result_of_another_version_is_shown_as_far_as_understood():
    for strange in ({}, {"pools": None, "listeners": 5}, {"site": 1, "pools": [7, {"slots": [None, {"slot": "x"}]}]},
                    {"events": [1, {}], "logs": "x"}):
        for command in ("status", "events", "logs", "config", "version"):
            ran = talk([result(strange)], command)
            check(ran.status == 0, ran)


@test
def outcomes_give_exit_statuses():
    for _, name, status, words in rows("vocabulary.def", "OUTCOME"):
        for answer in ({**DONE, "outcome": name, "exit_code": int(status)}, {"operation": "r-17", "outcome": name}):
            for command in (["reload"], ["scale", "1"], ["restart"], ["stop"], ["wait", "r-17"]):
                ran = talk([result(answer)], *command)
                check(ran.status == int(status), ran)
                if "message" not in answer and name != "running":
                    check(words in ran.out + ran.err, ran)
                ran = talk([result(answer)], "--json", *command)
                check(ran.status == int(status) and json.loads(ran.out) == answer and ran.err == "", ran)
    ran = talk([result({**DONE, "outcome": "dreaming", "exit_code": None})], "reload")
    check(ran.status == 1, ran)


@test
def failed_operation_shows_the_last_output():
    ran = talk([result({**DONE, "outcome": "untouched", "exit_code": 5, "message": "the new workers fail",
                        "detail": "Traceback:\n  no module", "failed_worker": "app/2"})], "reload")
    check(ran.status == 5 and ran.out == "", ran)
    check(ran.err == "unicornctl: the new workers fail\nThe last output of app/2:\n    Traceback:\n      no module\n"
          "failed; the old generation serves untouched\n", ran)


@test
def errors_give_exit_statuses():
    for _, kind, code, status in rows("vocabulary.def", "ERROR_KIND"):
        wanted = int(status) or 1  # an error is never a success
        for data in ({"kind": kind, "exit_code": int(status)}, {"kind": kind}, {}):
            ran = talk([error(int(code), "these words", **data)], "reload")
            check(ran.status == wanted and ran.out == "" and "these words" in ran.err, ran)
        ran = talk([error(int(code), "these words", kind=kind, exit_code=wanted)], "--json", "status")
        check(ran.status == wanted and json.loads(ran.out)["data"]["kind"] == kind and ran.err == "", ran)
    ran = talk([error(-1, "new", kind="unheard_of", exit_code=42)], "status")
    check(ran.status == 42, ran)


@test
def conflict_names_the_operation():
    ran = talk([error(-32002, "a reload runs", kind="conflict", exit_code=9, operation="r-17")], "reload")
    check(ran.status == 9 and "unicornctl wait r-17" in ran.err, ran)


@test
def bad_configuration_shows_all_lines():
    lines = "/etc/site.conf:3: no such word: 'worker'\n/etc/site.conf:9: no listener 'web'"
    ran = talk([error(-32003, lines, kind="configuration_invalid", exit_code=5)], "reload")
    check(ran.status == 5 and ran.err == lines + "\n", ran)


@test
def answer_to_an_unreadable_request():
    ran = talk([{"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no JSON"}}], "status")
    check(ran.status == 1 and "no JSON" in ran.err, ran)


@test
def config_is_printed():
    for text in ("pool app {\n}\n", "pool app {\n}"):
        ran = talk([result({"text": text})], "config")
        check(ran.status == 0 and ran.out == "pool app {\n}\n", ran)


@test
def version_of_both():
    ran = talk([result({"version": "9.8", "protocol": 1, "control": 1})], "version")
    check(ran.status == 0 and ran.err == "" and len(ran.out.splitlines()) == 2 and "unicornd 9.8" in ran.out, ran)
    ran = talk([result({"version": "9.8", "protocol": 1, "control": 99})], "version")
    check(ran.status == 0 and "newer" in ran.err, ran)
    ran = run("--socket", "/nonexistent/socket", "version")
    check(ran.status == 3 and len(ran.out.splitlines()) == 2 and "not running" in ran.out and ran.err == "", ran)
    ran = run("--version")
    check(ran.status == 0 and re.fullmatch(r"unicornctl \S+\n", ran.out), ran)


@test
def json_is_unchanged():
    value = {"text": "\u0085\x7f\x1b\0ü\n", "number": 1690000000.123, "big": 2 ** 62, "nothing": None, "some": [0.1]}
    ran = talk([result(value)], "--json", "config")
    check(ran.status == 0 and json.loads(ran.out) == value and ran.out.count("\n") == 1, ran)
    check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", ran.out) and "1690000000.123," in ran.out, ran)


# ---- streams


@test
def events_one_line_each():
    site = {**EVENT, "sequence": 42, "event": "site_ready", "pool": None, "slot": None, "pid": None, "text": "a\nb"}
    ran = talk([result({"events": [EVENT, site], "next": 43})], "events", "--since", "40")
    check(ran.request["params"] == {"since": 40} and ran.status == 0, ran)
    check(ran.out == "2023-07-22 04:26:40.100  41  worker_ready  app/1 (pid 100)  serves\n"
                     "2023-07-22 04:26:40.100  42  site_ready  a b\n", ran)


@test
def followed_events_until_the_daemon_ends():
    script = [result({"events": [], "next": 41}), notification("event", **EVENT), notification("event", **EVENT)]
    ran = talk(script, "events", "--follow")
    check(ran.status == 3 and ran.out.count("worker_ready") == 2 and "closed the connection" in ran.err, ran)
    ran = talk(script, "--json", "events", "-f")
    check([json.loads(line) for line in ran.out.splitlines()] == [{"events": [], "next": 41}, EVENT, EVENT], ran)


@test
def logs_have_prefixes():
    answer = result({"logs": [{"pool": "app", "slot": 1, "pid": 1, "text": "one\n\ntwo\n"},
                              {"pool": "app", "slot": 2, "pid": 2, "text": "three"}]})
    ran = talk([answer], "logs", "app")
    check(ran.status == 0 and ran.out == "app/1 | one\napp/1 | \napp/1 | two\napp/2 | three\n", ran)
    ran = talk([answer, notification("output", pool="app", slot=3, pid=3, text="four\n")], "logs", "-f")
    check(ran.out.endswith("app/2 | three\napp/3 | four\n"), ran)


@test
def control_characters_do_not_pass():
    nasty = "\x1b[2J\x07\r\x00\x7f\u009b31m\tü"
    for command, value in (("logs", {"logs": [{"pool": nasty, "slot": 1, "text": nasty}]}),
                           ("events", {"events": [{**EVENT, "text": nasty, "event": nasty, "pool": nasty}]}),
                           ("config", {"text": nasty}), ("reload", {**DONE, "message": nasty}),
                           ("reload", {**DONE, "exit_code": 1, "message": nasty, "detail": nasty}),
                           ("reload", {"operation": nasty, "outcome": "running"}),
                           ("status", {**STATUS, "site": nasty, "pools": [{"name": nasty, "slots": [
                               {**SLOT, "status": nasty, "state": nasty}]}]}),
                           ("version", {"version": nasty})):
        for ran in (talk([result(value)], command), talk([error(-1, nasty, kind=nasty, operation=nasty)], command)):
            check(not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", ran.out + ran.err) and "?" in ran.out + ran.err, ran)
    ran = talk([result({"logs": [{"pool": "a", "slot": 1, "text": "x\0y\n"}]})], "logs")
    check(ran.out == "a/1 | x?y\n", ran)


@test
def followers_end_by_signal():
    with tempfile.TemporaryDirectory() as folder:
        for number in (signal.SIGINT, signal.SIGTERM):
            path = os.path.join(folder, f"{number}.sock")
            daemon = Daemon(path, [result({"events": [EVENT]}), HOLD])
            with subprocess.Popen([PROGRAM, "--socket", path, "events", "-f"], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=clean_environment()) as process:
                check(b"worker_ready" in process.stdout.readline(), "no event")
                process.send_signal(number)
                check(process.wait(BOUND) == -number, process.returncode)
            daemon.close()


@test
def interrupted_operation_is_named():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "site.sock")
        daemon = Daemon(path, [notification("progress", **PROGRESS), HOLD])
        with subprocess.Popen([PROGRAM, "--socket", path, "reload"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=clean_environment()) as process:
            check(b"app/2" in process.stdout.readline(), "no progress")
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            check(process.wait(BOUND) == -signal.SIGINT and b"unicornctl wait r-17" in said, said)
        daemon.close()


# ---- progress


@test
def progress_is_lines_without_a_terminal():
    script = [notification("progress", **PROGRESS), notification("unheard_of", x=1),
              notification("progress", **{**PROGRESS, "event": "app/3\x1b (pid 5) ready"}), result(DONE)]
    ran = talk(script, "reload")
    check(ran.status == 0, ran)
    check(ran.out == "app/2 (pid 1234) ready\napp/3? (pid 5) ready\ngeneration 4 serves\n", ran)
    ran = talk(script, "--json", "reload")
    check(json.loads(ran.out) == DONE, ran)


@test
def progress_is_drawn_on_a_terminal():
    script = [notification("progress", **PROGRESS), notification("progress", **{**PROGRESS, "ready_new": 3}),
              result(DONE)]
    ran = talk_on_terminal(script, "reload")
    check(ran.status == 0 and ran.err == "", ran)
    check("2/4 ready" in ran.out and "3/4 ready" in ran.out and "\033[1A\r\033[J" in ran.out, ran)
    check("\033[32m##########\033[0m\033[33m+++++\033[0m" in ran.out, ran)
    check(ran.out.endswith("\033[1A\r\033[J\033[32mgeneration 4 serves\033[0m\r\n"), ran)
    ran = talk_on_terminal(script, "reload", environment={"TERM": "dumb"})
    check("\033" not in ran.out and ran.out.count("app/2") == 2, ran)


@test
def colours_can_be_forbidden():
    for arguments, environment, coloured in (([], {}, True), (["--no-color"], {}, False),
                                             ([], {"NO_COLOR": "1"}, False), ([], {"NO_COLOR": ""}, True),
                                             ([], {"TERM": "dumb"}, False)):
        ran = talk_on_terminal([result(STATUS)], *arguments, "status", environment=environment)
        check(ran.status == 0 and ("\033[31mdegraded\033[0m" in ran.out) == coloured, ran)
        check(coloured or "\033" not in ran.out, ran)


if __name__ == "__main__":
    run_tests()
