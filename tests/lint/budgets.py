#!/usr/bin/python3
"""Functions and files stay small. Measured with Universal Ctags; skipped where it is missing."""

import json
import shutil
import statistics
import subprocess

import tap

FOLDERS = ("daemon", "ctl", "workers", "include")
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 450
MEDIAN_WANTED = 12


def functions():
    """Yields (lines from the name to the closing brace, place) of each function."""
    files = [str(path) for path in tap.sources(*FOLDERS)]
    command = ["ctags", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f", "--fields=+ne", "--output-format=json",
               "-f", "-", *files]
    output = subprocess.run(command, cwd=tap.SOURCE, capture_output=True, text=True, check=True).stdout
    for line in output.splitlines():
        row = json.loads(line)
        if row.get("_type") == "tag" and "end" in row:
            yield row["end"] - row["line"] + 1, f"{row['path']}:{row['line']} {row['name']}"


def ctags_is_universal():
    if not shutil.which("ctags"):
        return False
    features = subprocess.run(["ctags", "--list-features"], capture_output=True, text=True, check=False).stdout
    return "json" in features


def check_functions(report):
    name = f"no function is longer than {FUNCTION_LINES_MAX} lines"
    if not ctags_is_universal():
        report.skip(name, "needs universal-ctags with JSON output")
        return
    found = sorted(functions(), reverse=True)
    if found:
        lengths = sorted(length for length, _ in found)
        report.note(f"{len(found)} functions, median {statistics.median(lengths):g} lines (wanted: {MEDIAN_WANTED}), "
                    f"95th percentile {lengths[int(len(lengths) * 0.95)]}, longest {found[0][0]}")
    report.check(name, [f"{place}: {length} lines" for length, place in found if length > FUNCTION_LINES_MAX])


def check_files(report):
    lengths = [(len(tap.lines(path)), path) for path in tap.sources(*FOLDERS)]
    report.check(f"no file is longer than {FILE_LINES_MAX} lines",
                 [f"{path}: {length} lines" for length, path in sorted(lengths, reverse=True)
                  if length > FILE_LINES_MAX])


def main():
    report = tap.Report()
    check_functions(report)
    check_files(report)
    report.finish()


if __name__ == "__main__":
    main()
