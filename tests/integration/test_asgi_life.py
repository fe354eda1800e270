#!/usr/bin/python3
"""ASGI applications from their start to their end: lifespan, what is refused, what is waited for, what is cancelled."""

import pathlib
import signal
import tempfile
import time

import harness
from asgi_servers import LOOPS, make, serve
from harness import APPS, Site, listener, new_address, pool, run_tests, test
from http_client import program, request, run_alone

REFUSED = 78


def on_loops(function):
    """Marks a test that is run on both loops; its argument is the option."""
    for loop in LOOPS:
        def run(loop=loop):
            function(("--loop", loop))
        run.__name__ = f"{function.__name__}_on_{loop}"
        harness.TESTS.append(run)
    return function


def stop(server):
    """Ends it as unicornd would. @return its log"""
    server.process.send_signal(signal.SIGTERM)
    harness.wait_gone(server.process.pid)
    status = server.process.wait()
    server.log.thread.join(harness.BOUND)
    assert status == 0, (status, server.log.text())
    return server.log.text()


def live(app, *options):
    """Starts it, asks once, ends it. @return its log"""
    with serve(*options, app=f"asgi_life:{app}") as server:
        assert server.ask("/").text == "hello\n"
        return stop(server)


def refuse(app, *options):
    """Starts what does not come up. @return exit status and log"""
    server = make(*options, app=app)
    try:
        server.launch()
        harness.wait_gone(server.process.pid)
        server.log.thread.join(harness.BOUND)
        assert "READY=1" not in server.told.text()
        return server.process.wait(), server.log.text()
    finally:
        server.close()


@on_loops
def lifespan_from_start_to_end(loop):
    text = live("good", *loop)
    assert text.splitlines() == ["startup", "shutdown", "atexit ran"], text
    assert "startup" in live("good", "--lifespan", "on", *loop)
    text = live("good", "--lifespan", "off", *loop)
    assert "startup" not in text and "shutdown" not in text, text


@on_loops
def developers_mode_finds_nothing(loop):
    """What Python and asyncio complain of then would be ours. Some versions of uvloop cannot be debugged."""
    with serve(*loop, app="asgi_life:good", environment={"PYTHONDEVMODE": "1"}) as server:
        assert server.ask("/").text == "hello\n"
        lines = [line for line in stop(server).splitlines() if "this uvloop cannot be debugged" not in line]
        assert lines == ["startup", "shutdown", "atexit ran"], lines


@on_loops
def failed_startup_is_a_failed_start(loop):
    for mode in ("auto", "on"):
        status, text = refuse("asgi_life:failed", "--lifespan", mode, *loop)
        assert status == 1 and "startup failed: the database\nis not there" in text, (status, text)
        status, text = refuse("asgi_life:failed_and_raises", "--lifespan", mode, *loop)
        assert status == 1 and "startup failed" in text and "Traceback" not in text, (status, text)
    status, text = refuse("asgi_life:failed_at_length", *loop)
    assert status == 1 and "line 0\n" in text and "line 1999\n" in text and "the end" in text, (status, text)


@on_loops
def application_without_lifespan(loop):
    text = live("raises", *loop)
    assert "has no lifespan (RuntimeError: what is a lifespan)" in text and "Traceback" not in text, text
    assert "error" not in live("returns", *loop)
    text = live("raises_when_asked", *loop)
    assert "Traceback" in text and "RuntimeError: in the startup" in text, text
    for app in ("raises", "returns", "raises_when_asked"):
        status, text = refuse(f"asgi_life:{app}", "--lifespan", "on", *loop)
        assert status == 1 and "--lifespan on" in text, (app, status, text)
        assert ("Traceback" in text) == (app != "returns"), text


@on_loops
def lifespan_that_goes_wrong_later(loop):
    text = live("ends_early", *loop)
    assert "RuntimeError: between start and end" in text, text
    assert "shutdown failed: the last words" in live("shutdown_failed", *loop)
    assert "RuntimeError: in the shutdown" in live("shutdown_raises", *loop)
    with serve(*loop, app="asgi_life:bad_messages") as server:
        assert server.log.wait("nothing else comes")
        text = stop(server)
        assert text.count("refused") == 5 and "error" not in text, text


@on_loops
def stop_during_the_startup(loop):
    server = make(*loop, app="asgi_life:never_starts")
    try:
        server.launch()
        assert server.log.wait("starting for ever")
        stop(server)
    finally:
        server.close()


@on_loops
def work_behind_the_last_answer_is_waited_for(loop):
    with serve(*loop, app="asgi_life:left") as server:
        assert server.ask("/background").text == "hello\n"
        lines = stop(server).splitlines()
        assert lines.index("background ends") < lines.index("lifespan ends"), lines


@on_loops
def new_connections_are_taken_at_once(loop):
    """By a worker that has nothing else to do; half of 21 may be late, since others use this machine too."""
    with serve(*loop) as server:
        took = []
        for _ in range(21):
            began = time.monotonic()
            assert server.ask("/hello").text == "hello\n"
            took.append(time.monotonic() - began)
        assert sorted(took)[10] < 0.03, took


@on_loops
def what_is_left_to_the_loop_is_ended(loop):
    with serve(*loop, app="asgi_life:left") as server:
        assert server.ask("/").text == "hello\n"
        text = stop(server)
        for wanted in ("lifespan ends", "a task was cancelled", "a generator was closed", "atexit ran"):
            assert wanted in text, text
        assert "Traceback" not in text and "destroyed" not in text, text


@on_loops
def the_end_comes_in_order_when_the_loop_is_late(loop):
    text = live("slow_goodbye", *loop)
    assert "a generator was closed" in text and "Traceback" not in text, text


@on_loops
def running_requests_end_before_the_worker(loop):
    with serve(*loop) as server, server.client() as client, server.client() as idle:
        assert idle.ask("/hello").status == 200
        client.send(request("/slow?0.3"))
        assert server.log.wait("slow begins")
        server.process.send_signal(signal.SIGTERM)
        answer = client.read()
        assert answer.text == "slow\n" and answer.closes, answer
        harness.wait_gone(server.process.pid)
        assert server.process.wait() == 0 and "lifespan ends" in server.log.text()


@test
def sync_worker_refuses():
    ran = run_alone("sync", "--app", "asgi:asgi_life:good", "--app-dir", str(APPS), "--bind", new_address())
    assert ran.status == REFUSED and "unicornd-worker-async" in ran.err, ran


@test
def uvloop_that_is_not_there_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "uvloop.py").write_text("raise ModuleNotFoundError('No module named uvloop')\n")
        pathlib.Path(folder, "app.py").write_text("async def app(scope, receive, send):\n    pass\n")
        server = make("--loop", "uvloop", "--app-dir", folder, app="app:app")
        try:
            server.launch()
            harness.wait_gone(server.process.pid)
            server.log.thread.join(harness.BOUND)
            assert server.process.wait() == REFUSED and "uvloop is not installed" in server.log.text(), server.log.text()
        finally:
            server.close()


@test
def what_cannot_be_loaded_is_refused():
    for app, what in (("nowhere:app", 'no module "nowhere"'), ("asgi_life:nothing", "nothing"),
                      ("asgi_life:TEXT", "call")):
        status, text = refuse(app)
        assert status == REFUSED and what in text, (app, status, text)
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "broken.py").write_text("import os\n1 / 0\n")
        status, text = refuse("broken:app", "--app-dir", folder)
        assert status in (1, REFUSED) and "ZeroDivisionError" in text and "line 2" in text, (status, text)


@test
def application_may_come_from_a_factory():
    with serve("--factory", app="asgi_life:Partial") as server:
        assert server.ask("/").text == "hello\n"
        assert "made by the factory" in stop(server)


@test
def application_may_use_the_loop_when_it_is_imported():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "early.py").write_text(
            "import asyncio\n"
            "loop = asyncio.get_event_loop_policy().get_event_loop()\n"
            "event = asyncio.Event()\n"
            "loop.call_soon(event.set)\n"
            "async def app(scope, receive, send):\n"
            "    assert scope['type'] == 'http' and asyncio.get_running_loop() is loop\n"
            "    await event.wait()\n"
            "    await send({'type': 'http.response.start', 'status': 200})\n"
            "    await send({'type': 'http.response.body', 'body': b'early'})\n")
        for loop in LOOPS:
            with serve("--loop", loop, "--app-dir", folder, app="early:app") as server:
                assert server.ask("/").text == "early"
                stop(server)


@on_loops
def serves_under_unicornd(loop):
    command = " ".join((program("async"), "--app", "asgi:asgi_cases:app", "--app-dir", str(APPS), *loop))
    address = new_address()
    with Site(listener("web", address) + pool("app", command, workers=2)) as site:
        site.start()
        with harness.Load(address, "--path", "/hello") as one, harness.Load(address, "--path", "/stream") as two, \
                harness.Load(address, "--path", "/hello", "--close") as three:
            for _ in range(3):
                site.reload()
            harness.check_load(one, two, three)
        assert site.stop() == 0
        assert sum("lifespan ends" in line for line in site.log if line) >= 8, site.log


if __name__ == "__main__":
    run_tests()
