#!/usr/bin/python3
"""Applications in Python that misbehave, under unicornd: the client is not deceived, the log says why, and the next
request is served. What the gateways make of faulty answers is in test_wsgi.py and test_asgi.py."""

import collections

from asgi_servers import LOOPS
from harness import APPS, Load, Site, check_load, for_each, listener, new_address, pool, run_tests
from http_client import Client, Cut, program, request

Gateway = collections.namedtuple("Gateway", "command folder moments")

WSGI = (program("sync"), "--app", "wsgi:wsgi_cases:application", "--app-dir", str(APPS))
ASGI = (program("async"), "--app", "asgi:asgi_cases:app", "--app-dir", str(APPS))
# Where its cases are, and when they can misbehave.
GATEWAYS = {
    "wsgi": Gateway(WSGI, "/raw", ("before", "during")),
    "wsgi_threads": Gateway((*WSGI, "--threads", "4"), "/raw", ("before", "during")),
    **{f"asgi_{loop}": Gateway((*ASGI, "--loop", loop), "", ("before", "during", "later")) for loop in LOOPS},
}
# What is raised, and the last line of its traceback.
RAISED = {
    "deep": r"(LookupError|Failure): at the bottom of a deep stack", "silent": r"Silent: <exception str\(\) failed>",
    "odd": r"Odd: no Exception", "exit": "SystemExit: enough", "generator": "GeneratorExit: out of place",
    "stop": "RuntimeError: coroutine raised StopIteration|generator raised StopIteration|StopIteration: out of place",
    "memory": "MemoryError", "recursion": "RecursionError: maximum recursion depth", "text": "ValueError: forged",
}
# How the process ends, and what unicornd says of it.
DEATHS = {"exit": ("worker_lost", "exit status 3"), "clean": ("worker_gone", "exit status 0"),
          "abort": ("worker_lost", "SIGABRT|ABRT"), "crash": ("worker_lost", "SEGV"), "kill": ("worker_lost", "KILL")}
each_gateway = for_each(GATEWAYS)


def supervised(gateway, address, *options, **settings):
    # What the applications do wrong here is Python's to meet, not the sanitizer's.
    return Site(listener("web", address) + pool("app", [*gateway.command, *options], **settings),
                environment={"ASAN_OPTIONS": "allocator_may_return_null=1:handle_segv=0:handle_abort=0"})


def ask(address, *arguments):
    with Client(address) as client:
        return client.ask(*arguments)


def check_cut(address, target, started=True):
    """The connection ends without a whole answer; when one had begun, its client has the beginning."""
    try:
        raise AssertionError(f"{target}: answered as if all were well: {ask(address, target)}")
    except Cut as cut:
        assert started and cut.answer.status == 200 and cut.answer.body == b"first ", (target, cut.answer)
    except EOFError:
        assert not started, target


@each_gateway
def whatever_is_raised_is_told(gateway):
    address = new_address()
    with supervised(gateway, address) as site:
        site.start()
        pids = site.pids()
        for when in gateway.moments:
            for what, line in RAISED.items():
                site.log.clear()
                target = f"{gateway.folder}/raises?{when},{what}"
                if when == "during":
                    check_cut(address, target)
                else:
                    assert ask(address, target).status == 500, target
                site.wait_log("Traceback")
                site.wait_log(rf": (\w+\.)?({line})")
                site.wait_log(f"GET {gateway.folder}/raises")
                assert ask(address, "/hello").text == "hello\n", target
        assert site.pids() == pids
        assert site.stop() == 0


@each_gateway
def nothing_is_hidden_by_an_application_without_stderr(gateway):
    address = new_address()
    with supervised(gateway, address) as site:
        site.start()
        assert ask(address, f"{gateway.folder}/speechless").status == 500
        site.wait_log("(LookupError|Failure): raised without sys.stderr")
        assert ask(address, "/hello").text == "hello\n"
        assert site.stop() == 0


@each_gateway
def a_process_that_dies_is_replaced(gateway):
    address = new_address()
    with supervised(gateway, address, backoff="10ms 50ms", give_up="never") as site:
        site.start()
        for when in ("before", "during"):
            for how, (event, text) in DEATHS.items():
                pid = site.pids()[1]
                check_cut(address, f"{gateway.folder}/dies?{when},{how}", when == "during")
                gone = site.wait(event, pid=pid, text=text)
                # What waits for the successor is answered.
                assert ask(address, "/hello").text == "hello\n", (when, how)
                if how in ("abort", "crash"):
                    site.wait_log(rf"\[{pid}\].*Fatal Python error: (Aborted|Segmentation fault)")
                    site.wait_log(rf"\[{pid}\].*_cases.py.* in ")
                site.wait("worker_ready", since=gone)
        assert site.stop() == 0


@each_gateway
def others_are_served_while_one_misbehaves(gateway):
    address = new_address()
    with supervised(gateway, address, workers=2) as site:
        site.start()
        with Load(address, "--path", "/pid", connections=8) as kept, \
                Load(address, "--path", "/pid", "--close", connections=8) as closed:
            for _ in range(20):
                for what in ("deep", "exit", "recursion"):
                    assert ask(address, f"{gateway.folder}/raises?before,{what}").status == 500
                    check_cut(address, f"{gateway.folder}/raises?during,{what}")
            check_load(kept, closed)
        assert not {"worker_lost", "worker_gone"} & {event["event"] for event in site.catch_up()}
        assert site.stop() == 0


@each_gateway
def a_reload_does_not_wait_for_ever(gateway):
    """A request that hangs is ended with its worker when drain_timeout is over, and named."""
    address = new_address()
    hang = "/slow" if gateway.folder else "/block_ms"
    with supervised(gateway, address, drain_timeout="1s", heartbeat_interval="100ms") as site:
        site.start()
        with Client(address) as client:
            client.send(request(f"{hang}?ms=60000"))
            while site.pool()["slots"][0]["request"] != f"GET {hang}":
                pass
            site.reload()
            site.wait("worker_killing", text=f"not gone within drain_timeout in GET {hang}")
            site.wait("worker_gone", text=f"KILL in GET {hang}$")
            try:
                raise AssertionError(client.read())
            except EOFError:
                pass
        assert ask(address, "/hello").text == "hello\n"
        assert site.stop() == 0


STEALS = {
    "/raw": """
import signal
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: None)
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"hello"]
""",
    "": """
import asyncio, signal
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, lambda: None)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
"""}


@each_gateway
def stop_signals_are_not_the_application_s(gateway):
    """One that takes them would keep its worker from draining, and each reload waiting for drain_timeout."""
    address = new_address()
    kind = "wsgi" if gateway.folder else "asgi"
    command = [*gateway.command[:1], "--app", f"{kind}:steals:app", *gateway.command[5:]]
    with Site(listener("web", address) + pool("app", command)) as site:
        (site.folder / "steals.py").write_text(STEALS[gateway.folder])
        site.start()
        assert ask(address, "/").text == "hello"
        site.wait_log("warning: the application's handler of SIGTERM is not used")
        site.wait_log("warning: the application's handler of SIGINT is not used")
        pid = site.pids()[1]
        site.reload()
        site.wait("worker_gone", pid=pid, text="exit status 0")
        assert ask(address, "/").text == "hello"
        assert site.stop() == 0
        assert not any(event["event"] == "worker_killing" for event in site.events), site.events


if __name__ == "__main__":
    run_tests()
