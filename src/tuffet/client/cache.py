"""What a client believed last, in one directory of its own, safe for many processes, threads and crashes.

`root.json`, `timestamp.json`, `snapshot.json`, `targets.json` and delegated roles under their percent-encoded names
are the newest that were believed; `roots/` holds the chain of roots that led here. Nothing in it is trusted for being there: whoever
reads it verifies it again, from the pinned root on. Files are whole or absent, 0600 in a directory of 0700.
"""

import os
from contextlib import AbstractContextManager
from typing import Final

from tuffet.client.kept import Note, claimed_version, kept_file
from tuffet.errors import StorageError, UsageError
from tuffet.names import ROOT, SNAPSHOT, TIMESTAMP, metadata_file
from tuffet.storage.disk import DISK, LOCK, RESERVED, Disk, discard, explained, locked, make_directory, read_bounded, sweep, write_atomic

_MODE: Final = 0o600


class Cache:
    """The cache of one client in one directory, which is made when it is first written to. Not for several threads at once."""

    def __init__(self, directory: str | os.PathLike[str], *, at_most: int = 128_000_000, disk: Disk = DISK) -> None:
        """A file of more than `at_most` bytes counts as damaged, and is fetched again."""
        self.directory = os.fspath(directory)
        self._roots = os.path.join(self.directory, "roots")
        self._pinned = os.path.join(self._roots, "pinned")
        self._shown = os.path.join(self.directory, "root.json")
        self._note = os.path.join(self.directory, f"{RESERVED}forget")
        self._at_most, self._disk = at_most, disk
        self._seen: dict[str, bytes | None] = {}
        self._early: dict[str, bytes | None] = {}
        self._beyond: str | None = None
        self._swept = False
        self._forgotten: set[str] = set()
        self._unshown: bytes | None = None

    def load(self, role: str, version: int | None = None) -> bytes | None:
        """Return what was kept of a role (of one version, for root), or None."""
        path = self._path(role, version)
        if role == ROOT:
            self._require_own()
            self._beyond = path
            self._forgotten.clear()
        elif role in self._forgotten:
            return None
        elif os.path.lexists(self._note):
            with self._locked():
                self._finish_forgetting()
        if role == TIMESTAMP:
            # Another process may keep both while we look. Read in this order, the snapshot is never the newer of the
            # two, which would make the one that our timestamp names look like a rollback.
            self._early = {(snapshot := self._path(SNAPSHOT, None)): self._read(snapshot)}
        data = self._seen[path] = self._early.pop(path) if path in self._early else self._read(path)
        return data

    def keep(self, role: str, data: bytes, version: int) -> None:
        """Keep what is now believed of a role."""
        self._make()
        path = self._path(role, version)
        with self._locked():
            held = self._read(path)
            if role == ROOT:
                self._keep_root(path, held, data, version)
            elif self._others_know_better(role, held, version):
                return
            elif held != data:
                self._write(path, data)
        self._seen[path] = data

    def forget(self, role: str) -> None:
        """Take away what was kept of a role, because its keys were: on the disk together with keeping the root that took them."""
        self._forgotten.add(role)

    def pin(self, root: bytes) -> None:
        """Make this root the one that the client starts from where none is given to it."""
        self._make()
        with self._locked():
            self._write(self._pinned, root)
            self._write(self._shown, root)

    def pinned(self) -> bytes:
        """Return the pinned root; UsageError where there is none."""
        self._require_own()
        root = self._read(self._pinned)
        if root is None:
            raise UsageError(f"{self.directory} has no pinned root: give the client a root that you have from a source you trust")
        return root

    def show_newest_root(self) -> None:
        """Make `root.json` the last root that was kept, if it is not shown yet; it is for people, so a chain shows its end only."""
        if self._unshown is not None:
            with self._locked():
                self._show(self._unshown)
            self._unshown = None

    def show_root(self, version: int, pinned: bytes) -> None:
        """Make `root.json` the root of this version, which is the newest that is believed."""
        root = pinned if claimed_version(pinned) == version else self._read(self._path(ROOT, version))
        if root is not None and not self._is_shown(root):
            self._make()
            with self._locked():
                self._show(root)

    def contents(self) -> dict[str, bytes]:
        """Return all that is kept, by file name; for tests and for people."""
        found = {}
        for folder, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(folder, name)
                if not name.startswith(RESERVED):
                    found[os.path.relpath(path, self.directory).replace(os.sep, "/")] = read_bounded(path, None, disk=self._disk) or b""
        return found

    def _keep_root(self, path: str, held: bytes | None, data: bytes, version: int) -> None:
        if held != data:
            # A root that takes keys away and the forgetting of what they said are one step, wherever the machine stops
            # and however full the disk is: the note counts from the moment at which the root is there.
            if self._forgotten:
                self._write(self._note, Note(version, sorted(self._forgotten)).encode())
            else:
                discard(self._note, disk=self._disk)
            self._write(path, data)
            self._finish_forgetting()
        self._forgotten.clear()
        self._beyond = self._path(ROOT, version + 1)
        # Whoever followed the chain beyond this link had kept it. Where it was missing, what lies beyond it is damage.
        self._seen[self._beyond] = None if held == data else self._read(self._beyond)
        self._unshown = data

    def _finish_forgetting(self) -> None:
        note = Note.parse(self._read(self._note))
        if note.roles and os.path.lexists(self._path(ROOT, note.root)):
            for role in note.roles:
                discard(self._path(role, None), disk=self._disk)
            with explained(self.directory):
                self._disk.fsync_directory(self.directory)
        discard(self._note, disk=self._disk)

    def _others_know_better(self, role: str, held: bytes | None, version: int) -> bool:
        # Another process may have learnt of something newer since we looked. What it kept was believed too, so it stays. A
        # timestamp that changed under our eyes is asked for its version; whatever changed, what belongs to an older one
        # is not kept. And once another process has followed the roots further, versions say nothing: they may have begun
        # anew, under other keys (5.3.11).
        if self._others_went_further():
            return True
        if role == TIMESTAMP:
            return self._changed(self._path(role, None), held) and claimed_version(held) > version
        timestamp = self._path(TIMESTAMP, None)
        return self._changed(timestamp, self._read(timestamp))

    def _changed(self, path: str, now: bytes | None) -> bool:
        return now != self._seen.get(path, now)

    def _others_went_further(self) -> bool:
        return self._beyond is not None and self._read(self._beyond) != self._seen.get(self._beyond)

    def _show(self, root: bytes) -> None:
        if not self._is_shown(root) and not self._others_went_further():
            self._write(self._shown, root)

    def _is_shown(self, root: bytes) -> bool:
        # Nothing is ever believed for standing in root.json, so the link that PyPI's tuf puts there is replaced like any other file.
        return not os.path.islink(self._shown) and self._read(self._shown) == root

    def _read(self, path: str) -> bytes | None:
        with explained(path):
            if os.path.lexists(path) and os.lstat(path).st_size > self._at_most:
                return None
        return read_bounded(path, self._at_most, disk=self._disk)

    def _write(self, path: str, data: bytes) -> None:
        write_atomic(path, data, _MODE, disk=self._disk)

    def _make(self) -> None:
        make_directory(self._roots, 0o700, disk=self._disk)
        self._require_own()
        if not self._swept:
            # Runs that died while they wrote left temporary files, which nobody else will ever take away (B009).
            self._swept = True
            for folder in (self.directory, self._roots):
                sweep(folder, disk=self._disk)

    def _require_own(self) -> None:
        """Refuse a directory where anybody could have pinned a root, or taken away what protects against older metadata (B061)."""
        if os.path.islink(self._roots):
            raise StorageError(self._roots, "a symbolic link is where a directory belongs, and it is never followed: move it away")
        with explained(self.directory):
            if os.name != "nt" and os.path.exists(self.directory) and os.stat(self.directory).st_mode & 0o002:
                raise StorageError(self.directory, "anybody may write to this directory: chmod o-w, or name a directory below it")

    def _locked(self) -> AbstractContextManager[None]:
        return locked(os.path.join(self.directory, LOCK))

    def _path(self, role: str, version: int | None) -> str:
        if role == ROOT:
            return os.path.join(self._roots, metadata_file(ROOT, version))
        return os.path.join(self.directory, kept_file(role))
