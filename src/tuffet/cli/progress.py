"""A progress bar on standard error, for work that takes long enough to be noticed."""

import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DELAY_SECONDS: Final = 0.4
"""What is done sooner needs no bar, and rich takes a while to import."""


class Bar:
    """A bar that appears at its first tick after the delay and goes away when it is stopped."""

    def __init__(self, what: str, unit: str) -> None:
        self._what, self._unit = what, unit
        self._due = time.monotonic() + DELAY_SECONDS
        self._shown: tuple[Progress, TaskID] | None = None

    def tick(self, done: int, total: int) -> None:
        """Show how much is done."""
        if self._shown is None:
            if time.monotonic() < self._due:
                return
            self._shown = self._show()
        progress, task = self._shown
        progress.update(task, completed=done, total=total)

    def stop(self) -> None:
        """Take the bar away."""
        if self._shown is not None:
            self._shown[0].stop()
            self._shown = None

    def _show(self) -> "tuple[Progress, TaskID]":
        from rich import progress as bars
        from rich.console import Console

        amounts: list[bars.ProgressColumn] = (
            [bars.DownloadColumn(), bars.TransferSpeedColumn()] if self._unit == "bytes" else [bars.MofNCompleteColumn()]
        )
        # The name is plain text: rich would take brackets in it for its own markup.
        what = bars.TextColumn("{task.description}", markup=False)
        console = Console(file=sys.stderr)
        shown = bars.Progress(what, bars.BarColumn(), *amounts, bars.TimeRemainingColumn(), console=console, transient=True)
        task = shown.add_task(self._what, total=None)
        shown.start()
        return shown, task
