#!/usr/bin/python3
"""Workers that have had enough and ask for a replacement (STOPPING=1). It may not cost a single request."""

from harness import (FAULTY_WORKER, Load, Site, check_load, check_ready, get, listener, new_address, pool, run_tests,
                     test, wait_recycled)

WORKERS = 4
ROUNDS = 3


def tiring(*options, **settings):
    """A pool whose workers read more options from a file, if it is there."""
    return pool("app", [FAULTY_WORKER, "--mode-from", "mode", "--linger", "200", *options], workers=WORKERS,
                **settings)


@test
def all_workers_tire_under_load_and_nothing_is_lost():
    address = new_address()
    with Site(listener("web", address) + tiring("--tire-after", "300")) as site:
        site.start()
        before = set(site.pids().values())
        with Load(address, connections=8) as kept, Load(address, "--close", connections=8) as closed:
            recycled = wait_recycled(site, ROUNDS * WORKERS)
            check_load(kept, closed)
        assert before <= set(recycled), (before, recycled)
        gone = site.wait("worker_gone", since=site.events[0], text="had asked for a replacement")
        row = site.pool()["slots"][gone["slot"] - 1]
        assert row["last_exit"]["cause"] == "recycled" and row["restarts"] >= 1, row
        events = site.catch_up()
        assert check_ready(events, WORKERS, WORKERS) > ROUNDS * WORKERS
        assert not [event for event in events if event["event"] in ("worker_lost", "pool_degraded")], events
        asked = {event["pid"] for event in events if event["event"] == "worker_asked"}
        assert set(recycled) <= asked
        assert site.stop() == 0


@test
def tiring_while_reloading_loses_nothing():
    address = new_address()
    with Site(listener("web", address) + tiring("--tire-after", "100", surge=1)) as site:
        site.start()
        with Load(address, connections=8) as kept, Load(address, "--close", connections=8) as closed:
            for _ in range(5):
                site.reload()
            wait_recycled(site, WORKERS)
            check_load(kept, closed)
        assert check_ready(site.catch_up(), WORKERS, WORKERS) > 0


@test
def without_surge_one_after_another_makes_room():
    address = new_address()
    with Site(listener("web", address) + tiring("--tire-after", "300", surge=0, max_unavailable=1)) as site:
        site.start()
        with Load(address, connections=8) as load:
            wait_recycled(site, ROUNDS * WORKERS)
            check_load(load)
        assert check_ready(site.catch_up(), WORKERS, WORKERS - 1) > 0


@test
def who_asked_serves_on_while_its_successor_does_not_start():
    address = new_address()
    with Site(listener("web", address) +
              pool("app", [FAULTY_WORKER, "--mode-from", "mode", "--tire-after", "1", "--linger", "0"],
                   backoff="50ms 200ms", give_up="never")) as site:
        site.start()
        pid = site.pids()[1]
        (site.folder / "mode").write_text("--crash-at-start")
        body = get(address)
        for _ in range(4):
            lost = site.wait("worker_lost", slot=1)
            assert lost["pid"] != pid
            assert get(address) == body
        assert list(site.pids().values()) == [pid]
        (site.folder / "mode").unlink()
        site.wait("worker_gone", pid=pid, text="had asked for a replacement")
        assert get(address) != body


@test
def who_asks_and_ends_by_itself_is_replaced_without_a_pause():
    # Within a second of its readiness it would be a flapping worker, however clean.
    script = """echo READY=1 >&$UNICORND_STATUS_FD
        trap 'exit 0' TERM
        sleep 1.2; while [ ! -e go ]; do sleep 0.01; done
        rm go; echo STOPPING=1 >&$UNICORND_STATUS_FD"""
    with Site(pool("app", ["sh", "-c", script], listeners=(), backoff="60s 60s")) as site:
        site.start()
        for _ in range(3):
            pid = site.pids()[1]
            ready = site.wait("worker_ready", since=site.events[0], pid=pid)
            (site.folder / "go").touch()
            site.wait("worker_gone", pid=pid, text="had asked for a replacement", since=ready)
            site.wait("worker_ready", since=ready)
        assert not [event for event in site.catch_up() if event["event"] in ("worker_lost", "pool_degraded")]


if __name__ == "__main__":
    run_tests()
