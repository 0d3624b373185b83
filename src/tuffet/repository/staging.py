"""Changes that wait to be published, safe on the disk and private until then.

Bytes are hashed while they are copied here, never hashed and then opened again (B002), so what is published is what
was read once. Each call leaves one entry in a journal, which is created whole and only taken away after its
changes were published. Entries share nothing, so adding and publishing need not wait for each other.
"""

import os
import re
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, BinaryIO, Final, NamedTuple

import msgspec

from tuffet.errors import ConflictError, StorageError
from tuffet.metadata.hashes import ALGORITHMS, make_hashes
from tuffet.metadata.targets import TargetFile
from tuffet.repository.source import Addition, Progress, counter, custom_of, pieces, size_of
from tuffet.repository.target_paths import require_publishable
from tuffet.storage.barriers import flush_directories, flush_files
from tuffet.storage.disk import DISK, RESERVED, Disk, create_once, discard, explained, make_directory, read_bounded, sweep, write_temporary

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700
_OLD_SECONDS: Final = 86_400

_ENTRY: Final = re.compile(r"[0-9]{12}-[0-9a-f]{16}\.json")
_Blob = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64,128}-[0-9a-f]{16}\Z")]


class Change(msgspec.Struct, frozen=True):
    """What shall become of a path: this file, or none any more."""

    path: str
    file: TargetFile | None = None
    blob: _Blob | None = None
    """The file in which its bytes wait."""


class Batch(NamedTuple):
    """All changes as they were read: for each path the last one counts."""

    changes: dict[str, Change]
    entries: tuple[str, ...]
    blobs: tuple[str, ...]


class Staging:
    """The changes staged in one directory, which is made when it is first written to."""

    def __init__(self, directory: str | os.PathLike[str], algorithms: Iterable[str] = ("sha256",), disk: Disk = DISK) -> None:
        self.directory = Path(directory)
        self._entries, self._blobs = self.directory / "entries", self.directory / "blobs"
        self._algorithms, self._disk = tuple(algorithms), disk
        self._settled = False

    def add(self, additions: Iterable[Addition], progress: Progress | None = None) -> tuple[Change, ...]:
        """Stage files, all of them or none; UsageError for a path or custom data that may not be published."""
        additions = list(additions)
        if not additions:
            return ()
        for addition in additions:
            require_publishable(addition.path, self._algorithms)
            custom_of(addition.custom)
        tick = counter(sum(size_of(addition.source) for addition in additions) if progress else 0, progress)
        copied: list[tuple[str, Change]] = []
        self.prepare()
        try:
            for addition in additions:
                pair = self._copy(addition, tick)
                copied.append(pair)
            flush_files(self._disk, [temporary for temporary, _ in copied])
            for temporary, change in copied:
                place = str(self._blobs / (change.blob or ""))
                with explained(place):
                    self._disk.replace(temporary, place)
            flush_directories(self._disk, [str(self._blobs)])
        except BaseException:
            for temporary, _ in copied:
                discard(temporary, disk=self._disk)
            raise
        changes = tuple(change for _, change in copied)
        self._note(changes)
        return changes

    def remove(self, paths: Iterable[str]) -> None:
        """Note that these paths shall no longer be listed."""
        self.prepare()
        self._note([Change(path) for path in paths])

    def read(self) -> Batch:
        """Return all staged changes."""
        changes: dict[str, Change] = {}
        entries, blobs = [], []
        for name in self._noted():
            path = self._entries / name
            data = read_bounded(path, None, disk=self._disk)
            if data is None:
                continue  # Another publisher was done with it.
            try:
                noted = msgspec.json.decode(data, type=list[Change])
            except msgspec.DecodeError as error:
                raise StorageError(str(path), "this staged entry is damaged: take it away and stage its files again") from error
            entries.append(name)
            for change in noted:
                # The order of entries is the order in which changes count and are shown.
                changes.pop(change.path, None)
                changes[change.path] = change
                if change.blob:
                    blobs.append(change.blob)
        return Batch(changes, tuple(entries), tuple(blobs))

    def open(self, change: Change) -> BinaryIO:
        """Return the staged bytes; ConflictError if another publisher was done with them meanwhile."""
        path = self._blobs / (change.blob or "")
        with explained(str(path)):
            try:
                return os.fdopen(self._disk.open(str(path)), "rb")
            except FileNotFoundError as error:
                raise ConflictError(str(path), f"the staged bytes of {change.path} are gone: stage the file again") from error

    def forget(self, batch: Batch) -> None:
        """Take away what was published, and what dead runs left here long ago."""
        # Entries go first: one without its bytes could never be published.
        for name in batch.entries:
            discard(str(self._entries / name), disk=self._disk)
        if batch.entries:
            flush_directories(self._disk, [str(self._entries)])
        for name in batch.blobs:
            discard(str(self._blobs / name), disk=self._disk)
        self._sweep()

    def _copy(self, addition: Addition, tick: Callable[[int], None]) -> tuple[str, Change]:
        hashes = {name: ALGORITHMS[name][1]() for name in self._algorithms}
        length = 0

        def hashed() -> Iterable[bytes]:
            nonlocal length
            for piece in pieces(addition.source, self._disk):
                length += len(piece)
                for state in hashes.values():
                    state.update(piece)
                yield piece
                tick(len(piece))

        with explained(str(self._blobs)):
            temporary = write_temporary(str(self._blobs / "blob"), hashed(), PRIVATE_FILE, durable=False, disk=self._disk)
        digests = {name: state.hexdigest() for name, state in hashes.items()}
        file = TargetFile(hashes=make_hashes(digests), length=length, custom=custom_of(addition.custom))
        return temporary, Change(addition.path, file, f"{digests[self._algorithms[0]]}-{secrets.token_hex(8)}")

    def _note(self, changes: Iterable[Change]) -> None:
        held = self._noted()
        number = int(held[-1].partition("-")[0]) + 1 if held else 1
        # Chance keeps two that add at once apart; and who forgets an entry never takes away a later one of that number.
        name = f"{number:012}-{secrets.token_hex(8)}.json"
        create_once(self._entries / name, msgspec.json.encode(list(changes)), PRIVATE_FILE, disk=self._disk)

    def prepare(self) -> None:
        """Make the directory, private and durable; whatever writes to it does that first."""
        if self._settled:
            return
        for directory in (self._entries, self._blobs):
            make_directory(directory, PRIVATE_DIRECTORY, disk=self._disk)
        # Directories that another run made, and died before they were durable, look like any others.
        flush_directories(self._disk, [str(self.directory.parent), str(self.directory)])
        self._settled = True

    def _noted(self) -> list[str]:
        """Return the names of the entries in their order; whatever else lies there is nobody's business."""
        return [name for name in self._listed(self._entries) if _ENTRY.fullmatch(name)]

    def _listed(self, directory: Path) -> list[str]:
        with explained(str(directory)):
            try:
                return sorted(path.name for path in directory.iterdir() if not path.name.startswith(RESERVED))
            except FileNotFoundError:
                return []

    def _sweep(self) -> None:
        """Take away what runs that died left here; what is young may belong to one that lives."""
        referenced = set(self.read().blobs)
        orphans = [self._blobs / name for name in self._listed(self._blobs) if name not in referenced]
        old = time.time() - _OLD_SECONDS
        for path in orphans:
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < old:
                    discard(str(path), disk=self._disk)
        for directory in (self._entries, self._blobs):
            if directory.is_dir():
                sweep(directory, _OLD_SECONDS, disk=self._disk)
