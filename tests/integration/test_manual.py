#!/usr/bin/python3
"""The workers that unicornd-worker(7) shows do what it says: serve, beat, lose nothing in a roll, and end cleanly."""

import re
import shutil

from harness import EXAMPLES, HELLO_WORKER, Load, Site, Skip, check_load, exists, get, listener, new_address, \
    pool, run_tests, test, until, wait_gone

RELOADS = 3


def need_program(name):
    if not shutil.which(name):
        raise Skip(f"{name} is not installed")
    return name


def wait_slots(site, name, said):
    """What a worker says is no event; each look is an answer of the daemon."""
    until(lambda: all(said(slot) for slot in site.pool(name)["slots"]), f"not yet said by all of {name}")


def has_beaten(slot):
    return slot["heartbeat_age"] is not None


def check_clean(site):
    unclean = [line for line in site.log if line and re.search("worker_lost|worker_killing|worker_aborting", line)]
    assert not unclean, unclean


def serve(command):
    """From start to end under load; and once more, with a daemon that dies."""
    address = new_address()
    settings = {"workers": 2, "heartbeat": "required", "heartbeat_interval": "50ms", "directory": str(EXAMPLES)}
    with Site(listener("web", address) + pool("app", command, **settings)) as site:
        site.start()
        assert get(address) == "hello\n"
        wait_slots(site, "app", has_beaten)
        with Load(address, "--close", "--pause", "2", connections=4) as load:
            for _ in range(RELOADS):
                site.reload()
            check_load(load)
        pids = site.pids().values()
        assert site.stop() == 0
        check_clean(site)
        assert not any(exists(pid) for pid in pids)
        site.start()
        pids = site.pids().values()
        site.process.kill()
        for pid in pids:
            wait_gone(pid)


@test
def c():
    serve(HELLO_WORKER)


@test
def python():
    serve("/usr/bin/python3 hello.py")


@test
def node():
    serve(f"{need_program('node')} hello.js")


@test
def ruby():
    serve(f"{need_program('ruby')} hello.rb")


@test
def shell():
    with Site(pool("job", "sh hello.sh", listeners=(), workers=2, heartbeat="required", heartbeat_interval="100ms",
                   directory=str(EXAMPLES))) as site:
        site.start()
        wait_slots(site, "job", has_beaten)
        site.reload()
        wait_slots(site, "job", lambda slot: slot["status"].startswith("load "))
        assert site.stop() == 0
        check_clean(site)


if __name__ == "__main__":
    run_tests()
