"""Target files, from the wire to the disk: bounded, hashed on the way, and renamed only when all is right (5.7).

The file grows beside its destination under a name of its own. It gets its name when its length and every known hash
are what the believed metadata says; otherwise nothing of it stays. Symbolic links are never followed below the
directory that the caller named, so no name in a repository leads out of it (B099, B106).
"""

import hmac
import os
from collections.abc import Callable, Iterator
from typing import Any

from tuffet.client.target import Target
from tuffet.errors import MismatchError, StorageError
from tuffet.metadata.hashes import ALGORITHMS
from tuffet.metadata.targets import require_target_path
from tuffet.storage.disk import DISK, Disk, discard, explained, make_directory, write_temporary

BLOCK = 1 << 20
Progress = Callable[[int, int], None]
"""Called with the bytes that came so far and the bytes that there will be."""


def place_of(target: Target, to: str | os.PathLike[str], disk: Disk = DISK) -> str:
    """Return the file to write: `to` itself, or, where `to` is a directory, the target's path below it.

    Directories on the way are made. Raises FormatError for a path that cannot be a file's name everywhere, and StorageError
    where a link or a file stands in the way.
    """
    to = os.fspath(to)
    if not (os.path.isdir(to) or to.endswith(("/", os.sep))):
        return to
    *folders, name = require_target_path(target.path).split("/")
    place = to
    make_directory(place, disk=disk)
    for folder in folders:
        place = os.path.join(place, folder)
        if os.path.islink(place):
            raise StorageError(place, "a symbolic link is where a directory belongs, and it is never followed: move it away")
        make_directory(place, disk=disk)
    return os.path.join(place, name)


def is_present(target: Target, place: str, disk: Disk = DISK) -> bool:
    """Return whether the file is there already, with the right length and hashes; it is read once, through one descriptor (B002)."""
    try:
        descriptor = disk.open(place)
    except OSError:
        return False
    with open(descriptor, "rb", buffering=0) as file:
        if os.fstat(descriptor).st_size != target.length:
            return False
        check = Check(target)
        while block := file.read(BLOCK):
            check.update(block)
    try:
        check.require()
    except MismatchError:
        return False
    return True


class Check:
    """Counts and hashes the bytes of one target as they pass."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._length = 0
        self._hashes: dict[str, Any] = {name: ALGORITHMS[name][1]() for name in target.hashes}

    def update(self, block: bytes) -> None:
        """Take in the next bytes."""
        self._length += len(block)
        for made in self._hashes.values():
            made.update(block)

    def require(self) -> None:
        """Refuse bytes that are not the target: too few, too many, or with another digest under any known algorithm."""
        path, attack = self._target.path, "arbitrary-software"
        if self._length != self._target.length:
            raise MismatchError(path, "length", expected=self._target.length, offered=self._length, attack=attack)
        for name, made in self._hashes.items():
            expected, offered = self._target.hashes[name], made.hexdigest()
            if not hmac.compare_digest(expected, offered):
                raise MismatchError(path, name, expected=expected, offered=offered, attack=attack)


def save(target: Target, chunks: Iterator[bytes], place: str, progress: Progress | None = None, disk: Disk = DISK) -> None:
    """Write the chunks to the place if they are the target, and leave what is there alone if they are not."""
    check = Check(target)
    came = 0

    def checked() -> Iterator[bytes]:
        nonlocal came
        for chunk in chunks:
            check.update(chunk)
            came += len(chunk)
            yield chunk
            if progress:
                progress(came, target.length)
        check.require()

    with explained(place):
        if os.path.isdir(place):
            raise StorageError(place, "a directory is where the file belongs: name a file, or move it away")
        temporary = write_temporary(place, checked(), 0o644, disk=disk)
        try:
            disk.replace(temporary, place)
        except BaseException:
            discard(temporary, disk=disk)
            raise
        disk.fsync_directory(os.path.dirname(place) or ".")
