"""A terminal for tests: commands in this process or in one of their own, and repositories as files that they can read."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from tuffet.cli.program import run
from tuffet.testing import FakeRepository

SOURCES = Path(__file__).resolve().parents[2] / "src"
COMMAND = (sys.executable, "-m", "tuffet")


class Ran(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON document on standard output."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error of a command that was asked for JSON."""
        error: dict[str, Any] = json.loads(self.err.splitlines()[-1])["error"]
        return error


class Terminal:
    """A user with a home of their own, in a directory of their own."""

    def __init__(self, base: Path) -> None:
        self.here = base / "here"
        self.here.mkdir(parents=True)
        self.home = base / "home"
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("TUFFET_", "XDG_")) and "proxy" not in name.lower()
        }
        self.environment = {**kept, "TUFFET_HOME": str(self.home), "PYTHONPATH": str(SOURCES)}

    def __call__(self, *arguments: object, **variables: str) -> Ran:
        """Run a command in this process, which is quicker than in one of its own."""
        out, err = io.StringIO(), io.StringIO()
        with _environment({**self.environment, **variables}), chdir(self.here), redirect_stdout(out), redirect_stderr(err):
            status = run([str(argument) for argument in arguments])
        return Ran(int(status), out.getvalue(), err.getvalue())

    def process(self, *arguments: object, input: bytes | None = None, **variables: str) -> Ran:  # noqa: A002  as subprocess calls it
        """Run a command in a process of its own, as a user does."""
        done = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            cwd=self.here,
            env={**self.environment, **variables},
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: object, program: Sequence[str] = COMMAND, **variables: str) -> "subprocess.Popen[bytes]":
        """Start a command that goes on."""
        return subprocess.Popen(
            [*program, *map(str, arguments)],
            cwd=self.here,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class Mirror:
    """A directory as a web server would serve it: what a fake repository publishes, or what an attacker makes of it."""

    def __init__(self, directory: Path, repo: FakeRepository) -> None:
        self.directory, self.repo = directory, repo
        self.take()

    def __str__(self) -> str:
        return str(self.directory)

    def take(self) -> None:
        """Serve what the repository has now."""
        for name in self.repo.store.list():
            data = self.repo.served(name)
            assert data is not None
            self.serve(name if name.startswith("targets/") else f"metadata/{name}", data)

    def serve(self, name: str, data: bytes) -> None:
        """Serve a file under a name."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    @property
    def root_sha256(self) -> str:
        """The digest of the first root."""
        return sha256(self.repo.root_bytes()).hexdigest()


def fake_repository(**settings: Any) -> FakeRepository:
    """Return a fake repository of today."""
    return FakeRepository(lambda: datetime.now(UTC), **settings)
