#!/usr/bin/python3
"""`make chaos`: a site under load of all kinds, to which everything happens, several at once, for CHAOS_SECONDS (120).

What must hold all the time: a request fails only when its own worker was killed by force; there are as many workers
as a roll must leave; the status answers. Whenever the site is at rest: it is steady, and the daemon has the
descriptors and children that it had. At the end: no more memory, a clean stop, no process left.

CHAOS_SEED repeats the choices of a run, as far as the machine lets it. A failure prints it, what was done, and the
daemon's events.
"""

import os
import pathlib
import random
import threading
import time
import traceback

import chaos_operations as operations
from chaos_clients import Closing, Crowd, Kept, Leaving, Pipelining, Streaming, Talking, Uploading
from chaos_watch import Watch
from harness import (BUILD, HTTP_WORKER, SANITIZED, SOURCE, Load, Site, check_load, descriptors_of, environment_of,
                     listener, memory_kb, new_address, pool)
from http_client import PROBE

SECONDS = float(os.environ.get("CHAOS_SECONDS", "120"))
SEED = os.environ.get("CHAOS_SEED") or str(random.randrange(1 << 30))
AT_ONCE = 4
STEADY_S = 120 if SANITIZED else 60
# From the first rest to the last one; what events and outputs are kept fills up by then.
GROWTH_KB = 4096
WORKERS = 2
LIMITS = {"heartbeat_interval": "200ms", "heartbeat_soft": "1s", "heartbeat_hard": "20s" if SANITIZED else "4s",
          "ready_timeout": "60s", "drain_timeout": "30s", "backoff": "100ms 1s", "give_up": "never"}


class Chaos:
    """The site, its clients, and what was done."""

    def __init__(self):
        self.numbers = random.Random(SEED)
        self.addresses = {name: new_address() for name in ("web", "c", "other")}
        self.extra, self.second = new_address(), new_address()
        self.pools = ("app", "c", "other")
        self.version = self.rotations = 0
        self.began = time.monotonic()
        self.done = []
        self.over = threading.Event()
        self.editing = threading.Lock()
        self.crowd = Crowd(SEED)
        self.site = Site(environment={"PYTHONPATH": f"{SOURCE}/tests/soak/apps:{SOURCE}/tests/integration/apps"})
        self.site.write(self.configuration())
        self.watch = None
        self.first = None
        self.is_rested = False  # since the last round

    def note(self, text):
        self.done.append(f"{time.monotonic() - self.began:8.3f} {text}")

    def configuration(self, more=None, second=None):
        """The site's own, or with another pool, or with a second address."""
        folder = self.site.folder
        access = f"--access-log {folder}/access.log"
        asyncs, syncs = str(BUILD / "unicornd-worker-async"), str(BUILD / "unicornd-worker-sync")
        recycle = "--max-requests 3000 --max-requests-jitter 1000"
        text = f'log {{\n    file = "{folder}/daemon.log"\n}}\n'
        text += "".join(listener(name, address) for name, address in self.addresses.items())
        text += listener("second", second) if second else ""
        text += pool("app", f"{asyncs} --app main:app --app-dir {folder} {access} {recycle}", workers=WORKERS,
                     listeners=("web", "second") if second else ("web",), **LIMITS)
        text += pool("c", f"{syncs} --app {PROBE} --threads 4 {access} {recycle}", listeners=("c",), workers=WORKERS,
                     **LIMITS)
        text += pool("other", HTTP_WORKER, listeners=("other",), workers=WORKERS, **LIMITS)
        if more:
            text += listener("more", more) + pool("more", f"{asyncs} --app {PROBE}", listeners=("more",), **LIMITS)
        return text

    # -- rest

    def is_steady(self):
        status = self.site.status()
        calm = status["state"] == "steady" and all(
            pool["state"] == "steady" and len(pool["slots"]) == pool["wanted"] and
            all(slot["state"] == "ready" for slot in pool["slots"]) for pool in status["pools"])
        forced = [pid for pid, end in self.crowd.forced.pids.items() if end is None]
        return status if calm and not forced else None

    def rest(self):
        """Good code, the right file and as many workers: then the site becomes what it was."""
        end = time.monotonic() + STEADY_S
        while self.site.ctl("reload").status != 0:
            assert time.monotonic() < end, f"good code cannot be reloaded: {self.site.ctl('reload')}"
        for name in self.pools:
            while self.site.ctl("scale", name, str(WORKERS)).status != 0:
                assert time.monotonic() < end, f"{name} cannot be scaled back"
        while (status := self.is_steady()) is None:
            assert time.monotonic() < end, f"not steady: {self.site.status()}"
            self.over.wait(0.05)
        self.watch.at_rest(status)
        figures = self.look()
        if self.first is None:
            self.first = figures
        for name in ("descriptors", "children"):
            assert figures[name] == self.first[name], f"{name}: {figures[name]}, before {self.first[name]}"
        assert not self.crowd.failures, self.crowd.failures[:5]
        self.is_rested = True
        self.note(f"at rest: {figures}")

    def look(self):
        """The least of some looks: who asks for the status has a connection."""
        pid = self.site.process.pid
        figures = {"descriptors": 1 << 30, "children": 1 << 30}
        for _ in range(20 if self.first is None else 200):
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
            figures["descriptors"] = min(len(descriptors_of(pid)), figures["descriptors"])
            figures["children"] = min(len(children), figures["children"])
            if self.first and all(figures[name] == self.first[name] for name in figures):
                break
            self.over.wait(0.02)
        return {**figures, "memory": memory_kb(pid)}

    # -- unrest

    def guarded(self, operation, alone):
        try:
            operation(self, alone)
        except Exception:  # pylint: disable=broad-except
            self.crowd.fail(f"{operation.__name__}: {traceback.format_exc()}")

    def round(self, table):
        chosen = [self.numbers.choice(table) for _ in range(self.numbers.randrange(1, AT_ONCE + 1))]
        self.note("round: " + ", ".join(operation.__name__ for operation in chosen))
        alone = len(chosen) == 1 and self.is_rested
        self.is_rested = False
        threads = [threading.Thread(target=self.guarded, args=(operation, alone)) for operation in chosen]
        for thread in threads:
            thread.start()
            self.over.wait(self.numbers.random() * 0.2)
        for thread in threads:
            thread.join()

    def epoch(self, is_rough, until):
        """Some rounds; nothing else may happen to the plain load of the gentle ones."""
        loads = [] if is_rough else [Load(address, "--path", "/pid", *options, connections=8)
                                     for address in (self.addresses["web"], self.addresses["c"])
                                     for options in (("--pause", "5"), ("--pause", "5", "--close"))]
        loads += [] if is_rough else [Load(self.addresses["other"], "--pause", "5", connections=4)]
        for _ in range(self.numbers.randrange(2, 6)):
            self.round(operations.ROUGH if is_rough else operations.GENTLE)
            if self.numbers.random() < 0.5 or is_rough:
                self.rest()
            if time.monotonic() > until:
                break
        self.rest()
        if loads:
            check_load(*loads)

    # -- all of it

    def begin(self):
        operations.write_code(self, operations.GOOD.format(0))
        self.site.launch()
        while not os.path.exists(self.site.socket):
            assert self.site.process.poll() is None, "the daemon has ended"
            self.over.wait(0.01)
        self.site.follow()
        self.site.wait("site_ready", bound=STEADY_S)
        self.watch = Watch(self.site, self.crowd)
        self.watch.start()
        for kind, number in ((Kept, 3), (Closing, 2), (Pipelining, 1), (Streaming, 1), (Uploading, 1), (Leaving, 1)):
            for name in ("web", "c"):
                self.crowd.start(kind, self.addresses[name], number)
        self.crowd.start(Talking, self.addresses["web"], 3)

    def run(self):
        self.begin()
        self.rest()
        until = self.began + SECONDS
        while time.monotonic() < until:
            self.epoch(is_rough=self.numbers.random() < 0.6, until=until)
        last = self.look()
        self.end()
        growth = last["memory"] - self.first["memory"]
        print(f"# {self.crowd.counts}, {len(self.crowd.forced.pids)} killed by force, {len(self.watch.events)} events; "
              f"status in {self.watch.longest_status_s * 1000:.0f} ms at most, "
              f"{self.watch.longest_status_at - self.began:.1f} s behind the begin; first {self.first}, last {last}")
        assert SANITIZED or growth <= GROWTH_KB, f"memory grew by {growth} KB"

    def end(self):
        self.crowd.finish()
        assert not self.crowd.failures, self.crowd.failures[:5]
        self.watch.finish()
        status = self.site.stop()
        assert status == 0, f"the daemon has ended with {status}"
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and is_marked(pid, str(self.site.folder))]
        assert not left, f"processes are left: {left}"

    def tell(self):
        print(f"# CHAOS_SEED={SEED}\n# what was done:")
        print("\n".join(f"#   {line}" for line in self.done[-60:]))
        print("# events:")
        for event in self.watch.events[-300:] if self.watch else []:
            print(f"#   {event['time'] - time.time() + time.monotonic() - self.began:8.3f} {event['pool']}/"
                  f"{event['slot']}[{event['pid']}] {event['event']}: {event['text']}")
        log = self.site.folder / "daemon.log"
        lines = log.read_text(errors="replace").splitlines()[-60:] if log.exists() else []
        print("# log:\n" + "\n".join(f"#   {line}" for line in lines))


def is_marked(pid, mark):
    try:
        return environment_of(pid).get("UNICORND_TEST") == mark
    except OSError:
        return False


def main():
    print(f"1..1\n# CHAOS_SEED={SEED} CHAOS_SECONDS={SECONDS:.0f}", flush=True)
    chaos = Chaos()
    with chaos.site:
        try:
            chaos.run()
        except Exception:  # pylint: disable=broad-except
            print("\n".join("# " + line for line in traceback.format_exc().splitlines()))
            chaos.tell()
            print("not ok 1 - chaos")
            raise SystemExit(1) from None
        finally:
            chaos.over.set()
            chaos.crowd.over.set()
            if chaos.watch:
                chaos.watch.over.set()
    print("ok 1 - chaos")


if __name__ == "__main__":
    main()
