"""A store that forgets: the same promises, without the disk.

For tests and for trying things out. `fork` gives a second store with the same files, such as an old mirror has.
"""

import io
import threading
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tuffet.errors import ConflictError, StorageError
from tuffet.storage.store import checked_name, checked_prefix


class MemoryStore:
    """Files in a dictionary; safe for threads."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def read(self, name: str, at_most: int | None = None) -> bytes | None:
        """Return the bytes, None if the name is absent."""
        data = self._files.get(checked_name(name))
        if data is not None and at_most is not None and len(data) > at_most:
            raise StorageError(name, f"this file has more than the {at_most} bytes that are allowed")
        return data

    def open(self, name: str) -> BinaryIO | None:
        """Return the bytes as a file, None if the name is absent."""
        data = self.read(name)
        return None if data is None else io.BytesIO(data)

    def create(self, name: str, source: bytes | BinaryIO) -> None:
        """Create the name, or find that it holds these bytes already."""
        # A stream may give less than it was asked for; only nothing at all is its end.
        data = source if isinstance(source, bytes) else b"".join(iter(lambda: source.read(1 << 18), b""))
        with self._lock:
            if self._files.setdefault(checked_name(name), data) != data:
                raise ConflictError(name, "this name exists with other bytes and is created only once")

    def create_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Create the names one after the other."""
        for name, data in items:
            self.create(name, data)

    def replace(self, name: str, data: bytes, *, expected: bytes | None) -> None:
        """Make these the bytes if the name holds what is expected."""
        with self._lock:
            if self._files.get(checked_name(name)) != expected:
                raise ConflictError(name, "this file changed meanwhile: read it again and decide anew")
            self._files[name] = data

    def list(self, prefix: str = "") -> Iterator[str]:
        """Return the names as they are now, sorted."""
        checked_prefix(prefix)
        with self._lock:
            return iter(sorted(name for name in self._files if name.startswith(prefix)))

    def delete(self, name: str) -> None:
        """Remove the name if it is there."""
        with self._lock:
            self._files.pop(checked_name(name), None)

    def fork(self) -> "MemoryStore":
        """Return a store with the same files, from now on independent."""
        copy = MemoryStore()
        copy._files = self.contents()
        return copy

    def contents(self) -> dict[str, bytes]:
        """Return all files as they are now."""
        with self._lock:
            return dict(self._files)
