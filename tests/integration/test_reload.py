#!/usr/bin/python3
"""Changes while requests run: reload, restart and scale. None of them may cost a single request."""

import signal

from harness import (FAULTY_WORKER, HTTP_WORKER, Control, ControlError, Load, Site, check_load, descriptors_of, exists,
                     get, listener, new_address, pool, run_tests, test)

RELOADS = 20


def sockets_of(site):
    """What the daemon holds, by the kernel's own numbers."""
    return {what for what in descriptors_of(site.process.pid).values() if what.startswith("socket:")}


def inherited_socket(pid):
    return descriptors_of(pid)[3]


def refused(site, method, **params):
    """@return why a request is refused"""
    try:
        result = site.call(method, **params)
    except ControlError as error:
        return error
    raise AssertionError(f"not refused: {result}")


@test
def twenty_reloads_under_load_lose_nothing():
    address = new_address()
    with Site(listener("web", address) + pool("app", HTTP_WORKER, workers=4)) as site:
        site.start()
        seen = set(site.pids().values())
        inode = inherited_socket(min(seen))
        with Load(address, connections=8) as kept, Load(address, "--close", connections=8) as closed:
            for number in range(RELOADS):
                ran = site.reload()
                assert ran.err == "", ran
                pids = set(site.pids().values())
                assert len(pids) == 4 and not pids & seen, f"reload {number}: {pids}, before {seen}"
                seen |= pids
            keep_alive, close = check_load(kept, closed)
        assert inherited_socket(min(pids)) == inode and inode in sockets_of(site)
        assert keep_alive["reused"] > 0 and keep_alive["distinct_bodies"] > RELOADS, keep_alive
        assert close["distinct_bodies"] > RELOADS, close
        assert site.status()["generation"] == RELOADS + 1
        assert site.stop() == 0


@test
def never_fewer_ready_than_configured():
    address = new_address()
    with Site(listener("web", address) + pool("app", HTTP_WORKER, workers=4)) as site:
        site.start()
        site.skip_events()
        ready = set(site.pids().values())
        for arguments in (["reload"], ["restart"], ["restart", "app"]):
            assert site.ctl(*arguments).status == 0
        living = set(ready)
        for event in site.catch_up()[site.position:]:
            if event["event"] == "worker_started":
                living.add(event["pid"])
            elif event["event"] == "worker_ready":
                ready.add(event["pid"])
            elif event["event"] == "worker_draining":
                ready.discard(event["pid"])
                living.discard(event["pid"])
            assert len(ready) >= 4, "fewer than the configured workers are ready"
            assert len(living) <= 5, "more than workers and surge"
        assert ready == set(site.pids().values())


@test
def hup_reloads():
    address = new_address()
    with Site(listener("web", address) + pool("app", f"{HTTP_WORKER} --body one", workers=2)) as site:
        site.start()
        with Load(address) as load:
            site.write(listener("web", address) + pool("app", f"{HTTP_WORKER} --body two", workers=2))
            site.skip_events()
            site.signal(signal.SIGHUP)
            site.wait("operation_finished", text="reload: done")
            assert get(address) == "two\n"
            site.write("nonsense")
            site.signal(signal.SIGHUP)
            site.wait_log("reload refused.*site.conf:1")
            assert get(address) == "two\n"
            check_load(load)


@test
def pools_and_listeners_come_and_go():
    web, extra = new_address(), new_address()
    base = listener("web", web) + pool("app", HTTP_WORKER, workers=2)
    with Site(base) as site:
        site.start()
        with Load(web) as kept, Load(web, "--close") as closed:
            site.write(base + listener("extra", extra) + pool("more", HTTP_WORKER, listeners=("extra",), workers=2))
            site.reload()
            assert get(extra) and len(site.pids("more")) == 2
            more = site.pids("more").values()
            site.write(base)
            site.reload()
            assert [pool["name"] for pool in site.status()["pools"]] == ["app"]
            assert [row["name"] for row in site.status()["listeners"]] == ["web"]
            assert not any(exists(pid) for pid in more)
            try:
                get(extra)
                raise AssertionError("the listener is still there")
            except ConnectionRefusedError:
                pass
            site.write(listener("renamed", web) + pool("app", HTTP_WORKER, listeners=("renamed",), workers=5))
            site.reload()
            assert len(site.pids()) == 5 and site.status()["listeners"][0]["name"] == "renamed"
            site.write(listener("renamed", web) + pool("other", HTTP_WORKER, listeners=("renamed",), workers=1))
            site.reload()
            assert [pool["name"] for pool in site.status()["pools"]] == ["other"]
            check_load(kept, closed)
        assert site.stop() == 0


@test
def changed_rolls_only_what_differs():
    address = new_address()

    def configuration(one, **two):
        return listener("web", address) + pool("one", f"{HTTP_WORKER} --body {one}", workers=2) + \
            pool("two", HTTP_WORKER, workers=2, **two)
    with Site(configuration("a")) as site:
        site.start()
        with Load(address) as load:
            one, two = site.pids("one"), site.pids("two")
            site.reload("--changed")
            assert (site.pids("one"), site.pids("two")) == (one, two)
            site.write(configuration("b"))
            site.reload("--changed")
            assert site.pids("two") == two and not set(site.pids("one").values()) & set(one.values())
            one = site.pids("one")
            # What is no matter of the process is changed without a new one.
            site.write(configuration("b", drain_timeout="7s"))
            site.reload("--changed")
            assert (site.pids("one"), site.pids("two")) == (one, two)
            assert "drain_timeout = 7s" in site.ctl("config").out
            site.write(configuration("c", environment=["A=B"]))
            site.reload("two")
            assert site.pids("one") == one and not set(site.pids("two").values()) & set(two.values())
            ran = site.ctl("reload", "none")
            assert ran.status == 1 and "none" in ran.err, ran
            check_load(load)


@test
def conflict_wait_and_supersede():
    address = new_address()
    mode = ["--mode-from", "mode"]
    with Site(listener("web", address) + pool("app", [FAULTY_WORKER, *mode], workers=2, ready_timeout="10m",
                                              roll_timeout="10m")) as site:
        site.start()
        before = site.pids()
        with Load(address) as load:
            (site.folder / "mode").write_text("--never-ready")
            ran = site.ctl("reload", "--no-wait")
            assert ran.status == 0 and ran.out.startswith("r-"), ran
            identity = ran.out.strip()
            ran = site.ctl("reload")
            assert ran.status == 9 and identity in ran.err, ran
            assert site.ctl("scale", "app", "3").status == 9
            assert site.ctl("restart", "app/1").status == 9
            assert site.ctl("wait", identity, "--timeout", "50ms").status == 8
            error = refused(site, "reload")
            assert error.data["kind"] == "conflict" and error.data["operation"] == identity, error.data
            waiting = Control(site.socket)
            request = waiting.send("wait", operation=identity)
            # Other requests are answered meanwhile, also on the same connection.
            assert waiting.call("version")["version"]
            (site.folder / "mode").write_text("")
            ran = site.ctl("reload", "--supersede")
            assert ran.status == 0, ran
            answer = waiting.answer(request)
            assert answer["outcome"] == "superseded" and answer["exit_code"] == 9, answer
            assert site.ctl("wait", identity).status == 9
            assert len(site.pids()) == 2 and not set(site.pids().values()) & set(before.values())
            check_load(load)
        assert site.stop() == 0


@test
def wait_tells_the_outcome_later():
    with Site(listener("web", new_address()) + pool("app", HTTP_WORKER)) as site:
        site.start()
        identity = site.ctl("restart", "--no-wait").out.strip()
        ran = site.ctl("--json", "wait", identity)
        assert ran.status == 0 and '"outcome":"done"' in ran.out.replace(" ", ""), ran
        assert site.ctl("wait", "r-999").status == 1
        assert site.ctl("wait", "nonsense").status in (1, 2)


@test
def scale_holds_until_the_file_changes():
    address = new_address()

    def configuration(workers):
        return listener("web", address) + pool("app", HTTP_WORKER, workers=workers)
    with Site(configuration(2)) as site:
        site.start()
        with Load(address) as kept, Load(address, "--close") as closed:
            for change, expected in (("+1", 3), ("+2", 5), ("-1", 4), ("8", 8), ("3", 3)):
                ran = site.ctl("scale", "app", change)
                assert ran.status == 0, ran
                row = site.pool()
                assert (row["wanted"], row["ready"], len(row["slots"])) == (expected, expected, expected), row
            assert row["configured"] == 2, row
            first = site.pids()
            site.reload()
            assert len(site.pids()) == 3 and not set(first.values()) & set(site.pids().values())
            site.write(configuration(4))
            site.reload()
            assert len(site.pids()) == 4
            assert site.ctl("scale", "+1").status == 0
            site.write(configuration(1))
            site.reload("--changed")
            assert len(site.pids()) == 1
            check_load(kept, closed)
        for change in ("0", "-1", "x", "99999"):
            ran = site.ctl("scale", "app", change)
            assert ran.status == 2, ran
        assert site.pool()["wanted"] == 1


@test
def restart_replaces_one_slot():
    address = new_address()
    with Site(listener("web", address) + pool("app", HTTP_WORKER, workers=3)) as site:
        site.start()
        before = site.pids()
        with Load(address) as load:
            ran = site.ctl("restart", "app/2")
            assert ran.status == 0, ran
            after = site.pids()
            assert (after[1], after[3]) == (before[1], before[3]) and after[2] != before[2]
            assert site.ctl("restart", "app/4").status == 1
            assert site.ctl("restart", "none").status == 1
            check_load(load)


@test
def address_that_is_taken_changes_nothing():
    web, extra = new_address(), new_address()
    base = listener("web", web) + pool("app", HTTP_WORKER)
    with Site(base) as site, Site(listener("web", extra) + pool("app", HTTP_WORKER)) as other:
        site.start()
        other.start()
        before = site.pids()
        with Load(web) as load:
            site.write(listener("web", web) + listener("extra", extra) +
                       pool("app", HTTP_WORKER, listeners=("web", "extra")))
            ran = site.reload(status=5)
            assert extra in ran.err and "in use" in ran.err, ran
            assert site.pids() == before and [row["name"] for row in site.status()["listeners"]] == ["web"]
            assert "extra" not in site.ctl("config").out
            check_load(load)


@test
def backlog_changes_in_place():
    address = new_address()
    with Site(listener("web", address, backlog=100) + pool("app", HTTP_WORKER)) as site:
        site.start()
        assert site.status()["listeners"][0]["backlog"] == 100
        before = site.pids()
        site.write(listener("web", address, backlog=200) + pool("app", HTTP_WORKER))
        site.reload("--changed")
        assert site.status()["listeners"][0]["backlog"] == 200 and site.pids() == before


if __name__ == "__main__":
    run_tests()
