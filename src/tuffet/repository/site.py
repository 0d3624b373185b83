"""Where a repository publishes and by which policy, and what it published last.

A publisher remembers its last timestamp outside of what is served. Whoever can write there could put back an older
state, all of it well signed, and have it signed anew; like any client, the publisher refuses to go back (1.5.2).
"""

from pathlib import Path
from typing import Final, NamedTuple

from tuffet.repository.policy import Policy
from tuffet.storage.disk import DISK, Disk, read_bounded, write_atomic
from tuffet.storage.store import Store

LAST: Final = "last-timestamp.json"
_MAX_BYTES: Final = 65_536


class Last:
    """The last timestamp that was published from here, in a file."""

    def __init__(self, file: Path, disk: Disk = DISK) -> None:
        self._file, self._disk = file, disk

    def read(self) -> bytes | None:
        """Return it, None if nothing was published from here yet; it is not believed until it is verified."""
        return read_bounded(self._file, _MAX_BYTES, disk=self._disk)

    def keep(self, timestamp: bytes) -> None:
        """Remember that this is published now."""
        write_atomic(self._file, timestamp, disk=self._disk)


class Site(NamedTuple):
    """A store, its policy, and the memory of the publisher, if it has one."""

    store: Store
    policy: Policy
    last: Last | None = None

    def remembered(self) -> bytes | None:
        """Return the last timestamp."""
        return self.last.read() if self.last else None

    def remember(self, timestamp: bytes) -> None:
        """Remember the last timestamp."""
        if self.last:
            self.last.keep(timestamp)
