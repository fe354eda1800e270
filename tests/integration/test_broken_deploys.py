#!/usr/bin/python3
"""New code that is broken: every reload says why and exits with 5 or 6, and nobody who asks meanwhile notices."""

import shutil

from harness import (FAULTY_WORKER, Load, Site, Skip, check_load, get, listener, new_address, pool, run_tests, test)

TRACEBACK = 'File "app.py", line 3, in <module>: RuntimeError: this deploy is broken'


def deploy(site, mode):
    """What the workers do that are started from now on; with slots as keys different things."""
    modes = mode if isinstance(mode, dict) else dict.fromkeys(range(1, 9), mode)
    for slot, words in modes.items():
        (site.folder / f"mode-{slot}").write_text(words)


def configuration(address, **settings):
    """Each slot's worker reads how to behave from a file of its own."""
    command = ["sh", "-c", f'exec {FAULTY_WORKER} --mode-from "mode-$UNICORND_SLOT"']
    settings = {"workers": 4, "backoff": "10ms 1s", **settings}
    return listener("web", address) + pool("app", command, **settings)


class Deployed:
    """A site with four good workers under load of both kinds."""

    def __init__(self, **settings):
        self.address = new_address()
        self.site = Site(configuration(self.address, **settings))

    def __enter__(self):
        self.site.__enter__()
        self.site.start()
        self.loads = [Load(self.address), Load(self.address, "--close")]
        self.before = self.site.pids()
        return self

    def check_nothing_changed(self):
        """The same workers serve, and nobody has noticed."""
        check_load(*self.loads)
        row = self.site.pool()
        assert self.site.pids() == self.before, (self.before, row)
        assert (row["generation"], row["state"], row["operation"]) == (1, "steady", None), row

    def __exit__(self, *reason):
        for load in self.loads:
            load.__exit__(*reason)
        self.site.__exit__(*reason)


def check_says(ran, *words):
    for word in words:
        assert word in ran.out + ran.err, f"{word!r} is missing in:\n{ran.out}{ran.err}"


@test
def code_that_raises_at_import():
    with Deployed() as deployed:
        deploy(deployed.site, f'--crash-at-start --stderr "{TRACEBACK}"'.replace('"app.py"', "'app.py'"))
        ran = deployed.site.reload(status=5)
        check_says(ran, TRACEBACK.replace('"', "'"), "exit status 1", "pool app", "app/1")
        deployed.check_nothing_changed()
        deploy(deployed.site, "")
        deployed.site.reload()
        assert not set(deployed.site.pids().values()) & set(deployed.before.values())


@test
def code_that_hangs_at_import():
    with Deployed(ready_timeout="1s") as deployed:
        deploy(deployed.site, '--never-ready --stderr "waiting for a lock"')
        ran = deployed.site.reload(status=5)
        check_says(ran, "not ready within ready_timeout", "waiting for a lock", "app/1")
        deployed.check_nothing_changed()


@test
def code_that_dies_two_seconds_after_it_is_ready():
    with Deployed(roll_attempts=2) as deployed:
        deploy(deployed.site, '--leave-after-ready 2000 --exit-status 9 --stderr "leaking"')
        # Usual would be 3s; a busy machine may run the worker's two seconds late.
        deployed.site.write(configuration(deployed.address, roll_attempts=2, min_ready="30s"))
        ran = deployed.site.reload(status=5)
        check_says(ran, "exit status 9", "leaking")
        deployed.check_nothing_changed()


@test
def code_that_is_killed_by_a_signal():
    with Deployed() as deployed:
        deploy(deployed.site, '--crash-at-start --signal SEGV --stderr "about to crash"')
        ran = deployed.site.reload(status=5)
        check_says(ran, "SEGV", "about to crash")
        deployed.check_nothing_changed()


@test
def worker_that_refuses_its_configuration():
    with Deployed() as deployed:
        deploy(deployed.site, '--crash-at-start --exit-status 78 --stderr "no database configured"')
        ran = deployed.site.reload(status=5)
        check_says(ran, "78", "no database configured")
        starts = [event for event in deployed.site.catch_up()
                  if event["event"] == "worker_started" and event["generation"] == 2]
        assert len(starts) == 1, starts
        deployed.check_nothing_changed()


@test
def command_that_does_not_exist():
    with Deployed() as deployed:
        deployed.site.write(listener("web", deployed.address) + pool("app", "/nowhere/worker --now", workers=4))
        ran = deployed.site.reload(status=5)
        check_says(ran, "site.conf:4", "/nowhere/worker")
        deployed.check_nothing_changed()
        for command in ("/etc/passwd", "/etc", "no-such-program-anywhere"):
            deployed.site.write(listener("web", deployed.address) + pool("app", command, workers=4))
            check_says(deployed.site.reload(status=5), "site.conf:4", command)
        # The interpreter is missing: known only when it is executed.
        script = deployed.site.folder / "script"
        script.write_text("#!/nowhere/python\n")
        script.chmod(0o755)
        deployed.site.write(listener("web", deployed.address) + pool("app", str(script), workers=4))
        check_says(deployed.site.reload(status=5), str(script))
        assert deployed.site.pids() == deployed.before


@test
def user_that_does_not_exist():
    with Deployed() as deployed:
        deployed.site.write(configuration(deployed.address, user="nobody-of-this-name"))
        check_says(deployed.site.reload(status=5), "site.conf", "nobody-of-this-name")
        deployed.check_nothing_changed()


@test
def configuration_with_five_mistakes():
    with Deployed() as deployed:
        deployed.site.write(f'''listener web {{
    address = "{deployed.address}"
    backlog = many
}}
pool app {{
    listeners = {{ web }}
    command = "x"
    wokers = 4
    drain_timeout = 30
    surge = 25%%
    heartbeat = sometimes
}}
''')
        ran = deployed.site.reload(status=5)
        check_says(ran, *(f"site.conf:{line}:" for line in (3, 8, 9, 10, 11)), "`workers`")
        tested = deployed.site.run("-t", "-c", str(deployed.site.path))
        assert tested.status == 78, tested
        for line in tested.err.splitlines():
            assert line in ran.err, (line, ran.err)
        deployed.check_nothing_changed()
        assert "wokers" not in deployed.site.ctl("config").out


@test
def failure_of_the_third_slot_is_rolled_back():
    with Deployed() as deployed:
        deploy(deployed.site, {1: "--body new", 2: "--body new", 3: f"--crash-at-start --stderr '{'broken'}'"})
        ran = deployed.site.reload(status=6)
        check_says(ran, "app/3", "exit status 1", "broken")
        check_load(*deployed.loads)
        row = deployed.site.pool()
        after = deployed.site.pids()
        assert (row["generation"], row["state"], row["ready"]) == (1, "steady", 4), row
        assert after[3] == deployed.before[3] and after[1] != deployed.before[1], (deployed.before, after)
        assert all(slot["generation"] == 1 for slot in row["slots"]), row


@test
def two_pools_come_back_when_one_fails():
    web = new_address()

    def site_with(mode):
        return listener("web", web) + pool("good", f"{FAULTY_WORKER} --body {mode}", workers=2) + \
            pool("bad", f"{FAULTY_WORKER} {'--crash-at-start' if mode == 'new' else ''} --body {mode}", workers=2,
                 backoff="300ms 1s")
    with Site(site_with("old")) as site:
        site.start()
        with Load(web) as kept, Load(web, "--close") as closed:
            bad = site.pids("bad")
            site.write(site_with("new"))
            ran = site.reload(status=6)
            check_says(ran, "pool bad", "bad/1")
            check_load(kept, closed)
        assert site.pids("bad") == bad and len(site.pids("good")) == 2
        assert {row["generation"] for row in site.status()["pools"]} == {1}
        assert get(web) == "old\n"
        configured = site.ctl("config").out
        assert "old" in configured and "new" not in configured, configured


@test
def failed_scale_is_taken_back():
    with Deployed(roll_attempts=2) as deployed:
        deploy(deployed.site, "--crash-at-start")
        ran = deployed.site.ctl("scale", "app", "6")
        assert ran.status in (5, 6), ran
        row = deployed.site.pool()
        assert (row["wanted"], row["ready"], len(row["slots"])) == (4, 4, 4), row
        deployed.check_nothing_changed()


@test
def failed_restart_of_a_slot_keeps_the_old_worker():
    with Deployed() as deployed:
        deploy(deployed.site, "--crash-at-start --stderr broken")
        ran = deployed.site.ctl("restart", "app/2")
        assert ran.status == 5, ran
        check_says(ran, "app/2", "broken")
        deployed.check_nothing_changed()


@test
def uvicorn_application_that_raises_at_import():
    if not shutil.which("uvicorn"):
        raise Skip("uvicorn is not installed")
    address = new_address()
    good = "async def app(scope, receive, send):\n" \
        "    assert scope['type'] == 'http'\n" \
        "    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'content-length', b'3')]})\n" \
        "    await send({'type': 'http.response.body', 'body': b'hi\\n'})\n"
    with Site(listener("web", address) +
              pool("app", "uvicorn --log-level info --fd {fd} main:app", workers=2, directory=".",
                   ready_timeout="20s")) as site:
        main = site.folder / "main.py"
        main.write_text(good)
        site.start()
        before = site.pids()
        with Load(address, connections=2) as kept, Load(address, "--close", connections=2) as closed:
            main.write_text(good + "\nraise RuntimeError('this deploy is broken')\n")
            ran = site.reload(status=5)
            check_says(ran, 'main.py", line 6', "RuntimeError: this deploy is broken")
            assert site.pids() == before
            main.write_text("import nosuchmodule\n" + good)
            check_says(site.reload(status=5), "No module named 'nosuchmodule'")
            site.write(site.path.read_text().replace("20s", "2s"))
            main.write_text("import time\ntime.sleep(1000)\n" + good)
            check_says(site.reload(status=5), "not ready within ready_timeout")
            assert site.pids() == before
            check_load(kept, closed)
        assert site.stop() == 0


if __name__ == "__main__":
    run_tests()
