"""Figures of a site with a few workers."""

import os
import signal
import time

import processes
from daemon import Daemon, run_unicornctl
from figures import note
from peers import S6, Gunicorn, Nginx, Supervisord, found

WORKERS = 4
DEATHS = 10  # workers of the site in which each is killed once

MEMORY_TARGET_MB = 2.5
IDLE_TARGET_MS = 0.1
DEATH_TARGET_MS = 5.0

SETTLE_SECONDS = 1.0
DEATH_PAUSE_SECONDS = 0.2
DEATH_POLL_SECONDS = 0.0001
CHANGE_SECONDS = 30


def each(bench, workers, classes):
    """Yields unicornd and its peers, each just started; peers that do not start are left out."""
    yield Daemon.with_http(bench.folder(), workers, beats=False)
    for peer in found(*classes) if bench.peers else []:
        try:
            yield peer(bench.folder(), workers)
        except (processes.TooLate, OSError) as error:
            note(f"without {peer.name}: {error}")


def stop_all(managers):
    for manager in managers:
        manager.stop()


def compare(figures, name, samples, unit, target=None):
    """`samples` by name; the daemon's own are the value."""
    ours = samples.pop(Daemon.name)
    figures.say(name, ours, unit, target, samples)


def memory(bench):
    """Proportional set size of the managers, not of the workers; one after another, as they would share libraries."""
    samples = {}
    for _ in range(bench.rounds):
        for manager in each(bench, WORKERS, (Supervisord, Gunicorn, Nginx, S6)):
            time.sleep(SETTLE_SECONDS)
            samples.setdefault(manager.name, []).append(processes.pss_megabytes(*manager.managers()))
            manager.stop()
    compare(bench.figures, "memory_4_workers", samples, "MB", MEMORY_TARGET_MB)


def look(managers):
    return {manager.name: (processes.cpu_seconds(*manager.managers()), processes.wakeups(*manager.managers()))
            for manager in managers}


def idle(bench):
    """All at the same time: a manager that does nothing disturbs nobody."""
    cpu, wakeups = {}, {}
    managers = list(each(bench, WORKERS, (Supervisord, Gunicorn, Nginx, S6)))
    try:
        time.sleep(SETTLE_SECONDS)
        for _ in range(bench.rounds):
            before = look(managers)
            time.sleep(bench.window)
            for name, (seconds, count) in look(managers).items():
                cpu.setdefault(name, []).append((seconds - before[name][0]) * 1000 / bench.window)
                wakeups.setdefault(name, []).append(count - before[name][1])
    finally:
        stop_all(managers)
    compare(bench.figures, "idle_cpu", cpu, "ms/s", IDLE_TARGET_MS)
    compare(bench.figures, f"idle_wakeups_in_{bench.window:g}_s", wakeups, "wake-ups", 0)


def time_replacement(worker):
    """Milliseconds from the kill to another process below the same parent."""
    parent = processes.parent(worker)
    before = set(processes.children(parent))
    started = time.monotonic()
    os.kill(worker, signal.SIGKILL)
    processes.wait_until(lambda: not before.issuperset(processes.children(parent)), "a replacement",
                         CHANGE_SECONDS, DEATH_POLL_SECONDS)
    return (time.monotonic() - started) * 1000


def death(bench):
    """Each worker is killed once, so each death is the first in its slot."""
    samples = {}
    managers = list(each(bench, DEATHS, (Supervisord, Gunicorn, Nginx, S6)))
    try:
        time.sleep(SETTLE_SECONDS)
        for manager in managers:
            for worker in manager.workers():
                samples.setdefault(manager.name, []).append(time_replacement(worker))
                time.sleep(DEATH_PAUSE_SECONDS)
    finally:
        stop_all(managers)
    compare(bench.figures, "death_to_replacement", samples, "ms", DEATH_TARGET_MS)


def time_reload(manager):
    """Milliseconds from SIGHUP until new workers are all there is."""
    old = set(manager.workers())
    started = time.monotonic()
    manager.reload()

    def is_renewed():
        now = manager.workers()
        return len(now) == len(old) and old.isdisjoint(now)

    processes.wait_until(is_renewed, f"reload of {manager.name}", CHANGE_SECONDS)
    return (time.monotonic() - started) * 1000


def reload(bench):
    samples, command = {}, []
    managers = list(each(bench, WORKERS, (Gunicorn, Nginx)))
    try:
        time.sleep(SETTLE_SECONDS)
        for _ in range(max(bench.rounds, 5)):
            for manager in managers:
                samples.setdefault(manager.name, []).append(time_reload(manager))
                time.sleep(DEATH_PAUSE_SECONDS)
            command.append(run_unicornctl(managers[0], "reload") * 1000)
    finally:
        stop_all(managers)
    compare(bench.figures, "reload_4_workers", samples, "ms")
    bench.figures.say("unicornctl_reload_4_workers", command, "ms")
