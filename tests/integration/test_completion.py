#!/usr/bin/python3
"""The completion functions: what they offer, with a site that runs, and how quiet they are without one."""

import os
import re
import shutil
import socket
import subprocess

from harness import BOUND, HELLO_WORKER, SOURCE, UNICORNCTL, Site, Skip, listener, new_address, pool, run_tests, test

COMPLETION = SOURCE / "packaging/completion"
BASH = """
source "$1" || exit 1
function=$2
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
$function "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\\n' "${COMPREPLY[@]}"
"""


def run(*command, environment=None):
    """@return the lines of its output; on standard error is nothing, which would stand in the user's command line"""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          env={**os.environ, **(environment or {})}, timeout=BOUND, check=False)
    assert done.stderr == "", done
    return done.stdout.splitlines()


def bash(program, *words, **options):
    """What is offered for the last word of a command line."""
    name = os.path.basename(program)
    return run("bash", "--norc", "-c", BASH, "bash", COMPLETION / "bash" / name, f"_{name}", program, *words, **options)


def ctl(*words, **options):
    return bash(UNICORNCTL, *words, **options)


def fish(line, environment):
    if not shutil.which("fish"):
        raise Skip("fish is not installed")
    folder = os.path.dirname(UNICORNCTL)
    script = "set -p PATH $argv[3]; source $argv[1]; complete -C $argv[2]"
    lines = run("fish", "--no-config", "-c", script, COMPLETION / "fish/unicornctl.fish", line, folder,
                environment=environment)
    return [word.split("\t")[0] for word in lines]


def rows(macro):
    text = (SOURCE / "include/unicornd/commands.def").read_text()
    return [[cell.strip().strip('"') for cell in re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', row)]
            for row in re.findall(rf"^{macro}\((.*)\)$", text, re.M)]


def options_of(row):
    """The options of a command, as its rows say."""
    return {f"--{parameter[4]}" for parameter in rows("PARAMETER")
            if parameter[4] and (parameter[0] == row[0] or (row[3] == "1" and parameter[0] == "ANY_MUTATING"))}


def two_pools():
    return Site(listener("web", new_address()) + pool("app", HELLO_WORKER, workers=2) +
                pool("jobs", "sleep 1000", listeners=(), ready="alive 1ms", surge=0, max_unavailable=1))


@test
def bash_knows_every_command_and_option():
    commands = rows("COMMAND")
    assert ctl("") == [row[1] for row in commands], ctl("")
    assert ctl("re") == ["reload", "restart"] and ctl("--json", "sta") == ["status"]
    everywhere = set(ctl("--"))
    assert {"--json", "--socket", "--site", "--timeout", "--no-color", "--help", "--version"} == everywhere, everywhere
    for row in commands:
        offered = set(ctl(row[1], "--"))
        assert offered == options_of(row) | everywhere, (row, offered)
    assert ctl("reload", "--ch") == ["--changed"] and ctl("events", "-") != [] and ctl("no-such-command", "x") == []


@test
def bash_knows_pools_slots_and_operations():
    with two_pools() as site:
        site.start()
        where = ("--socket", site.socket)
        assert ctl(*where, "reload", "") == ["app", "jobs"], ctl(*where, "reload", "")
        assert ctl("reload", *where, "j") == ["jobs"]
        assert ctl("--timeout", "3s", "--socket", "=", site.socket, "restart", "app") == ["app", "app/1", "app/2"]
        assert ctl(*where, "logs", "jobs/") == ["jobs/1"]
        assert ctl(*where, "scale", "") == ["app", "jobs"] and ctl(*where, "scale", "app", "") == ["+1", "-1"]
        assert ctl(*where, "scale", "app", "-1", "") == [] and ctl(*where, "status", "") == []
        assert ctl(*where, "wait", "") == []


@test
def bash_knows_an_operation_that_runs():
    with Site(pool("app", "sleep 1000", listeners=(), ready="message")) as site:
        site.start(ready=False)
        site.wait("worker_started")
        ran = site.ctl("restart", "--no-wait")
        assert ctl("--socket", site.socket, "wait", "") == [ran.out.strip()], ran


@test
def bash_knows_sites():
    with two_pools() as site:
        folder = site.folder / "unicornd"
        environment = {"XDG_RUNTIME_DIR": str(site.folder)}
        site.socket = str(folder / "shop.sock")
        site.start()
        (folder / "$(touch taken).sock").touch()
        assert "shop" in ctl("--site", "sh", environment=environment)
        assert "shop" in ctl("--site", "=", environment=environment)
        assert not any("touch" in word for word in ctl("--site", "", environment=environment))
        assert str(folder) in ctl("--socket", str(folder)[:-1])


@test
def bash_is_quiet_without_a_daemon():
    with Site() as site:
        nowhere = str(site.folder / "nowhere.sock")
        assert ctl("--socket", nowhere, "reload", "") == []
        assert bash("/no/such/unicornctl", "reload", "") == []
        # One that hangs is not waited for.
        with socket.socket(socket.AF_UNIX) as hanging:
            hanging.bind(nowhere)
            hanging.listen()
            assert ctl("--socket", nowhere, "restart", "") == []


@test
def bash_completes_the_daemon():
    assert bash("unicornd", "--re") == ["--reload", "--reload-dir"]
    assert bash("unicornd", "-s", "drain") == ["drain_timeout="]
    assert bash("unicornd", "-w", "") == ["auto"] and bash("unicornd", "-n", "") == []
    examples = str(SOURCE / "packaging/examples")
    assert f"{examples}/full.conf" in bash("unicornd", "-c", f"{examples}/f")
    assert "sleep" in bash("unicornd", "-b", ":0", "--", "slee")
    assert bash("unicornd", "--", "cat", f"{examples}/full") == [f"{examples}/full.conf"]


@test
def fish_offers_the_same():
    with two_pools() as site:
        site.start()
        line = f"unicornctl --socket {site.socket} "
        assert sorted(fish(line, site.environment)) == sorted(row[1] for row in rows("COMMAND"))
        assert fish(line + "reload ", site.environment) == ["app", "jobs"], fish(line + "reload ", site.environment)
        assert fish(line + "restart app/", site.environment) == ["app/1", "app/2"]
        assert fish(line + "reload --ch", site.environment) == ["--changed"]
        assert fish(line + "events -", site.environment).count("--follow") == 1
        assert fish("unicornctl --socket /nowhere reload ", site.environment) == []


if __name__ == "__main__":
    run_tests()
