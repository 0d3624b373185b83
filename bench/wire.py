"""P8 to P10: a refresh as its user waits for it, from starting the program to its end, every answer 50 ms away.

Both clients hold the same embedded root and look at the same repository: `python-tuf` through `tuf.ngclient.Updater`,
tuffet through `tuffet.Client`. Who asked for what, and when, is read from the server's log.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench import samples
from bench.harness import Compared, Counted, Goal, Machine, Row, alternate

ROOTS = 12
THEIRS, OURS = "refresh_tuf.py", "refresh_tuffet.py"
SERVER = Path(__file__).with_name("server.py")


class Request(NamedTuple):
    """A line of the server's log; the instants are its own clock's."""

    path: str
    came: float
    answered: float
    status: int


class Wire:
    """A repository behind a slow wire, in an old state and a new one, and clients that have seen none or the old one."""

    def __init__(self, machine: Machine, url: str, place: Path, log: Path) -> None:
        self._machine, self._url, self._place, self._log = machine, url, place, log
        self._primed = {program: place / f"primed-{program}" for program in (THEIRS, OURS)}

    def refresh(self, program: str, state: str, *, warm: bool) -> tuple[float, list[Request]]:
        """Return how long a refresh took as a whole process, and what it asked for."""
        cache = self._place / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        if warm:
            shutil.copytree(self._cache_of_old(program), cache, symlinks=True)
        return self._run(program, state, cache)

    def _cache_of_old(self, program: str) -> Path:
        if not self._primed[program].exists():
            self._run(program, "old", self._primed[program])
        return self._primed[program]

    def _run(self, program: str, state: str, cache: Path) -> tuple[float, list[Request]]:
        before = self._log.stat().st_size
        seconds, said = self._machine.run(program, f"{self._url}/{state}/", cache, self._place / "new" / "1.root.json")
        expected = f"root {ROOTS}, timestamp, snapshot and targets {1 if state == 'old' else 2}"
        assert said.strip() == expected, f"{program}: {said}"
        with self._log.open() as log:
            log.seek(before)
            return seconds, [Request(*json.loads(line)) for line in log]


@contextmanager
def wire(machine: Machine) -> Iterator[Wire]:
    """Yield a wire whose server ends with it."""
    place = Path(tempfile.mkdtemp(dir=machine.directory))
    for state, version in (("old", 1), ("new", 2)):
        folder = place / state
        folder.mkdir()
        for name, data in samples.repository(ROOTS, version).items():
            (folder / name).write_bytes(data)
    log = place / "requests"
    log.touch()
    command = [sys.executable, str(SERVER), str(place), str(log)]
    with subprocess.Popen(command, env=machine.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield Wire(machine, f"http://127.0.0.1:{int(server.stdout.readline())}", place, log)
        finally:
            server.stdin.close()  # It reads there, and ends when there is nothing more to come.


def warm_unchanged(machine: Machine) -> Iterator[Row]:
    """P8: nothing is new, which is what most refreshes find."""
    with wire(machine) as between:
        yield from _race(between, "P8", "warm, unchanged", Goal(0.45, bonus=0.35), state="old", warm=True, at_most=2)


def cold(machine: Machine) -> Iterator[Row]:
    """P9: a client whose embedded root is eleven rotations old."""
    with wire(machine) as between:
        yield from _race(between, "P9", f"cold, chain of {ROOTS} roots", Goal(0.30), state="new", warm=False, at_most=ROOTS + 3 + 3)
        _, requests = between.refresh(OURS, "new", warm=False)
        (second,) = (request for request in requests if request.path == "/new/2.root.json")
        early = [request.path for request in requests if _root_version(request) > 2 and request.came < second.answered]
        yield Counted("P9", "roots asked for before the next one was known to exist", 0, len(early), at_most=0)


def warm_changed(machine: Machine) -> Iterator[Row]:
    """P10: everything but the root is new."""
    with wire(machine) as between:
        yield from _race(between, "P10", "warm, all changed", Goal(0.60, bonus=0.50), state="new", warm=True, at_most=4)


def _race(between: Wire, metric: str, subject: str, goal: Goal, *, state: str, warm: bool, at_most: int) -> Iterator[Row]:
    def contender(program: str) -> Callable[[], float]:
        return lambda: between.refresh(program, state, warm=warm)[0]

    yield Compared(metric, f"{subject}, whole process", *alternate(contender(THEIRS), contender(OURS)), goal)
    theirs, ours = (len(between.refresh(program, state, warm=warm)[1]) for program in (THEIRS, OURS))
    yield Counted(metric, f"{subject}, requests", theirs, ours, at_most)


def _root_version(request: Request) -> int:
    number, _, name = request.path.rpartition("/")[2].partition(".")
    return int(number) if name == "root.json" else 0
