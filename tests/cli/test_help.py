"""The help of every command, its examples, the documentation, and how quick all that is."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click
import pytest

from tests.cli.harness import COMMAND, SOURCES, Terminal
from tuffet import __version__
from tuffet.cli.commands import SECTIONS
from tuffet.cli.commands import tuffet as group
from tuffet.cli.output import Output

DOCS = (SOURCES.parent / "docs" / "cli.md").read_text(encoding="utf-8")
CONTEXT = click.Context(group, info_name="tuffet", obj=Output())
NAMES = group.list_commands(CONTEXT)


def command(name: str) -> click.Command:
    found = group.get_command(CONTEXT, name)
    assert found is not None
    return found


def section(name: str) -> str:
    """Return what the documentation says of one command."""
    found = re.search(rf"^### `tuffet {name}\b.*?(?=^##)", DOCS, re.MULTILINE | re.DOTALL)
    return found[0] if found else ""


def examples(text: str) -> Iterator[list[str]]:
    """Yield the arguments of the lines that call tuffet."""
    for line in re.findall(r"^\s*(?:\$ )?(tuffet .*)$", text, re.MULTILINE):
        words = shlex.split(line.partition(";")[0], comments=True)
        cut = next((at for at, word in enumerate(words) if ">" in word or "<" in word), len(words))
        yield words[1:cut]


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_has_examples_that_parse(tuffet: Terminal, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = tuffet(name, "--help")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out == tuffet("help", name).out
    for folder in ("dist", "releases", "public/metadata"):
        (tuffet.here / folder).mkdir(parents=True)
    for file in ("dist/app-1.0.tar.gz", "root.json", "build.bin", "3.targets.json"):
        (tuffet.here / file).write_bytes(b"")
    epilog = command(name).epilog or ""
    found = list(examples(epilog.replace("build/out.bin", "build.bin"))) or [["completion", "bash"]]
    monkeypatch.chdir(tuffet.here)
    for words in found:
        assert words[0] == name
        command(name).make_context(name, words[1:], parent=CONTEXT)


@pytest.mark.parametrize("name", NAMES)
def test_the_documentation_names_every_option_of_a_command(name: str) -> None:
    if name == "help":
        assert "tuffet help COMMAND" in DOCS
        return
    text = section(name)
    assert text, f"docs/cli.md has no section on {name}"
    for parameter in command(name).params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                shared = option in {"-q", "-C", "--help", "-h"}
                assert shared or f"`{option}" in text, f"{name} {option} is not documented"
    documented = set(re.findall(r"`(--[a-z0-9-]+)", text))
    known = {option for parameter in command(name).params for option in parameter.opts}
    assert documented <= known | {"--help"}, "what is documented exists"
    assert [words for words in examples(text) if words[0] == name], f"{name} has no example in the documentation"


def test_the_documentation_names_every_environment_variable() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (SOURCES / "tuffet").rglob("*.py"))
    for variable in set(re.findall(r"[\"'](TUFFET_[A-Z]+|NO_COLOR|XDG_DATA_HOME)[\"']", code)):
        assert variable in DOCS, variable


def test_the_list_of_commands_is_in_sections_and_says_what_the_commands_say(tuffet: Terminal) -> None:
    shown = tuffet("--help")
    assert shown.status == 0
    for title, commands in SECTIONS.items():
        assert f"{title}:" in shown.out
        for name in commands:
            assert re.search(rf"^  {name} ", shown.out, re.MULTILINE)
            assert command(name).name == name
            assert command(name).help


def test_the_version_is_the_package_s(tuffet: Terminal) -> None:
    assert tuffet("--version").out == f"tuffet {__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_back(tuffet: Terminal, shell: str) -> None:
    shown = tuffet.process("completion", shell)
    assert shown.status == 0
    assert "_TUFFET_COMPLETE" in shown.out
    asked: dict[str, Any] = {
        "_TUFFET_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "tuffet re",
        "COMP_CWORD": "re" if shell == "fish" else "1",
    }
    completed = tuffet.process(**asked)
    assert "renew" in completed.out
    assert "remove" in completed.out


def _imported(*arguments: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMAND[1:], *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        check=False,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def test_help_imports_nothing_heavy() -> None:
    for arguments in (("--help",), ("--version",), ("get", "--help"), ("trust", "--help"), ("publish", "--help"), ("status", "--help")):
        assert not _imported(*arguments) & {"cryptography", "rich", "urllib3", "tuffet.client", "tuffet.repository", "ssl", "asyncio"}


def test_getting_imports_neither_a_terminal_library_nor_private_keys() -> None:
    assert not _imported("get", "http://127.0.0.1:9/", "app", "--sha256", "0" * 64) & {
        "rich",
        "asyncio",
        "tuffet.keys",
        "tuffet.repository",
    }
