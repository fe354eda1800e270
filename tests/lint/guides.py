#!/usr/bin/python3
"""The guides in packaging/doc are true: what they name of ours exists, what Gunicorn and Uvicorn have is in them, their
configurations are accepted, their links lead somewhere and their tables are whole."""

import importlib
import re
import subprocess
import sys

import manual
import readme
import tap

FOLDER = "packaging/doc"
# Columns of the tables that say what there is here.
OURS = ("here", "signal here", "command", "unicornd")
# Of systemd's units, what the guides send people to.
UNIT_SETTINGS = {"AmbientCapabilities", "CPUAffinity", "Environment", "ExecReload", "ExecStartPost", "ExecStartPre",
                 "ExecStopPost", "LimitNOFILE", "LimitNPROC", "Nice", "PIDFile", "RootDirectory",
                 "SupplementaryGroups", "SyslogFacility", "SyslogIdentifier", "UnsetEnvironment", "User",
                 "WorkingDirectory"}
BLOCKS = {"listener", "pool", "control", "log", "include"}
SYSTEM_VARIABLES = {"TMPDIR"}


# ---- what the guides say

def guides():
    return sorted(f"{FOLDER}/{path.name}" for path in (tap.SOURCE / FOLDER).glob("*.md"))


def prose(path):
    """The text without the fenced blocks."""
    return re.sub(r"^```.*?^```$", "", manual.source(path), flags=re.MULTILINE | re.DOTALL)


def row_cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def tables(path):
    """Yields [(line number, cells)] of each table, the heading first and without the line below it."""
    found = []
    for number, line in enumerate([*manual.source(path).splitlines(), ""], 1):
        if line.startswith("|"):
            if not re.fullmatch(r"[|: -]+", line):
                found.append((number, row_cells(line)))
        elif found:
            yield found
            found = []


def words(cell):
    """What stands in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def first_column(path):
    return {word for table in tables(path) for _, cells in table[1:] for word in words(cells[0])}


# ---- what there is

class Ours:
    """All names that a guide may put into our columns."""

    def __init__(self):
        contract, read = manual.variables()
        self.variables = contract.union(*read.values()) | SYSTEM_VARIABLES
        self.settings = {setting.name for setting in manual.settings()} | BLOCKS
        self.options = manual.known_options()
        self.workers = set(re.findall(r'\{ "([\w-]+)", KIND_', manual.source("workers/http/worker_options.c")))
        self.verbs = readme.verbs()
        self.signals = set(re.findall(r"\{ (SIG\w+), \w+ \}", manual.source("daemon/signals.c")))

    def options_missing(self, text, known):
        """Options of a command line, up to the word behind which another program begins."""
        mine = re.split(r" -- ", text)[0]
        return [word for word in re.findall(r"(?<!\S)--?([A-Za-z][\w-]*)", mine) if word not in known]

    def complain(self, word):
        """@return what is wrong with one word of our columns, or None"""
        if word.startswith(("unicornctl", "unicornd")):
            return self.complain_command(word)
        if word.startswith("--"):
            return self.unknown(word, word.split()[0].lstrip("-") in self.options)
        if re.fullmatch(r"SIG[A-Z0-9]+", word):
            return self.unknown(word, word in self.signals)
        if re.fullmatch(r"[A-Z]\w*=", word):
            return self.unknown(word, word.rstrip("=") in UNIT_SETTINGS)
        if re.fullmatch(r"[A-Z_]+", word):
            return self.unknown(word, word in self.variables)
        if word.startswith(("systemctl ", "${")):
            return None
        return self.unknown(word, word.split(" = ")[0] in self.settings)

    @staticmethod
    def unknown(word, is_known):
        return None if is_known else f"there is no {word}"

    def complain_command(self, text):
        """unicornctl VERB, unicornd -x, unicornd-worker-KIND --option"""
        if re.match(r"unicornd(@|-python3)", text):
            return None
        program, *rest = text.split()
        if program.startswith("unicornd-worker-"):
            missing = self.options_missing(text, self.workers)
            if program not in ("unicornd-worker-sync", "unicornd-worker-async"):
                return f"there is no {program}"
        else:
            missing = self.options_missing(text, self.options)
        if missing:
            return f"{text}: there is no {', '.join(missing)}"
        verb = readme.first_argument(rest) if program == "unicornctl" else None
        return f"{text}: there is no command {verb}" if verb and verb not in self.verbs else None


# ---- checks

def check_tables(path):
    problems = []
    for table in tables(path):
        columns = len(table[0][1])
        ours = [number for number, name in enumerate(table[0][1]) if name in OURS]
        for line, cells in table:
            if len(cells) != columns:
                problems.append(f"{path}:{line}: {len(cells)} columns instead of {columns}")
            elif ours and not any(cells[1:]) and not cells[0].startswith("**"):
                problems.append(f"{path}:{line}: nothing is said")
    return problems


def check_names(path, ours):
    """What our columns name, and the commands of ours anywhere in the text."""
    problems = []
    for table in tables(path):
        mine = [number for number, name in enumerate(table[0][1]) if name in OURS]
        for line, cells in table[1:]:
            said = [ours.complain(word) for number in mine if number < len(cells) for word in words(cells[number])]
            problems += [f"{path}:{line}: {text}" for text in said if text]
    told = [word for word in words(prose(path).replace("\n", " ")) if re.match(r"unicorn(ctl|d)\b", word)]
    told += [line.split(" #")[0].strip() for block in readme.blocks(path, "sh") for line in block.splitlines()
             if re.match(r"unicorn(ctl|d)\b", line)]
    told += re.findall(r'"(unicornd-worker-[^"]*)"', manual.source(path))
    return problems + [f"{path}: {text}" for text in map(ours.complain_command, told) if text]


def anchors(path):
    """Of the headings, as they are made where the page is shown."""
    titles = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def check_links(path):
    problems = readme.check_links(path)
    for target, anchor in re.findall(r"\]\(([^)#]*)#([^)]+)\)", manual.source(path)):
        page = f"{FOLDER}/{target}" if target else path
        if "://" not in target and anchor not in anchors(page):
            problems.append(f"{path}: {target}#{anchor} is not there")
    return problems


def check_configurations(path):
    said = [manual.accepted(block) for block in readme.blocks(path, "conf")]
    return [f"{path}: {text}" for text in said if text]


def check_build_list():
    listed = manual.source("Makefile.am").split()
    return [f"{path} is not in Makefile.am" for path in guides() if path not in listed]


def missing(path, known):
    return [f"{path}: {name} is missing" for name in sorted(known - first_column(path))]


def check_gunicorn(report):
    name = "from-gunicorn.md has every setting of Gunicorn"
    try:
        config = importlib.import_module("gunicorn.config")
    except ImportError:
        report.skip(name, "Gunicorn is not installed")
        return
    report.check(name, missing(f"{FOLDER}/from-gunicorn.md", {setting.name for setting in config.KNOWN_SETTINGS}))


def check_uvicorn(report):
    name = "from-uvicorn.md has every option of Uvicorn"
    try:
        importlib.import_module("uvicorn")
    except ImportError:
        report.skip(name, "Uvicorn is not installed")
        return
    help_text = subprocess.run([sys.executable, "-m", "uvicorn", "--help"], stdout=subprocess.PIPE, text=True,
                               check=False, timeout=20).stdout
    known = set(re.findall(r"^  (--[\w-]+)", help_text, re.MULTILINE))
    problems = missing(f"{FOLDER}/from-uvicorn.md", known)
    report.check(name, problems if len(known) > 20 else ["uvicorn --help is not understood"])


def main():
    report = tap.Report()
    ours = Ours()
    for path in guides():
        report.check(f"the tables of {path} are whole", check_tables(path))
        report.check(f"what {path} names of ours exists", check_names(path, ours))
        report.check(f"the configurations of {path} are accepted", check_configurations(path))
        report.check(f"the links of {path} lead somewhere", check_links(path))
    check_gunicorn(report)
    check_uvicorn(report)
    report.check("the guides are installed", check_build_list())
    report.finish()


if __name__ == "__main__":
    main()
