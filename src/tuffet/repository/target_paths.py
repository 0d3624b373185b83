"""Which names targets may have, how a store keeps them, and the names of the files in a directory."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tuffet.errors import FormatError, UsageError
from tuffet.metadata.hashes import ALGORITHMS
from tuffet.metadata.targets import require_target_path
from tuffet.storage.disk import explained
from tuffet.storage.store import checked_name

TARGETS_FOLDER: Final = "targets/"
"""Where a store keeps targets."""


def stored_names(path: str, digests: Iterable[str]) -> list[str]:
    """Return the names under which a store keeps a target: one for each digest (specification 3.1.2)."""
    folder, slash, name = path.rpartition("/")
    return [f"{TARGETS_FOLDER}{folder}{slash}{digest}.{name}" for digest in digests]


def require_publishable(path: str, algorithms: Sequence[str]) -> None:
    """Raise UsageError for a path that no client would write to its disk, or under which no store could keep the bytes."""
    require_utf8(path)
    try:
        require_target_path(path)
    except FormatError as error:
        raise UsageError(f"{error}: choose another one") from error
    try:
        for name in stored_names(path, ["0" * ALGORITHMS[algorithm][0] for algorithm in algorithms]):
            checked_name(name)
    except UsageError as error:
        raise UsageError(
            f"target path: {path[:80]!r} is too long to be stored with a digest before its name: choose a shorter one"
        ) from error
    if any(part.startswith(".") for part in path.split("/")[:-1]):
        # Servers, ours among them, do not show what lies in hidden folders.
        raise UsageError(f"target path: {path[:80]!r} leads through a hidden folder, which servers do not show: choose another one")


def require_utf8(path: str) -> None:
    """Raise UsageError for a name that came from a disk and is no UTF-8."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"target path: {path[:80]!a} holds characters that UTF-8 cannot write: rename the file") from error


def walk(directory: str | os.PathLike[str], prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Yield (target path, file) for all files below a directory, sorted by target path, hidden ones left out.

    The prefix is put before every name as it is. Links, pipes and devices are refused with a UsageError, because what they
    stand for is not in the directory.
    """
    yield from _walk(Path(directory), prefix)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    with explained(str(folder)), os.scandir(folder) as entries:
        found = sorted(
            (f"{prefix}{entry.name}{'/' * entry.is_dir(follow_symlinks=False)}", entry) for entry in entries if entry.name[0] != "."
        )
    for path, entry in found:
        require_utf8(path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), path)
        elif entry.is_file(follow_symlinks=False):
            yield path, Path(entry.path)
        else:
            kind = "a symbolic link, and what it leads to" if entry.is_symlink() else "no regular file, and such a thing"
            raise UsageError(f"{entry.path} is {kind} is not published with a directory: replace it by the file itself, or take it away")
