#!/usr/bin/python3
"""Every command that README.md, CONTRIBUTING.md, the guides, the manual's examples and the comments of packaging/examples
tell people to type runs as it is written; what a transcript shows is what the programs print.

Each block has a shell of its own in a folder of its own. What is written otherwise than it runs is in SUBSTITUTIONS,
what may differ in a transcript in VARYING. A command that is neither run here nor listed in ELSEWHERE fails.
"""

import os
import pathlib
import pwd
import re
import select
import shutil
import subprocess
import tempfile

from documents import GUIDES, all_blocks, commands, manual_configuration, markdown_configuration, markdown_files
from harness import BOUND, BUILD, EXAMPLES, SANITIZED, SOURCE, Skip, for_each, get, kill_marked, new_address, run_tests, \
    test, until, wait_gone

# What needs root, packages or a machine of its own, or hours: who runs it, and the text there that says so.
ELSEWHERE = (
    (r"sudo systemctl reload nginx\b", "tests/integration/test_nginx.py", r"def reload_nginx"),
    # What the reader types today; the options are those of the packaged program.
    (r"(gunicorn|uvicorn) ", "tests/lint/guides.py", r"KNOWN_SETTINGS"),
    (r"sudo (apt-get|tee|systemctl) ", "tests/packages/debian.sh", r"block ~ /sudo apt-get install/"),
    (r"systemctl edit unicornd@NAME$", "tests/packages/debian.sh", r"pools-with-users\.conf"),
    (r"make deb\b", "tests/packages/debian.sh", r"make_packages deb"),
    (r"make rpm\b", "tests/packages/rpm.sh", r"make_packages rpm"),
    (r"\./quickstart test\b", ".ci/run", r"quickstart test"),
    (r"\./quickstart run\b", "tests/integration/test_examples.py", r'Example\("fastapi"'),
    (r"autoreconf -fi && mkdir -p build && cd build( && \.\./configure)?$", "quickstart", r"autoreconf -fi"),
    (r"\.\./configure .*&& make && make check$", "quickstart", r"make -C .* check"),
    (r"sudo make install$", "packaging/debian/rules", r"dh "),
    # A second and a third build are for those who change the code.
    (r"mkdir -p build-(asan|fuzz) && cd build-\1$", "Makefile.am", r"^fuzz:"),
    (r"\.\./configure CC=clang .*&& make (check|fuzz FUZZ_SECONDS=\d+)$", "Makefile.am", r"^fuzz:"),
)

# Those that run here; the rest is in no class. A program of the build folder is the one that is tested.
HERE = r"(build/)?(unicornd|unicornctl|unicornd-worker-a?sync)\b|curl |cc |sed |echo |case "

# What serves until it is told to end runs in the background, until the next one, or the block's end.
SERVES = r"unicornd (?!-t |-T )|unicornd-worker-"

# Pattern and what is run instead. ADDRESS is a loopback address that no other test has.
SUBSTITUTIONS = (
    (r"(?<![\w.])(127\.0\.0\.1)?:8000\b", "ADDRESS"),
    (r"http://127\.0\.0\.1:8000\b", "http://ADDRESS"),
    # These folders are root's.
    (r"/etc/unicornd/", "./"),
    (r"/srv/shop\b", "."),
    # A pool's command runs in a pool, without the configuration around it.
    (r"^(unicornd-worker-a?sync (?:(?!--bind)[\s\S])*)$", r"unicornd -b ADDRESS -- \1"),
)

# What is allowed to differ between two runs, in this order.
VARYING = (
    (r"\[\d+\]|\bpid \d+", "PID"),
    (r"\b\d+(\.\d+)?( s|ms|s|m|h)\b", "TIME"),
    (r"\bunicornd \d[\w.]*", "unicornd VERSION"),
    # Of a worker: the process, restarts in which slot, and the figures, which are those of its last heartbeat.
    (r"^( +\d+) +\d+ +(\w+) +(\d+) +TIME +\d+ +\d+ +\d+ +\d+ +(TIME|-)", r"\1 \2 \3"),
    # Which slot fails first depends on the length of pauses.
    (r"\bapp/\d+", "app/SLOT"),
    (r" +", " "),
)


def write_files(folder):
    """What the documents take for granted: the files that README.md shows, and what the manual names."""
    for name, text in markdown_files(SOURCE / "README.md").items():
        (folder / name).write_text(text)
    for name in ("mysite", "shop"):
        (folder / name).mkdir()
        shutil.copy(SOURCE / "tests/integration/apps/wsgi_app.py", folder / name / "wsgi.py")
    for path in EXAMPLES.glob("*.[ch]"):
        shutil.copy(path, folder)
    shutil.copy(EXAMPLES / "handler.c", folder / "app.c")
    text = (SOURCE / "workers/libunicornworker.pc.in").read_text()
    for name, value in (("libdir", BUILD / ".libs"), ("includedir", SOURCE / "include"), ("PACKAGE_VERSION", "0"),
                        ("prefix", "/usr"), ("exec_prefix", "/usr")):
        text = text.replace(f"@{name}@", str(value))
    (folder / "libunicornworker.pc").write_text(text)
    # On a terminal curl shows no progress either.
    (folder / ".curlrc").write_text("no-progress-meter\n")


def shell_command():
    """Root's control sockets are in /run/unicornd: one of its own, or none that anybody else uses."""
    if os.geteuid() != 0:
        return ["sh"]
    private = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$0" "$@"']
    if shutil.which("unshare") and subprocess.run([*private, "true"], capture_output=True, check=False).returncode == 0:
        return [*private, "sh"]
    if list(pathlib.Path("/run/unicornd").glob("*.sock")):
        raise Skip("there are sites of root's, and /run cannot be mounted anew")
    return ["sh"]


class Terminal:
    """A shell in a folder of its own; the state of one command is there for the next, as for people."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="unicornd-test-"))
        os.chmod(self.folder, 0o755)
        (self.folder / "run").mkdir(mode=0o700)
        write_files(self.folder)
        self.address = new_address()
        self.server = None
        kept = {name: value for name, value in os.environ.items()
                if name not in ("NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "WATCHDOG_USEC")}
        self.shell = subprocess.Popen(
            shell_command(), cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            bufsize=0, env={**kept, "PATH": f"{BUILD}:{os.environ['PATH']}", "UNICORND_TEST": str(self.folder),
                            "UNICORND_GATEWAYS": str(BUILD / ".libs"), "XDG_RUNTIME_DIR": str(self.folder / "run"),
                            "CURL_HOME": str(self.folder), "PKG_CONFIG_PATH": str(self.folder), "LC_ALL": "C.UTF-8",
                            "PYTHONDONTWRITEBYTECODE": "1", "ASAN_OPTIONS": "abort_on_error=0"})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shell.stdin.close()
        kill_marked(str(self.folder))
        self.shell.wait()
        self.shell.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def substitute(self, text):
        for pattern, instead in SUBSTITUTIONS:
            text = re.sub(pattern, instead, text)
        return re.sub(r"\bbuild/(?=unicornctl)", "", text).replace("ADDRESS", self.address)

    def run(self, text):
        """Runs a command, with `$?` as the one before has left it. @return (exit status, output)"""
        script = f"{{ {text}\n}} </dev/null\n_status=$?; printf '\\036%s\\n' $_status; (exit $_status)\n"
        self.shell.stdin.write(script.encode())
        said = b""
        while not (end := re.search(rb"\x1e(\d+)\n", said)):
            assert select.select([self.shell.stdout], [], [], 2 * BOUND)[0], f"{text}: no end: {said.decode()}"
            chunk = self.shell.stdout.read(65536)
            assert chunk, f"{text}: the shell has ended: {said.decode()}"
            said += chunk
        return int(end[1]), said[:end.start()].decode()

    def must(self, text):
        status, said = self.run(text)
        assert status == 0, f"{text}: exit status {status}: {said}"
        return said

    def serve(self, text):
        """Starts what serves, and waits until it does."""
        self.end()
        bare = re.sub(r"\s+#.*$", "", text)
        self.server = int(self.must(f"{bare} >>serve.log 2>&1 & echo $!"))
        try:
            until(self.answers, f"{text} does not serve")
            if bare.startswith("unicornd "):
                until(self.is_steady, f"{text}: not steady")
        except AssertionError:
            print(re.sub("^", "# ", (self.folder / "serve.log").read_text(), flags=re.MULTILINE))
            raise

    def answers(self):
        try:
            return get(self.address) is not None
        except OSError:
            return False

    def is_steady(self):
        return ": steady," in self.run("unicornctl status")[1].partition("\n")[0]

    def end(self):
        """Control-C, which must be a clean end."""
        if self.server is not None:
            self.must(f"kill {self.server}; wait {self.server}")
            wait_gone(self.server)
        self.server = None


# ---- classes of commands

def told_elsewhere(text):
    """The row of who runs it, or None."""
    bare = re.sub(r"\s+#.*", "", text)
    return next((row for row in ELSEWHERE if re.match(row[0], bare)), None)


def check_elsewhere(text, row):
    """Somebody runs it, and the targets and switches that it names exist."""
    _, place, pattern = row
    assert re.search(pattern, (SOURCE / place).read_text(), re.MULTILINE), f"{text}: not run by {place}"
    makefile = (SOURCE / "Makefile.am").read_text()
    for target in re.findall(r"\bmake ([a-z]+)", text):
        assert target in ("check", "install") or re.search(rf"^{target}:", makefile, re.MULTILINE), text
    configure = (SOURCE / "configure.ac").read_text()
    for switch in re.findall(r"--(?:enable|with|without)-(\w+)", text):
        assert re.search(rf"AC_ARG_(ENABLE|WITH)\(\[{switch}\]|\[{switch}\]", configure), f"{text}: no switch {switch}"


def user_exists(name):
    try:
        return pwd.getpwnam(name) is not None
    except KeyError:
        return False


def why_not(text):
    """Why a command of here cannot run on this machine; None when it can."""
    for name in ("jq", "curl", "uvicorn", "cc", "pkg-config"):
        if re.search(rf"(^|[ |(]){name} ", text) and not shutil.which(name):
            return f"{name} is not installed"
    if text.startswith("cc ") and SANITIZED:
        return "the library has sanitizers"
    user = re.search(r"user=([\w-]+)", text)
    if user and (os.geteuid() != 0 or not user_exists(user[1])):
        return f"needs root and the user {user[1]}"
    return None


# ---- transcripts

def normal(text):
    for pattern, form in VARYING:
        text = re.sub(pattern, form, text, flags=re.MULTILINE)
    lines = [line.rstrip() for line in text.splitlines()]
    # What happens to one worker comes in order, but at any time for the others.
    events = sorted(line for line in lines if line.startswith("app/SLOTPID worker_"))
    return [line for line in lines if line not in events] + events


def compare(terminal, command, said):
    shown = said.replace(terminal.address, "127.0.0.1:8000").replace(str(terminal.folder), "/srv/app")
    told = "\n".join(command.output)
    assert normal(shown) == normal(told), f"{command.text}\nprints:\n{shown}\nthe document has:\n{told}"


# ---- tests

def run_command(terminal, command):
    text = terminal.substitute(command.text)
    reason = why_not(text)
    if reason:
        print(f"# not run, {reason}: {text}")
        return
    print(re.sub("^", "# $ ", text, flags=re.MULTILINE))
    if re.match(SERVES, text):
        terminal.serve(text)
    elif command.output is None:
        terminal.must(text)
    else:
        compare(terminal, command, terminal.run(text)[1])


def run_block(block):
    found = commands(block)
    elsewhere = False
    for command in found:
        row = told_elsewhere(command.text)
        if row:
            elsewhere = True
            check_elsewhere(command.text, row)
        else:
            assert re.match(HERE, command.text), f"{command.text}: in no class, see ELSEWHERE and HERE"
    # What stands beside a command that is run elsewhere is run there with it.
    if elsewhere:
        return
    with Terminal() as terminal:
        if block.document.suffix != ".md":
            (terminal.folder / "site.conf").write_text(manual_configuration("site.conf.5"))
        elif block.document.parent == GUIDES:
            (terminal.folder / "site.conf").write_text(markdown_configuration(block.document))
        site = terminal.folder / "site.conf"
        site.write_text(terminal.substitute(site.read_text()))
        shutil.copy(site, terminal.folder / "shop.conf")
        # What talks to a site, or changes it, has one that runs.
        if not any(re.match(rf"{SERVES}|unicornd -t|cc ", command.text) for command in found):
            terminal.serve("unicornd -c site.conf")
        for command in found:
            run_command(terminal, command)
        terminal.end()


@for_each(all_blocks())
def the_commands_of(blocks):
    for block in blocks:
        run_block(block)


@test
def nothing_slips_through():
    for text in ("rm -rf /", "make all", "sudo rm -rf /", "./quickstart", "unicorn status"):
        assert told_elsewhere(text) is None and not re.match(HERE, text), text
    names = set(all_blocks())
    assert {"README.md", "CONTRIBUTING.md", "unicornd.8", "unicornctl.1", "unicornd-worker-sync.1", "examples/hello.c",
            "examples/handler.c", "from-gunicorn.md"} <= names, names


if __name__ == "__main__":
    run_tests()
