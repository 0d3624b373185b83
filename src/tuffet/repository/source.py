"""What a person wants to publish: bytes from wherever they are, and the application's own words about them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TypeAlias

from msgspec import UNSET, UnsetType

from tuffet.errors import FormatError, UsageError
from tuffet.metadata.canonical import check_free, encode_json, parse_json
from tuffet.storage.disk import Disk, explained

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the bytes that are done and those that there are."""
Source: TypeAlias = bytes | str | os.PathLike[str] | BinaryIO
"""The bytes, the path of a regular file, or an open file."""

_PIECE_BYTES: Final = 1 << 20


class Addition(NamedTuple):
    """A file to be published: its target path, its bytes or where they are, and what the application wants to say of it."""

    path: str
    source: Source
    custom: dict[str, Any] | None = None


def pieces(source: Source, disk: Disk) -> Iterator[bytes]:
    """Yield the bytes; a path that is a link, a directory or a pipe is refused with a StorageError."""
    if isinstance(source, bytes):
        yield source
    elif isinstance(source, str | os.PathLike):
        with explained(os.fspath(source)), os.fdopen(disk.open(os.fspath(source)), "rb", buffering=0) as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    else:
        while piece := source.read(_PIECE_BYTES):
            yield piece


def size_of(source: Source) -> int:
    """Return how many bytes there are as far as can be told; only progress depends on it."""
    if isinstance(source, bytes):
        return len(source)
    try:
        return Path(source).stat().st_size if isinstance(source, str | os.PathLike) else os.fstat(source.fileno()).st_size
    except (OSError, ValueError):
        return 0


def counter(total: int, progress: Progress | None) -> Callable[[int], None]:
    """Return what adds up bytes and tells of the progress."""
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        if progress:
            progress(done, max(done, total))

    return tick


def custom_of(custom: dict[str, Any] | None) -> dict[str, Any] | UnsetType:
    """Return the custom data of a target; UsageError if it is not JSON as documents hold it."""
    if custom is None:
        return UNSET
    try:
        value, _ = parse_json(encode_json(custom))
        check_free(value, "custom", 4)
    except (FormatError, TypeError, ValueError) as error:
        raise UsageError(f"custom data must be a JSON object without floats: {error}") from error
    if type(custom) is not dict or value != custom:
        raise UsageError(
            "custom data must be a JSON object: text as names, and nothing but text, integers, true, false, null, lists and objects"
        )
    return custom
