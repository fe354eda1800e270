#!/usr/bin/python3
"""Packaged servers as workers, unchanged: they start, serve, are reloaded under load, and stop cleanly."""

import importlib.util
import re
import shutil

from harness import APPS, Load, Site, Skip, connect_http, exists, get, listener, new_address, pool, run_tests, test

RELOADS = 2
GUNICORN_RELOADS = 20


def need_program(*names):
    """@return the first of these programs that is installed"""
    for name in names:
        if shutil.which(name):
            return name
    raise Skip(f"{names[0]} is not installed")


def need_module(name):
    if shutil.which("/usr/bin/python3") is None or importlib.util.find_spec(name) is None:
        raise Skip(f"{name} is not installed")
    return f"/usr/bin/python3 -m {name}"


class Request:
    """A request that is answered half: its worker is at it for sure."""

    def __init__(self, address):
        self.connection = connect_http(address)
        self.connection.request("GET", "/slow", headers={"Connection": "close"})
        self.answer = self.connection.getresponse()
        self.began = self.answer.read(4)

    def finish(self):
        """@return the pid that answered"""
        rest = self.answer.read()
        self.connection.close()
        assert self.began == b"pid " and rest.endswith(b"\n"), (self.began, rest)
        return int(rest)


def check_failures(report, allowed):
    """What a server has accepted and not read yet when it ends, some drop: at most `allowed`."""
    told = {name: value for name, value in report.items() if name != "bodies"}
    dropped = report["failures"]["reset_before_answer"] + report["failures"]["closed_before_answer"]
    assert report["failed"] == dropped <= allowed and report["ok"] > 100, told


def serve(command, drops_running=False, drops_unread=False, reloads=RELOADS, connections=2, **settings):
    """The life of a site whose workers are this server. drops_running, drops_unread: what it loses at SIGTERM."""
    address = new_address()
    settings = {"workers": 2, "directory": str(APPS), "ready_timeout": "20s", **settings}
    with Site(listener("web", address, backlog=321) + pool("app", command, **settings)) as site:
        site.start()
        assert get(address).startswith("pid "), get(address)
        assert site.status()["listeners"][0]["backlog"] == 321, site.status()
        seen = set(site.pids().values())
        load = None if drops_running else Load(address, "--close", "--pause", "2", connections=connections)
        for _ in range(reloads):
            requests = [] if drops_running else [Request(address), Request(address)]
            site.reload()
            for request in requests:
                request.finish()
            pids = set(site.pids().values())
            assert len(pids) == 2 and not pids & seen, (pids, seen)
            seen |= pids
        if load:
            check_failures(load.finish(), allowed=2 * connections * reloads if drops_unread else 0)
        assert get(address).startswith("pid ")
        check_clean(event["event"] for event in site.catch_up())
        assert site.stop() == 0
        check_clean(line for line in site.log if line)
        assert not any(exists(pid) for pid in seen)


def check_clean(lines):
    """No worker ended in another way than was asked for."""
    unclean = [line for line in lines if re.search("worker_lost|worker_killing|worker_aborting|stray_killed", line)]
    assert not unclean, unclean


@test
def uvicorn():
    serve(f"{need_module('uvicorn')} --fd {{fd}} asgi_app:app", drops_unread=True)


@test
def hypercorn():
    serve(f"{need_module('hypercorn')} -b fd://{{fd}} asgi_app:app", drops_unread=True)


@test
def gunicorn_sync():
    # It takes the sockets of LISTEN_FDS by itself; below it is told the number instead.
    serve(f"{need_module('gunicorn')} wsgi_app")


@test
def gunicorn_threads():
    serve(f"{need_module('gunicorn')} -k gthread --threads 4 -b fd://{{fd}} wsgi_app")


@test
def uwsgi():
    program = need_program("uwsgi_python3", "uwsgi")
    plugin = "" if program.endswith("python3") else "--plugin python3 "
    serve(f"{program} {plugin}--master --die-on-term --http-socket fd://{{fd}} --wsgi-file wsgi_app.py",
          drops_running=True)


@test
def daphne():
    serve(f"{need_module('daphne')} --fd {{fd}} asgi_app:app", drops_running=True)


@test
def puma():
    # Its reactor closes, at the stop, a connection whose request has not arrived.
    serve(f"{need_program('puma')} --bind-to-activated-sockets only -t 1:4 config.ru", drops_unread=True)


@test
def node():
    serve(f"{need_program('node')} server.js", ready="output listening")


@test
def twenty_reloads_of_gunicorn_lose_nothing():
    serve(f"{need_module('gunicorn')} -w 2 wsgi_app", reloads=GUNICORN_RELOADS, connections=4,
          surge=2, max_unavailable=0)


if __name__ == "__main__":
    run_tests()
