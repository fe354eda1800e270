#!/usr/bin/python3
"""Eight workers, 4,000 connections: no worker gets more than twice its share, whether clients come one after another or
many at a time."""

import json
import subprocess

from http_client import PROBE, both, program
from harness import BOUND, LOAD, Site, listener, new_address, pool, run_tests

WORKERS = 8
CONNECTIONS = 4000
MOST = 2 * CONNECTIONS // WORKERS


def shares(address, pids, at_a_time):
    done = subprocess.run([LOAD, "--address", address, "--close", "--path", "/pid", "--requests", str(CONNECTIONS),
                           "--connections", str(at_a_time)], capture_output=True, text=True, timeout=2 * BOUND,
                          check=True)
    report = json.loads(done.stdout)
    assert report["failed"] == 0 and report["ok"] == CONNECTIONS, report
    counts = {int(body): count for body, count in report["bodies"].items()}
    assert set(counts) <= set(pids), (counts, pids)
    return sorted((counts.get(pid, 0) for pid in pids), reverse=True)


@both
def connections_are_shared(kind):
    address = new_address()
    command = [program(kind), "--app", PROBE]
    with Site(listener("web", address) + pool("app", command, workers=WORKERS)) as site:
        site.start()
        pids = site.pids().values()
        assert len(pids) == WORKERS
        for at_a_time in (1, 32):
            counts = shares(address, pids, at_a_time)
            print(f"# {kind}, {at_a_time} at a time: {counts}")
            assert counts[0] <= MOST, f"{at_a_time} at a time: {counts}"
        assert site.stop() == 0


if __name__ == "__main__":
    run_tests()
