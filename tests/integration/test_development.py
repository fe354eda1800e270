#!/usr/bin/python3
"""Development mode: unicornd --reload. The source of the site is the file "mode", from which its worker reads what to do.

A broken edit leaves the old worker serving, and nobody who edits has to wait for pauses.
"""

import contextlib
import itertools
import os
import pathlib
import shutil
import time

from harness import (BOUND, FAULTY_WORKER, HTTP_WORKER, Load, Site, check_load, get, listener, new_address, pool,
                     run_tests, test)

BROKEN = '--crash-at-start --stderr "no module named shop"'


def edit(site, text, name="mode"):
    """Writes a file of the source, as an editor does that saves into a new file."""
    path = site.folder / name
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text)
    os.replace(temporary, path)


@contextlib.contextmanager
def developed(mode, *options, ready=True):
    """@return a site whose source is this mode, and its address"""
    address = new_address()
    with Site() as site:
        edit(site, mode)
        yield site.start("--reload", *options, "-w", "1", "-b", address, "--", FAULTY_WORKER, "--mode-from", "mode",
                         "--linger", "100", ready=ready), address


def done(site):
    return site.wait("operation_finished", text="reload: done")


def generation(site):
    return site.status()["generation"]


@test
def an_edit_rolls_a_broken_one_is_explained_and_the_next_tries_again():
    with developed("--body one") as (site, address):
        site.wait_log("development mode: watching")
        with Load(address) as kept, Load(address, "--close") as closed:
            first = site.pids()
            edit(site, "--body two")
            done(site)
            second = site.pids()
            assert get(address) == "two\n" and second[1] != first[1], (first, second)
            edit(site, BROKEN)
            site.wait("operation_finished", text="reload: untouched")
            site.wait_log("mode has changed: failed; the old generation serves untouched, the next change tries again: "
                          ".*exit status 1")
            site.wait_log("no module named shop")
            assert get(address) == "two\n" and site.pids() == second
            edit(site, "--body three")
            done(site)
            assert get(address) == "three\n"
            check_load(kept, closed)
        assert site.stop() == 0


@test
def new_folders_count_and_what_is_no_source_does_not():
    with developed("--body one") as (site, _):
        for name in (".git", "__pycache__", "node_modules"):
            (site.folder / name).mkdir()
            (site.folder / name / "file").write_text("x")
        for name in ("mode~", ".mode.swp", "mode.pyc", "db.sqlite3"):
            (site.folder / name).write_text("x")
        (site.folder / "shop").mkdir()
        (site.folder / "shop" / "models").mkdir()
        edit(site, "x", "shop/models/cart.py")
        site.wait_log("shop.* has changed: reload")
        done(site)
        edit(site, "y", "shop/models/cart.py")
        site.wait_log("shop/models/cart.py has changed: reload")
        done(site)
        (site.folder / "shop" / "models" / "cart.py").unlink()
        done(site)
        assert generation(site) == 4, site.status()
        told = [line for line in site.log if line and "has changed: reload" in line]
        assert len(told) == 3 and all("shop" in line for line in told), told


@test
def a_site_that_never_started_starts_with_the_edit_that_mends_it():
    with developed(BROKEN, "-s", "backoff=1h 1h", "-s", "ready_timeout=1h", ready=False) as (site, address):
        site.wait("worker_lost")
        began = time.monotonic()
        edit(site, "--body mended")
        site.wait("site_ready")
        assert get(address) == "mended\n"
        edit(site, "--never-ready")
        site.wait("worker_started")
        # A start that hangs holds nobody up either: the next edit takes over, when it has waited a second for it.
        edited = time.monotonic()
        edit(site, "--body again")
        site.wait("operation_started", text="reload")
        assert time.monotonic() - edited > 0.9
        done(site)
        assert get(address) == "again\n"
        assert time.monotonic() - began < 20


@test
def edits_during_a_reload_lead_to_one_more():
    with developed("--body one --slow-ready 600") as (site, address):
        site.skip_events()
        edit(site, "--body two --slow-ready 600")
        site.wait("operation_started", text="reload")
        for number in range(5):
            edit(site, f"--body last --slow-ready 60{number}")
        for _ in range(2):
            site.wait("operation_finished", text="reload: (done|superseded)")
        assert get(address) == "last\n"
        started = [event for event in site.catch_up() if event["event"] == "operation_started"]
        assert len(started) == 3, started  # the start of the site and two reloads


@test
def edits_without_end_are_taken_all_the_same():
    with developed("--body one") as (site, _):
        site.skip_events()
        end = time.monotonic() + BOUND
        for number in itertools.count():
            edit(site, f"--body {number}")
            if any(event["event"] == "operation_started" for event in site.catch_up()[site.position:]):
                break
            assert time.monotonic() < end
        done(site)


@test
def with_a_file_the_directories_of_all_pools_count():
    web, extra = new_address(), new_address()
    with Site() as site:
        for name in ("shop", "admin", "later"):
            (site.folder / name).mkdir()

        def write(directory):
            site.write(listener("web", web) + listener("extra", extra) +
                       pool("shop", HTTP_WORKER, directory="shop") +
                       pool("admin", HTTP_WORKER, listeners=("extra",), directory=directory))
        write("admin")
        site.start("--reload", "-c", str(site.path))
        edit(site, "x", "shop/main.py")
        done(site)
        edit(site, "x", "admin/main.py")
        done(site)
        before = site.pids("shop"), site.pids("admin")
        write("later")  # not below a folder that is watched
        site.reload()
        site.wait_log("watching .*/later")
        site.skip_events()
        edit(site, "x", "later/main.py")
        done(site)
        assert site.pids("shop") != before[0] and site.pids("admin") != before[1]
        assert generation(site) == 5, site.status()
        site.write("nonsense")
        edit(site, "y", "later/main.py")
        site.wait_log("reload refused, the next change tries again: .*site.conf:1")
        assert get(web) and generation(site) == 5


@test
def other_folders_may_be_named():
    address = new_address()
    with Site() as site:
        for name in ("library", "templates"):
            (site.folder / name).mkdir()
        site.start("--reload-dir", "library", "--reload-dir", "templates", "--reload-dir", "missing", "-b", address,
                   "--", HTTP_WORKER)
        site.wait_log("cannot watch missing")
        edit(site, "x", "main.py")
        edit(site, "x", "templates/index.html")
        done(site)
        edit(site, "x", "library/code.py")
        done(site)
        shutil.rmtree(site.folder / "library")
        done(site)
        (site.folder / "library").mkdir()
        site.wait_log("a folder that was missing has changed: reload")
        done(site)
        (site.folder / "missing").mkdir()
        done(site)
        edit(site, "x", "missing/code.py")
        done(site)
        assert generation(site) == 7, site.status()


@test
def without_the_option_nothing_is_watched():
    address = new_address()
    with Site(listener("web", address) + pool("app", HTTP_WORKER)) as site:
        site.start()
        watches = [name for name in os.listdir(f"/proc/{site.process.pid}/fd")
                   if "inotify" in os.readlink(pathlib.Path(f"/proc/{site.process.pid}/fd") / name)]
        assert not watches
        help_text = site.run("--help").out
        assert "--reload " in help_text and "--reload-dir DIR" in help_text
        assert site.run("--reload-dir").status != 0


if __name__ == "__main__":
    run_tests()
