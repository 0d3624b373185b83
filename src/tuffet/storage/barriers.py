"""As few waits for the disk as possible.

Flushing one file costs milliseconds however short it is, and flushing a whole file system once costs little more. So
many files, or many directories, are flushed together where the system can do that.
"""

# ruff: noqa: PTH116, PTH120
# Paths are plain strings, as in the disk below.

import os
from collections.abc import Collection, Iterable
from typing import Final

from tuffet.storage.steps import Disk, explained

_MANY: Final = 5
"""From here on one flush of the file system is the quicker way, though it flushes what others wrote as well."""


def flush_files(disk: Disk, files: Collection[str]) -> None:
    """Return when the bytes of the files are on the disk."""
    if len(files) >= _MANY and _flushed_together(disk, {os.path.dirname(file) for file in files}):
        return
    for file in files:
        with explained(file):
            disk.fsync_file(file)


def flush_directories(disk: Disk, directories: Collection[str]) -> None:
    """Return when the names in the directories are on the disk."""
    if len(directories) >= _MANY and _flushed_together(disk, directories):
        return
    for directory in directories:
        with explained(directory):
            disk.fsync_directory(directory)


def _flushed_together(disk: Disk, directories: Iterable[str]) -> bool:
    # One tree may span several file systems, and each is flushed on its own.
    file_systems: dict[int, str] = {}
    for directory in directories:
        with explained(directory):
            file_systems.setdefault(os.stat(directory).st_dev, directory)
    for directory in file_systems.values():
        with explained(directory):
            if not disk.syncfs(directory):
                return False
    return True
