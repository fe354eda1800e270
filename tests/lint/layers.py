#!/usr/bin/python3
"""An include only goes down, there is no cycle, and each library is known by few files."""

import collections
import re

import tap

# Rank of each folder of daemon/. A file includes its own folder and lower ranks only, so that two folders of one rank
# do not see each other.
RANKS = {
    "base": 0,
    "model": 1,
    "policy": 2,
    "system": 2,
    "configuration": 3,
    "keeper": 3,
    "supervisor": 4,
    "control": 5,
    "": 6,
}

# Which files may include a library's header: patterns of paths, and how many modules there may be (None: any number).
LIBRARIES = {
    r"confuse\.h": (r"daemon/configuration/", 1),
    r"systemd/.*": (r"daemon/system/service_manager", 1),
    r"jansson\.h": (r"daemon/control/|daemon/supervisor/.*snapshot|ctl/", None),
    r"ev\.h": (
        r"daemon/supervisor/(effects_live|worker_watch)|daemon/control/control_(server|client|connection)|daemon/keeper/"
        r"|daemon/(main|signals|announcer|development)|workers/http/|workers/gateways/(wsgi|asgi)",
        None,
    ),
}

PUBLIC = "unicornd/"
PUBLIC_SYSTEM_HEADERS = {"stdbool.h", "stddef.h", "stdint.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def includes(path):
    """Yields (line number, '<' or '"', name) for each include of a file."""
    for number, line in enumerate(tap.lines(path), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match[1], match[2]


def folder_of(path):
    """Folder below daemon/ of a path such as daemon/base/text.c; "" for daemon/main.c."""
    return path.parts[1] if len(path.parts) > 2 else ""


def module_of(path):
    return str(path.with_suffix(""))


def check_ranks(files):
    problems = []
    for path in files:
        own = folder_of(path)
        if own not in RANKS:
            problems.append(f"{path}: folder without a rank in this test")
            continue
        for number, kind, name in includes(path):
            if kind == "<" or name.startswith(PUBLIC):
                continue
            if not (tap.SOURCE / "daemon" / name).is_file():
                problems.append(f'{path}:{number}: "{name}" is not a file below daemon/')
                continue
            other = folder_of(tap.pathlib.Path("daemon") / name)
            if other != own and RANKS.get(other, 99) >= RANKS[own]:
                problems.append(f'{path}:{number}: includes upwards or sideways: "{name}"')
    return problems


def check_own_header_first(files):
    problems = []
    for path in files:
        header = path.with_suffix(".h")
        if path.suffix != ".c" or not (tap.SOURCE / header).is_file():
            continue
        first = next(includes(path), (0, "", ""))
        # "folder/name.h" in daemon/, "name.h" in ctl/ and workers/
        if not str(header).endswith(first[2]) or not first[2]:
            problems.append(f"{path}: its own header is not included first")
    return problems


def included_files(path):
    """The project's files that a file includes."""
    for _, kind, name in includes(path):
        if kind == "<":
            continue
        for base in (tap.pathlib.Path("daemon"), path.parent):
            if (tap.SOURCE / base / name).is_file():
                yield base / name
                break


def find_cycles(graph):
    """Walks depth first; what is met again on the way is a cycle."""
    cycles = []
    done = set()

    def walk(node, way):
        if node in way:
            cycles.append(" -> ".join(way[way.index(node):] + [node]))
            return
        if node in done:
            return
        for other in sorted(graph.get(node, ())):
            walk(other, way + [node])
        done.add(node)

    for node in sorted(graph):
        walk(node, [])
    return cycles


def header_cycles(files):
    return find_cycles({str(path): {str(other) for other in included_files(path)}
                        for path in files if path.suffix == ".h"})


def module_cycles(files):
    """Where foo.c and foo.h are one: two modules of a folder that call each other."""
    graph = collections.defaultdict(set)
    for path in files:
        graph[module_of(path)] |= {module_of(other) for other in included_files(path)} - {module_of(path)}
    return find_cycles(graph)


def check_public_only(files):
    """ctl/ and workers/ know their own folder and include/unicornd/."""
    problems = []
    for path in files:
        for number, kind, name in includes(path):
            if kind == "<" or name.startswith(PUBLIC):
                continue
            # The one module of the engine that a gateway compiles into itself; and what is for tests only is not looked at.
            if name == "http_date.h":
                continue
            if "/" in name or not (tap.SOURCE / path.parent / name).is_file():
                problems.append(f'{path}:{number}: "{name}" is neither of its folder nor of include/')
    return problems


def check_public_headers(files):
    problems = []
    for path in files:
        for number, kind, name in includes(path):
            if name not in PUBLIC_SYSTEM_HEADERS and not name.startswith(PUBLIC):
                problems.append(f"{path}:{number}: {name}")
    return problems


def check_libraries(files):
    problems = []
    for header, (allowed, most) in LIBRARIES.items():
        modules = set()
        for path in files:
            for number, _, name in includes(path):
                if not re.fullmatch(header, name):
                    continue
                modules.add(module_of(path))
                if not re.match(allowed, str(path)):
                    problems.append(f"{path}:{number}: {name} is not for this file")
        if most is not None and len(modules) > most:
            problems.append(f"{header}: {len(modules)} modules include it: {', '.join(sorted(modules))}")
    return problems


def check_build_list(files):
    """Every file stands in Makefile.am, or `make dist` forgets it."""
    listed = set((tap.SOURCE / "Makefile.am").read_text().split())
    problems = []
    for path in files:
        stem = str(path.with_suffix(""))
        if str(path) not in listed and not (path.suffix == ".c" and stem in listed):
            problems.append(f"{path} is not in Makefile.am")
    return problems


def main():
    report = tap.Report()
    daemon = tap.sources("daemon")
    outside = tap.sources("ctl", "workers")
    report.check("an include of the daemon goes down", check_ranks(daemon))
    report.check("no header includes itself by a detour", header_cycles(daemon + outside))
    for cycle in module_cycles(daemon + outside):
        report.note(f"modules that know each other: {cycle}")
    report.check("a module includes its own header first", check_own_header_first(daemon + outside))
    report.check("ctl and workers know the public headers only", check_public_only(outside))
    report.check("public headers need next to nothing", check_public_headers(tap.sources("include")))
    report.check("each library is known by few files", check_libraries(daemon + outside))
    report.check("Makefile.am lists every file",
                 check_build_list(tap.sources("daemon", "ctl", "workers", "include", "tests", "packaging",
                                              endings=(".c", ".h", ".def", ".py", ".sh", ".conf"))))
    report.finish()


if __name__ == "__main__":
    main()
