"""One at a time: an advisory lock that processes and threads share.

The lock is a file that stays; the operating system lets go of it when its holder ends, however it ends.
"""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tuffet.errors import ConflictError
from tuffet.storage.steps import explained

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_BUSY: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK, errno.EWOULDBLOCK})
_LONGEST_NAP_SECONDS: Final = 0.05


@contextmanager
def locked(path: str | os.PathLike[str], wait_seconds: float = 10.0, *, mode: int = 0o600) -> Iterator[None]:
    """Hold the lock file at the path; ConflictError if somebody else holds it for so long. It cannot be taken twice by one thread."""
    path = os.fspath(path)
    deadline = time.monotonic() + wait_seconds
    nap = 0.001
    with explained(path):
        flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | flags, mode)
    try:
        with explained(path):
            while not _taken(descriptor):
                if time.monotonic() >= deadline:
                    cure = "try again when it has ended, or end it if it hangs"
                    raise ConflictError(path, f"another process or thread has held this lock for {wait_seconds:g} seconds: {cure}")
                time.sleep(nap)
                nap = min(nap * 1.5, _LONGEST_NAP_SECONDS)
        try:
            yield
        finally:
            # Closing would not do: a process forked meanwhile holds the same open file.
            _let_go(descriptor)
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        raise
    return True


def _let_go(descriptor: int) -> None:
    if sys.platform == "win32":
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
