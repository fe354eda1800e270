#!/usr/bin/python3
"""Workers that hang, crash, flood and run away: what the daemon does about it, and how soon.

Times are those of the daemon's events. Two crash loops run beside the other tests for half a minute.
"""

import os
import pathlib
import re
import signal
import sys
import time

from harness import (FAULTY_WORKER, HTTP_WORKER, SANITIZED, Site, exists, get, listener, memory_kb, new_address, pool,
                     run_tests, test, wait_gone)

LOOP_SECONDS = 30
LOOP_STARTS_MAX = 12
MEMORY_KB_MAX = 300_000 if SANITIZED else 24_000
LATE = 1.0  # seconds that a reaction may take

loops = []


def faulty(*options, **settings):
    """A pool whose workers read more options from a file, if it is there."""
    return pool("app", [FAULTY_WORKER, "--mode-from", "mode", *options], **settings)


def between(first, second):
    return second["time"] - first["time"]


@test
def crash_loops_begin():
    for options in (["--crash-at-start"], ["--die-after-ready", "50"]):
        site = Site(listener("web", new_address()) + faulty(*options, workers=4))
        loops.append(site)
        site.start(ready=False)
        site.wait("worker_lost")


@test
def stopped_worker_is_replaced():
    with Site(listener("web", new_address()) +
              faulty(workers=2, heartbeat="required", heartbeat_interval="200ms", heartbeat_soft="1s",
                     heartbeat_hard="3s")) as site:
        site.start()
        pids = site.pids()
        stopped_at = time.time()
        os.kill(pids[1], signal.SIGSTOP)
        slow = site.wait("worker_slow", pid=pids[1])
        assert 0.5 < slow["time"] - stopped_at < 1 + LATE, slow
        ready = site.wait("worker_ready", slot=1)
        assert 2.5 < ready["time"] - stopped_at < 3 + LATE, ready
        site.wait("worker_lost", since=slow, pid=pids[1])
        row = site.pool()["slots"][0]
        assert row["last_exit"]["cause"] == "silent" and row["restarts"] == 1, row
        assert site.pids()[2] == pids[2]


@test
def worker_that_falls_silent_is_replaced():
    with Site(listener("web", new_address()) +
              faulty("--hang-after", "3", heartbeat_interval="100ms", heartbeat_soft="500ms",
                     heartbeat_hard="1s")) as site:
        site.start()
        first = site.wait("worker_aborting", text="no heartbeat")
        assert site.wait("worker_lost")["pid"] == first["pid"]
        site.wait("worker_ready", since=first, slot=1)


@test
def heartbeat_may_be_required_or_not():
    settings = {"heartbeat_interval": "100ms", "heartbeat_soft": "500ms", "heartbeat_hard": "1s"}
    with Site(listener("web", new_address()) +
              pool("strict", [HTTP_WORKER, "--idle"], heartbeat="required", **settings) +
              pool("lenient", [HTTP_WORKER, "--idle"], **settings)) as site:
        site.start()
        lenient = site.pids("lenient")
        started = site.wait("worker_aborting", pool="strict")
        assert started["time"] - site.events[0]["time"] < 1 + LATE
        site.wait("worker_ready", pool="strict")
        site.wait("worker_aborting", pool="strict")
        assert site.pids("lenient") == lenient


@test
def hang_at_start_is_found():
    with Site(listener("web", new_address()) + faulty("--never-ready", "--ignore-term", ready_timeout="2s")) as site:
        site.start(ready=False)
        started = site.wait("worker_started")
        aborting = site.wait("worker_aborting", text="not ready within ready_timeout")
        assert 1.5 < between(started, aborting) < 2 + LATE, aborting
        again = site.wait("worker_started")
        assert between(started, again) < 3 + LATE, again
        wait_gone(started["pid"])
        if not any(event["event"] == "worker_lost" for event in site.events):
            site.wait("worker_lost")  # its successor does not wait for its death
        assert site.pool()["slots"][0]["last_exit"]["cause"] == "not_ready"


@test
def slow_start_may_be_extended():
    with Site(listener("web", new_address()) +
              faulty("--slow-ready", "1500", "--extend", "20000", ready_timeout="500ms")) as site:
        site.start()
        assert not any(event["event"] == "worker_aborting" for event in site.events)


@test
def exit_78_is_not_tried_again():
    with Site(listener("web", new_address()) +
              faulty("--crash-at-start", "--exit-status", "78", workers=2, backoff="1ms 10ms")) as site:
        site.start(ready=False)
        begin = site.events[0]
        for slot in (1, 2):
            site.wait("worker_lost", since=begin, slot=slot)
        site.wait("pool_degraded", since=begin, text="78")
        row = site.pool()
        assert row["state"] == "degraded" and "78" in row["reason"], row
        assert [slot["retry_in"] for slot in row["slots"]] == [None, None], row
        assert row["slots"][0]["last_exit"]["cause"] == "refused", row
        site.write(site.path.read_text().replace("--crash-at-start", "--linger").replace("--exit-status", "10")
                   .replace(', "10", "78"', ', "10"'))
        site.reload()
        assert site.pool()["state"] == "steady"
        starts = [event for event in site.catch_up() if event["event"] == "worker_started"]
        assert len(starts) == 4, starts


@test
def who_ignores_term_is_killed():
    with Site(listener("web", new_address()) + faulty("--ignore-term", drain_timeout="1s")) as site:
        site.start()
        old = site.pids()[1]
        assert site.ctl("restart").status == 0
        draining = site.wait("worker_draining", pid=old)
        killing = site.wait("worker_killing", pid=old, text="drain_timeout")
        gone = site.wait("worker_gone", pid=old)
        assert 1 <= between(draining, killing) < 1 + LATE and between(killing, gone) < LATE, (draining, killing, gone)
        assert site.stop() == 0


COUNTS_SIGNALS = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
os.write(int(os.environ["UNICORND_STATUS_FD"]), b"READY=1\\n")
signal.sigwait({signal.SIGTERM})
again = signal.sigtimedwait({signal.SIGTERM}, 0.1)
open(f"count.{os.getpid()}", "w").write("again" if again else "once")
"""


@test
def stop_signal_comes_once():
    # Node's process.once("SIGTERM") and its like make a second one deadly.
    with Site(pool("app", [sys.executable, "-c", COUNTS_SIGNALS.strip()], listeners=(), workers=8)) as site:
        site.start()
        assert site.stop() == 0
        counts = [path.read_text() for path in site.folder.glob("count.*")]
        assert counts == ["once"] * 8, counts


@test
def closed_pipe_alone_is_no_fault():
    address = new_address()
    with Site(listener("web", address) + faulty("--close-pipe")) as site:
        site.start()
        before = site.pids()
        assert "generation 1" in get(address)
        assert site.ctl("restart").status == 0
        assert site.pids() != before
        # A daemon that watches the closed end in vain would turn in circles.
        used = sum(int(value) for value in pathlib.Path(f"/proc/{site.process.pid}/stat").read_text().split()[13:15])
        assert used < 100, f"{used} ticks of processor time"
        assert site.stop() == 0


@test
def who_forks_away_is_found():
    with Site(listener("web", new_address()) +
              faulty("--fork-away", "--state-file", "states", backoff="10s 30s")) as site:
        site.start(ready=False)
        stray = site.wait("stray_killed")
        wait_gone(int(re.search("[0-9]+", stray["text"]).group()))
        for line in (site.folder / "states").read_text().splitlines():
            if line.startswith("away"):
                wait_gone(int(line.split("pid=")[1].split()[0]))
        assert site.stop() == 0


@test
def child_left_behind_goes_with_its_worker():
    with Site(listener("web", new_address()) + faulty("--leave-child", "--state-file", "states")) as site:
        site.start()
        child = int(next(line for line in (site.folder / "states").read_text().splitlines()
                         if line.startswith("child")).split("pid=")[1].split()[0])
        assert exists(child)
        assert site.ctl("restart").status == 0
        wait_gone(child)
        assert site.stop() == 0


@test
def killed_worker_is_replaced_at_once():
    address = new_address()
    with Site(listener("web", address) + faulty(workers=2)) as site:
        site.start()
        os.kill(site.pids()[2], signal.SIGKILL)
        lost = site.wait("worker_lost", slot=2)
        assert "KILL" in lost["text"], lost
        assert between(lost, site.wait("worker_ready", slot=2)) < LATE
        assert get(address)
        assert site.pool()["slots"][1]["last_exit"]["signal"] in ("KILL", "SIGKILL")


@test
def requests_wait_for_the_next_worker():
    address = new_address()
    with Site(listener("web", address) + faulty("--exit-after-request", "--body", "once")) as site:
        site.start()
        for _ in range(5):
            assert get(address) == "once\n"


@test
def worker_may_condemn_itself():
    script = "echo READY=1 >&$UNICORND_STATUS_FD; echo WATCHDOG=trigger >&$UNICORND_STATUS_FD; exec sleep 1000"
    with Site(pool("app", ["sh", "-c", script], listeners=(), backoff="10s 30s")) as site:
        site.start(ready=False)
        site.wait("worker_aborting")
        site.wait("worker_lost")


@test
def worker_that_leaves_has_a_successor_first():
    script = """echo READY=1 >&$UNICORND_STATUS_FD
        [ -e stopped ] || { touch stopped; echo STOPPING=1 >&$UNICORND_STATUS_FD; }
        trap 'exit 0' TERM; while :; do sleep 0.01; done"""
    with Site(pool("app", ["sh", "-c", script], listeners=())) as site:
        site.start(ready=False)
        first = site.wait("worker_ready")
        second = site.wait("worker_ready")
        assert first["pid"] != second["pid"]
        site.wait("worker_draining", pid=first["pid"])
        site.wait("worker_gone", pid=first["pid"])


@test
def flood_of_output_is_bounded():
    with Site(listener("web", new_address()) +
              pool("app", HTTP_WORKER, heartbeat_interval="200ms", heartbeat_soft="1s", heartbeat_hard="5s") +
              pool("lines", "yes this is a line of a flood", listeners=(), ready="alive 1ms") +
              pool("zeros", "cat /dev/zero", listeners=(), ready="alive 1ms") +
              "log {\n    level = notice\n}\n") as site:
        site.start()
        follower = None
        worst = 0
        for _ in range(100):
            began = time.monotonic()
            assert len(site.status()["pools"]) == 3
            worst = max(worst, time.monotonic() - began)
            for _ in range(20):
                line = follower.read() if follower else None
                if line is None:
                    # While it asked for the status it has not read, and who does not read is cut off.
                    follower = site.control()
                    follower.call("logs", follow=True)
                    line = follower.read()
                assert line["method"] == "output"
            assert memory_kb(site.process.pid) < MEMORY_KB_MAX, memory_kb(site.process.pid)
        follower.close()
        assert worst < 2, f"status took {worst:.1f} s"
        logs = site.ctl("logs", "lines/1")
        assert logs.status == 0 and "a line of a flood" in logs.out and len(logs.out) < 1_000_000, len(logs.out)
        assert not any(event["event"] in ("worker_slow", "worker_lost") for event in site.catch_up())
        assert site.stop() == 0


@test
def garbage_on_the_pipe_is_ignored():
    address = new_address()
    with Site(listener("web", address) + faulty("--garbage", workers=2)) as site:
        site.start()
        for _ in range(50):
            assert "generation 1" in get(address)
            site.status()
        assert memory_kb(site.process.pid) < MEMORY_KB_MAX
        assert len(site.pids()) == 2 and site.status()["pools"][0]["slots"][0]["restarts"] == 0
        assert site.stop() == 0


@test
def degraded_says_why_and_recovers():
    address = new_address()
    with Site(listener("web", address) + faulty(workers=2, give_up="3 in 60s", backoff="10ms 300ms")) as site:
        (site.folder / "mode").write_text('--crash-at-start --exit-status 3 --stderr "no database"')
        site.start(ready=False)
        degraded = site.wait("pool_degraded")
        assert "exit status 3" in degraded["text"], degraded
        status = site.status()
        assert status["state"] == "degraded" and "exit status 3" in status["pools"][0]["reason"], status
        assert "exit status 3" in site.ctl("status").out
        assert "no database" in site.ctl("logs").out
        (site.folder / "mode").write_text("")
        site.wait("pool_steady")
        row = site.pool()
        assert (row["state"], row["reason"], row["ready"]) == ("steady", None, 2), row
        assert get(address)


@test
def one_bad_slot_does_not_hurt_the_others():
    command = ["sh", "-c", f'[ $UNICORND_SLOT != 2 ] || exit 4; exec {FAULTY_WORKER}']
    with Site(listener("web", new_address()) +
              pool("app", command, workers=3, give_up="3 in 60s", backoff="10ms 300ms")) as site:
        site.start(ready=False)
        site.wait("pool_degraded", text="slot 2")
        for slot in (1, 3):
            site.wait("worker_ready", since=site.events[0], slot=slot)
        row = site.pool()
        assert row["ready"] == 2 and [slot["restarts"] for slot in row["slots"]][::2] == [0, 0], row


def watch_loop(site):
    """@return starts of the first half minute: [(seconds, slot)]"""
    first = site.events[0]["time"]
    while time.time() - first < LOOP_SECONDS:
        try:
            site.wait("worker_started", bound=max(first + LOOP_SECONDS - time.time(), 0.001))
        except AssertionError:
            break  # a long pause is what is asked for
    starts = [(event["time"] - first, event["slot"]) for event in site.catch_up() if event["event"] == "worker_started"]
    return [start for start in starts if start[0] < LOOP_SECONDS]


BUSY_SECONDS = 0.3  # by which a start may be late on a busy machine; what was late makes the next pause look short


def check_growing(times):
    """The pauses grow; a busy machine lets one look a little shorter than the one before."""
    pauses = [after - before for before, after in zip(times, times[1:]) if after - before > 0.05]
    assert len(pauses) >= 3 and pauses[-1] > 2 * pauses[0], pauses
    assert all(after > 0.7 * before - BUSY_SECONDS for before, after in zip(pauses, pauses[1:])), pauses


@test
def crash_at_start_was_met_with_patience():
    starts = watch_loop(loops[0])
    assert 4 <= len(starts) <= LOOP_STARTS_MAX, starts
    check_growing([at for at, _ in starts])
    assert loops[0].stop() == 0


@test
def crash_behind_readiness_was_met_with_patience():
    starts = watch_loop(loops[1])
    for number in range(1, 5):
        times = [at for at, slot in starts if slot == number]
        assert 3 <= len(times) <= LOOP_STARTS_MAX, (number, times)
        check_growing(times)
    assert loops[1].stop() == 0


if __name__ == "__main__":
    try:
        run_tests()
    finally:
        for loop in loops:
            loop.close()
