"""Two contenders, one machine, one run: they take turns, and the least that each ever needed is compared.

A shared machine only ever makes a figure worse, so the minimum of many turns is the nearest thing to what the code
costs. Figures that are counted and not measured (requests, verifications) are judged exactly, without tolerance.
"""

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

LEAST_TURNS = 7
MOST_TURNS = 200
SECONDS_OF_TURNS = 1.5
PROGRAMS = Path(__file__).parent / "programs"

Contender = Callable[[], float]
"""Runs once and returns its figure: seconds, or bytes."""


class Goal(NamedTuple):
    """The largest ratio of ours to theirs that is good enough, and the one that would be better still."""

    ratio: float
    bonus: float | None = None

    def __str__(self) -> str:
        return _show_ratio(self.ratio) + (f" ({_show_ratio(self.bonus)})" if self.bonus else "")


class Compared(NamedTuple):
    """A figure of each, and what their ratio should be."""

    metric: str
    subject: str
    theirs: float
    ours: float
    goal: Goal
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        """Ours by theirs: less is better."""
        return self.ours / self.theirs

    def is_missed(self, tolerance: float) -> bool:
        """Return whether the ratio exceeds the goal by more than this factor."""
        return self.ratio > self.goal.ratio * tolerance

    def cells(self) -> tuple[str, ...]:
        """Return what the table shows."""
        ok = "bonus" if self.ratio <= (self.goal.bonus or 0) else "MISSED" if self.is_missed(1.0) else "yes"
        scale = 1000 if self.unit == "ms" else 1e-6
        figures = (f"{_digits(figure * scale)} {self.unit}" for figure in (self.theirs, self.ours))
        return (self.metric, self.subject, *figures, _show_ratio(self.ratio), str(self.goal), ok)


class Counted(NamedTuple):
    """A number that depends on no clock, and the most that it may be."""

    metric: str
    subject: str
    theirs: int
    ours: int
    at_most: int
    at_least: int = 0

    def is_missed(self, _: float) -> bool:
        """Return whether the number is out of bounds; nothing excuses that."""
        return not self.at_least <= self.ours <= self.at_most

    def cells(self) -> tuple[str, ...]:
        """Return what the table shows."""
        goal = f"{self.at_most}" if self.at_least == self.at_most else f"≤ {self.at_most}"
        return (self.metric, self.subject, str(self.theirs), str(self.ours), "", goal, "MISSED" if self.is_missed(1.0) else "yes")


Row = Compared | Counted
HEADINGS = ("", "", "peer", "tuffet", "ratio", "goal (bonus)", "ok")


def timed(call: Callable[[], object], number: int = 1) -> Contender:
    """Return a contender that calls so often and gives the seconds of one call; freeing what it returns is part of it."""

    def contender() -> float:
        gc.collect()
        start = time.perf_counter()
        for _ in range(number):
            call()
        return (time.perf_counter() - start) / number

    return contender


def alternate(theirs: Contender, ours: Contender, least_turns: int = LEAST_TURNS) -> tuple[float, float]:
    """Return the least figure of each. The first turn of each warms it up and does not count."""
    theirs(), ours()
    best = [float("inf")] * 2
    begun = time.perf_counter()
    for turn in range(MOST_TURNS):
        if turn >= least_turns and time.perf_counter() - begun > SECONDS_OF_TURNS:
            break
        for place, contender in enumerate((theirs, ours)):
            best[place] = min(best[place], contender())
    return best[0], best[1]


class Machine(NamedTuple):
    """A directory to work in, and the environment of the programs that run there."""

    directory: Path
    environment: dict[str, str]

    def run(self, program: str, *arguments: str | Path) -> tuple[float, str]:
        """Return the seconds from starting a program to its end, and what it printed; `-c` takes its code as an argument."""
        command = [sys.executable, *([program] if program == "-c" else [str(PROGRAMS / program)]), *map(str, arguments)]
        start = time.perf_counter()
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, check=True, close_fds=False)
        return time.perf_counter() - start, done.stdout.decode()


@contextmanager
def machine() -> Iterator[Machine]:
    """Yield a place to work in, which is gone afterwards.

    Programs start as they do where they are installed: their byte code is compiled already, and kept apart from anybody
    else's. No proxy of this machine stands between them and the loopback.
    """
    with tempfile.TemporaryDirectory(prefix="tuffet-bench-") as name:
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(Path(name, "bytecode"))
        yield Machine(Path(name), environment)


def table(rows: list[tuple[str, ...]]) -> list[str]:
    """Return the rows as lines of a Markdown table."""
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]
    rule = tuple("-" * width for width in widths)
    return ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in (HEADINGS, rule, *rows)]


def _show_ratio(ratio: float) -> str:
    return f"{ratio:.3f}" if ratio >= 0.01 else f"1/{1 / ratio:,.0f}"


def _digits(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}" if figure >= 0.1 else f"{figure:.4f}"
