#!/usr/bin/python3
"""What README.md tells people to type is true: the commands exist, the configuration is accepted, the files are there."""

import os
import re
import shlex
import subprocess
import tempfile

import tap

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "daemon/ARCHITECTURE.md")
UNICORND = os.environ.get("UNICORND", "build/unicornd")


def blocks(path, language):
    """The fenced code blocks of one language."""
    text = (tap.SOURCE / path).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(path):
    """Yields the words of each line in the shell blocks, without comments and prompts."""
    for block in blocks(path, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def answer_of(program, *arguments):
    """(exit status, output) of a command that ends by itself."""
    try:
        done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=20)
    except FileNotFoundError:
        return 127, f"{program} is not built"
    return done.returncode, done.stdout


def verbs():
    """Commands of the control socket, as their rows say."""
    rows = (tap.SOURCE / "include/unicornd/commands.def").read_text(encoding="utf-8")
    return set(re.findall(r'^COMMAND\(\w+, "([^"]+)"', rows, re.MULTILINE))


def first_argument(words):
    """The first word that is neither an option nor the value of --site, --socket or --timeout."""
    rest = iter(words)
    for word in rest:
        if word in ("--site", "--socket", "--timeout", "-s"):
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return None


def check_unicornctl():
    known = verbs()
    problems = []
    for words in commands("README.md"):
        if os.path.basename(words[0]) != "unicornctl":
            continue
        verb = first_argument(words[1:])
        if verb is not None and verb not in known:
            problems.append(f"{' '.join(words)}: there is no command {verb}")
    return problems


def check_unicornd():
    status, text = answer_of(UNICORND, "--help")
    if status != 0:
        return [text.strip()]
    problems = []
    for words in commands("README.md"):
        if os.path.basename(words[0]) != "unicornd":
            continue
        mine = words[1:words.index("--")] if "--" in words else words[1:]
        problems += [f"{' '.join(words)}: --help does not know {word}" for word in mine
                     if word.startswith("-") and not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)]
    return problems


def check_configurations():
    problems = []
    for block in blocks("README.md", "conf"):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(block)
            file.flush()
            status, text = answer_of(UNICORND, "-t", "-c", file.name)
        if status != 0:
            problems.append(text.strip() or f"exit status {status}")
    return problems


def check_links(path):
    """Links to files, and paths of this repository in shell blocks."""
    text = (tap.SOURCE / path).read_text(encoding="utf-8")
    folder = (tap.SOURCE / path).parent
    problems = []
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target and not (folder / target).exists():
            problems.append(f"{path}: {target} is not there")
    for words in commands(path):
        for word in words:
            if re.match(r"(\./)?(quickstart|packaging/|tests/|\.ci/)", word) and not (tap.SOURCE / word).exists():
                problems.append(f"{path}: {word} is not there")
    return problems


def main():
    report = tap.Report()
    report.check("the commands of unicornctl in README.md exist", check_unicornctl())
    report.check("the options of unicornd in README.md exist", check_unicornd())
    report.check("the configurations in README.md are accepted", check_configurations())
    for path in DOCUMENTS:
        report.check(f"the files that {path} names are there", check_links(path))
    report.finish()


if __name__ == "__main__":
    main()
