"""What happens to the site. Each takes the chaos and whether it is alone; it says what it has done by chaos.note()."""

import os
import signal
import socket
import subprocess

from harness import UNICORNCTL

GOOD = "# version {}\nfrom asgi_chaos import app\n"
BROKEN = ("import a_module_that_is_not_there\n", "def app(:\n", "raise SystemExit(3)\n", "app = 5\n",
          "import os\nos._exit(78)\n", "import os\nos.kill(os.getpid(), 9)\n")
WRONG = ("pool app {\n", "nonsense = 1\n", "listener web { address = \"127.0.0.1:1\"\n backlog = -1 }\n",
         "pool other {\n command = \"x\"\n listeners = { nowhere }\n}\n", "\0\xff\n")
# How a change may end that another one meets.
ANY = (0, 1, 5, 6, 7, 9)
SLOTS = 4


def ctl(chaos, alone, expected, *arguments):
    ran = chaos.site.ctl(*arguments)
    chaos.note(f"{' '.join(arguments)}: status {ran.status}")
    wanted = expected if alone else ANY
    if ran.status not in wanted:
        chaos.crowd.fail(f"{arguments}: not one of {wanted}: {ran}")
    return ran.status


def write_code(chaos, text):
    path = chaos.site.folder / "main.py"
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def reload_good(chaos, alone):
    chaos.version += 1
    write_code(chaos, GOOD.format(chaos.version))
    ctl(chaos, alone, (0,), "reload")


def reload_by_signal(chaos, alone):
    chaos.note("SIGHUP")
    chaos.site.signal(signal.SIGHUP)


def reload_broken(chaos, alone):
    """The old workers go on, those that ask for a replacement too."""
    try:
        write_code(chaos, chaos.numbers.choice(BROKEN))
        ctl(chaos, alone, (5, 6), "reload")
    finally:
        write_code(chaos, GOOD.format(chaos.version))


def reload_wrong(chaos, alone):
    with chaos.editing:
        chaos.site.write(chaos.configuration() + chaos.numbers.choice(WRONG))
        ctl(chaos, alone, (5,), "reload")
        chaos.site.write(chaos.configuration())


def reload_taken_address(chaos, alone):
    with chaos.editing, socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        chaos.site.write(chaos.configuration(more=taken))
        ctl(chaos, alone, (5,), "reload")
        chaos.site.write(chaos.configuration())


def add_and_remove(chaos, alone):
    """A pool with a listener of its own, and a second address of the first one."""
    with chaos.editing:
        chaos.site.write(chaos.configuration(more=chaos.extra, second=chaos.second))
        ctl(chaos, alone, (0,), "reload")
        ctl(chaos, alone, (0,), "status")
        chaos.site.write(chaos.configuration())
        ctl(chaos, alone, (0,), "reload")


def scale(chaos, alone):
    pool = chaos.numbers.choice(chaos.pools)
    workers = chaos.numbers.randrange(1, SLOTS + 1)
    chaos.watch.lower(pool, workers)
    ctl(chaos, alone, (0,), "scale", pool, str(workers))


def restart(chaos, alone):
    pool = chaos.numbers.choice(chaos.pools)
    what = chaos.numbers.choice(([], [pool], [f"{pool}/1"]))
    ctl(chaos, alone, (0,), "restart", *what)


def worker_of(chaos):
    pool = chaos.numbers.choice(chaos.pools)
    pids = sorted(chaos.site.pids(pool).values())
    return chaos.numbers.choice(pids) if pids else None


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def kill(chaos, alone):
    pid = worker_of(chaos)
    if pid is not None:
        chaos.note(f"SIGKILL of {pid}")
        chaos.crowd.forced.add(pid)
        send(pid, signal.SIGKILL)


def hang(chaos, alone):
    """Stopped for good: the daemon has to find out. It is over when it is gone."""
    pid = worker_of(chaos)
    if pid is not None:
        chaos.note(f"SIGSTOP of {pid}")
        chaos.crowd.forced.add(pid)
        send(pid, signal.SIGSTOP)


def pause(chaos, alone):
    """Stopped for less than the daemon allows: costs time and nothing else."""
    pid = worker_of(chaos)
    if pid is not None:
        send(pid, signal.SIGSTOP)
        chaos.over.wait(chaos.numbers.random() * 0.5)
        send(pid, signal.SIGCONT)
        chaos.note(f"{pid} was stopped for a moment")


def vanish(chaos, alone):
    """Clients of the control socket that end within a question, an answer or a change."""
    chaos.note("clients vanish")
    for _ in range(10):
        words = chaos.numbers.choice((["reload"], ["status"], ["events", "-f"], ["logs", "-f"], ["restart"]))
        with subprocess.Popen([UNICORNCTL, "--socket", chaos.site.socket, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            chaos.over.wait(chaos.numbers.random() * 0.1)
            process.kill()
        with socket.socket(socket.AF_UNIX) as raw:
            raw.connect(chaos.site.socket)
            whole = b'{"jsonrpc":"2.0","id":1,"method":"events","params":{"follow":true}}\n' * 3
            raw.sendall(whole[:chaos.numbers.randrange(len(whole))])


def rotate(chaos, alone):
    """Logs are renamed: the workers' own are followed, the daemon's is opened anew when it is told."""
    chaos.rotations += 1
    for name in ("access.log", "daemon.log"):
        path = chaos.site.folder / name
        if path.exists():
            path.rename(path.with_suffix(f".{chaos.rotations % 3}"))
    chaos.site.signal(signal.SIGUSR1)
    chaos.note("logs renamed")


GENTLE = (reload_good, reload_good, reload_by_signal, reload_broken, reload_wrong, reload_taken_address,
          add_and_remove, scale, restart, pause, vanish, rotate)
ROUGH = GENTLE + (kill, kill, kill, hang, hang)
