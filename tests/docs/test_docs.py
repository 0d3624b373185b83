"""Every command and every program in the documentation runs, and prints what the documentation says it prints.

A page is one story in a new directory: its `console` and `python` blocks run in order. In a console block a line that begins
with `$ ` is a command, the lines below it are what it prints; `…` stands for anything. What readers need not see stands in comments:

- `<!-- needs: a served repository -->`: there is one on port 8080 (another port, really), and its first root in `root.json`;
- `<!-- run: COMMAND -->`: the command runs at this place;
- `<!-- read: TEXT = COMMAND -->`: from here on TEXT stands for what the command prints, such as a digest that nobody can foresee.
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
STEP = re.compile(r"^```(\w*)\n(.*?)^```$|^<!-- (needs|run|read): (.*?) -->$", re.MULTILINE | re.DOTALL)
SHOWN = {"text", "toml"}
"""Blocks that are looked at and not run."""
SERVED = (
    "export TUFFET_PASSPHRASE=correct-horse",
    "echo two > app-2.0.txt",
    "tuffet init shop",
    "tuffet publish -C shop app-2.0.txt",
    "cp shop/public/metadata/1.root.json root.json",
    "tuffet serve -C shop --port 8080 &",
)


class Terminal:
    """A terminal in a new directory, with a port of its own in place of 8080."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        self.words = {"8080": self.port}
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "PYTHONPATH", "COVERAGE_PROCESS_START") if name in os.environ}
        self.environment = {**kept, "PATH": tools, "HOME": str(directory), "NO_COLOR": "1", "COLUMNS": "120", "PYTHONUTF8": "1"}
        self.running: list[subprocess.Popen[str]] = []

    def meant(self, text: str) -> str:
        """Return a text of the documentation with what its words stand for in this run."""
        longest_first = sorted(self.words, key=len, reverse=True)
        return re.sub("|".join(map(re.escape, longest_first)), lambda found: self.words[found[0]], text)

    def enter(self, command: str) -> str:
        """Run a command of the documentation and return what it printed; it must succeed unless it ends in `|| true`."""
        command = self.meant(command).partition("  # ")[0].rstrip()
        words = shlex.split(command)
        if words[0] == "export":
            self.environment.update(word.partition("=")[::2] for word in words[1:])
            return ""
        if words[0] == "cd":
            self.directory /= words[1]
            return ""
        if words[0] == "kill":
            self.end(self.running[int(words[1].removeprefix("%")) - 1])
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
        return done.stdout

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
            self.end(process)

    @staticmethod
    def end(process: "subprocess.Popen[str]") -> None:
        """End a server."""
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
    for kind, block, directive, argument in STEP.findall(page.read_text(encoding="utf-8")):
        match kind or directive:
            case "needs":
                assert argument == "a served repository"
                for command in SERVED:
                    terminal.enter(command)
            case "run":
                terminal.enter(argument)
            case "read":
                word, _, command = argument.partition(" = ")
                terminal.words[word] = terminal.enter(command).strip()
            case "python":
                program = terminal.directory / "program.py"
                program.write_text(terminal.meant(block), encoding="utf-8")
                terminal.enter(f"{shlex.quote(sys.executable)} -W error program.py")
                program.unlink()
            case "console":
                for command, printed in commands(block):
                    output = terminal.enter(command)
                    missing = agrees([terminal.meant(line) for line in printed], output)
                    assert not missing, f"{page.name}: `{command}` did not print\n  {missing}\nbut\n{output}"
            case other:
                assert other in SHOWN, f"{page.name}: nobody runs a block of {other or 'no language'}"


def test_the_pages_are_built_and_every_link_leads_somewhere() -> None:
    """What `make docs` does."""
    built = subprocess.run([sys.executable, ROOT / "docs" / "build.py"], check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (built.returncode, built.stderr) == (0, "")
    linked = re.findall(r"\(docs/(\w+\.md)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert {page.name for page in PAGES} == {"README.md", *linked}
