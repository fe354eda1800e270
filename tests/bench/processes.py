"""Processes as /proc tells of them, and the end of all that were started here.

Only our own children that were not reaped yet are signalled, so that no number can have become a stranger's: as a
subreaper we become the parent of whatever a manager leaves behind.
"""

import ctypes
import os
import resource
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.002
CALM = 9  # times as long as a look takes, to the next one
DESCRIPTORS_WANTED = 16384
END_SECONDS = 30  # after which a process that does not end is an error

_libc = ctypes.CDLL(None, use_errno=True)
_managers = {}  # pid: Popen


class TooLate(Exception):
    """Something did not happen within its time."""


def prepare():
    """Adopts orphans and allows as many descriptors as possible."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard == resource.RLIM_INFINITY else max(hard, DESCRIPTORS_WANTED)
    for limit in (wanted, hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return
        except (OSError, ValueError):
            continue  # not allowed to raise it; the figures that need more say so


def descriptors_allowed():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return float("inf") if limit == resource.RLIM_INFINITY else limit


def wait_until(condition, what, seconds=30, pause=POLL_SECONDS, calm=False):
    """`calm`: looking is so expensive that it would slow down what it waits for. @return the first true value."""
    end = time.monotonic() + seconds
    now = time.monotonic()
    while now < end:
        value = condition()
        if value:
            return value
        cost = time.monotonic() - now
        time.sleep(max(pause, CALM * cost) if calm else pause)
        now = time.monotonic()
    raise TooLate(f"{what}: not within {seconds} s")


# ---- one process


def read(pid, name):
    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()


def children(pid):
    """The children of a process with one thread, in the order of their start."""
    try:
        return [int(word) for word in read(pid, f"task/{pid}/children").split()]
    except OSError:
        return []


def parent(pid):
    return int(read(pid, "stat").rpartition(")")[2].split()[1])


def pss_megabytes(*pids):
    kilobytes = 0
    for pid in pids:
        for line in read(pid, "smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                kilobytes += int(line.split()[1])
    return kilobytes * 1024 / 1e6


def cpu_seconds(*pids):
    """Time on a processor, user and system, to the nanosecond."""
    return sum(int(read(pid, "schedstat").split()[0]) for pid in pids) / 1e9


def wakeups(*pids):
    """How often they have gone to sleep, which is as often as they woke up."""
    count = 0
    for pid in pids:
        for line in read(pid, "status").splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                count += int(line.split()[1])
    return count


def runs_program(pid, program):
    try:
        return read(pid, "cmdline").split("\0")[0] == program
    except OSError:
        return False


# ---- managers: what is started here


def _die_with_the_bench():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def start(command, log, environment=None):
    """Starts a manager. It must be ended by stop()."""
    with open(log, "ab") as output:
        manager = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   env=environment, cwd=os.path.dirname(log), start_new_session=True,
                                   preexec_fn=_die_with_the_bench)
    _managers[manager.pid] = manager
    return manager


def stop(manager, gently=True):
    """Ends a manager and all that it has started."""
    try:
        if gently and manager.poll() is None:
            manager.terminate()
            manager.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    if manager.poll() is None:
        manager.kill()
        manager.wait(END_SECONDS)
    _managers.pop(manager.pid, None)
    _end_orphans()


def stop_all():
    for manager in list(_managers.values()):
        stop(manager, gently=False)


def _end_orphans():
    """Kills our children that are no managers; each may leave us others."""
    end = time.monotonic() + END_SECONDS
    while time.monotonic() < end:
        orphans = [pid for pid in children(os.getpid()) if pid not in _managers]
        if not orphans:
            return
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
        for pid in orphans:
            os.waitpid(pid, 0)
    raise TooLate("processes are left behind")
