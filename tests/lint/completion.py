#!/usr/bin/python3
"""The completion of each shell has the commands, options and settings of the code. Its tables stand between two lines
`-- rows` and `-- end of rows`; `completion.py --update` writes them."""

import re
import shutil
import subprocess
import sys

import tap
from manual import rows, settings, source

FOLDER = tap.SOURCE / "packaging/completion"
BLOCK = re.compile(r"(^# -- rows[^\n]*\n)(.*?)(^# -- end of rows$)", re.MULTILINE | re.DOTALL)

# What the value of a parameter is, by its kind, and of an option, by the word that its help has for it.
FISH_NAMES = {"POOL": "__unicornctl_names pool", "TARGET": "__unicornctl_names \"pool|slot\"",
              "OPERATION": "__unicornctl_names operation", "CHANGE": "printf \"%s\\n\" +1 -1"}
ZSH_VALUES = {"NAME": "_unicornctl_site", "PATH": "_files", "FILE": "_files", "DIR": "_files -/",
              "NAME=VALUE": "_unicornd_setting", "N": "(auto)"}


class Option:
    """An option with its letter, the word for its value, and what it does."""

    def __init__(self, name, letter, word, summary):
        self.name, self.letter, self.word, self.summary = name, letter, word, summary

    def words(self):
        return ([f"-{self.letter}"] if self.letter else []) + [f"--{self.name}"]

    def for_fish(self):
        letter = f" -s {self.letter}" if self.letter else ""
        return f"{letter} -l {self.name}{' -x' if self.word else ''} -d {fish_quote(self.summary)}"

    def for_zsh(self, more="", action=None):
        """A spec of _arguments for each form."""
        summary = re.sub(r"([\[\]:])", r"\\\1", self.summary)
        value = f":{self.word}:{action or ZSH_VALUES.get(self.word, ' ')}" if self.word else ""
        # The value may stand in the same word, as -cFILE and --config=FILE.
        return [quote(f"{more}{word}{('=' if word[1] == '-' else '+') if self.word else ''}[{summary}]{value}")
                for word in self.words()]


class Command:
    """A command of unicornctl."""

    def __init__(self, row, parameters, letters):
        identity, self.name, _, mutates, self.summary = row
        mine = [row for row in parameters if row[0] == identity or (mutates == "1" and row[0] == "ANY_MUTATING")]
        self.options = [Option(row[4], letters.get(row[4], ""), row[5], row[6]) for row in mine if row[4]]
        self.arguments = [row for row in mine if not row[4]]


def quote(text):
    return "'" + text.replace("'", "'\\''") + "'"


def fish_quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


# ---- what the code has

def commands():
    letters = {option: letter for letter, option in re.findall(r"\{ '(\w)', \"([\w-]+)\" \}",
                                                               source("ctl/command_table.c"))}
    parameters = rows("include/unicornd/commands.def", "PARAMETER")
    return [Command(row, parameters, letters) for row in rows("include/unicornd/commands.def", "COMMAND")]


def global_options():
    found = re.findall(r"\[GLOBAL_\w+\] = \{ \"([\w-]+)\", '(.*?)', \"(.*?)\", \"(.*?)\" \}",
                       source("ctl/command_table.c"))
    return [Option(name, "" if letter == "\\0" else letter, word, summary) for name, letter, word, summary in found]


def daemon_options():
    """From the help, each of whose lines has one option."""
    found = re.findall(r'"  (?:-(\w), |    )--([\w-]+)(?: ([A-Z=]+))? +(.*?)\\n"', source("daemon/options.c"))
    table = re.findall(r'\{ "([\w-]+)", \w+_argument', source("daemon/options.c"))
    assert {name for _, name, _, _ in found} == set(table), "the help and the table of options differ"
    return [Option(name, letter, word, summary) for letter, name, word, summary in found]


def pool_settings():
    return [setting.name for setting in settings() if setting.scope == "pool"]


# ---- the tables of each shell

def lines_of(words, first, indent="  "):
    """Words in a shell's single quotes, on lines of a good length."""
    lines, line = [], first + "'"
    for word in words:
        if len(line) + len(word) > 110:
            lines.append(line)
            line = indent.rstrip("\n")
        line += ("" if line.endswith("'") or line == indent else " ") + word
    return lines + [line + "'"]


def valued_options():
    """The options of unicornctl whose value may be the next word."""
    options = global_options() + [option for command in commands() for option in command.options]
    return [word for option in options if option.word for word in option.words()]


def bash_unicornctl():
    every = commands()
    lines = lines_of([command.name for command in every], "_unicornctl_commands=")
    lines += lines_of([word for option in global_options() for word in option.words()], "_unicornctl_global=")
    lines += lines_of(valued_options(), "_unicornctl_valued=")
    lines += ["_unicornctl_options() {", "  case $1 in"]
    lines += [f"  {command.name}) echo '{' '.join(word for option in command.options for word in option.words())}' ;;"
              for command in every if command.options]
    lines += ["  esac", "}", "_unicornctl_arguments() {", "  case $1 in"]
    lines += [f"  {command.name}) echo '{' '.join(row[2] for row in command.arguments)}' ;;"
              for command in every if command.arguments]
    return lines + ["  esac", "}"]


def bash_unicornd():
    return lines_of([word for option in daemon_options() for word in option.words()], "_unicornd_options=") + \
           lines_of(pool_settings(), "_unicornd_settings=")


def zsh_specs(command):
    specs = []
    for number, row in enumerate(command.arguments, 1):
        optional = ":" if row[3] == "0" else ""
        specs.append(quote(f"{number}:{optional}{row[5]}:_unicornctl_{row[2].lower()}"))
    for option in command.options:
        specs += option.for_zsh()
    return specs


def zsh_unicornctl():
    lines = ["_unicornctl_commands=("]
    lines += [f"  {quote(f'{command.name}:{command.summary}')}" for command in commands()]
    lines += [")", "_unicornctl_global=("]
    lines += [f"  {spec}" for option in global_options() for spec in option.for_zsh()]
    lines += [")", f"_unicornctl_valued=({' '.join(valued_options())})", "_unicornctl_specs() {", "  specs=()", "  case $1 in"]
    for command in commands():
        if command.options or command.arguments:
            lines.append(f"  ({command.name})")
            lines += [f"    specs+=({spec})" for spec in zsh_specs(command)]
            lines.append("    ;;")
    return lines + ["  esac", "}"]


def zsh_unicornd():
    lines = ["_unicornd_options=("]
    repeatable = {"bind", "set", "reload-dir"}
    lines += [f"  {spec}" for option in daemon_options()
              for spec in option.for_zsh("*" if option.name in repeatable else "",
                                         " " if option.name == "site" else None)]
    return lines + [")"] + [line.replace("='", "=(").rstrip("'") + (")" if line.endswith("'") else "")
                            for line in lines_of(pool_settings(), "_unicornd_settings=")]


def fish_unicornctl():
    lines = [f"set -g __unicornctl_valued {' '.join(valued_options())}", "complete -c unicornctl -f"]
    for option in global_options():
        more = {"NAME": " -a '(__unicornctl_sites)'", "PATH": " -F"}.get(option.word, "")
        told = option.for_fish().replace(" -x ", " -r ") if option.word == "PATH" else option.for_fish()
        lines.append(f"complete -c unicornctl{told}{more}")
    for command in commands():
        lines.append(f"complete -c unicornctl -n __unicornctl_needs_command -a {command.name} "
                     f"-d {fish_quote(command.summary)}")
        condition = f"complete -c unicornctl -n '__unicornctl_has {command.name}'"
        lines += [f"{condition} -a '({FISH_NAMES[row[2]]})' -d {fish_quote(row[6])}" for row in command.arguments]
        lines += [f"{condition}{option.for_fish()}" for option in command.options]
    return lines


def fish_unicornd():
    lines = []
    for option in daemon_options():
        files = option.word in ("FILE", "PATH")
        more = {"FILE": " -F", "PATH": " -F", "DIR": " -a '(__fish_complete_directories)'",
                "NAME=VALUE": f" -a '{' '.join(f'{name}=' for name in pool_settings())}'"}.get(option.word, "")
        told = option.for_fish().replace(" -x ", " -r ") if files else option.for_fish()
        lines.append(f"complete -c unicornd{told}{more}")
    return lines


TABLES = {
    "bash/unicornctl": bash_unicornctl,
    "bash/unicornd": bash_unicornd,
    "fish/unicornctl.fish": fish_unicornctl,
    "fish/unicornd.fish": fish_unicornd,
    "zsh/_unicornctl": zsh_unicornctl,
    "zsh/_unicornd": zsh_unicornd,
}


def wanted(name):
    """The file as it has to be."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return BLOCK.sub(lambda found: found[1] + "".join(f"{line}\n" for line in TABLES[name]()) + found[3], text)


def update():
    for name in TABLES:
        text = wanted(name)
        if text != (FOLDER / name).read_text(encoding="utf-8"):
            (FOLDER / name).write_text(text, encoding="utf-8")
            print(f"{name} is up to date now")


def check_tables():
    return [f"{name} is not what the code has: run tests/lint/completion.py --update" for name in TABLES
            if wanted(name) != (FOLDER / name).read_text(encoding="utf-8")]


def check_build_list():
    listed = source("Makefile.am").split()
    return [f"packaging/completion/{path.relative_to(FOLDER)} is not in Makefile.am" for path in FOLDER.rglob("*")
            if path.is_file() and f"packaging/completion/{path.relative_to(FOLDER)}" not in listed]


def check_command(*command):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return [] if done.returncode == 0 else done.stdout.splitlines() or [f"exit status {done.returncode}"]


def check_tools(report):
    tools = {"bash": ("bash", "-n"), "fish": ("fish", "-n"), "zsh": ("zsh", "-n")}
    for name in TABLES:
        tool = tools[name.split("/")[0]]
        if shutil.which(tool[0]):
            report.check(f"{tool[0]} reads {name}", check_command(*tool, FOLDER / name))
        else:
            report.skip(f"{tool[0]} reads {name}", f"{tool[0]} is not installed")
    for name in ("bash/unicornctl", "bash/unicornd"):
        if shutil.which("shellcheck"):
            report.check(f"shellcheck finds nothing in {name}", check_command("shellcheck", FOLDER / name))
        else:
            report.skip(f"shellcheck finds nothing in {name}", "shellcheck is not installed")


def main():
    if "--update" in sys.argv[1:]:
        update()
        return
    report = tap.Report()
    report.check("the completion has what the code has", check_tables())
    report.check("the completion is installed", check_build_list())
    check_tools(report)
    report.finish()


if __name__ == "__main__":
    main()
