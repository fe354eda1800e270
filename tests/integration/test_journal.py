#!/usr/bin/python3
"""The log as systemd's journal gets it. The journal is this test: its socket is where the daemon looks for it, in a mount
namespace of the daemon's own, and standard error is the stream."""

import os
import select
import signal
import socket
import subprocess
import threading

from harness import BOUND, Site, Skip, pool, run_tests, test

# The folder is the journal's; what follows is the daemon's command.
INSIDE = """mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind "$1" /run/systemd/journal || exit 99
JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2)
export JOURNAL_STREAM
shift
exec "$@"
"""
NAMESPACE = ["unshare", "--mount", *(["--map-root-user"] if os.getuid() else [])]
FIELDS = {"SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "unicornd", "UNICORND_SITE": "site"}


class JournalSite(Site):
    """A daemon whose standard error is the journal. `log` is the stream, entry() the native protocol."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.journal = self.folder / "journal"
        self.journal.mkdir()
        self.entries = []
        self.opened = self.reading = None

    def command(self, *arguments):
        return [*NAMESPACE, "sh", "-c", INSIDE, "sh", str(self.journal), *super().command(*arguments)]

    def open_journal(self):
        self.opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.opened.bind(str(self.journal / "socket"))
        self.reading = threading.Thread(target=self.read, args=(self.opened,), daemon=True)
        self.reading.start()

    def close_journal(self):
        (self.journal / "socket").unlink()
        self.opened.shutdown(socket.SHUT_RDWR)
        self.reading.join()
        self.opened.close()

    def read(self, opened):
        while datagram := opened.recv(65536):
            entry = dict(line.split("=", 1) for line in datagram.decode().splitlines())
            with self.changed:
                self.entries.append(entry)
                self.changed.notify_all()

    def entry(self, text, **fields):
        """@return the first entry with this in its message and these fields"""
        found = None

        def look():
            nonlocal found
            found = next((entry for entry in self.entries
                          if text in entry["MESSAGE"] and fields.items() <= entry.items()), None)
            return found
        with self.changed:
            assert self.changed.wait_for(look, BOUND), f"no entry has {text!r} and {fields}: {self.entries[-40:]}"
        return found

    def start(self, *arguments, ready=True):
        self.open_journal()
        self.launch(*arguments)
        self.entry("site_started")
        self.follow()
        if ready:
            self.wait("site_ready")
        return self


def worker(words):
    return pool("app", f"sh -c '{words}; exec sleep 1000'", listeners=(), ready="alive 1ms")


def needs_a_namespace():
    try:
        if subprocess.run([*NAMESPACE, "sh", "-c", INSIDE, "sh", "/tmp", "true"], check=False, capture_output=True,
                          timeout=BOUND).returncode != 0:
            raise Skip("no mount namespace is to be had")
    except FileNotFoundError:
        raise Skip("unshare is not installed") from None


@test
def lines_carry_whose_they_are():
    needs_a_namespace()
    with JournalSite(worker("echo first words; echo \"<4>careful\" >&2")) as site:
        site.start()
        pid = site.pids()[1]
        whose = {**FIELDS, "UNICORND_POOL": "app", "UNICORND_SLOT": "1", "UNICORND_GENERATION": "1",
                 "UNICORND_WORKER_PID": str(pid)}
        entry = site.entry("first words")
        assert entry == {**whose, "PRIORITY": "6", "MESSAGE": f"app/1[{pid}]: first words"}, entry
        entry = site.entry("careful")
        assert entry == {**whose, "PRIORITY": "4", "MESSAGE": f"app/1[{pid}]: careful"}, entry
        site.write(worker("echo second words"))
        site.reload()
        entry = site.entry("second words")
        assert (entry["UNICORND_SLOT"], entry["UNICORND_GENERATION"]) == ("1", "2"), entry
        entry = site.entry("worker_gone", UNICORND_EVENT="worker_gone")
        assert whose.items() <= entry.items(), entry
        assert site.stop() == 0
        entry = site.entry("site_stopping")
        assert entry == {**FIELDS, "PRIORITY": entry["PRIORITY"], "UNICORND_EVENT": "site_stopping",
                         "MESSAGE": entry["MESSAGE"]}, entry
        assert site.log == [None], site.log


@test
def a_journal_that_is_gone_costs_no_line():
    needs_a_namespace()
    with JournalSite(worker("echo words")) as site:
        site.start()
        site.close_journal()
        site.signal(signal.SIGTTIN)
        assert site.wait_log("<[0-7]>app: pool_scaled: ")
        assert site.wait_log(r"<6>app/2\[\d+\]: words$")
        site.wait("worker_ready", slot=2)
        site.open_journal()
        site.signal(signal.SIGTTIN)
        assert site.entry("pool_scaled", UNICORND_POOL="app")
        assert site.entry("words", UNICORND_SLOT="3")
        assert site.stop() == 0


@test
def a_journal_that_does_not_read_stops_nobody():
    needs_a_namespace()
    with JournalSite(pool("app", "sh -c 'seq 100000; exec sleep 1000'", listeners=(), ready='output ^100000$')) as site:
        journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        journal.bind(str(site.journal / "socket"))
        site.launch_until_ready()
        assert site.pids()
        # Empty, it has room for what the end has to say.
        while select.select([journal], [], [], 0)[0]:
            journal.recv(65536)
        threading.Thread(target=site.read, args=(journal,), daemon=True).start()
        assert site.stop() == 0
        assert site.entry("lines of this log could not be written")["PRIORITY"] == "4"
        assert site.log == [None], site.log[:3]


if __name__ == "__main__":
    run_tests()
