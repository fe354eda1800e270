"""The commands that documents tell people to type, as they are written."""

import collections
import re
import subprocess

from harness import EXAMPLES, SOURCE

MANUAL = SOURCE / "packaging/man"
GUIDES = SOURCE / "packaging/doc"

# kind: "sh", commands; "console", commands behind `$ ` and what they print; "cc", commands of a comment.
Block = collections.namedtuple("Block", "document kind text")
# A command of a transcript has the lines that it prints; any other one has None.
Command = collections.namedtuple("Command", "text output")

PROGRAMS = r"(?:unicornd|unicornctl|unicornd-worker-a?sync|cc|curl|sudo|systemctl|make|gcc|pkg-config)"


def markdown_files(document):
    """{name: text} of the blocks that begin with the name of a file in a comment."""
    found = re.findall(r"^```\w+\n# ([\w.]+)\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    return dict(found)


def markdown_configuration(document):
    """The first configuration of a guide, or None."""
    found = re.search(r"^```conf\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)
    return found and found[1]


def markdown_blocks(document):
    text = document.read_text()
    return [Block(document, kind, body)
            for kind, body in re.findall(r"^```(sh|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)]


def is_file(body):
    """Whether a literal text of the manual is one of a file: a configuration, a unit of systemd, a rule of logrotate."""
    return re.search(r"^(?:listener|pool) \w+ \{|^\[Service\]|^/\S+ \{", body, re.MULTILINE) is not None


def manual_configuration(name):
    """The first configuration of a page."""
    bodies = re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", (MANUAL / name).read_text(), re.MULTILINE | re.DOTALL)
    return next(body for body in bodies if is_file(body))


def manual_blocks(document):
    """What EXAMPLES shows and is no file, and all single lines that begin with a program."""
    text = document.read_text()
    lines = [line.replace("\\e", "\\") for line in re.findall(r"^\.Dl (.*)$", text, re.MULTILINE)]
    found = [Block(document, "sh", line + "\n") for line in lines if re.match(rf"{PROGRAMS} ", line)]
    examples = re.search(r"^\.Sh EXAMPLES\n(.*?)(?=^\.Sh )", text, re.MULTILINE | re.DOTALL)
    # An example that is a whole file is compared with that by tests/lint/manual.py, and its comments are read there.
    pattern = r'(^\.\\" example: .*\n)?^\.Bd -literal.*\n((?:.*\n)*?)^\.Ed'
    for marker, body in re.findall(pattern, examples[1] if examples else "", re.MULTILINE):
        if not marker and not is_file(body):
            found.append(Block(document, "sh", body.replace("\\e", "\\")))
    return found


def comment_blocks(document):
    """The indented lines of comments that begin with a program; what stands far behind them explains them."""
    lines = re.findall(rf"^(?: \*|#|//)[ \t]+({PROGRAMS} .*)$", document.read_text(), re.MULTILINE)
    indented = [line for line in lines if re.search(rf"^(?: \*|#|//)(?:\t| {{3,}}){re.escape(line)}$",
                                                    document.read_text(), re.MULTILINE)]
    return [Block(document, "sh", "".join(f"{re.split(' {4,}', line)[0]}\n" for line in indented))] if indented else []


def all_blocks():
    """{name of the document: its blocks}, of those that have any."""
    found = {name: markdown_blocks(SOURCE / name) for name in ("README.md", "CONTRIBUTING.md")}
    for path in sorted(GUIDES.iterdir()):
        found[path.name] = markdown_blocks(path)
    for path in sorted(MANUAL.iterdir()):
        found[path.name] = manual_blocks(path)
    for path in sorted(EXAMPLES.rglob("*")):
        if path.is_file():
            found[f"examples/{path.name}"] = comment_blocks(path)
    return {name: blocks for name, blocks in found.items() if blocks}


def is_complete(text):
    """Whether a shell would not wait for more."""
    if text.rstrip("\n").endswith("\\"):
        return False
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    return done.returncode == 0 and not done.stderr


def shell_commands(text):
    """Whole commands, be they of several lines."""
    found = []
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if pending.strip() and is_complete(pending):
            found.append(Command(pending.rstrip("\n"), None))
            pending = ""
    assert not pending.strip(), f"not a whole command: {pending}"
    return found


def console_commands(text):
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        else:
            assert found, f"no command before: {line}"
            found[-1].output.append(line)
    return found


def commands(block):
    return console_commands(block.text) if block.kind == "console" else shell_commands(block.text)
