"""Figures of a site with a thousand workers."""

import time

import processes
from daemon import SLEEPER, Daemon, run_and_time, run_unicornctl
from figures import note
from peers import S6, Supervisord, found
from small_site import time_replacement

READY_TARGET_S = 2.0
MEMORY_TARGET_MB = 10.0
STATUS_TARGET_MS = 30.0
BEATING_TARGET_PERCENT = 1.0

DESCRIPTORS_PER_WORKER = 4
SETTLE_SECONDS = 2.0
STATUS_RUNS = 10
DEATHS = 10
DEATH_PAUSE_SECONDS = 0.1
START_SECONDS = 120
LOOK_SECONDS = 0.01
LONG_ROUND_SECONDS = 20  # a peer that takes longer is measured once
BEAT_SECONDS = 1.0


def check_limits(bench):
    needed = bench.workers * DESCRIPTORS_PER_WORKER + 100
    if processes.descriptors_allowed() < needed:
        raise RuntimeError(f"RLIMIT_NOFILE is below {needed}")


def kill_some(daemon, milliseconds, cpu):
    """Each in another slot, as the pause after a second failure is not meant."""
    for worker in daemon.workers()[:DEATHS]:
        before = processes.cpu_seconds(daemon.pid)
        milliseconds.append(time_replacement(worker))
        time.sleep(DEATH_PAUSE_SECONDS)
        cpu.append((processes.cpu_seconds(daemon.pid) - before) * 1000)


def ready(bench):
    """Workers that say that they serve; then the daemon's size, how long a status takes, and what a death costs."""
    check_limits(bench)
    seconds, cpu, memory, status, death, death_cpu = [], [], [], [], [], []
    for _ in range(bench.rounds):
        daemon = Daemon.with_http(bench.folder(), bench.workers, beats=False)
        try:
            seconds.append(daemon.ready_seconds)
            cpu.append(processes.cpu_seconds(daemon.pid) * 1e6 / bench.workers)
            time.sleep(SETTLE_SECONDS)
            status += [run_unicornctl(daemon, "status", "--json") * 1000 for _ in range(STATUS_RUNS)]
            memory.append(processes.pss_megabytes(daemon.pid))
            kill_some(daemon, death, death_cpu)
        finally:
            daemon.stop()
    bench.figures.say(f"ready_{bench.workers}_workers", seconds, "s", READY_TARGET_S)
    bench.figures.say("cpu_of_the_daemon_to_a_ready_worker", cpu, "us")
    bench.figures.say(f"death_to_replacement_of_{bench.workers}_workers", death, "ms")
    bench.figures.say(f"cpu_of_a_death_of_{bench.workers}_workers", death_cpu, "ms")
    return status, memory


def has_sleepers(manager, wanted):
    """Counts first, and looks at the programs only when there may be enough: looking is not for free."""
    workers = manager.workers()
    return len(workers) == wanted and all(processes.runs_program(pid, SLEEPER) for pid in workers)


class Start:
    """From the start of a manager until all its workers run their program."""

    def __init__(self, bench, start):
        started = time.monotonic()
        self.manager = start(bench.folder(), bench.workers)
        try:
            processes.wait_until(lambda: has_sleepers(self.manager, bench.workers),
                                 f"{bench.workers} workers of {self.manager.name}", START_SECONDS, LOOK_SECONDS,
                                 calm=True)
        except BaseException:
            self.manager.stop()
            raise
        self.seconds = time.monotonic() - started


class Comparison:
    """Collects what peers need for as many workers."""

    def __init__(self):
        self.seconds, self.memory, self.status = {}, {}, {}

    def add(self, bench, start_manager):
        for _ in range(bench.rounds):
            start = Start(bench, start_manager)
            manager = start.manager
            try:
                self.seconds.setdefault(manager.name, []).append(start.seconds)
                time.sleep(SETTLE_SECONDS)
                self.memory.setdefault(manager.name, []).append(processes.pss_megabytes(*manager.managers()))
                if hasattr(manager, "status_command"):
                    self.status.setdefault(manager.name, []).append(run_and_time(*manager.status_command()) * 1000)
            finally:
                manager.stop()
            if start.seconds > LONG_ROUND_SECONDS:
                break


def thousand(bench):
    status, memory = ready(bench)
    comparison = Comparison()
    comparison.add(bench, Daemon.with_sleepers)
    for peer in found(Supervisord, S6) if bench.peers else []:
        try:
            comparison.add(bench, peer)
        except (processes.TooLate, OSError) as error:
            note(f"without {peer.name}: {error}")
    ours = comparison.seconds.pop(Daemon.name)
    comparison.memory.pop(Daemon.name)
    bench.figures.say(f"started_{bench.workers}_sleepers", ours, "s", None, comparison.seconds)
    bench.figures.say(f"memory_{bench.workers}_workers", memory, "MB", MEMORY_TARGET_MB, comparison.memory)
    bench.figures.say(f"unicornctl_status_{bench.workers}_workers", status, "ms", STATUS_TARGET_MS, comparison.status)


def oldest_beat(daemon):
    """Seconds; None as long as somebody has not beaten."""
    ages = [row["heartbeat_age"] for row in daemon.rows()]
    return None if None in ages else max(ages)


def beating(bench):
    """A heartbeat a second from each of a thousand."""
    check_limits(bench)
    percent = []
    daemon = Daemon.with_http(bench.folder(), bench.workers, beats=True)
    try:
        processes.wait_until(lambda: oldest_beat(daemon) is not None, "a beat of everybody", 10, 0.5)
        time.sleep(SETTLE_SECONDS)
        for _ in range(bench.rounds):
            before = processes.cpu_seconds(daemon.pid)
            time.sleep(bench.window)
            percent.append((processes.cpu_seconds(daemon.pid) - before) * 100 / bench.window)
        if oldest_beat(daemon) > 2 * BEAT_SECONDS:
            raise RuntimeError("the workers do not beat each second: this machine is too busy")
    finally:
        daemon.stop()
    bench.figures.say(f"cpu_{bench.workers}_beating_workers", percent, "% of a core", BEATING_TARGET_PERCENT)
