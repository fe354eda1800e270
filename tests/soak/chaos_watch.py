"""What is looked at all the time: the events, how many workers serve, and that the daemon answers."""

import threading
import time

from harness import SANITIZED

# Mostly it takes some milliseconds; a machine with other things to do stands still for seconds.
STATUS_S = 20.0 if SANITIZED else 10.0
OURS = ("worker_aborting", "worker_killing")


class Watch:
    """Follows the events of a site from now on."""

    def __init__(self, site, crowd):
        self.site = site
        self.crowd = crowd
        self.lock = threading.Lock()
        self.events = []
        self.serving = {}   # {pool: pids}
        self.floor = {}     # {pool: what a roll must not go below}
        self.missing = {}   # {pool: killed by force since the site was steady}
        self.served = set()
        self.over = threading.Event()
        self.longest_status_s = self.longest_status_at = 0.0
        self.follower = site.control()
        for event in self.follower.call("events", follow=True)["events"]:
            self.take(event)
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self.follow, self.ask)]

    def start(self):
        self.at_rest(self.site.status())
        for thread in self.threads:
            thread.start()

    # -- events

    def follow(self):
        while not self.over.is_set():
            message = self.follower.notifications.popleft() if self.follower.notifications else None
            try:
                message = message or self.follower.read(1)
            except TimeoutError:
                continue
            if message is None:
                break
            self.take(message["params"])

    def take(self, event):
        with self.lock:
            self.events.append(event)
            pool, pid, name = event["pool"], event["pid"], event["event"]
            serving = self.serving.setdefault(pool, set())
            if name == "worker_ready":
                serving.add(pid)
                self.served.add(pid)
            elif name in ("worker_draining", "worker_gone", "worker_lost", *OURS):
                self.leaves(event, serving)

    def leaves(self, event, serving):
        pool, pid, name = event["pool"], event["pid"], event["event"]
        forced = self.crowd.forced.met(pid, 0)
        if pid in serving:
            serving.discard(pid)
            if forced:
                self.missing[pool] = self.missing.get(pool, 0) + 1
            elif len(serving) + self.missing.get(pool, 0) < self.floor.get(pool, 0):
                self.crowd.fail(f"{event}: only {sorted(serving)} serve, not {self.floor[pool]}")
        if pid in self.served and not forced and name in ("worker_lost", *OURS):
            self.crowd.fail(f"nobody has killed this one: {event}")
        if name in ("worker_gone", "worker_lost"):
            self.crowd.forced.over(pid)

    # -- how many there must be

    def lower(self, pool, workers):
        """A change begins after which there may be so few."""
        with self.lock:
            self.floor[pool] = min(self.floor.get(pool, 0), workers)

    def at_rest(self, status):
        with self.lock:
            self.floor = {pool["name"]: pool["wanted"] for pool in status["pools"]}
            self.missing = {}

    # -- status

    def ask(self):
        while not self.over.wait(0.05):
            began = time.monotonic()
            try:
                self.site.status()
            except (OSError, EOFError, TimeoutError) as error:
                if not self.over.is_set():
                    self.crowd.fail(f"the daemon does not answer: {error!r}")
                return
            took = time.monotonic() - began
            if took > self.longest_status_s:
                self.longest_status_s, self.longest_status_at = took, began
            if took > STATUS_S:
                self.crowd.fail(f"the status took {took:.1f} s")

    def finish(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.follower.close()
