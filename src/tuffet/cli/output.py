"""What is printed, and how: text for people or JSON for programs, colours for terminals, nothing that drives one.

Names in a repository are chosen by whoever may write them. Whatever is printed as text has its control characters
escaped, so that no name moves the cursor, changes a title or turns letters around.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TextIO

import click


class Styled(NamedTuple):
    """Text with a colour, which is only shown on terminals."""

    text: str
    colour: str


Part = str | Styled
Tick = Callable[[int, int], None]
"""Called with what is done so far and what there is to do."""


def escaped(text: str) -> str:
    r"""Return the text with everything that is not printable written as `\x1b` or `\u202e`."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else _escape(letter) for letter in text)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode()


def coloured(stream: TextIO) -> bool:
    """Whether colours are wanted there: a terminal that has them, and `NO_COLOR` not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def columns(rows: Sequence[Sequence[Part]]) -> list[list[Part]]:
    """Return the rows with all cells but the last padded to the width of their column."""
    if not rows:
        return []
    widths = [max(len(_text(row[at])) for row in rows if at < len(row)) for at in range(max(map(len, rows)))]
    return [[*(_padded(cell, width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]] for row in rows]


def _text(part: Part) -> str:
    return escaped(part.text if isinstance(part, Styled) else part)


def _padded(part: Part, width: int) -> Part:
    text = _text(part).ljust(width)
    return Styled(text, part.colour) if isinstance(part, Styled) else text


class Output:
    """Standard output and standard error of one run, as `--json` and `--quiet` want them."""

    def __init__(self) -> None:
        self.as_json = self.quiet = False

    def answer(self, *parts: Part) -> None:
        """Print a line of what was asked for."""
        if not self.as_json:
            self._line(sys.stdout, parts)

    def say(self, *parts: Part) -> None:
        """Print a line for information, which `--quiet` leaves out."""
        if not self.quiet:
            self.answer(*parts)

    def result(self, value: dict[str, Any], *, lines: bool = False) -> None:
        """Print the JSON document of the command; `lines` puts it on one line, for commands that print several."""
        if self.as_json:
            # ASCII only: JSON does not ask for all control characters to be escaped.
            click.echo(json.dumps(value, indent=None if lines else 2, ensure_ascii=True))

    def warn(self, text: str) -> None:
        """Print a warning."""
        if self.as_json:
            self.problem({"warning": text})
        else:
            self._line(sys.stderr, (Styled("warning:", "yellow"), text))

    def complain(self, *parts: Part) -> None:
        """Print a line of an error."""
        self._line(sys.stderr, parts)

    def problem(self, value: dict[str, Any]) -> None:
        """Print a warning or an error as JSON."""
        click.echo(json.dumps(value, ensure_ascii=True), err=True)

    @contextmanager
    def progress(self, what: str, unit: str = "bytes") -> Iterator[Tick | None]:
        """Give what shows progress on a terminal, or None where nobody looks."""
        if self.as_json or self.quiet or not sys.stderr.isatty():
            yield None
            return
        from tuffet.cli.progress import Bar

        bar = Bar(escaped(what), unit)
        try:
            yield bar.tick
        finally:
            bar.stop()

    def _line(self, stream: TextIO, parts: Sequence[Part]) -> None:
        colours = coloured(stream)
        texts = [click.style(_text(part), fg=part.colour) if colours and isinstance(part, Styled) else _text(part) for part in parts]
        click.echo(" ".join(texts).rstrip(), file=stream, color=colours)


def day(instant: str) -> str:
    """Return the day of an instant, or all of it if it is in no form that we know."""
    return instant[:10] if instant[10:11] == "T" else instant


def count(number: int, what: str) -> str:
    """Return `1 file`, `2 files`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def size(length: int) -> str:
    """Return a number of bytes as people read it."""
    value, units = float(length), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    for larger in units:
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
