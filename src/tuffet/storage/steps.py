"""The single steps of which everything durable is made.

Whatever tuffet keeps on a disk goes through a `Disk`, one method for each thing that the operating system does,
so that a test can hand in one that dies at any of them. No step follows a symbolic link at the end of a path.
Steps raise OSError; `explained` turns it into a StorageError that says the cause and the cure.
"""

# ruff: noqa: PTH102, PTH105, PTH108
# Paths are plain strings here: the client imports this when it starts, and pathlib would cost more than all of it.

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

if sys.platform == "darwin":
    import fcntl

from tuffet.errors import StorageError

# Windows has no O_NOFOLLOW and no O_NONBLOCK, and elsewhere there is no O_BINARY.
_COMMON: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _COMMON
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _COMMON

_CURES: Final = {
    errno.ENOSPC: "the disk is full: free some space and try again",
    errno.EDQUOT: "the disk quota is used up: free some space and try again",
    errno.EROFS: "the file system is read-only: mount it writable or choose another directory",
    errno.EACCES: "permission is denied: run as the owner, or change the permissions of the file and its directory",
    errno.EPERM: "the operation is not permitted: run as the owner, or change the permissions of the file and its directory",
    errno.EISDIR: "a directory is where a file belongs: move it away",
    errno.ENOTDIR: "a file is where a directory belongs: move it away",
    errno.ELOOP: "a symbolic link is where a file belongs, and it is never followed: put the file itself there",
    errno.ENOENT: "there is no such file or directory: create its directory first",
    errno.ENAMETOOLONG: "the name is too long for this file system: choose a shorter one",
    errno.EMFILE: "too many files are open: raise the limit (ulimit -n)",
    errno.EIO: "the disk reports a failure: check it before anything is trusted to it again",
}


class Disk:
    """The steps themselves; after any of them the machine may stop."""

    def create(self, path: str, mode: int) -> int:
        """Return the descriptor of a new, empty file; an existing one, even a dangling link, is FileExistsError."""
        return os.open(path, _CREATE, mode)

    def open(self, path: str) -> int:
        """Return a descriptor to read a regular file; a directory, a pipe or a device is refused, not waited for."""
        descriptor = os.open(path, _READ)
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISREG(kind):
            return descriptor
        os.close(descriptor)
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        raise OSError(errno.EINVAL, "this is no regular file", path)

    def write(self, descriptor: int, data: bytes | memoryview) -> None:
        """Write all the bytes; the system may take them in pieces."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def fsync(self, descriptor: int) -> None:
        """Return when the file's bytes are on the disk."""
        if sys.platform == "darwin":
            # There fsync only reaches the drive's own memory; not every file system knows the stronger call.
            try:
                fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            except OSError as error:
                if error.errno not in _UNSUPPORTED:
                    raise
            else:
                return
        os.fsync(descriptor)

    def close(self, descriptor: int) -> None:
        """Close; some file systems report only here that a write failed (B060)."""
        os.close(descriptor)

    def fsync_file(self, path: str) -> None:
        """Like `fsync`, for a file already closed."""
        # Windows flushes only what is open for writing; elsewhere the file may well be read-only by now.
        descriptor = os.open(path, (os.O_RDWR if os.name == "nt" else os.O_RDONLY) | _COMMON)
        try:
            self.fsync(descriptor)
        finally:
            os.close(descriptor)

    def fsync_directory(self, path: str) -> None:
        """Return when the names in a directory are on the disk."""
        if os.name == "nt":  # Windows opens no directory, and NTFS journals names by itself.
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def syncfs(self, path: str) -> bool:
        """Return True when all that was written to the path's file system is on the disk, False where that cannot be asked for."""
        # Older kernels have the call too, but it hides that a write failed.
        if not sys.platform.startswith("linux") or _kernel() < (5, 8):
            return False
        import ctypes

        call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if call is None:
            return False
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if call(descriptor):
                number = ctypes.get_errno()
                if number in _UNSUPPORTED:
                    return False
                raise OSError(number, os.strerror(number), path)
        finally:
            os.close(descriptor)
        return True

    def link(self, source: str, destination: str) -> None:
        """Give a file a second name, which must be free."""
        os.link(source, destination)

    def replace(self, source: str, destination: str) -> None:
        """Rename over whatever has that name, in one step; a link there is replaced itself."""
        os.replace(source, destination)

    def unlink(self, path: str) -> None:
        """Take a name away."""
        os.unlink(path)

    def mkdir(self, path: str, mode: int) -> None:
        """Make one directory."""
        os.mkdir(path, mode)


_UNSUPPORTED: Final = frozenset({errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})

DISK: Final = Disk()


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Within this block an OSError becomes a StorageError that names the path, the cause and the cure."""
    try:
        yield
    except OSError as error:
        known = _CURES.get(error.errno or 0)
        raise StorageError(path, known or (error.strerror or str(error)).lower()) from error


def _kernel() -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in os.uname().release.split(".")[:2])
