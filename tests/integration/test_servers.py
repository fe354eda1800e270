#!/usr/bin/python3
"""Packaged servers as workers, unchanged: they start, serve, are reloaded under load, and stop cleanly."""

import importlib.util
import shutil

from harness import APPS, Load, Site, Skip, check_load, exists, get, listener, new_address, pool, run_tests, test

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


def serve(command, loses_requests=False, reloads=RELOADS, connections=2, **settings):
    """The life of a site whose workers are this server. Servers that drop what runs at SIGTERM get no load."""
    address = new_address()
    settings = {"workers": 2, "directory": str(APPS), "ready_timeout": "20s", **settings}
    with Site(listener("web", address, backlog=321) + pool("app", command, **settings)) as site:
        site.start()
        assert get(address).startswith("pid "), get(address)
        assert site.status()["listeners"][0]["backlog"] == 321, site.status()
        seen = set(site.pids().values())
        assert len(seen) == 2
        load = None if loses_requests else Load(address, "--close", "--pause", "2", connections=connections)
        for _ in range(reloads):
            site.reload()
            pids = set(site.pids().values())
            assert len(pids) == 2 and not pids & seen, (pids, seen)
            seen |= pids
        if load:
            report, = check_load(load)
            assert report["distinct_bodies"] > reloads, report
        assert get(address).startswith("pid ")
        unclean = [event for event in site.catch_up() if event["event"] in ("worker_lost", "worker_killing",
                                                                             "worker_aborting", "stray_killed")]
        assert not unclean, unclean
        assert site.stop() == 0
        assert not any(exists(pid) for pid in seen)
        unclean = [line for line in site.log if line and ("worker_lost" in line or "worker_killing" in line)]
        assert not unclean, unclean


@test
def uvicorn():
    serve(f"{need_module('uvicorn')} --fd {{fd}} asgi_app:app")


@test
def hypercorn():
    serve(f"{need_module('hypercorn')} -w 0 -b fd://{{fd}} asgi_app:app")


@test
def gunicorn_sync():
    serve(f"{need_module('gunicorn')} -b fd://{{fd}} wsgi_app")


@test
def gunicorn_threads():
    serve(f"{need_module('gunicorn')} -k gthread --threads 4 -b fd://{{fd}} wsgi_app")


@test
def gunicorn_takes_the_socket_by_itself():
    serve(f"{need_module('gunicorn')} wsgi_app")


@test
def uwsgi():
    program = need_program("uwsgi_python3", "uwsgi")
    plugin = "" if program.endswith("python3") else "--plugin python3 "
    serve(f"{program} {plugin}--master --die-on-term --http-socket fd://{{fd}} --wsgi-file wsgi_app.py",
          loses_requests=True)


@test
def daphne():
    serve(f"{need_module('daphne')} --fd {{fd}} asgi_app:app", loses_requests=True)


@test
def puma():
    serve(f"{need_program('puma')} --bind-to-activated-sockets only -t 1:4 config.ru")


@test
def node():
    serve(f"{need_program('node')} server.js", ready="output listening")


@test
def twenty_reloads_of_gunicorn_lose_nothing():
    serve(f"{need_module('gunicorn')} -w 2 -b fd://{{fd}} wsgi_app", reloads=GUNICORN_RELOADS, connections=4,
          surge=2, max_unavailable=0)


if __name__ == "__main__":
    run_tests()
