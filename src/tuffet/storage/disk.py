"""Files that are whole or absent, whenever the machine stops.

New bytes go to a temporary file beside their destination, reach the disk, and only then get the name; the name
reaches the disk before the call returns. A reader sees the old file or the new one, never a part. Temporary names
cannot be guessed, and what a dead run left behind can be swept. Private files are created 0600, whatever the umask.
"""

# ruff: noqa: PTH116, PTH118, PTH120, PTH123
# Paths are plain strings here: the client imports this when it starts, and pathlib would cost more than all of it.

import errno
import os
import stat
import time
from collections.abc import Iterable
from typing import Final

from tuffet.errors import ConflictError, StorageError
from tuffet.storage.lock import locked
from tuffet.storage.steps import DISK, Disk, explained

__all__ = [
    "DISK", "LOCK", "RESERVED", "Disk", "create_once", "discard", "explained", "locked", "make_directory",
    "place", "read_bounded", "sweep", "temporary_beside", "write_atomic", "write_temporary",
]  # fmt: skip

RESERVED: Final = ".tuffet-"
"""Names that begin so are tuffet's own: temporary files and locks."""
TEMPORARY: Final = f"{RESERVED}tmp-"
LOCK: Final = f"{RESERVED}lock"

_NO_LINKS: Final = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})


def read_bounded(path: str | os.PathLike[str], at_most: int | None, *, private: bool = False, disk: Disk = DISK) -> bytes | None:
    """Return the file's bytes, None if it is absent; StorageError if there are more than `at_most`, or others may read a private file."""
    path = os.fspath(path)
    with explained(path):
        try:
            descriptor = disk.open(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with open(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if private and os.name != "nt" and found.st_mode & 0o077:
                raise StorageError(path, "others may read this private file: take it away from them with chmod 600")
            if at_most is None:
                return file.readall()
            data = bytearray()
            # One byte more than allowed is asked for, because a file may grow after its size was looked at.
            while len(data) <= at_most and (chunk := file.read(at_most + 1 - len(data))):
                data += chunk
    if len(data) > at_most:
        raise StorageError(path, f"this file has more than the {at_most} bytes that are allowed: it is not what was kept here")
    return bytes(data)


def write_atomic(path: str | os.PathLike[str], data: bytes, mode: int = 0o644, *, disk: Disk = DISK) -> None:
    """Make these the bytes of the file, durably and in one step; a symbolic link there is replaced, not followed."""
    path = os.fspath(path)
    with explained(path):
        temporary = write_temporary(path, (data,), mode, disk=disk)
        try:
            disk.replace(temporary, path)
        except BaseException:
            discard(temporary, disk=disk)
            raise
        disk.fsync_directory(os.path.dirname(path) or ".")


def create_once(path: str | os.PathLike[str], data: bytes, mode: int = 0o644, *, disk: Disk = DISK) -> None:
    """Create the file durably and whole; ConflictError if the name is taken, by whatever."""
    path = os.fspath(path)
    with explained(path):
        temporary = write_temporary(path, (data,), mode, disk=disk)
        try:
            place(temporary, path, disk=disk)
        except FileExistsError as error:
            raise ConflictError(path, "this file exists and is never overwritten: choose another name or move it away") from error
        finally:
            discard(temporary, disk=disk)
        disk.fsync_directory(os.path.dirname(path) or ".")


def make_directory(path: str | os.PathLike[str], mode: int = 0o755, *, disk: Disk = DISK) -> None:
    """Make the directory and those above it, durably; one that should be private and that others may write to is refused (B061)."""
    path = os.path.normpath(path)
    above = os.path.dirname(path) or "."
    with explained(path):
        try:
            try:
                disk.mkdir(path, mode)
            except FileNotFoundError:
                make_directory(above, mode, disk=disk)
                disk.mkdir(path, mode)
        except FileExistsError:
            found = os.stat(path).st_mode
            if not stat.S_ISDIR(found):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None
            if not mode & 0o077 and found & 0o022 and os.name != "nt":
                raise StorageError(path, "others may write to this directory: take that away from them with chmod go-w") from None
        else:
            disk.fsync_directory(above)


def sweep(directory: str | os.PathLike[str], older_than_seconds: float = 86_400, *, disk: Disk = DISK) -> int:
    """Remove the temporary files that dead runs left in this one directory; return how many."""
    directory = os.fspath(directory)
    swept = 0
    with explained(directory):
        with os.scandir(directory) as entries:
            old = [entry.path for entry in entries if entry.name.startswith(TEMPORARY) and _is_old(entry, older_than_seconds)]
        for path in old:
            swept += discard(path, disk=disk)
    return swept


def _is_old(entry: os.DirEntry[str], seconds: float) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < time.time() - seconds
    except FileNotFoundError:
        return False  # Its writer, alive and well, has just given it its name.


def temporary_beside(path: str) -> str:
    """Return a name that nobody can guess, in the same directory."""
    return os.path.join(os.path.dirname(path), f"{TEMPORARY}{os.urandom(12).hex()}")


def write_temporary(path: str, chunks: Iterable[bytes], mode: int, *, durable: bool = True, disk: Disk = DISK) -> str:
    """Write a new temporary file beside the path and return its name; nothing stays if that fails. Raises OSError."""
    temporary = temporary_beside(path)
    descriptor = disk.create(temporary, mode)
    try:
        try:
            for chunk in chunks:
                disk.write(descriptor, chunk)
            if durable:
                disk.fsync(descriptor)
        finally:
            disk.close(descriptor)
    except BaseException:
        discard(temporary, disk=disk)
        raise
    return temporary


def place(temporary: str, path: str, *, disk: Disk = DISK) -> None:
    """Give a temporary file its name; FileExistsError if it is taken. The temporary name may remain: `discard` it."""
    try:
        disk.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Some file systems (FAT, some network shares) have no hard links. There a lock stands in for the atomic step,
        # which holds against every other tuffet, and nobody else creates files under these names.
        with locked(os.path.join(os.path.dirname(path), LOCK)):
            if os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
            disk.replace(temporary, path)


def discard(path: str, *, disk: Disk = DISK) -> bool:
    """Remove a file if it is there and can be removed; a temporary file that stays does no harm, so that is no error."""
    try:
        disk.unlink(path)
    except OSError:
        return False
    return True
