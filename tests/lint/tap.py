"""The little of TAP that these tests need."""

import os
import pathlib

SOURCE = pathlib.Path(os.environ.get("SOURCE_DIR", pathlib.Path(__file__).resolve().parents[2]))


class Report:
    """Prints one line for each check and the plan at the end."""

    def __init__(self):
        self.count = 0

    def check(self, name, problems):
        """One check; it is fulfilled when the list of problems is empty."""
        self.count += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for problem in problems:
            print(f"#   {problem}")

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def note(self, text):
        print(f"# {text}")

    def finish(self):
        print(f"1..{self.count}")


def sources(*folders, endings=(".c", ".h")):
    """Paths of the files below some folders, relative to the top."""
    found = []
    for folder in folders:
        for path in (SOURCE / folder).rglob("*"):
            if path.is_file() and path.suffix in endings:
                found.append(path.relative_to(SOURCE))
    return sorted(found)


def lines(path):
    return (SOURCE / path).read_text(encoding="utf-8").splitlines()
