"""A disk that dies at the n-th step, as under kill -9 or when the power fails.

`crashes(run)` runs a story again and again, each time dying one step later, until the story gets through. With
`power=True` the dead machine also loses what was never flushed: bytes without fsync, names without fsync of their
directory. A real disk may keep any part of that; the two extremes are what is tested.
"""

# ruff: noqa: PTH100, PTH106, PTH108, PTH110, PTH113, PTH114, PTH116, PTH118, PTH120, PTH123
# Paths are plain strings, as in the disk that this one stands for.

import os
from collections.abc import Callable, Iterator
from typing import Any, Final

from tuffet.storage.disk import Disk

_STEPS: Final = frozenset(
    {"create", "open", "write", "fsync", "close", "fsync_file", "fsync_directory", "syncfs", "link", "replace", "unlink", "mkdir"}
)


class Crash(BaseException):
    """The machine stopped here."""


class CrashingDisk(Disk):
    """A disk that works until step number `dies_at` (from 0; never, if None), does half of a write there, and is dead from then on."""

    def __init__(self, dies_at: int | None = None, *, power: bool = False) -> None:
        self.steps: list[str] = []
        self._dies_at = dies_at
        self._power = power
        self._dead = False
        self._open: dict[int, str] = {}
        self._unflushed: dict[int, list[str]] = {}
        self._undo: list[tuple[str, Callable[[], object]]] = []

    def __getattribute__(self, name: str) -> Any:
        step = super().__getattribute__(name)
        return self._counted(name, step) if name in _STEPS else step

    def create(self, path: str, mode: int) -> int:
        """Create the file and remember that nothing of it is on the disk yet."""
        descriptor = super().create(path, mode)
        self._open[descriptor] = path
        self._unflushed[os.fstat(descriptor).st_ino] = [path]
        return descriptor

    def fsync(self, descriptor: int) -> None:
        """Flush, and remember it."""
        super().fsync(descriptor)
        self._unflushed.pop(os.fstat(descriptor).st_ino, None)

    def fsync_file(self, path: str) -> None:
        """Flush, and remember it."""
        super().fsync_file(path)
        self._unflushed.pop(os.stat(path).st_ino, None)

    def fsync_directory(self, path: str) -> None:
        """Flush the names in the directory, and remember it."""
        super().fsync_directory(path)
        self._undo = [(place, undo) for place, undo in self._undo if place != os.path.abspath(path)]

    def syncfs(self, path: str) -> bool:
        """Flush everything, if that can be asked for."""
        if flushed := super().syncfs(path):
            self._unflushed.clear()
            self._undo.clear()
        return flushed

    def close(self, descriptor: int) -> None:
        """Close the file."""
        self._open.pop(descriptor, None)
        super().close(descriptor)

    def link(self, source: str, destination: str) -> None:
        """Link, so that it can be lost again."""
        super().link(source, destination)
        self._unflushed.get(os.stat(source).st_ino, []).append(destination)
        self._remember(destination, lambda: os.unlink(destination))

    def replace(self, source: str, destination: str) -> None:
        """Rename, so that it can be lost again."""
        before = _bytes_of(destination)
        super().replace(source, destination)
        self._unflushed.get(os.stat(destination).st_ino, []).append(destination)
        self._remember(destination, lambda: _put_back(destination, before))

    def unlink(self, path: str) -> None:
        """Remove, so that it can come back."""
        before = _bytes_of(path)
        super().unlink(path)
        self._remember(path, lambda: _put_back(path, before))

    def mkdir(self, path: str, mode: int) -> None:
        """Make the directory, so that it can be lost again with all that is in it."""
        super().mkdir(path, mode)
        self._remember(path, lambda: _remove_tree(path))

    def crash(self) -> None:
        """Die now, between two steps."""
        self._dead = True
        for descriptor in self._open:
            os.close(descriptor)
        self._open.clear()
        if not self._power:
            return
        for inode, paths in self._unflushed.items():
            for path in paths:
                if os.path.exists(path) and os.stat(path).st_ino == inode:
                    os.truncate(path, 0)
        for _, undo in reversed(self._undo):
            try:
                undo()
            except FileNotFoundError:
                continue

    def _remember(self, path: str, undo: Callable[[], object]) -> None:
        self._undo.append((os.path.dirname(os.path.abspath(path)), undo))

    def _counted(self, name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            if self._dead:
                raise Crash(name)
            if len(self.steps) == self._dies_at:
                if name == "write":
                    descriptor, data = arguments
                    step(descriptor, data[: len(data) // 2])
                self.crash()
                raise Crash(name)
            self.steps.append(name)
            return step(*arguments)

        return run


def crashes(story: Callable[[CrashingDisk], object], *, power: bool = False) -> Iterator[CrashingDisk]:
    """Tell the story with a disk that dies at its first step, its second and so on; yield after each death, until one gets through."""
    for number in range(10_000):
        disk = CrashingDisk(number, power=power)
        try:
            story(disk)
        except Crash:
            yield disk
        else:
            return
    raise AssertionError("the story never ends")


def _bytes_of(path: str) -> bytes | None:
    if os.path.islink(path) or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def _put_back(path: str, data: bytes | None) -> None:
    if data is None:
        os.unlink(path)
        return
    with open(path, "wb") as file:
        file.write(data)


def _remove_tree(path: str) -> None:
    for folder, folders, files in os.walk(path, topdown=False):
        for file in files:
            os.unlink(os.path.join(folder, file))
        for below in folders:
            os.rmdir(os.path.join(folder, below))
    os.rmdir(path)
