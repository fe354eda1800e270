#!/usr/bin/python3
"""The manual pages say what the code has: every setting, command, option, word, signal, status and variable, and none
that does not exist. `manual.py --update` copies the examples into the pages."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

MAN = tap.SOURCE / "packaging/man"
UNICORND = os.environ.get("UNICORND", "build/unicornd")
DAY_MS = 86400000


def source(path):
    return (tap.SOURCE / path).read_text(encoding="utf-8")


def page(name):
    return (MAN / name).read_text(encoding="utf-8")


def pages():
    """The pages themselves, without those that only point at another one."""
    return sorted(path.name for path in MAN.iterdir() if not page(path.name).startswith(".so "))


# ---- what the code has

def cells(row):
    """The arguments of a row; strings that are written in pieces are put together."""
    parts = re.split(r',\s*(?=(?:[^"]*"[^"]*")*[^"]*$)', row)
    return ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part)) if '"' in part else part.strip() for part in parts]


def rows(path, macro):
    """Arguments of each row MACRO(...) of a file."""
    return [cells(row) for row in re.findall(rf"^{macro}\((.*)\)$", source(path), re.MULTILINE)]


def words(macro, cell=1):
    return {row[cell] for row in rows("include/unicornd/vocabulary.def", macro)}


def constants(path, prefix):
    """{name: value} of the #defines that begin so."""
    found = re.findall(rf'^#define ({prefix}\w*)[ \t]+"?([^"\s]+)"?', source(path), re.MULTILINE)
    return dict(found)


def variables():
    """Environment variables by folder: what is read there, and those of the contract."""
    contract = set(constants("include/unicornd/protocol.h", "UNICORND_ENV_").values())
    read = {}
    for folder in ("daemon", "ctl", "workers"):
        text = "".join(source(path) for path in tap.sources(folder, endings=(".c",)))
        read[folder] = set(re.findall(r'getenv\("(\w+)"\)', text))
    return contract, read


def duration(milliseconds):
    """As text_format_duration() prints it."""
    text = ""
    for unit, factor in (("d", DAY_MS), ("h", 3600000), ("m", 60000), ("s", 1000), ("ms", 1)):
        if milliseconds >= factor:
            text += f"{milliseconds // factor}{unit}"
            milliseconds %= factor
    return text or "0"


class Setting:
    """A row of the settings table, and what the manual has to say about it."""

    def __init__(self, row, numbers, choices):
        self.scope, self.name = re.match(r'(\w+)\("(\w+)"', row).groups()
        self.scope = self.scope.lower()
        self.kind = self.field(row, "kind").removeprefix("SETTING_")
        default = re.search(r'\.default_text = "([^"]*)"', row)
        self.default = default and default[1]
        self.required = self.field(row, "required") == "true"
        self.effect = self.field(row, "effect").removeprefix("EFFECT_")
        self.choices = choices.get(self.field(row, "choices"), [])
        self.minimum = self.number(row, "minimum", numbers)
        self.maximum = self.number(row, "maximum", numbers)

    @staticmethod
    def field(row, name):
        found = re.search(rf"\.{name} = ([^,}}]+)", row)
        return found[1].strip() if found else ""

    def number(self, row, name, numbers):
        text = self.field(row, name) or "0"
        for word, value in numbers.items():
            text = re.sub(rf"\b{word}\b", str(value), text)
        product = 1
        for factor in text.split("*"):
            product *= int(factor.strip(), 8 if factor.strip().startswith("0") else 10)
        return product

    def facts(self):
        """The sentences that end the setting's entry."""
        default = "none, it is needed" if self.required else self.default or "not set"
        if self.kind in ("PAUSES", "RATE"):
            default = f'"{default}"'
        change = {"IN_PLACE": "in place", "ROLL": "roll", "REOPEN": "bind", "RESTART": "restart"}[self.effect]
        return f"Value: {self.value()}. Default: {default}. Change: {change}."

    def value(self):
        times = f"from {duration(self.minimum)} to {duration(self.maximum)}"
        numbers = f"from {self.minimum} to {self.maximum}"
        return {
            "BOOLEAN": "yes or no",
            "INTEGER": f"a number {numbers}",
            "WORKERS": f"a number {numbers}, or auto",
            "SHARE": f"a number {numbers} or a percentage",
            "DURATION": f"a time {times}",
            "PAUSES": f"two times {times}",
            "RATE": f"never, or a number {numbers} in a time",
            "TEXT": "a text",
            "MODE": f"an octal mode from 0 to 0{self.maximum:o}",
            "SIGNAL": "a signal",
            "CHOICE": " or ".join([", ".join(self.choices[:-1])] + self.choices[-1:]),
            "ADDRESS": "an address",
            "READINESS": 'auto, message, "output REGEX" or "alive TIME"',
            "STRINGS": "a list of names",
            "COMMAND": "a program and its arguments",
            "ENVIRONMENT": "a list of NAME=value",
            "LIMITS": "a list of NAME=LIMIT",
            "EXITS": "a list of exit statuses and signals",
        }[self.kind]


def settings():
    text = source("daemon/model/settings.c")
    numbers = {name: value.removeprefix("INT64_C(").rstrip(")")
               for name, value in constants("daemon/model/settings.c", r"[A-Z]+_M").items()}
    choices = {name: re.findall(r'"(\w+)"', body)
               for name, body in re.findall(r"static const char \*const (\w+)\[\] = \{(.*?)\};", text, re.DOTALL)}
    table = text[text.index("static const struct setting table[]"):]
    table = table[:table.index("\n};")]
    found = re.findall(r"\{ ((?:LISTENER|POOL|CONTROL|LOG)\(.*?) \}(?:,|$)", table, re.DOTALL)
    return [Setting(row, numbers, choices) for row in found]


# ---- what the pages say

def plain(text):
    """The text of mdoc lines: macros, quotes and escapes taken away."""
    told = []
    for line in text.splitlines():
        if line.startswith('.\\"'):
            continue
        told.append(re.sub(r"^\.(\w\w) ?|(?<= )(?:Ns|No|Ar|Fl|Ql|Li|Ic) ", "", line))
    text = " ".join(told).replace("\\(dq", '"').replace("\\(aq", "'").replace("\\&", "").replace("\\e", "\\")
    return re.sub(r"\s+", " ", text).strip()


def section(name, title, kind="Sh"):
    """What stands under a heading, up to the next one of its rank."""
    ends = r"\.Sh" if kind == "Sh" else r"\.S[sh]"
    found = re.search(rf"^\.{kind} {re.escape(title)}\n(.*?)(?=^{ends} |\Z)", page(name), re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def items(text, macro=r"\w\w"):
    """Yields (the item's line behind .It and the macro, what stands below it up to the next item of its list)."""
    depth = 0
    found = []
    for line in text.splitlines():
        depth += line.startswith(".Bl")
        if line.startswith(".It") and depth == 1:
            found.append([line, []])
        elif found and (depth > 1 or (depth == 1 and not line.startswith((".Bl", ".El")))):
            found[-1][1].append(line)
        depth -= line.startswith(".El")
    for line, below in found:
        match = re.match(rf"\.It {macro} (.*)", line)
        if match:
            yield match[1], "\n".join(below)


def names(text, macro, pattern=r"[\w./-]+"):
    """The names of the items with this macro; `Ev A , Ev B` and `Dv A , B` are two."""
    return {name for head, _ in items(text, macro)
            for name in re.findall(pattern, re.sub(r"\b[A-Z][a-z]\b", " ", head))}


def options_of(text):
    """Every option that a piece of mdoc has: -x and --word, without dashes."""
    return {word.lstrip("-") for word in re.findall(r"\bFl (-?[\w][\w-]*)", text)}


def listed_options(text):
    """The options that are items of the lists of a text, of any depth."""
    return set().union(*(options_of(line) for line in text.splitlines() if line.startswith(".It Fl")), set())


def compare(what, told, known):
    """Problems, one for each difference."""
    return [f"{what}: {name} is missing" for name in sorted(known - told)] + \
           [f"{what}: {name} does not exist in the code" for name in sorted(told - known)]


# ---- checks of pages

def check_unicornd():
    text = source("daemon/options.c")
    options = re.findall(r"\{ \"([\w-]+)\", \w+, NULL, '(.)' \}", text)
    short = re.search(r'getopt_long\(argc, argv, "\+([^"]*)"', text)[1].replace(":", "")
    known = {name for name, _ in options} | {letter for _, letter in options if letter in short}
    daemon = section("unicornd.8", "DESCRIPTION")
    problems = compare("unicornd(8), options", listed_options(daemon), known)
    signals = set(re.findall(r"\{ (SIG\w+), \w+ \}", source("daemon/signals.c")))
    problems += compare("unicornd(8), signals", names(section("unicornd.8", "SIGNALS"), "Dv"), signals)
    statuses = {"0", "1"} | {value for name, value in constants("include/unicornd/control.h", "UNICORND_EXIT_").items()}
    problems += compare("unicornd(8), exit statuses", names(section("unicornd.8", "EXIT STATUS"), "Li"), statuses)
    contract, read = variables()
    told = names(section("unicornd.8", "ENVIRONMENT"), "Ev")
    # The names of the contract are read from systemd, too.
    own = {name for name in contract if not name.startswith("UNICORND_")}
    return problems + compare("unicornd(8), variables", told, read["daemon"] | own)


def check_commands():
    """Each command of unicornctl with its options and its role, and the options of all."""
    known = {row[1]: (row[0], row[2].lower(), row[3] == "1") for row in rows("include/unicornd/commands.def", "COMMAND")}
    parameters = rows("include/unicornd/commands.def", "PARAMETER")
    entries = dict((head.split()[0], (head, below))
                   for head, below in items(section("unicornctl.1", "COMMANDS"), "Ic"))
    problems = compare("unicornctl(1), commands", set(entries), set(known))
    letters = dict(re.findall(r"\{ '(\w)', \"([\w-]+)\" \}", source("ctl/command_table.c")))
    for name, (identity, role, mutates) in known.items():
        head, below = entries.get(name, ("", ""))
        options = {row[4] for row in parameters if row[4] and (row[0] == identity or
                                                               (mutates and row[0] == "ANY_MUTATING"))}
        own = {row[4] for row in parameters if row[4] and row[0] == identity}
        own |= {letter for letter, option in letters.items() if option in own}
        options |= own
        # "Fl f | -follow" is two options behind one macro.
        told = options_of(re.sub(r"Fl (\w) \| -", r"Fl \1 Fl -", head))
        problems += compare(f"unicornctl(1), {name}", told, options)
        problems += compare(f"unicornctl(1), options below {name}", listed_options(below), own)
        if f"Role: {role}." not in below:
            problems.append(f"unicornctl(1), {name}: \"Role: {role}.\" is missing")
    table = re.findall(r"\[GLOBAL_\w+\] = \{ \"([\w-]+)\", '(.*?)'", source("ctl/command_table.c"))
    options = {name for name, _ in table} | {letter for _, letter in table if letter != "\\0"}
    return problems + compare("unicornctl(1), options", listed_options(section("unicornctl.1", "OPTIONS")), options)


def check_words():
    """The words of vocabulary.def and the exit statuses that come from them."""
    problems = []
    for title, macro in (("ROLES", "ROLE"), ("STATES OF A POOL", "POOL_STATE"), ("WHY A WORKER ENDED", "CAUSE"),
                         ("EVENTS", "EVENT")):
        told = names(section("unicornctl.1", title), "Li")
        problems += compare(f"unicornctl(1), {title.lower()}", told, words(macro))
    problems += compare("unicornd-worker(7), states", names(section("unicornd-worker.7", "STATES"), "Li"),
                        words("WORKER_STATE"))
    entries = dict(items(section("unicornctl.1", "EVENTS"), "Li"))
    for _, name, level in rows("include/unicornd/vocabulary.def", "EVENT"):
        if f"Level: {level.lower()}." not in entries.get(name, ""):
            problems.append(f"unicornctl(1), event {name}: \"Level: {level.lower()}.\" is missing")
    faults = dict(items(section("unicornctl.1", "WHY A WORKER ENDED"), "Li"))
    for _, name, _, fault in rows("include/unicornd/vocabulary.def", "CAUSE"):
        if ("A fault" in faults.get(name, "")) != (fault == "1"):
            problems.append(f"unicornctl(1), cause {name}: whether it is a fault")
    return problems


def check_statuses():
    text = section("unicornctl.1", "EXIT STATUS")
    entries = dict(items(text, "Li"))
    own = constants("include/unicornd/control.h", "UNICORNCTL_EXIT_").values()
    outcomes = [(row[1], row[2]) for row in rows("include/unicornd/vocabulary.def", "OUTCOME")]
    kinds = [(row[1], row[3]) for row in rows("include/unicornd/vocabulary.def", "ERROR_KIND") if row[1] != "none"]
    known = {"0"} | set(own) | {status for _, status in outcomes + kinds}
    problems = compare("unicornctl(1), exit statuses", set(entries), known)
    for word, status in outcomes + kinds:
        if not re.search(rf"^\.Ql {word}\b", entries.get(status, "") + (text if status == "0" else ""), re.MULTILINE):
            problems.append(f"unicornctl(1), exit status {status}: {word} is missing")
    told = set(re.findall(r"^\.Ql (\w+)", text, re.MULTILINE))
    problems += compare("unicornctl(1), outcomes and errors", told, {word for word, _ in outcomes + kinds})
    told = names(section("unicornctl.1", "ENVIRONMENT"), "Ev")
    return problems + compare("unicornctl(1), variables", told, variables()[1]["ctl"])


def check_json():
    """Each member of the daemon's answers, and the methods of what comes unasked."""
    text = "".join(source(f"daemon/control/{name}.c") for name in
                   ("control_report", "control_report_status", "control_answer"))
    known = set(re.findall(r'"([a-z_]+)"', text)) - {"jsonrpc"}
    manual = section("unicornctl.1", "JSON")
    told = set(re.findall(r"^\.Ql (\w+)", manual, re.MULTILINE))
    told -= {"gone", "follow"}
    problems = compare("unicornctl(1), members of JSON", told, known)
    methods = set(re.findall(r'control_answer_notification\(\s*"(\w+)"', source("daemon/control/control_hub.c")))
    lists = manual[manual.index(".Ql method\nmay come"):]
    return problems + compare("unicornctl(1), methods", names(lists, "Li"), methods)


def check_settings():
    problems = []
    known = settings()
    for scope in ("listener", "pool", "control", "log"):
        text = section("site.conf.5", scope.upper())
        entries = {}
        for head, below in items(text, "Ic"):
            entries[head] = below
        wanted = {setting.name: setting for setting in known if setting.scope == scope}
        problems += compare(f"site.conf(5), {scope}", set(entries), set(wanted))
        for name in sorted(set(entries) & set(wanted)):
            if not plain(entries[name]).endswith(wanted[name].facts()):
                problems.append(f"site.conf(5), {scope}, {name} does not end with: {wanted[name].facts()}")
    if len(known) < 40:
        problems.append("the settings table is not understood")
    limits = re.findall(r'\{ "(\w+)", RLIMIT_\w+ \}', source("daemon/system/spawn_program.c"))
    if f"Names are {', '.join(sorted(limits))}." not in plain(section("site.conf.5", "POOL")):
        problems.append(f"site.conf(5), limits: {', '.join(sorted(limits))}")
    for name, ready in rows("daemon/model/known_servers.def", "KNOWN_SERVER"):
        told = re.search(rf"\.Ql {ready.split()[0]}\nfor [^:]*?\.\n|\.Ql {ready.split()[0]}\nfor [^:]*?,\n",
                         section("site.conf.5", "POOL"))
        if not name.startswith("unicornd-") and (told is None or name not in told[0]):
            problems.append(f"site.conf(5), ready: auto for {name}")
    return problems


def check_contract():
    header = "include/unicornd/protocol.h"
    contract, _ = variables()
    manual = "unicornd-worker.7"
    problems = compare("unicornd-worker(7), variables", names(section(manual, "ENVIRONMENT"), "Ev"), contract)
    problems += compare("unicornd-worker(7), messages", names(section(manual, "MESSAGES"), "Li"),
                        set(constants(header, "UNICORND_KEY_").values()))
    problems += compare("unicornd-worker(7), exit statuses", names(section(manual, "EXIT STATUS"), "Li"),
                        {"0", constants(header, "UNICORND_EXIT_")["UNICORND_EXIT_CONFIGURATION"]})
    known = set(re.findall(r"\b(unicorn_worker_\w+)\(", re.sub(r"/\*.*?\*/", "", source("include/unicornd/worker.h"),
                                                                flags=re.DOTALL)))
    told = {head.split()[0] for head, _ in items(section(manual, "C LIBRARY"), "Fn")}
    if f"at most {constants(header, 'UNICORND_STATUS_LINE_MAX')['UNICORND_STATUS_LINE_MAX']} bytes" not in page(manual):
        problems.append("unicornd-worker(7): the longest line")
    return problems + compare("unicornd-worker(7), functions", told, known)


def members(text, structure):
    """Names of a struct's members, pointers to functions included."""
    body = re.search(rf"^struct {structure} \{{(.*?)^\}};", text, re.DOTALL | re.MULTILINE)[1]
    return set(re.findall(r"\(\*(\w+)\)\(", body)) | set(re.findall(r"^\t[\w ]+[ *](\w+);", body, re.MULTILINE))


def check_application():
    text = re.sub(r"/\*.*?\*/", "", source("include/unicornd/app.h"), flags=re.DOTALL)
    manual = page("unicornd-app.3")
    functions = set(re.findall(r"\b(unicorn_\w+)\(", text))
    told = {head.split()[0] for head in re.findall(r"^\.It Fn (.*)", manual, re.MULTILINE)}
    problems = compare("unicornd-app(3), functions", told, functions)
    known = set(re.findall(r"\bUNICORN_[A-Z_]+", text)) - {"UNICORND_APP_H"}
    told = set(re.findall(r"\bUNICORN_[A-Z_]+", re.sub(r"\.Bd.*?\.Ed", "", manual, flags=re.DOTALL)))
    problems += compare("unicornd-app(3), constants", told, known)
    for structure in ("unicorn_app", "unicorn_app_options", "unicorn_head"):
        told = set()
        for head, _ in items(section("unicornd-app.3", f"struct {structure}", "Ss"), "Fa"):
            told |= set(re.findall(r"\w+", re.sub(r" Pq .*", "", head)))
        problems += compare(f"unicornd-app(3), struct {structure}", told, members(text, structure))
    for structure in ("unicorn_header", "unicorn_address"):
        problems += [f"unicornd-app(3), struct {structure}: {name} is missing" for name in members(text, structure)
                     if not re.search(rf"^\.Fa {name}\b", manual, re.MULTILINE)]
    return problems


def check_workers():
    table = source("workers/http/worker_options.c")
    table = table[table.index("rows[] = {"):table.index("#define ROW_COUNT")]
    # name, kind, place, minimum, maximum, standard, ...
    found = re.findall(r'\{ "([\w-]+)", KIND_(\w+), [^"]*?, (\w+), (\w+), (NULL|"[^"]*"),', table)
    manual = section("unicornd-worker-sync.1", "DESCRIPTION")
    problems = compare("unicornd-worker-sync(1), options", listed_options(manual), {row[0] for row in found})
    entries = {head.split()[0].lstrip("-"): below for block in re.split(r"^\.Ss ", manual, flags=re.MULTILINE)
               for head, below in items(block, "Fl")}
    for name, _, minimum, maximum, standard in found:
        text = plain(entries.get(name, ""))
        default = standard.strip('"') if standard not in ("NULL", '""') else None
        told = re.search(r"Default: (\S+)\.(?: |$)", text)
        if (told and told[1]) != default:
            problems.append(f"unicornd-worker-sync(1), --{name}: the default is {default}")
        if minimum.isdigit() and int(minimum) > 0 and f"from {minimum} to {maximum}" not in text:
            problems.append(f"unicornd-worker-sync(1), --{name}: from {minimum} to {maximum}")
    told = names(section("unicornd-worker-sync.1", "ENVIRONMENT"), "Ev")
    return problems + compare("unicornd-worker-sync(1), variables", told, variables()[1]["workers"])


# ---- checks of all pages

def known_options():
    """Options that any of the programs has, and those of other programs that the pages name."""
    found = set(re.findall(r'\{ "([\w-]+)", \w+_argument', source("daemon/options.c")))
    found |= set(re.findall(r'getopt_long\(argc, argv, "\+([^"]*)"', source("daemon/options.c"))[0]) - {":"}
    found |= {row[4] for row in rows("include/unicornd/commands.def", "PARAMETER")}
    found |= set(re.findall(r'\] = \{ "([\w-]+)"', source("ctl/command_table.c"))) | {"f", "h"}
    found |= set(re.findall(r'\{ "([\w-]+)", KIND_', source("workers/http/worker_options.c")))
    return found | {"lunicornworker"}


def check_mentions(name):
    """What a page mentions in passing exists: options, settings and commands, functions, variables, other pages."""
    text = page(name)
    problems = compare(f"{name}, options", options_of(text), options_of(text) & known_options())
    known = {setting.name for setting in settings()} | {row[1] for row in rows("include/unicornd/commands.def", "COMMAND")}
    known |= {"listener", "pool", "control", "log", "include"}
    told = {word for line in re.findall(r"^\.(?:It )?Ic (.*)", text, re.MULTILINE)
            for word in re.findall(r"(?:^|Ic )(\w+)", line)}
    problems += compare(f"{name}, settings and commands", told, told & known)
    functions = set(re.findall(r"\b(unicorn_\w+)\(", source("include/unicornd/app.h") +
                               source("include/unicornd/worker.h")))
    told = set(re.findall(r"^\.(?:It )?Fn (\w+)", text, re.MULTILINE))
    problems += compare(f"{name}, functions", told, told & functions)
    contract, read = variables()
    told = set(re.findall(r"\bEv (\w+)", text))
    problems += compare(f"{name}, variables", told, told & contract.union(*read.values()))
    for other, number in re.findall(r"^\.Xr (\S+) (\d)", text, re.MULTILINE):
        if other.startswith(("unicorn", "site.conf")) and not (MAN / f"{other}.{number}").exists():
            problems.append(f"{name}: there is no {other}({number})")
    return problems


def check_mandoc(name):
    """What mandoc has to say, but for pages that are not installed here."""
    done = subprocess.run(["mandoc", "-T", "lint", str(MAN / name)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    return [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]


def accepted(text):
    """What `unicornd -t` says against a configuration of a page; users and groups of the example are root here."""
    text = re.sub(r"^(\s*(?:user|group)\s*=\s*).*", r"\1root", text, flags=re.MULTILINE)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(text)
        file.flush()
        try:
            done = subprocess.run([UNICORND, "-t", "-c", file.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, check=False, timeout=20)
        except FileNotFoundError:
            return f"{UNICORND} is not built"
    return "" if done.returncode == 0 else done.stdout.strip() or f"exit status {done.returncode}"


def check_configurations():
    problems = []
    for name in pages():
        for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", page(name), re.MULTILINE | re.DOTALL):
            if re.search(r"^pool \w+ \{", block, re.MULTILINE):
                said = accepted(block.replace("\\e", "\\"))
                problems += [f"{name}: {said}"] if said else []
    return problems


# ---- examples: the file in the page, letter by letter

EXAMPLE = re.compile(r'(^\.\\" example: (\S+)\n\.Bd -literal[^\n]*\n)(.*?)(^\.Ed$)', re.MULTILINE | re.DOTALL)


def as_mdoc(text):
    text = text.replace("\\", "\\e")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def check_examples():
    problems = []
    count = 0
    for name in pages():
        for _, path, block, _ in EXAMPLE.findall(page(name)):
            count += 1
            if block != as_mdoc(source(path)):
                problems.append(f"{name} has not what {path} has now: run tests/lint/manual.py --update")
    return problems if count else ["there is no example"]


def update():
    for name in pages():
        text = EXAMPLE.sub(lambda found: found[1] + as_mdoc(source(found[2])) + found[4], page(name))
        if text != page(name):
            (MAN / name).write_text(text, encoding="utf-8")
            print(f"{name} is up to date now")


def check_build_list():
    listed = source("Makefile.am").split()
    return [f"packaging/man/{path.name} is not in Makefile.am" for path in MAN.iterdir()
            if f"packaging/man/{path.name}" not in listed]


def main():
    if "--update" in sys.argv[1:]:
        update()
        return
    report = tap.Report()
    report.check("unicornd(8) has what the daemon has", check_unicornd())
    report.check("unicornctl(1) has every command", check_commands())
    report.check("unicornctl(1) has every word", check_words())
    report.check("unicornctl(1) has every exit status", check_statuses())
    report.check("unicornctl(1) has every member of JSON", check_json())
    report.check("site.conf(5) has every setting", check_settings())
    report.check("unicornd-worker(7) has all of the contract", check_contract())
    report.check("unicornd-app(3) has all of app.h", check_application())
    report.check("unicornd-worker-sync(1) has every option", check_workers())
    report.check("the examples are those of the files", check_examples())
    report.check("the configurations are accepted", check_configurations())
    report.check("the pages are installed", check_build_list())
    for name in pages():
        report.check(f"what {name} mentions exists", check_mentions(name))
    for name in pages():
        if shutil.which("mandoc"):
            report.check(f"mandoc finds nothing in {name}", check_mandoc(name))
        else:
            report.skip(f"mandoc finds nothing in {name}", "mandoc is not installed")
    report.finish()


if __name__ == "__main__":
    main()
