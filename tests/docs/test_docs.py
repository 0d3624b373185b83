"""Every command and every program in the documentation runs, and prints what the documentation says it prints.

A page is one story in a new directory: its `console` and `python` blocks run in order. In a console block a line that begins
with `$ ` is a command, the lines below it are what it prints; `…` stands for anything. A page that contains the comment
`<!-- needs: a served repository -->` finds one on port 8080 (another port, really) and its first root in `root.json`.
"""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Terminal:
    """A terminal in a new directory, with a port of its own in place of 8080."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "PYTHONPATH", "COVERAGE_PROCESS_START") if name in os.environ}
        self.environment = {**kept, "PATH": tools, "HOME": str(directory), "NO_COLOR": "1", "COLUMNS": "120", "PYTHONUTF8": "1"}
        self.running: list[subprocess.Popen[str]] = []

    def enter(self, command: str) -> str:
        """Run a command and return what it printed; it must succeed unless it ends in `|| true`."""
        command = command.replace("8080", self.port)
        words = shlex.split(command)
        if words[0] == "export":
            self.environment.update(word.split("=", 1) for word in words[1:])
            return ""
        if words[0] == "cd":
            self.directory /= words[1]
            return ""
        if command.endswith("&"):
            return self.start(command.removesuffix("&"))
        done = subprocess.run(
            ["bash", "-c", command],
            check=False,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"`{command}` ended with status {done.returncode}:\n{done.stdout}"
        return done.stdout.replace(self.port, "8080")

    def start(self, command: str) -> str:
        """Start a server and wait until it listens."""
        self.running.append(
            subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.directory,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self.port))) == 0:
                    return ""
            time.sleep(0.05)
        raise AssertionError(f"`{command}` does not listen on port {self.port}")

    def close(self) -> None:
        """End what was started."""
        for process in self.running:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal that ends what it started."""
    made = Terminal(tmp_path)
    yield made
    made.close()


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block and the lines that it is said to print."""
    command, printed = "", list[str]()
    for line in block.splitlines():
        if command.endswith("\\"):
            command = f"{command[:-1]}{line.removeprefix('>').lstrip()}"
        elif line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = line[2:], []
        elif line.strip():
            printed.append(line)
    if command:
        yield command, printed


def agrees(printed: list[str], output: str) -> str:
    """Return the first line of the documentation that the output lacks, or nothing."""
    left = output.splitlines()
    for line in printed:
        if line.strip() == "…":
            continue
        wanted = re.compile(r"\s+".join(".*".join(re.escape(part) for part in word.split("…")) for word in line.split()))
        at = next((index for index, real in enumerate(left) if wanted.fullmatch(real.strip())), None)
        if at is None:
            return line
        left = left[at + 1 :]
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_page_tells_the_truth(page: Path, terminal: Terminal) -> None:
    """What a reader copies works, and looks as the page says."""
    text = page.read_text(encoding="utf-8")
    if "<!-- needs: a served repository -->" in text:
        for command in (
            "export TUFFET_PASSPHRASE=correct-horse",
            "echo two > app-2.0.txt",
            "tuffet init shop",
            "tuffet publish -C shop app-2.0.txt",
            "cp shop/public/metadata/1.root.json root.json",
            "tuffet serve -C shop --port 8080 &",
        ):
            terminal.enter(command)
    for kind, block in BLOCK.findall(text):
        if kind == "python":
            program = terminal.directory / "program.py"
            program.write_text(block.replace("8080", terminal.port), encoding="utf-8")
            terminal.enter(f"{shlex.quote(sys.executable)} -W error program.py")
            program.unlink()
        else:
            for command, printed in commands(block):
                output = terminal.enter(command)
                missing = agrees(printed, output)
                assert not missing, f"{page.name}: `{command}` did not print\n  {missing}\nbut\n{output}"
