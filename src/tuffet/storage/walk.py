"""The names of the files below a directory, sorted as strings, whatever else lies there.

Temporary files, locks, links, pipes and names that no store would take are passed over.
"""

# ruff: noqa: PTH118
# Paths are plain strings, as in the disk below.

import os
from collections.abc import Iterator

from tuffet.errors import StorageError, UsageError
from tuffet.storage.disk import explained
from tuffet.storage.store import checked_name


def walk(root: str, prefix: str, folder: str = "") -> Iterator[str]:
    """Return the names that begin with the prefix; a directory that goes away meanwhile is empty."""
    path = os.path.join(root, *folder.split("/"))
    try:
        # A directory sorts by its name with the slash, as it stands in the names of its files: `a-b` < `a/b` < `a0`.
        with explained(path), os.scandir(path) as entries:
            found = sorted(f"{folder}{entry.name}{_slash(entry)}" for entry in entries if _slash(entry) is not None)
    except StorageError as error:
        if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
            return
        raise
    for name in found:
        if name.endswith("/"):
            if name.startswith(prefix) or prefix.startswith(name):
                yield from walk(root, prefix, name)
        elif name.startswith(prefix) and _is_name(name):
            yield name


def _slash(entry: "os.DirEntry[str]") -> str | None:
    if entry.is_dir(follow_symlinks=False):
        return "/"
    return "" if entry.is_file(follow_symlinks=False) else None


def _is_name(name: str) -> bool:
    try:
        checked_name(name)
    except UsageError:
        return False
    return True
