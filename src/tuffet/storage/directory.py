"""A store in a directory, which a web server can serve as it is.

What a call wrote is on the disk when it returns, and no reader ever sees a part of a file. Many files cost few
waits for the disk. Symbolic links below the root are never followed (B106); whoever could plant one in the middle of
a call could change the files themselves just as well.
"""

# ruff: noqa: PTH100, PTH112, PTH114, PTH118, PTH120, PTH123
# Paths are plain strings, as in the disk below.

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import BinaryIO, Final

from tuffet.errors import ConflictError, StorageError
from tuffet.storage.barriers import flush_directories, flush_files
from tuffet.storage.disk import (
    DISK,
    LOCK,
    Disk,
    discard,
    explained,
    locked,
    make_directory,
    place,
    read_bounded,
    sweep,
    write_atomic,
    write_temporary,
)
from tuffet.storage.store import checked_name, checked_prefix, checked_windows_name
from tuffet.storage.walk import walk

_CHUNK_BYTES: Final = 1 << 18
_TAKEN: Final = "this name exists with other bytes and is created only once: choose another name"
_CHANGED: Final = "this file changed meanwhile: read it again and decide anew"
_LINK: Final = "a symbolic link is where a directory belongs, and it is never followed: put the directory itself there"


class DirectoryStore:
    """Files below `root`, which is made when something is first written; safe for many threads and processes at once."""

    def __init__(self, root: str | os.PathLike[str], disk: Disk = DISK, file_mode: int = 0o644) -> None:
        self._root = os.path.abspath(root)
        self._disk = disk
        self._file_mode = file_mode
        # Whoever may read the files may also search the directories.
        self._directory_mode = file_mode | 0o100 | (file_mode & 0o444) >> 2
        self._settled: set[str] = set()

    def read(self, name: str, at_most: int | None = None) -> bytes | None:
        """Return the bytes, None if the name is absent."""
        return read_bounded(self._path(name), at_most, disk=self._disk)

    def open(self, name: str) -> BinaryIO | None:
        """Return the open file, None if the name is absent."""
        return self._opened(self._path(name))

    def create(self, name: str, source: bytes | BinaryIO) -> None:
        """Create the name, or find that it holds these bytes already; a stream is copied in pieces."""
        self._create([(name, source)])

    def create_many(self, items: Iterable[tuple[str, bytes]]) -> None:
        """Create the names: the bytes of all of them reach the disk before the first name is given."""
        self._create(items)

    def replace(self, name: str, data: bytes, *, expected: bytes | None) -> None:
        """Make these the bytes if the name holds what is expected."""
        if expected is None:
            # Creating needs no lock: the file system lets one of two win.
            self._create([(name, data)], same_is_fine=False)
            return
        path = self._path(name)
        if not self._holds(path, io.BytesIO(expected)):
            raise ConflictError(path, _CHANGED)
        with self._locked():
            if not self._holds(path, io.BytesIO(expected)):
                raise ConflictError(path, _CHANGED)
            write_atomic(path, data, self._file_mode, disk=self._disk)

    def list(self, prefix: str = "") -> Iterator[str]:
        """Return the names of regular files, sorted; each directory is read when its turn comes."""
        return walk(self._root, checked_prefix(prefix))

    def delete(self, name: str) -> None:
        """Remove the name if it is there."""
        path = self._path(name)
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            return
        with self._locked(), explained(path):
            with suppress(FileNotFoundError):
                self._disk.unlink(path)
            # Even if it was gone already: whoever removed it may have died before that was durable.
            self._disk.fsync_directory(folder)

    def sweep(self, older_than_seconds: float = 86_400) -> int:
        """Remove the temporary files that dead runs left anywhere in the store; return how many."""
        folders = [folder for folder, _, _ in os.walk(self._root)]
        return sum(sweep(folder, older_than_seconds, disk=self._disk) for folder in folders)

    def _create(self, items: Iterable[tuple[str, bytes | BinaryIO]], *, same_is_fine: bool = True) -> None:
        written: list[tuple[str, str]] = []
        folders: set[str] = set()
        try:
            for name, source in items:
                path = self._path(name, make=True)
                folders.add(os.path.dirname(path))
                stream = io.BytesIO(source) if isinstance(source, bytes) else source
                same = self._holds(path, stream)
                if same is None:
                    with explained(path):
                        temporary = write_temporary(path, _pieces(stream), self._file_mode, durable=False, disk=self._disk)
                    written.append((temporary, path))
                elif not (same and same_is_fine):
                    raise ConflictError(path, _TAKEN if same_is_fine else _CHANGED)
            flush_files(self._disk, [temporary for temporary, _ in written])
            for temporary, path in written:
                self._place(temporary, path, same_is_fine=same_is_fine)
            self._settle(folders)
        finally:
            for temporary, _ in written:
                discard(temporary, disk=self._disk)

    def _place(self, temporary: str, path: str, *, same_is_fine: bool) -> None:
        with explained(path):
            try:
                place(temporary, path, disk=self._disk)
            except FileExistsError:
                # Somebody else was quicker, perhaps with the same bytes.
                with open(self._disk.open(temporary), "rb") as ours:
                    same = self._holds(path, ours)
            else:
                return
        if not (same and same_is_fine):
            raise ConflictError(path, _TAKEN if same_is_fine else _CHANGED)

    def _settle(self, folders: set[str]) -> None:
        """Make names durable: those in the folders and, the first time we meet a folder, the names that lead to it."""
        # A folder that another run made, and died before it was durable, looks like any other.
        wanted = folders.union(*(self._above(folder) for folder in folders - self._settled))
        flush_directories(self._disk, wanted)
        self._settled |= folders

    def _above(self, folder: str) -> Iterator[str]:
        while folder != self._root:
            folder = os.path.dirname(folder)
            yield folder

    def _path(self, name: str, *, make: bool = False) -> str:
        """Return the path of a name, having looked at every folder on the way for a link that leads elsewhere."""
        *folders, last = (checked_name(name) if os.name != "nt" else checked_windows_name(name)).split("/")
        path = self._root
        if make and not os.path.isdir(path):
            make_directory(path, self._directory_mode, disk=self._disk)
        for part in folders:
            path = os.path.join(path, part)
            with explained(path):
                if make and not os.path.lexists(path):
                    with suppress(FileExistsError):
                        self._disk.mkdir(path, self._directory_mode)
                if os.path.islink(path):
                    raise StorageError(path, _LINK)
        return os.path.join(path, last)

    def _opened(self, path: str) -> BinaryIO | None:
        with explained(path):
            try:
                return open(self._disk.open(path), "rb")
            except (FileNotFoundError, NotADirectoryError):
                return None

    def _holds(self, path: str, source: BinaryIO) -> bool | None:
        """Return whether the file holds exactly what the source gives; None, and nothing read, if there is no file."""
        if (file := self._opened(path)) is None:
            return None
        with file:
            for piece in _pieces(source):
                if file.read(len(piece)) != piece:
                    return False
            return not file.read(1)

    def _locked(self) -> AbstractContextManager[None]:
        # Who may write the files may lock them, and nobody else may keep them waiting.
        return locked(os.path.join(self._root, LOCK), mode=self._file_mode & 0o770)


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    with explained(str(getattr(source, "name", "the source"))):
        while piece := source.read(_CHUNK_BYTES):
            yield piece
