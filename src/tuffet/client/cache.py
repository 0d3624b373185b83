"""What a client believed last, in one directory of its own, safe for many processes, threads and crashes.

`root.json`, `timestamp.json`, `snapshot.json`, `targets.json` and delegated roles under their percent-encoded names
are the newest that were believed; `roots/` holds the chain of roots that led here. Nothing in it is trusted for being there: whoever
reads it verifies it again, from the pinned root on. Files are whole or absent, 0600 in a directory of 0700.
"""

import os
from typing import Final

import msgspec

from tuffet.errors import StorageError, UsageError
from tuffet.metadata.dsse import decode_base64
from tuffet.names import ROOT, metadata_file
from tuffet.storage.disk import DISK, LOCK, Disk, discard, locked, make_directory, read_bounded, write_atomic

_MODE: Final = 0o600
_PINNED: Final = "pinned"
_LONGEST_NAME: Final = 200


class Cache:
    """The cache of one client in one directory, which is made when it is first written to."""

    def __init__(self, directory: str | os.PathLike[str], *, at_most: int = 128_000_000, disk: Disk = DISK) -> None:
        self.directory = os.fspath(directory)
        self._roots = os.path.join(self.directory, "roots")
        self._at_most, self._disk = at_most, disk
        self._seen: dict[str, bytes | None] = {}

    def load(self, role: str, version: int | None = None) -> bytes | None:
        """Return what was kept of a role (of one version, for root), or None."""
        path = self._path(role, version)
        data = read_bounded(path, self._at_most, disk=self._disk)
        self._seen[path] = data
        return data

    def keep(self, role: str, data: bytes, version: int) -> None:
        """Keep what is now believed of a role."""
        self._make()
        path = self._path(role, version)
        # Another process may have learnt of something newer since we looked. What it kept was believed too, so the
        # newer one stays; only a file that changed under our eyes is asked for its version.
        with locked(os.path.join(self.directory, LOCK)):
            held = read_bounded(path, self._at_most, disk=self._disk)
            if held != self._seen.get(path, held) and _version(held) > version:
                return
            if held != data:
                write_atomic(path, data, _MODE, disk=self._disk)
            if role == ROOT:
                write_atomic(os.path.join(self.directory, "root.json"), data, _MODE, disk=self._disk)
        self._seen[path] = data

    def forget(self, role: str) -> None:
        """Take away what was kept of a role, because its keys were."""
        path = self._path(role, None)
        if os.path.exists(path):
            with locked(os.path.join(self.directory, LOCK)):
                discard(path, disk=self._disk)
        self._seen.pop(path, None)

    def pin(self, root: bytes) -> None:
        """Make this root the one that the client starts from where none is given to it."""
        self._make()
        with locked(os.path.join(self.directory, LOCK)):
            write_atomic(os.path.join(self._roots, _PINNED), root, _MODE, disk=self._disk)
            write_atomic(os.path.join(self.directory, "root.json"), root, _MODE, disk=self._disk)

    def pinned(self) -> bytes:
        """Return the pinned root; UsageError where there is none."""
        root = read_bounded(os.path.join(self._roots, _PINNED), self._at_most, disk=self._disk)
        if root is None:
            raise UsageError(f"{self.directory} has no pinned root: give the client a root that you have from a source you trust")
        return root

    def show_root(self, version: int, pinned: bytes) -> None:
        """Make `root.json` the root of this version, which is the newest that is believed."""
        root = read_bounded(self._path(ROOT, version), self._at_most, disk=self._disk) or pinned
        shown = os.path.join(self.directory, "root.json")
        if read_bounded(shown, self._at_most, disk=self._disk) != root:
            self._make()
            write_atomic(shown, root, _MODE, disk=self._disk)

    def contents(self) -> dict[str, bytes]:
        """Return all that is kept, by file name; for tests and for people."""
        found = {}
        for folder, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(folder, name)
                if not name.startswith("."):
                    found[os.path.relpath(path, self.directory).replace(os.sep, "/")] = read_bounded(path, None, disk=self._disk) or b""
        return found

    def _make(self) -> None:
        make_directory(self._roots, 0o700, disk=self._disk)

    def _path(self, role: str, version: int | None) -> str:
        if role == ROOT:
            return os.path.join(self._roots, metadata_file(ROOT, version))
        name = metadata_file(role)
        if len(name) > _LONGEST_NAME:
            raise StorageError(self.directory, f"the role name {role[:40]!r}… is too long to be kept as a file")
        return os.path.join(self.directory, name)


class _Signed(msgspec.Struct, frozen=True):
    version: int = 0


class _Shown(msgspec.Struct, frozen=True):
    signed: _Signed = _Signed()
    payload: str = ""


def _version(data: bytes | None) -> int:
    """Return the version that kept bytes claim, 0 where they are damaged."""
    try:
        shown = msgspec.json.decode(data or b"{}", type=_Shown)
        return msgspec.json.decode(decode_base64(shown.payload), type=_Signed).version if shown.payload else shown.signed.version
    except (msgspec.DecodeError, ValueError, RecursionError):
        return 0
