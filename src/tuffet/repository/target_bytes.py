"""The bytes of targets on their way from the staging area to the store, under a name for each of their digests.

They are hashed again while they are copied (B002): what was changed on the disk meanwhile never gets the name of what
was signed. A name that holds its digest is created once and says the same for good.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final

from tuffet.errors import ConflictError, MismatchError, StorageError
from tuffet.metadata.hashes import ALGORITHMS
from tuffet.metadata.targets import TargetFile
from tuffet.repository.source import Progress, counter
from tuffet.repository.staging import Change, Staging
from tuffet.repository.target_paths import stored_names
from tuffet.storage.store import Store

_SMALL_BYTES: Final = 1 << 20
"""Up to here a file is read whole, so that many files wait for the disk together."""


def keep_targets(store: Store, staging: Staging, changes: Sequence[Change], progress: Progress | None = None) -> None:
    """Create the bytes of the changes in the store; MismatchError if staged bytes are not what was staged."""
    tick = counter(sum(change.file.length for change in changes if change.file), progress)
    small = [change for change in changes if change.file and change.file.length <= _SMALL_BYTES]
    large = [change for change in changes if change.file and change.file.length > _SMALL_BYTES]
    try:
        store.create_many(_read_small(staging, small, tick))
        for change in large:
            assert change.file  # noqa: S101  only those were picked
            for number, name in enumerate(stored_names(change.path, change.file.hashes.known().values())):
                with (
                    staging.open(change) as file,
                    io.BufferedReader(_Checked(change.path, change.file, file, None if number else tick)) as checked,
                ):
                    store.create(name, checked)
    except ConflictError as error:
        if error.path.startswith(str(staging.directory)):
            raise
        raise StorageError(
            error.path, "this published file is not what its name says: restore it, or take it away and publish again"
        ) from error


def _read_small(staging: Staging, changes: Iterable[Change], tick: Callable[[int], None]) -> Iterator[tuple[str, bytes]]:
    for change in changes:
        assert change.file  # noqa: S101  only those were picked
        with staging.open(change) as file:
            data = io.BufferedReader(_Checked(change.path, change.file, file, tick)).read()
        for name in stored_names(change.path, change.file.hashes.known().values()):
            yield name, data


class _Checked(io.RawIOBase):
    """A file that is refused at its end, or beyond, unless its bytes were the expected ones."""

    def __init__(self, path: str, expected: TargetFile, source: BinaryIO, tick: Callable[[int], None] | None) -> None:
        self._path, self._expected, self._source, self._tick = path, expected, source, tick
        self._hashes = {name: ALGORITHMS[name][1]() for name in expected.hashes.known()}
        self._length = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(len(buffer))
        self._length += len(data)
        if not data or self._length > self._expected.length:
            self._require()
        for state in self._hashes.values():
            state.update(data)
        buffer[: len(data)] = data
        if self._tick:
            self._tick(len(data))
        return len(data)

    def _require(self) -> None:
        what = f"staged {self._path}"
        if self._length != self._expected.length:
            raise MismatchError(what, "length", expected=self._expected.length, offered=self._length, attack="arbitrary-software")
        for name, listed in self._expected.hashes.known().items():
            if (actual := self._hashes[name].hexdigest()) != listed:
                raise MismatchError(what, name, expected=listed, offered=actual, attack="arbitrary-software")
