#!/usr/bin/python3
"""Reloads of Python applications under load: neither WSGI nor ASGI loses a request, on any loop."""

from asgi_servers import LOOPS
from harness import APPS, Site, listener, new_address, pool, run_tests, test
from http_client import program
from http_load import reload_under_load

WORKERS = 2


def reload(kind, app, *options):
    """Twenty reloads of one application; nothing but what belongs there may be in the log."""
    address = new_address()
    command = [program(kind), "--app-dir", str(APPS), "--app", app, *options]
    with Site(listener("web", address) + pool("app", command, workers=WORKERS)) as site:
        site.start()
        reload_under_load(site, address, WORKERS)
        assert site.stop() == 0
        said = [line for line in site.log if line and ("Traceback" in line or "Error" in line)]
        assert not said, said
        events = [event["event"] for event in site.events]
        assert not {"worker_lost", "worker_slow", "worker_aborting", "worker_killing"} & set(events), events


@test
def wsgi_reloads_lose_nothing():
    reload("sync", "wsgi:wsgi_cases:application")


@test
def wsgi_reloads_lose_nothing_in_threads():
    reload("sync", "wsgi:wsgi_cases:application", "--threads", "4")


for loop in LOOPS:
    def asgi_reloads_lose_nothing(loop=loop):
        reload("async", "asgi:asgi_cases:app", "--loop", loop)
    asgi_reloads_lose_nothing.__name__ += f"_on_{loop}"
    test(asgi_reloads_lose_nothing)


if __name__ == "__main__":
    run_tests()
