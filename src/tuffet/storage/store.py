"""What a store of files promises, wherever it keeps them.

A name is created once and then holds the same bytes for good, or it is replaced by compare-and-set. That is where
two publishers meet: one wins, the other is told so. What a call wrote is durable when the call returns.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final, Protocol

from tuffet.errors import UsageError
from tuffet.storage.disk import RESERVED

MAX_NAME_BYTES: Final = 1024
"""The most that S3 takes; what is made on a disk shall be able to move there."""
MAX_PART_BYTES: Final = 255
"""The most that the common file systems take."""

_WINDOWS_DEVICES: Final = frozenset({"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))})
_CONTROLS: Final = frozenset({*range(0x20), 0x7F})


class Store(Protocol):
    """Files under names such as `metadata/1.root.json`; every method raises UsageError for a name that `checked_name` refuses."""

    def read(self, name: str, at_most: int | None = None) -> bytes | None:
        """Return the bytes, None if the name is absent; StorageError if there are more than `at_most`."""
        ...

    def open(self, name: str) -> BinaryIO | None:
        """Return the file to be read and closed by the caller, None if the name is absent."""
        ...

    def create(self, name: str, source: bytes | BinaryIO) -> None:
        """Create the name; fine if it holds these very bytes already, ConflictError if it holds others."""
        ...

    def create_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Do the same for many names in the order given; after an error some may exist, and the same call may be made again."""
        ...

    def replace(self, name: str, data: bytes, *, expected: bytes | None) -> None:
        """Make these the bytes if the name now holds exactly `expected` (None: is absent), else ConflictError."""
        ...

    def list(self, prefix: str = "") -> Iterator[str]:
        """Return the names that begin with the prefix, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Remove the name; fine if it is absent."""
        ...


def checked_name(name: str) -> str:
    """Return the name if every store can keep it and no part of it could lead elsewhere; else UsageError (B106)."""
    try:
        parts = name.encode().split(b"/")
    except UnicodeEncodeError as error:
        raise UsageError(f"the name {name!a} holds characters that UTF-8 cannot write") from error
    if len(name.encode()) > MAX_NAME_BYTES:
        raise UsageError(f"the name {name[:40]!a}... has more than {MAX_NAME_BYTES} bytes")
    for part in parts:
        if problem := _problem(part):
            raise UsageError(f"the name {name!a} has a part that {problem}")
    return name


def checked_windows_name(name: str) -> str:
    """Return the name if a disk of Windows can keep it as well, else UsageError."""
    for part in checked_name(name).split("/"):
        if set(part) & set('<>:"|?*') or part[-1] in ". " or part.partition(".")[0].upper() in _WINDOWS_DEVICES:
            raise UsageError(f"the name {name!a} has a part that Windows cannot keep")
    return name


def checked_prefix(prefix: str) -> str:
    """Return the prefix if a name could begin so, else UsageError."""
    if "/" in prefix:
        checked_name(prefix.rpartition("/")[0])
    return prefix


def _problem(part: bytes) -> str | None:
    if not part:
        return "is empty"
    if part in (b".", b".."):
        return "leads elsewhere"
    if len(part) > MAX_PART_BYTES:
        return f"is longer than {MAX_PART_BYTES} bytes"
    if b"\\" in part or not _CONTROLS.isdisjoint(part):
        return "holds a backslash or a control character"
    # A file system may ignore case, so no spelling of the reserved names is let through.
    if part.lower().startswith(RESERVED.encode()):
        return f"begins with {RESERVED}, which is reserved for temporary files and locks"
    return None
