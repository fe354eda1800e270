#!/usr/bin/python3
"""Do the tests bite? Each deliberate one-line mistake below must make at least one of them fail.

Run by `make mutations`, not by `make check`. The tree is not touched: everything is compiled in a temporary folder.
CC and CFLAGS are taken from the environment. An argument selects the mutations whose description contains it.
"""

import concurrent.futures
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CC = shlex.split(os.environ.get("CC", "cc"))
CFLAGS = ["-std=c11", "-D_GNU_SOURCE", *shlex.split(os.environ.get("CFLAGS", "-O1")), "-w"]
INCLUDES = [f"-I{SOURCE}/include", f"-I{SOURCE}/daemon", f"-I{SOURCE}/tests/unit"]
WRAPS = [f"-Wl,--wrap={name}" for name in ("malloc", "calloc", "realloc", "strdup", "strndup")]
LIBRARIES = subprocess.run(["pkg-config", "--cflags", "--libs", "check"], capture_output=True, text=True,
                           check=True).stdout.split()
TIMEOUT = 300

# Quick ones first: a mutation is caught by the first that fails.
TESTS = ("unit/test_worker_lifecycle", "unit/test_pool_plan", "unit/test_backoff", "unit/test_reload_plan",
         "unit/test_pool", "simulation/test_scenario_rolls", "simulation/test_scenario_faults",
         "simulation/test_scenario_recycling", "simulation/test_simulation", "simulation/test_failure")

# Description, file below daemon/, where to begin to look, what stands there, what stands there instead.
MUTATIONS = (
    ("a draining worker's exit is ignored", "policy/worker_lifecycle.c", "[WORKER_DRAINING] = {",
     "[WORKER_EVENT_EXITED] = GO(GONE, GONE)", "[WORKER_EVENT_EXITED] = STAY(DRAINING)"),
    ("a hung start is not a fault", "policy/worker_lifecycle.c", "[WORKER_STARTING] = {",
     "GO(ABORTING, ARM | FAULT | ABORT)", "GO(ABORTING, ARM | ABORT)"),
    ("one worker above the ceiling", "policy/pool_plan.c", "static int room(", "return view->ceiling -",
     "return view->ceiling + 1 -"),
    ("one worker below the floor", "policy/pool_plan.c", "plan_ready_drains(", "- view->floor)", "- view->floor + 1)"),
    ("workers that are ready but not good yet count", "policy/pool_plan.c", "plan_ready_drains(", "counts->good +",
     "counts->ready +"),
    ("an unproven generation does not go alone", "policy/pool_plan.c", "plan_starts(",
     "!view->proven && counts->outgoing_ready > 0", "false"),
    ("all workers probe at once", "policy/pool_plan.c", "plan_starts(", "if (view->probing)", "if (false)"),
    ("a roll is complete while old workers serve", "policy/pool_plan.c", "judge(",
     "counts->outgoing_starting + counts->outgoing_ready == view->asking", "true"),
    ("a roll waits for those who ask for a successor", "policy/pool_plan.c", "judge(", "== view->asking", "== 0"),
    ("who asks for a successor leaves before it", "policy/pool_plan.c", "may_leave(",
     "counts->outgoing_ready - view->asking", "counts->outgoing_ready"),
    ("without surge nobody makes room for its successor", "policy/pool_plan.c", "may_leave(", "free_to_go + missing_room",
     "free_to_go"),
    ("one failed start too many", "policy/pool_plan.c", "judge(", "view->failed_starts >= view->attempts",
     "view->failed_starts > view->attempts"),
    ("pauses do not grow", "policy/backoff.c", "backoff_pause(", "pause *= 2", "pause += 0"),
    ("pauses have no end", "policy/backoff.c", "backoff_pause(", "pause = pauses->longest_ms", "pause += 0"),
    ("settings that roll are changed in place", "policy/reload_plan.c", "reload_plan_pool(",
     "effect == EFFECT_IN_PLACE", "effect != EFFECT_RESTART"),
    ("workers beyond what is wanted stay", "model/pool.c", "static bool is_unwanted(", "worker->slot > pool->wanted",
     "false"),
    ("a wish counts before its worker is good", "model/pool.c", "static bool wants_successor(", "&& worker->good", ""),
    ("who asks for a successor leaves before old workers", "supervisor/pool_driver.c", "drain_order_of(",
     "? DRAIN_ANY : DRAIN_ORDERED", "? DRAIN_FOLLOWED : DRAIN_ORDERED"),
    ("who asked for its successor counts as a change", "supervisor/pool_driver.c", "static void drain(",
     "else if (operation != NULL", "if (operation != NULL"),
    ("who asks at once is replaced at once", "supervisor/pool_failures.c", "void pool_failures_pace(",
     "worker->ready_ms + RECYCLED_AFTER_MS;", "0;"),
    ("a recycled worker ends the pause of its successors", "supervisor/pool_failures.c", "void pool_failures_note(",
     "(worker->cause == CAUSE_RECYCLED &&", "(false &&"),
    ("orders are not taken back", "supervisor/pool_change.c", "void pool_driver_restore(", "take_back_orders(pool);", ";"),
    ("the old number of workers is not put back", "supervisor/pool_change.c", "void pool_driver_restore(",
     "pool->wanted = pool->previous_wanted;", ";"),
    ("old generations pile up", "supervisor/pool_change.c", "static void limit_generations(",
     "count >= POOL_GENERATIONS_MAX", "count >= 1000"),
    ("silence counts from the start, not from readiness", "supervisor/worker_driver.c",
     "void worker_driver_became_ready(", "worker->beat_ms = now_ms;", ";"),
    ("an optional heartbeat is required", "supervisor/worker_driver.c", "static bool is_watched(",
     "&& worker->has_beaten", "&& true"),
    ("nobody wakes up when a worker becomes good", "supervisor/worker_driver.c", "int64_t worker_driver_next(",
     "!worker->good &&", "false &&"),
    ("a core is never asked for", "supervisor/worker_driver.c", "static void deadline_passed(",
     "worker->state == WORKER_DRAINING", "false"),
    ("a worker that refuses its configuration is tried again", "supervisor/pool_failures.c",
     "void pool_failures_note(", "slot->refused = true", "slot->refused = false"),
    ("the whole pool does not pause", "supervisor/pool_failures.c", "void pool_failures_note(", "!somebody_serves(pool)",
     "false"),
    ("a prepared generation is not forgotten", "supervisor/supervisor.c", "void supervisor_release_generation(",
     "supervisor->effects.forget(supervisor->effects.context, generation);", ";"),
    ("an heir in its opening phase hands nothing on", "supervisor/operation_driver.c", "static void inherit(",
     "operation->phase == OPERATION_OPENING", "false"),
    ("a failed reload leaves its configuration", "supervisor/operation_driver.c", "void operation_driver_fail(",
     "put_configuration_back(supervisor, operation);", ";"),
    ("pools that are not configured stay", "supervisor/operation_driver.c", "static void start_cleaning(",
     "operation->cleans", "false"),
    ("scale is forgotten by a reload", "supervisor/reload.c", "static bool is_scaled_on(", "pool->scaled > 0", "false"),
    ("a drained worker does not count as a change", "supervisor/pool_driver.c", "static void drain(",
     "operation->changed = true;", ";"),
    ("a slot without memory for its record is tried again at once", "supervisor/pool_driver.c",
     "static void start_workers(", "slot->next_start_ms = now_ms + NO_MEMORY_PAUSE_MS", "slot->next_start_ms = 0"),
)


def compile_object(source, target, *flags):
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([*CC, *CFLAGS, *INCLUDES, *flags, "-c", str(source), "-o", str(target)], check=True)
    return target


def daemon_flags():
    return ("-include", f"{SOURCE}/daemon/base/banned.h", "-DBINDIR=\"/usr/bin\"")


def daemon_sources():
    """What the supervisor is made of; the linker takes what is needed, so the live effects are harmless."""
    for folder in ("base", "model", "policy", "supervisor"):
        yield from sorted((SOURCE / "daemon" / folder).glob("*.c"))
    yield SOURCE / "daemon/system/process.c"


def build_objects(folder):
    """Compiles everything once. Returns the objects of the daemon by path, and those of each test."""
    helpers = [path for path in sorted((SOURCE / "tests/simulation").glob("*.c")) if not path.name.startswith("test_")]
    tests = [SOURCE / f"tests/{test}.c" for test in TESTS]
    jobs = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source in daemon_sources():
            name = source.relative_to(SOURCE / "daemon")
            jobs[str(name)] = pool.submit(compile_object, source, folder / "daemon" / name.with_suffix(".o"),
                                          *daemon_flags())
        for source in helpers + tests:
            jobs[source] = pool.submit(compile_object, source, folder / source.relative_to(SOURCE).with_suffix(".o"))
    objects = {name: job.result() for name, job in jobs.items()}
    simulation = [objects.pop(source) for source in helpers]
    suites = {}
    for test, source in zip(TESTS, tests):
        suites[test] = [objects.pop(source)] + (simulation if test.startswith("simulation/") else [])
    return objects, suites


def mutate(mutation):
    """Returns the file with the mistake in it."""
    description, name, anchor, before, after = mutation
    text = (SOURCE / "daemon" / name).read_text(encoding="utf-8")
    start = text.find(anchor)
    place = text.find(before, start)
    if start < 0 or place < 0:
        sys.exit(f"{name} has changed: the mutation \"{description}\" is no longer possible")
    return text[:place] + after + text[place + len(before):]


def fails(folder, test, objects, archive):
    wraps = WRAPS if test.startswith("simulation/") else []
    program = folder / pathlib.Path(test).name
    subprocess.run([*CC, *CFLAGS, *map(str, objects), str(archive), *wraps, *LIBRARIES, "-o", str(program)], check=True)
    environment = {**os.environ, "SIMULATION_SEEDS": "40"}
    try:
        return subprocess.run([str(program)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=TIMEOUT,
                              env=environment, check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def archive_objects(folder, objects):
    archive = folder / "daemon.a"
    subprocess.run(["ar", "rcs", str(archive), *map(str, objects.values())], check=True)
    return archive


def find_catcher(folder, mutation, objects, suites):
    """Returns the name of the first test that fails, or None."""
    folder.mkdir()
    changed = dict(objects)
    if mutation is not None:
        source = folder / "mutant.c"
        source.write_text(mutate(mutation), encoding="utf-8")
        changed[mutation[1]] = compile_object(source, folder / "mutant.o", *daemon_flags())
    archive = archive_objects(folder, changed)
    return next((test for test in TESTS if fails(folder, test, suites[test], archive)), None)


def main():
    chosen = [mutation for mutation in MUTATIONS if len(sys.argv) < 2 or sys.argv[1] in mutation[0]]
    for mutation in chosen:
        mutate(mutation)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        objects, suites = build_objects(folder)
        catcher = find_catcher(folder / "original", None, objects, suites)
        if catcher is not None:
            sys.exit(f"{catcher} fails without any mutation")
        survivors = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [pool.submit(find_catcher, folder / str(number), mutation, objects, suites)
                    for number, mutation in enumerate(chosen)]
            print(f"1..{len(chosen)}", flush=True)
            for number, (mutation, job) in enumerate(zip(chosen, jobs), 1):
                caught = job.result()
                survivors += caught is None
                verdict = "ok" if caught else "not ok"
                print(f"{verdict} {number} - {mutation[0]}: {caught or 'survives'}", flush=True)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
