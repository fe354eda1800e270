#!/usr/bin/python3
"""The packages of Debian and those for rpm hold the same files, apart from where each system has them.

    compare.py FOLDER-WITH-DEBS FOLDER-WITH-RPMS
"""

import pathlib
import re
import subprocess
import sys

# Debian's name, the other's.
PACKAGES = (("unicornd", "unicornd"), ("unicornd-python3", "unicornd-python3"),
            ("libunicornworker0", "libunicornworker"), ("libunicornworker-dev", "libunicornworker-devel"))

# What each system wants in its own place, brought to one form; None: only one of them has it.
PLACES = (
    (r"/usr/lib/\.build-id.*", None),
    (r"/usr/share/(?:licenses|lintian)/.*", None),
    (r"/usr/share/doc/[^/]*/(?:changelog.*|copyright|CHANGELOG\.md)", None),
    (r"/usr/share/doc/(?:packages/)?[^/]*/(.*)", r"DOC/\1"),
    (r"/lib/systemd/(.*)", r"/usr/lib/systemd/\1"),
    (r"/usr/(?:lib64|lib/[a-z0-9_]*-linux-[a-z]*)/(.*)", r"LIB/\1"),
    (r"/usr/share/zsh/(?:vendor-completions|site-functions)/(.*)", r"ZSH/\1"),
)


def normal(path):
    """@return the path in one form without compression, or None"""
    path = path.removesuffix(".gz")
    for pattern, form in PLACES:
        found = re.fullmatch(pattern, path)
        if found:
            return found.expand(form) if form else None
    return path


def said(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def files_of_deb(path):
    """Names of files and links, no folders. The last columns are the name and, of a link, its target."""
    rows = (line.split(None, 5) for line in said("dpkg-deb", "-c", path) if not line.startswith("d"))
    return {row[5].split(" -> ")[0].removeprefix(".") for row in rows}


def files_of_rpm(path):
    rows = (line.split(" ", 1) for line in said("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", path))
    return {name for mode, name in rows if not mode.startswith("d")}


def only(folder, pattern):
    found = [path for path in pathlib.Path(folder).rglob(pattern)]
    if len(found) != 1:
        sys.exit(f"{folder}: {len(found)} files match {pattern}")
    return str(found[0])


def main():
    debs, rpms = sys.argv[1:3]
    print(f"1..{len(PACKAGES)}")
    failed = False
    for number, (debian, fedora) in enumerate(PACKAGES, 1):
        one = {normal(path) for path in files_of_deb(only(debs, f"{debian}_[0-9]*.deb"))} - {None}
        other = {normal(path) for path in files_of_rpm(only(rpms, f"{fedora}-[0-9]*[0-9_].rpm"))} - {None}
        for path in sorted(one ^ other):
            print(f"# {path}: only in {'the Debian package' if path in one else 'the rpm'}")
        print(f"{'ok' if one == other else 'not ok'} {number} - {debian} and {fedora} have the same {len(one)} files")
        failed = failed or one != other
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
