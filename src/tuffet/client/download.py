"""Target files, from the wire to the disk: bounded, hashed on the way, and renamed only when all is right (5.7).

The file grows beside its destination under a name of its own. It gets its name when its length and every known hash
are what the believed metadata says; otherwise nothing of it stays. Symbolic links are never followed below the
directory that the caller named, so no name in a repository leads out of it (B099, B106).
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

from tuffet.client.target import Target
from tuffet.errors import FormatError, MismatchError, StorageError, UsageError
from tuffet.metadata.hashes import ALGORITHMS
from tuffet.metadata.targets import require_target_path
from tuffet.names import target_file
from tuffet.storage.disk import DISK, Disk, discard, explained, make_directory, temporary_beside

BLOCK = 1 << 20
Progress = Callable[[int, int], None]
"""Called with the bytes that came so far and the bytes that there will be; where it is tried again, they begin anew."""


def place_of(target: Target, to: str | os.PathLike[str], disk: Disk = DISK) -> str:
    """Return the file to write: `to` itself, or, where `to` is a directory, the target's path below it.

    Directories on the way are made. Raises FormatError for a path that cannot be a file's name everywhere, and StorageError
    where a link or a file stands in the way.
    """
    to = os.fspath(to)
    if not (os.path.isdir(to) or to.endswith(("/", os.sep))):
        return to
    *folders, name = require_target_path(target.path).split("/")
    if any(part[1:2] == ":" for part in (*folders, name)):
        # Joined on Windows, such a part would be taken for a drive, and all that stands before it dropped.
        raise FormatError("target path", f"{target.path[:80]!r} names a drive on Windows")
    place = to
    make_directory(place, disk=disk)
    for folder in folders:
        place = os.path.join(place, folder)
        make_directory(place, disk=disk)
        # Looked at last, because it could be planted while the directory is made.
        if os.path.islink(place):
            raise StorageError(place, "a symbolic link is where a directory belongs, and it is never followed: move it away")
    place = os.path.join(place, name)
    if os.path.isdir(place) and not os.path.islink(place):
        raise StorageError(place, "a directory is where the file belongs: name a file, or move it away")
    return place


def served_name(target: Target, *, hashed: bool) -> str:
    """Return the name under which the target is asked for, led by its first digest if `hashed` (5.7.3)."""
    if not {".", ".."}.isdisjoint(target.path.split("/")):
        raise FormatError("target path", f"{target.path[:80]!r} leads out of the folder of targets")
    return target_file(target.path, next(iter(target.hashes.values())) if hashed else None)


def is_present(target: Target, place: str, disk: Disk = DISK) -> bool:
    """Return whether the file is there already, with the right length and hashes; it is read once, through one descriptor (B002)."""
    check = Check(target)
    try:
        with open(disk.open(place), "rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size != target.length:
                return False
            while check.length <= target.length and (block := file.read(BLOCK)):
                check.update(block)
        check.require()
    except (OSError, MismatchError):
        return False
    return True


class Check:
    """Counts and hashes the bytes of one target as they pass."""

    def __init__(self, target: Target) -> None:
        if not target.hashes:
            raise UsageError(f"nothing can tell whether {target.path!r} is right: the target has no hashes")
        self._target = target
        self.length = 0
        self._hashes: dict[str, Any] = {name: ALGORITHMS[name][1]() for name in target.hashes}

    def update(self, block: bytes) -> None:
        """Take in the next bytes."""
        self.length += len(block)
        for made in self._hashes.values():
            made.update(block)

    def require(self) -> None:
        """Refuse bytes that are not the target: too few, too many, or with another digest under any known algorithm."""
        path, attack = self._target.path, "arbitrary-software"
        if self.length != self._target.length:
            raise MismatchError(path, "length", expected=self._target.length, offered=self.length, attack=attack)
        from hmac import compare_digest

        for name, made in self._hashes.items():
            expected, offered = self._target.hashes[name], made.hexdigest()
            if not compare_digest(expected, offered):
                raise MismatchError(path, name, expected=expected, offered=offered, attack=attack)


def save(target: Target, chunks: Iterator[bytes], place: str, progress: Progress | None = None, disk: Disk = DISK) -> None:
    """Write the chunks to the place if they are the target, and leave what is there alone if they are not."""
    check = Check(target)
    temporary = temporary_beside(place)
    with explained(place):
        descriptor = disk.create(temporary, 0o644)
    try:
        try:
            for chunk in chunks:
                check.update(chunk)
                # Only the disk's errors are the disk's: what the wire or the callback raises passes through as it is.
                with explained(place):
                    disk.write(descriptor, chunk)
                if progress:
                    progress(check.length, target.length)
            check.require()
            with explained(place):
                disk.fsync(descriptor)
        finally:
            with explained(place):
                disk.close(descriptor)
        with explained(place):
            disk.replace(temporary, place)
    except BaseException:
        discard(temporary, disk=disk)
        raise
    with explained(place):
        disk.fsync_directory(os.path.dirname(place) or ".")
